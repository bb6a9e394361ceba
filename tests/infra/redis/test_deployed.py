"""Redis instances as a first run leaves them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.redis import asks_for_password, identify
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import Connection, Endpoint, RespError, Tls

RELEASES = {"bookworm": "7.0", "bullseye": "6.0", "trixie": "8.0", "valkey": "8.1", "shared": "7.0"}


def over_tls(lab: Any, host: str, ca: Path | None = None, name: str = "redis.globex.example") -> Endpoint:
    """Return the instance that other hosts reach, as they reach it."""
    address = lab.host(host).check_output("hostname -I").split()[0]
    return Endpoint(address, 20002, tls=Tls(str(ca or lab.folder / "ca/ca.crt"), name))


def test_it_runs_and_is_enabled(redis: Any) -> None:
    unit = redis.host.service(redis.unit)
    assert unit.is_running, redis.journal()
    assert unit.is_enabled


def test_version_is_the_distributions_and_pinned(fleet: Any, host_name: str) -> None:
    redis = fleet(host_name, "acme")
    field = "valkey_version" if host_name == "valkey" else "redis_version"
    info = redis.cli("INFO", "server")
    assert re.search(rf"^{field}:{RELEASES[host_name]}\.", info, re.MULTILINE), info
    package = "valkey-server" if host_name == "valkey" else "redis-server"
    policy = redis.host.check_output(f"apt-cache policy {package}")
    assert re.search(rf"^ \*\*\* \S*{RELEASES[host_name]}\S* 990$", policy, re.MULTILINE), policy


@pytest.mark.parametrize("host_name", [host for host in RELEASES if host != "shared"])
def test_the_packages_own_instance_never_ran(fleet: Any, host_name: str) -> None:
    host = fleet(host_name, "acme").host
    assert not host.socket("tcp://127.0.0.1:6379").is_listening
    service = "valkey-server" if host_name == "valkey" else "redis-server"
    assert host.check_output(f"systemctl show --property=LoadState --value {service}") == "masked"
    assert host.run(f"find /var/log/redis /var/log/valkey -name '{service}.log' -size +0").stdout == ""


def test_somebody_elses_instance_was_left_alone(fleet: Any) -> None:
    host = fleet("shared", "acme").host
    assert host.service("redis-server").is_running
    assert host.service("redis-server").is_enabled
    assert host.check_output("redis-cli -p 6379 PING") == "PONG"
    assert "ready to accept" in host.check_output("cat /var/log/redis/redis-server.log").lower()
    assert host.check_output("grep -c 'Server initialized' /var/log/redis/redis-server.log") == "1"


def test_strangers_are_turned_away(redis: Any) -> None:
    assert "NOAUTH" in redis.cli("PING", password="")
    assert "NOAUTH" in redis.cli("PING", password="wrong")


def test_it_listens_where_its_clients_are_and_nowhere_else(redis: Any) -> None:
    address = redis.host.check_output("hostname -I").split()[0]
    listening = redis.host.check_output("ss -Hltn").splitlines()
    found = {line.split()[3] for line in listening if line.split()[3].endswith(f":{redis.port}")}
    wanted = {"127.0.0.1", address} if redis.name == "globex" else {"127.0.0.1"}
    assert found == {f"{each}:{redis.port}" for each in wanted}


def test_a_client_on_another_host_reaches_it_over_tls(lab: Any, fleet: Any, host_name: str) -> None:
    found = identify(over_tls(lab, host_name), fleet(host_name, "globex").password)
    assert found.password_required
    assert (found.maxclients, found.databases, found.maxmemory_policy) == (15, 4, "noeviction")
    assert found.version.startswith(RELEASES[host_name])
    assert found.product == ("valkey" if host_name == "valkey" else "redis")
    assert not found.unknown


def test_another_ca_and_another_name_are_refused(lab: Any, host_name: str) -> None:
    with pytest.raises(RespError, match="certificate is not trusted"):
        Connection(over_tls(lab, host_name, ca=Path("/etc/ssl/certs/ca-certificates.crt")))
    with pytest.raises(RespError, match="certificate is not trusted"):
        Connection(over_tls(lab, host_name, name="redis.acme.example"))


def test_nothing_is_served_in_the_clear_beside_tls(lab: Any, host_name: str) -> None:
    endpoint = over_tls(lab, host_name)
    with pytest.raises(RespError):
        asks_for_password(Endpoint(endpoint.host, endpoint.port), timeout=2)


def test_maxclients_is_what_was_asked_for_within_the_file_limit(redis: Any) -> None:
    wanted = {"acme": 500, "globex": 15}[redis.name]
    assert redis.setting("maxclients") == str(wanted)
    limits = redis.host.check_output(f"cat /proc/{redis.pid}/limits")
    found = re.search(r"Max open files\s+(\d+)", limits)
    assert found
    assert int(found.group(1)) >= wanted + 32


def test_the_queue_is_never_evicted_and_the_cache_outlives_a_stop(redis: Any) -> None:
    assert redis.setting("maxmemory-policy") == {"acme": "volatile-lru", "globex": "noeviction"}[redis.name]
    assert int(redis.setting("maxmemory")) > 0
    assert redis.setting("save") == "300 1"
    assert redis.setting("stop-writes-on-bgsave-error") == "no"


def test_files_are_seen_by_those_who_need_them(redis: Any) -> None:
    owner = "valkey" if redis.host_name == "valkey" else "redis"
    data = redis.host.file(f"/var/lib/cubejs-redis/{redis.name}")
    assert (data.user, data.mode) == (owner, 0o700)
    secret = redis.file("secret")
    assert (secret.user, secret.mode) == ("root", 0o600)
    if redis.name == "globex":
        key = redis.file("key")
        assert (key.user, key.group, key.mode) == ("root", owner, 0o640)


def test_the_password_is_nowhere_for_others_to_read(redis: Any) -> None:
    password = redis.password
    readers = f"find /etc /run /var /opt /tmp -xdev -type f -perm -o=r -exec grep -lF {password} {{}} +"
    assert redis.host.run(f"{readers} 2>/dev/null").stdout == ""
    assert redis.host.run(f"cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -F {password} | grep -v grep").stdout == ""
    assert redis.host.run(f"systemctl show '{redis.unit}' | grep -F {password}").stdout == ""
    assert password not in redis.journal()


def test_the_unit_is_hardened(redis: Any) -> None:
    said = redis.host.check_output("systemd-analyze security --no-pager %s", redis.unit)
    level = re.search(r"exposure level for \S+: ([0-9.]+)", said)
    assert level
    assert float(level.group(1)) <= 2.5, said


def test_kernel_settings_are_persisted_and_the_kernel_of_a_container_is_left_alone(lab: Any, fleet: Any) -> None:
    assert (
        "vm.overcommit_memory = 1"
        in fleet("bookworm", "acme").host.file("/etc/sysctl.d/30-cubejs-redis.conf").content_string
    )
    run = fleet.converge("bookworm")
    assert "the kernel belongs to the container's host" in run.output


def test_a_run_without_changes_makes_four_remote_calls(fleet: Any) -> None:
    run = fleet.converge("bookworm")
    assert run.status == 0, run.output
    assert not run.changed
    assert run.remote_calls["bookworm"] <= 4, run.remote_calls


def test_a_run_of_the_service_alone_changes_nothing(fleet: Any) -> None:
    run = fleet.converge("bookworm", "--tags", "redis_service")
    assert (run.status, run.changed) == (0, frozenset()), run.output
