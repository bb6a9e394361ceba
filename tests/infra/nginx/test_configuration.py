"""Configuration that is good, bad, somebody else's, or was broken since; and processes that were killed."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from testinfra.host import Host
from web_clients import ACME, LAB, OWN_CA, TLS_HOSTS, Client, WebSocket

ROOT = "/etc/nginx/cubejs"
PATH = "/cubejs-api/v1/load"
BAD = json.dumps({"http_directives": "nonsense on;"})


def master(host: Host) -> str:
    return host.check_output("cat /run/nginx.pid")


def shown(host: Host) -> str:
    return host.check_output(f"readlink {ROOT}")


@contextmanager
def foreign(host: Host, path: str, text: str) -> Iterator[None]:
    """Put somebody else's file there for a while."""
    host.run_test(f"cat > {path} <<'END'\n{text}\nEND")
    try:
        yield
    finally:
        host.run_test(f"rm {path}")


@contextmanager
def converged(lab: Any, host: str, **variables: Any) -> Iterator[None]:
    """Have a host with other settings for a while."""
    run = lab.converge("--limit", host, "-e", json.dumps(variables))
    assert run.status == 0, run.output
    try:
        yield
    finally:
        run = lab.converge("--limit", host)
        assert run.status == 0, run.output


@pytest.mark.parametrize("mode", [["--check"], []], ids=["check mode", "run"])
def test_a_bad_configuration_is_refused_and_the_running_one_stays(
    lab: Any, bookworm: Client, bookworm_host: Host, mode: list[str]
) -> None:
    before = shown(bookworm_host), master(bookworm_host)
    run = lab.converge("--limit", "bookworm", "-e", BAD, *mode)
    assert run.status == 2, run.output
    assert 'unknown directive "nonsense" in /etc/nginx/cubejs/http.conf:' in run.output
    assert "those in place are unchanged" in run.output
    assert (shown(bookworm_host), master(bookworm_host)) == before
    assert bookworm.get(PATH).status == 200


def test_somebody_else_s_broken_file_is_named_and_nothing_is_touched(
    lab: Any, bookworm: Client, bookworm_host: Host
) -> None:
    before = shown(bookworm_host), master(bookworm_host)
    changes = json.dumps({"nginx_hsts_seconds": 60})
    with foreign(bookworm_host, "/etc/nginx/conf.d/theirs.conf", "server {\n  lissten 81;\n}"):
        for arguments in ([], ["--check"], ["-e", changes]):
            run = lab.converge("--limit", "bookworm", *arguments)
            assert run.status == 2, run.output
            assert 'unknown directive "lissten" in /etc/nginx/conf.d/theirs.conf:2' in run.output
            assert "/etc/nginx/conf.d/theirs.conf: not of this set" in run.output
        assert (shown(bookworm_host), master(bookworm_host)) == before
        assert bookworm.get(PATH).headers["strict-transport-security"] == "max-age=63072000"
    run = lab.converge("--limit", "bookworm")
    assert (run.status, run.changed) == (0, frozenset())


def test_somebody_else_s_sites_are_served_beside_ours(bookworm: Client, bookworm_host: Host) -> None:
    site = "server { listen 80; server_name theirs.example; location / { return 200 theirs; } }"
    for path in ("/etc/nginx/conf.d/theirs.conf", "/etc/nginx/sites-enabled/theirs"):
        with foreign(bookworm_host, path, site):
            bookworm_host.run_test("systemctl reload nginx")
            time.sleep(1)
            assert bookworm.plain("/", "theirs.example").body == b"theirs"
    bookworm_host.run_test("systemctl reload nginx")


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(f"echo 'garbage here' >> {ROOT}/http.conf", id="a file of ours edited by hand"),
        pytest.param(f"rm {ROOT}/proxy.conf {ROOT}/certificates/acme.key", id="files of ours removed"),
        pytest.param("rm /etc/nginx/nginx.conf; echo 'garbage;' > /etc/nginx/nginx.conf", id="nginx.conf replaced"),
        pytest.param(f"cp {ROOT}/certificates/globex.crt {ROOT}/certificates/acme.crt", id="another certificate"),
        pytest.param(f"rm {ROOT}", id="the set itself removed"),
    ],
)
def test_what_was_broken_of_ours_is_mended(lab: Any, bookworm: Client, bookworm_host: Host, harm: str) -> None:
    bookworm_host.run_test(f"{harm}; systemctl stop nginx")
    assert bookworm_host.run("nginx -t").rc != 0
    run = lab.converge("--limit", "bookworm")
    assert run.status == 0, run.output
    assert bookworm.get(PATH).status == 200


