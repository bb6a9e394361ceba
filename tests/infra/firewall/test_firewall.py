"""What the firewall lets through, and what it outlives, on every release of Debian."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

HOSTS = ("bookworm", "bullseye", "trixie")
REFUSED = "Connection refused"


CLIENT = """
import socket, sys
with socket.create_connection((sys.argv[1], 6379), 5) as connected:
    connected.settimeout(5)
    for line in sys.stdin:
        try:
            connected.sendall(line.encode())
            print(connected.recv(64).decode().strip(), flush=True)
        except OSError as exc:
            print(type(exc).__name__, flush=True)
"""


@contextlib.contextmanager
def held(guarded: Any, client: str, server: str) -> Iterator[Callable[[], str]]:
    """Hold a connection from one host to another's Redis; what is yielded asks over it, and returns what comes back."""
    command = shlex.join(["python3", "-c", CLIENT, guarded.addresses[server]])
    ssh = ["ssh", "-F", str(guarded.lab.folder / "ssh_config"), client, command]
    with subprocess.Popen(ssh, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        ask, told = process.stdin, process.stdout
        assert ask
        assert told

        def asked() -> str:
            ask.write("PING\n")
            ask.flush()
            return told.readline().strip()

        yield asked
        ask.close()


def is_guarded(guarded: Any, host: str) -> bool:
    """Say whether a host answers whom it should, and nobody else."""
    stranger, client = guarded.strangers[host], guarded.admitted[host]
    answers = [guarded.ask(each, host) for each in (stranger, client, host)]
    return REFUSED in answers[0] and answers[1:] == ["PONG", "PONG"]


@pytest.mark.parametrize("host", HOSTS)
def test_only_clients_get_through(guarded: Any, host: str) -> None:
    assert is_guarded(guarded, host), guarded.rules(host)
    assert "counter packets 0 " not in guarded.rules(host), "the stranger was turned away by this very rule"


@pytest.mark.parametrize("host", HOSTS)
def test_without_it_a_stranger_gets_through(guarded: Any, host: str) -> None:
    """Stopping the unit takes the table away, and nothing else."""
    machine = guarded.lab.host(host)
    machine.run_expect([0], "nft add table inet theirs && systemctl stop cubejs-firewall.service")
    assert machine.check_output("nft list tables") == "table inet theirs"
    assert guarded.ask(guarded.strangers[host], host) == "PONG"
    machine.run_expect([0], "systemctl start cubejs-firewall.service")
    assert is_guarded(guarded, host)
    assert "table inet theirs" in machine.check_output("nft list tables"), "what others keep stays"
    machine.run_expect([0], "nft delete table inet theirs")


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("verb", ["start", "reload", "restart", "stop"])
def test_it_outlives_who_empties_the_rule_set(guarded: Any, host: str, verb: str) -> None:
    """Debian's own service begins and ends with `flush ruleset`."""
    machine = guarded.lab.host(host)
    assert "flush ruleset" in machine.check_output("cat /etc/nftables.conf")
    machine.run_expect([0], f"systemctl {verb} nftables.service")
    assert is_guarded(guarded, host), guarded.rules(host)


@pytest.mark.parametrize("host", HOSTS)
def test_other_firewalls_are_not_overruled(guarded: Any, host: str) -> None:
    """What another table turns away stays away, whomever ours admits; other ports are none of ours."""
    machine, client = guarded.lab.host(host), guarded.admitted[host]
    machine.run_expect([0], "nft add table inet theirs")
    machine.run_expect(
        [0],
        "nft 'add chain inet theirs input { type filter hook input priority 10; policy accept; }' && "
        f"nft add rule inet theirs input ip saddr {guarded.addresses[client]} tcp dport 6379 reject with tcp reset",
    )
    assert REFUSED in guarded.ask(client, host)
    machine.run_expect([0], "nft delete table inet theirs")
    assert guarded.ask(client, host) == "PONG"


def test_it_is_there_after_a_boot_before_the_network(guarded: Any) -> None:
    machine = guarded.lab.host("bookworm")
    assert machine.check_output("systemctl is-enabled cubejs-firewall.service") == "enabled"
    after = machine.check_output("systemctl show -p Before --value cubejs-firewall.service").split()
    assert "network-pre.target" in after
    machine.run_expect([0], "systemctl stop cubejs-firewall.service")
    machine.run_expect([0], "systemctl start sysinit.target")
    assert is_guarded(guarded, "bookworm")


def test_a_run_without_changes_changes_nothing(guarded: Any) -> None:
    assert not guarded.deploy().changed
    assert not guarded.deploy("--check", "--diff").changed
    assert not guarded.deploy("--tags", "firewall_service").changed


def test_a_run_loads_again_what_somebody_dropped(guarded: Any) -> None:
    guarded.lab.host("trixie").run_expect([0], "nft flush ruleset")
    assert guarded.ask(guarded.strangers["trixie"], "trixie") == "PONG"
    assert {host for host, _task in guarded.deploy().changed} == {"trixie"}
    assert is_guarded(guarded, "trixie")


@pytest.mark.parametrize("host", HOSTS)
def test_who_is_a_client_no_more_is_cut_off_when_the_run_says_so(guarded: Any, again: Any, host: str) -> None:
    """First the new client is let in beside the former one; then the former one's open connection ends."""
    former, new = guarded.admitted[host], guarded.strangers[host]
    with held(guarded, former, host) as ask:
        assert ask() == "+PONG"
        moved = ("--limit", host, "-e", f"admitted={new}")
        assert again(*moved, "-e", "firewall_former_clients_kept=true").changed
        assert not again(*moved, "-e", "firewall_former_clients_kept=true").changed
        assert [guarded.ask(each, host) for each in (former, new)] == ["PONG", "PONG"]
        assert ask() == "+PONG"
        assert again(*moved).changed
        assert REFUSED in guarded.ask(former, host)
        assert guarded.ask(new, host) == "PONG"
        assert ask() == "ConnectionResetError"


def test_what_is_listed_no_more_stays_guarded(guarded: Any, again: Any) -> None:
    """It goes on running, so it must not be open to all."""
    assert not again("--limit", "bookworm", "-e", '{"firewall_services": []}').changed
    assert is_guarded(guarded, "bookworm")


def test_rules_that_nft_refuses_replace_nothing(guarded: Any, again: Any) -> None:
    wrong = '{"firewall_services": [{"service": "redis", "name": "a", "ports": [6379], "clients": ["db.example"]}]}'
    run = guarded.lab.converge("--limit", "bookworm", "-e", wrong)
    assert run.status != 0
    assert "'db.example' is no IP address or network" in run.output
    assert is_guarded(guarded, "bookworm")


def test_further_clients_and_networks(guarded: Any, again: Any) -> None:
    network = guarded.addresses["bookworm"].rpartition(".")[0] + ".0/24"
    again("--limit", "bullseye", "-e", f'{{"firewall_clients": {{"redis": ["{network}"]}}}}')
    assert guarded.ask(guarded.strangers["bullseye"], "bullseye") == "PONG"


def test_it_can_be_turned_off_and_on(guarded: Any, again: Any) -> None:
    host = "bookworm"
    off = ("--limit", host, "-e", '{"firewall_enabled": false}')
    assert again(*off).changed
    assert not guarded.rules(host)
    assert guarded.ask(guarded.strangers[host], host) == "PONG"
    assert not again(*off).changed
    guarded.lab.host(host).run_expect([0], "systemctl restart nftables.service")
    assert not guarded.rules(host), "nobody puts it back"
    again("--limit", host)
    assert is_guarded(guarded, host)
