"""Drift: none where nothing was changed; what was changed by hand is named, with where, and which side is right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stacks import Stack

API, WORKER, EXTRA = "cubejs-api@acme-1.service", "cubejs-refresh-worker@acme.service", "cube-extra.service"
ENVIRONMENT = "/opt/cubejs/tenants/acme/current/environment"
# As `systemctl edit` writes it.
HAND = f"/etc/systemd/system/{WORKER}.d/override.conf"
NGINX = "/etc/nginx/cubejs/sites/acme.conf"
SITE = "Run the site playbook, which applies the plan"
FOUND = {
    # An edited file that the process was restarted with, and one that it was not.
    ("drift-setting", f"{API} CUBEJS_DB_MAX_POOL"): (f"and {ENVIRONMENT}/acme-1.env sets '3'", SITE),
    ("drift-setting", f"{WORKER} CUBEJS_TELEMETRY"): (
        f"the plan and the process have 'false', and {ENVIRONMENT}/acme.env sets 'true' for its next start",
        SITE,
    ),
    ("drift-setting", f"{WORKER} CUBEJS_LOG_LEVEL"): (f"and {HAND} sets 'error'", f"Take it out of {HAND}. {SITE}"),
    ("drift-unit", WORKER): (
        f", the host 1.0; {HAND} is a drop-in that nobody planned",
        f"Remove {HAND}. {SITE}",
    ),
    ("drift-instance", EXTRA): (
        "it is there, and nobody planned it",
        "Stop and remove it, or plan it in the inventory",
    ),
    ("drift-redis", "cubejs-redis@acme.service"): ("and it takes 99", SITE),
    ("drift-storage", "max_connections"): ("and it takes 77", SITE),
    ("drift-proxy", "cube.acme.example"): (f"{NGINX} passes on to unix:/tmp/extra.sock, and the plan does not", SITE),
}
Drift = Callable[..., tuple[Any, dict[tuple[str, str], tuple[str, str]]]]


@pytest.fixture(scope="module")
def drift(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> Drift:
    """Return how to look for drift: the run, and rule and subject -> message and remedy of what is no pass."""

    def look(**variables: Any) -> tuple[Any, dict[tuple[str, str], tuple[str, str]]]:
        folder: Path = tmp_path_factory.mktemp("drift")
        wanted = {"cubejs_report_formats": ["json"], "cubejs_report_directory": str(folder), **variables}
        run = lab.playbook(
            "cubeops.cubejs.drift",
            *("--extra-vars", json.dumps(wanted)),
            environment={"ANSIBLE_CALLBACKS_ENABLED": "lab_changes,cubeops.cubejs.exit_status"},
        )
        written = folder / "cubejs-drift.json"
        assert written.exists(), run.output
        found = json.loads(written.read_text())["findings"]
        return run, {
            (each["rule"], each["subject"]): (each["message"], each["remedy"])
            for each in found
            if each["status"] in ("fail", "unknown")
        }

    return look


def test_a_deployment_has_not_drifted(drift: Drift) -> None:
    run, found = drift()
    assert (run.status, found) == (0, {}), run.output
    assert not run.changed
    assert max(run.remote_calls.values()) == 1, "a host is looked at in one call"


def test_what_cannot_be_seen_is_no_pass(drift: Drift) -> None:
    """Redis and MySQL are not asked: what they take is unknown, and the status is its own."""
    run, found = drift(cubejs_audit_probes=[])
    assert run.status == 21, run.output
    assert {rule for rule, _subject in found} == {"drift-redis", "drift-storage"}


def redis_cli(stack: Stack) -> str:
    """Return the command that asks the tenant's Redis."""
    return f"REDISCLI_AUTH={stack.redis_password} redis-cli --tls --cacert /etc/cubejs/redis/ca.crt -p 20001"