def test_a_change_is_taken_up_by_a_reload_and_open_web_sockets_end_in_time(
    lab: Any, bookworm: Client, bookworm_host: Host
) -> None:
    before = master(bookworm_host)
    short = {
        "nginx_proxy_read_timeout_seconds": 1,
        "nginx_web_socket_timeout_seconds": 3,
        "nginx_worker_shutdown_timeout_seconds": 2,
    }
    with converged(lab, "bookworm", **short):
        late = bookworm.get(f"{PATH}?seconds=1.5")
        assert (late.status, late.json) == (504, {"error": "Cube.js did not answer in time"})
        with bookworm.tls(ACME) as connection:
            opened = WebSocket.open(connection, "/", ACME)
            time.sleep(2)  # longer than a request may take
            assert opened.echo(b"here") == b"here"
            time.sleep(4)
            assert opened.echo(b"gone") == b""
        with bookworm.tls(ACME) as connection:
            opened = WebSocket.open(connection, "/", ACME)
            bookworm_host.run_test("systemctl reload nginx")
            assert opened.echo(b"here") == b"here"
            time.sleep(2.8)
            assert opened.echo(b"gone") == b""
        assert "is shutting down" not in bookworm_host.check_output("ps ax")
    assert master(bookworm_host) == before
    assert bookworm.get(f"{PATH}?seconds=1.5").status == 200


def test_nginx_is_told_at_once_and_once_and_waited_for(lab: Any, bookworm: Client, bookworm_host: Host) -> None:
    before = master(bookworm_host)
    other = ["-e", json.dumps({"nginx_hsts_seconds": 62})]
    for arguments, told, served in (
        ([*other, "--check"], [], 63072000),
        (other, ["nginx.service"], 62),
        (other, [], 62),
        ([], ["nginx.service"], 63072000),
    ):
        run = lab.converge("--limit", "bookworm", "-v", *arguments)
        assert run.status == 0, run.output
        assert re.findall(r'"told": (\[[^]]*\])', run.output) == [json.dumps(told)], run.output
        assert bookworm.get(PATH).headers["strict-transport-security"] == f"max-age={served}"
    assert master(bookworm_host) == before


def test_a_run_killed_before_its_reload_is_completed_by_the_next(
    lab: Any, bookworm: Client, bookworm_host: Host
) -> None:
    variables = json.dumps({"nginx_hsts_seconds": 61})
    run = lab.converge("--limit", "bookworm", "-e", variables, "--tags", "nginx_configure")
    assert run.status == 0, run.output
    assert bookworm.get(PATH).headers["strict-transport-security"] == "max-age=63072000"
    run = lab.converge("--limit", "bookworm", "-e", variables)
    assert {task for _host, task in run.changed} == {"cubeops.cubejs.nginx : Keep Nginx running with its configuration"}
    assert bookworm.get(PATH).headers["strict-transport-security"] == "max-age=61"
    assert lab.converge("--limit", "bookworm").status == 0


