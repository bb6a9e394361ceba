"""Redis speaks TLS alone, Cube.js verifies it against the deployment's own CA, and no other CA will do."""

from __future__ import annotations

import datetime
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils import pki, secrets
from stacks import Stack, derived, inventory

PORT = 20001
QUERY = {
    "measures": ["Orders.count"],
    "timeDimensions": [{"dimension": "Orders.createdAt", "granularity": "year"}],
    "order": {"Orders.createdAt": "asc"},
}


def test_an_answer_comes_from_the_external_table(stack: Stack) -> None:
    deadline = time.monotonic() + 240
    while not any(name.startswith("orders_by_country") for name in stack.storage.tables()):
        assert time.monotonic() < deadline, stack.host.run("journalctl -n 30 -u 'cubejs-refresh-worker@*'").stdout
        time.sleep(2)
    answer = stack.load({**QUERY, "limit": 1 + time.time_ns() % 9999})
    counts = [[row["Orders.createdAt.year"][:4], str(row["Orders.count"])] for row in answer["data"]]
    assert counts == stack.source("SELECT YEAR(created_at), COUNT(*) FROM orders GROUP BY 1 ORDER BY 1")
    assert answer["external"] is True


def redis_cli(stack: Stack, *options: str) -> str:
    """Ask Redis on its host; return the answer or the error."""
    command = f"REDISCLI_AUTH={stack.redis_password} redis-cli -h 127.0.0.1 -p {PORT} {' '.join(options)}"
    done = stack.host.run(f"timeout 10 sh -c '{command}'")
    return done.stdout.strip() + done.stderr.strip()


def test_redis_does_not_answer_in_the_clear(stack: Stack) -> None:
    assert "PONG" not in redis_cli(stack, "PING")


def test_cube_is_connected_to_the_tls_port(stack: Stack) -> None:
    """Processes of both kinds hold connections to the one port there is."""
    process = stack.host.check_output("systemctl show -P MainPID cubejs-redis@acme.service")
    listening = stack.host.check_output(f"ss -Hltnp 'sport = :{PORT}'")
    assert f"pid={process}," in listening
    owners = stack.host.check_output(f"ss -Htnp state established 'dport = :{PORT}'")
    for unit in ("cubejs-api@acme-1", "cubejs-refresh-worker@acme"):
        process = stack.host.check_output(f"systemctl show -P MainPID {unit}")
        assert f"pid={process}," in owners, f"{unit} is not connected: {owners}"


def test_its_certificate_is_the_deployments_own(stack: Stack) -> None:
    """Seen from the host itself, since Redis listens on loopback."""
    command = f"openssl s_client -connect 127.0.0.1:{PORT} -CAfile /dev/stdin -verify_return_error </dev/null"
    authority = stack.cube.authority.read_text()
    done = stack.host.run(f"printf '%s' '{authority}' >/tmp/ca.crt; {command.replace('/dev/stdin', '/tmp/ca.crt')}")
    assert "Verify return code: 0" in done.stdout, done.stdout + done.stderr


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the certificate of a CA that signed nothing here."""
    path = tmp_path_factory.mktemp("stranger") / "ca.crt"
    authority = pki.new_ca(pki.new_key(), datetime.datetime.now(datetime.timezone.utc))
    path.write_bytes(authority.certificate_pem())
    return path


def test_a_wrong_ca_is_refused_with_a_clear_error(lab: Any, stack: Stack, stranger: Path, tmp_path: Path) -> None:
    """A second tenant, told to trust another CA for the same server: the gate stops its deployment and says why."""
    variables = inventory()["all"]["vars"]
    [acme] = variables["cubejs_tenants"]
    password = derived(variables, "acme", secrets.FOR_REDIS)
    redis = {"host": "127.0.0.1", "port": PORT, "index": 1, "password": password, "tls": True, "ca": str(stranger)}
    other = {
        **acme,
        "name": "other",
        "number": 2,
        "server_name": "cube.other.example",
        "redis": redis,
    }
    path = tmp_path / "variables.yml"
    path.write_text(yaml.safe_dump({"cubejs_tenants": [acme, other]}))
    run = lab.converge("--extra-vars", f"@{path}")
    assert run.status != 0
    said = [line for line in run.output.splitlines() if "certificate" in line.lower()]
    assert any("redis" in line.lower() and "ca" in line for line in said), run.output
    assert password not in run.output
    # The tenant that was there is not touched by it.
    assert stack.load({**QUERY, "limit": 1 + time.time_ns() % 9999})["data"]
    assert lab.host("private").service("cubejs-api@acme-1").is_running


def test_tls_is_not_optional(stack: Stack) -> None:
    """The proxy's certificate is of the same CA; a stranger's is refused."""
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError), socket.create_connection((stack.cube.address, 443), 10) as plain:
        context.wrap_socket(plain, server_hostname=stack.cube.server_name)