def change_by_hand(stack: Stack) -> None:
    """Do what people do at night."""
    host = stack.host
    host.check_output(f"cp -pL {ENVIRONMENT}/acme-1.env /run/acme-1.env && cp -pL {ENVIRONMENT}/acme.env /run/acme.env")
    host.check_output(f"sed -i 's/^CUBEJS_DB_MAX_POOL=.*/CUBEJS_DB_MAX_POOL=3/' {ENVIRONMENT}/acme-1.env")
    host.check_output(f"printf '[Service]\\nRestartSec=1\\nEnvironment=CUBEJS_LOG_LEVEL=error\\n' >{HAND}")
    host.check_output(f"sed -i '/^CUBEJS_LOG_LEVEL=/d' {ENVIRONMENT}/acme.env")
    host.check_output("systemctl daemon-reload")
    host.check_output(f"systemctl restart {API} {WORKER}")
    host.check_output(f"sed -i 's/^CUBEJS_TELEMETRY=.*/CUBEJS_TELEMETRY=true/' {ENVIRONMENT}/acme.env")
    host.check_output(
        "systemd-run --quiet --unit cube-extra --uid cube-acme "
        f"--working-directory /opt/cubejs/tenants/acme/current/project "
        f"--property EnvironmentFile={ENVIRONMENT}/acme-1.env --setenv PORT=/tmp/extra.sock "
        f"sh -c 'PORT=/tmp/extra.sock exec node $CUBEOPS_START'"
    )
    host.check_output(f"cp -p {NGINX} /run/acme.conf")
    host.check_output(
        f"sed -i 's#server unix:/run/cubejs/acme-1/cube.sock[^;]*;#& server unix:/tmp/extra.sock;#' {NGINX}"
    )
    host.check_output(f"{redis_cli(stack)} CONFIG SET maxclients 99")
    host.check_output("mariadb -e 'SET GLOBAL max_connections = 77'")
    host.check_output(
        "timeout 90 sh -c 'until [ -S /tmp/extra.sock ] && [ -S /run/cubejs/acme-1/cube.sock ]; do sleep 1; done'"
    )


def mend(stack: Stack, maxclients: str, max_connections: str) -> None:
    """Take it all back."""
    host = stack.host
    host.run("systemctl stop cube-extra; rm -f /tmp/extra.sock")
    host.run(f"cat /run/acme-1.env >{ENVIRONMENT}/acme-1.env; cat /run/acme.env >{ENVIRONMENT}/acme.env; rm -f {HAND}")
    host.check_output("systemctl daemon-reload")
    host.check_output(f"systemctl restart {API} {WORKER}")
    host.run(f"cp -p /run/acme.conf {NGINX}")
    host.check_output(f"{redis_cli(stack)} CONFIG SET maxclients {maxclients}")
    host.check_output(f"mariadb -e 'SET GLOBAL max_connections = {max_connections}'")
    host.check_output("timeout 90 sh -c 'until [ -S /run/cubejs/acme-1/cube.sock ]; do sleep 1; done'")


def test_what_was_changed_by_hand_is_named(drift: Drift, stack: Stack) -> None:
    maxclients = stack.host.check_output(f"{redis_cli(stack)} CONFIG GET maxclients").split()[-1]
    max_connections = stack.host.check_output("mariadb -Ne 'SELECT @@max_connections'").strip()
    change_by_hand(stack)
    try:
        run, found = drift()
    finally:
        mend(stack, maxclients, max_connections)
    assert found.keys() == FOUND.keys(), run.output
    for what, (message, remedy) in FOUND.items():
        assert message in found[what][0], what
        assert found[what][1] == remedy, what
    assert f"the plan has {maxclients} connections" in found["drift-redis", "cubejs-redis@acme.service"][0]
    assert run.status == 20, run.output
    for word in (*(message for message, _remedy in found.values()), "drift-setting"):
        assert word in run.output
    again, found = drift()
    assert (again.status, found) == (0, {}), again.output