def test_a_killed_master_is_back_by_itself_and_the_next_run_has_nothing_to_do(
    lab: Any, addresses: dict[str, str]
) -> None:
    hosts = {name: lab.host(name) for name in TLS_HOSTS}
    before = {name: master(host) for name, host in hosts.items()}
    for name, host in hosts.items():
        host.run_test(f"kill -9 {before[name]}")
    for name, host in hosts.items():
        deadline = time.monotonic() + 30
        while host.run("systemctl is-active nginx").stdout.strip() != "active" or master(host) == before[name]:
            assert time.monotonic() < deadline, host.check_output("systemctl status nginx || true")
            time.sleep(0.2)
        assert Client(name, addresses[name]).get(PATH).status == 200
    run = lab.converge()
    assert (run.status, run.changed) == (0, frozenset()), run.output


def test_an_upgrade_of_the_package_replaces_the_program_under_the_open_ports(client: Client, proxy: Host) -> None:
    before = master(proxy)
    restarts = proxy.check_output("systemctl show nginx -p NRestarts")
    proxy.run_test("/etc/init.d/nginx upgrade")  # what the package's own script runs
    time.sleep(2)
    assert proxy.check_output("systemctl show nginx -p MainPID --value") == master(proxy) != before
    assert proxy.check_output("systemctl show nginx -p NRestarts") == restarts
    assert client.get(PATH).status == 200


def test_logs_are_for_the_administrators_and_rotated(client: Client, proxy: Host) -> None:
    log = "/var/log/nginx/cubejs.access.log"
    assert proxy.file(log).mode & 0o007 == 0
    client.get(f"{PATH}?before=1")
    proxy.run_test("logrotate --force /etc/logrotate.d/nginx")
    client.get(f"{PATH}?after=1")
    time.sleep(0.5)
    assert proxy.file(f"{log}.1").contains("before=1")
    assert proxy.file(log).contains("after=1")
    assert not proxy.file(log).contains("before=1")
    assert proxy.service("logrotate.timer").is_enabled


def test_logs_name_the_deployment_and_the_instance_and_hold_no_token(client: Client, proxy: Host) -> None:
    mark = f"mark-{time.time_ns()}"
    client.get(f"{PATH}?q={mark}", headers={"Authorization": "planted-token-7731"})
    time.sleep(0.5)
    line = proxy.check_output(f"grep {mark} /var/log/nginx/cubejs.access.log")
    assert f" {ACME} " in line
    assert "unix:/run/cubejs/acme-" in line
    assert proxy.run("grep -r planted-token-7731 /var/log/nginx").rc == 1


def test_the_service_is_confined_and_has_room(proxy: Host) -> None:
    score = proxy.check_output("systemd-analyze security nginx.service | tail -1")
    assert float(score.split(": ")[1].split()[0]) <= 3, score
    workers = proxy.check_output(f"pgrep -P {master(proxy)}").split()
    assert len(workers) == int(proxy.check_output("nproc"))
    for process in (master(proxy), *workers):
        assert "8704" in proxy.check_output(f"grep 'Max open files' /proc/{process}/limits")


def end_of(client: Client) -> str:
    with client.tls(ACME) as connection:
        certificate = connection.getpeercert()
        assert certificate is not None
        return str(certificate["notAfter"])


def test_a_certificate_near_its_end_is_renewed_without_a_restart_and_its_key_is_never_shown(
    lab: Any, bookworm: Client, bookworm_host: Host
) -> None:
    before = master(bookworm_host)
    leaf = LAB / "ca/leaves" / f"{ACME}.crt"
    leaf.unlink()
    run = lab.converge("--limit", "bookworm", "-e", "certificate_days=31")
    assert run.status == 0, run.output
    short = end_of(bookworm)
    run = lab.converge("--limit", "bookworm")
    assert (end_of(bookworm), run.changed) == (short, frozenset()), "31 days are left, it is renewed at 30"

    run = lab.converge("--limit", "bookworm", "-e", "nginx_certificate_renewal_days=32", "--diff", "-vvv")
    assert end_of(bookworm) != short
    assert "it expires on" in run.output
    assert master(bookworm_host) == before
    key = (LAB / "ca/leaves" / f"{ACME}.key").read_text()
    secret = "".join(key.splitlines()[1:-1])
    for piece in [*key.splitlines()[1:-1], base64.b64encode(key.encode()).decode()[40:80], secret[20:60]]:
        assert piece not in run.output
    assert lab.converge().status == 0  # the other hosts too


def test_a_provided_certificate_that_does_not_fit_is_refused_before_the_host_is_touched(
    lab: Any, bookworm_host: Host
) -> None:
    before = shown(bookworm_host)
    wrong = {
        "name": "initech",
        "server_name": "cube.initech.example",
        "upstreams": ["127.0.0.1:10020"],
        "certificate": {
            "source": "provided",
            "certificate_path": str(OWN_CA),
            "key_path": str(LAB / "provided/globex.key"),
        },
    }
    run = lab.converge("--limit", "bookworm", "-e", json.dumps({"more_servers": [wrong]}))
    assert run.status == 2
    assert "the key does not belong to the first certificate" in run.output
    assert "the certificate is not for cube.initech.example" in run.output
    assert shown(bookworm_host) == before


def test_settings_that_cannot_be_served_are_all_named_before_the_host_is_touched(lab: Any, bookworm_host: Host) -> None:
    before = shown(bookworm_host)
    wrong = {"name": "acme", "server_name": "a;b", "upstreams": []}
    run = lab.converge("--limit", "bookworm", "-e", json.dumps({"more_servers": [wrong], "nginx_http_port": 443}))
    assert run.status == 2
    for problem in (
        "nginx_servers[2].name",
        "nginx_servers[2].server_name",
        "nginx_servers[2].upstreams",
        "nginx_https_port",
    ):
        assert problem in run.output
    assert shown(bookworm_host) == before


def test_three_hundred_servers_are_served_and_gone_again(lab: Any, bookworm: Client, bookworm_host: Host) -> None:
    many = [
        {
            "name": f"t{number}",
            "server_name": f"cube.tenant{number}.analytics.example",
            "upstreams": ["127.0.0.1:10020"],
        }
        for number in range(300)
    ]
    with converged(lab, "bookworm", more_servers=many):
        tested = bookworm_host.run("nginx -t").stderr
        assert "hash" not in tested
        assert "warn" not in tested
        assert bookworm.get(PATH, "cube.tenant299.analytics.example").status == 200
        run = lab.converge("--limit", "bookworm", "-e", json.dumps({"more_servers": many}))
        assert (run.changed, run.remote_calls["bookworm"]) == (frozenset(), 2)
    assert bookworm_host.check_output(f"ls {ROOT}/sites {ROOT}/certificates").count("t299") == 0


def test_a_run_without_changes_asks_the_host_one_thing_after_looking_at_it(lab: Any) -> None:
    run = lab.converge()
    assert set(run.remote_calls.values()) == {2}, run.remote_calls


def test_a_run_of_the_service_alone_asks_it(lab: Any) -> None:
    run = lab.converge("--limit", "bookworm", "--tags", "nginx_service")
    assert (run.status, run.changed, run.remote_calls) == (0, frozenset(), {"bookworm": 2}), run.output


def test_what_the_look_finds_wrong_is_mended_or_told(lab: Any, bookworm: Client, bookworm_host: Host) -> None:
    bookworm_host.run_test("systemctl disable --now nginx")
    run = lab.converge("--limit", "bookworm", "--check")
    assert {task for _host, task in run.changed} == {"cubeops.cubejs.nginx : Keep Nginx running with its configuration"}
    assert lab.converge("--limit", "bookworm").changed == run.changed
    assert bookworm.get(PATH).status == 200
    bookworm_host.run_test("systemctl mask --now nginx")
    run = lab.converge("--limit", "bookworm")
    assert (run.status, "nginx.service is masked by someone" in run.output) == (2, True), run.output
    bookworm_host.run_test("systemctl unmask nginx")
    assert lab.converge("--limit", "bookworm").status == 0
