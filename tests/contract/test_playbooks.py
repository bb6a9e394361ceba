"""Playbooks run as a user runs them, on hosts that only note what is asked of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.cubeops.cubejs.plugins.module_utils import releases, secrets
from ansible_collections.cubeops.cubejs.tests.unit.plugins.inventories import EVERYTHING, MASTER
from stubbed import Run, Stage

PASSWORD = "MARKED5Wd8FhJk2QzXcP0vRt7LmBn4EyUi"


def tenant(name: str, number: int, **keys: Any) -> dict[str, Any]:
    """Return a tenant that is right."""
    return {
        "name": name,
        "number": number,
        "server_name": f"{name}.example",
        "project": {"path": "project"},
        "database": {"type": "mysql", "host": "db.example", "name": "shop", "user": "cube", "password": PASSWORD},
        **keys,
    }


def inventory(tenants: list[dict[str, Any]] | None, hosts: tuple[str, ...] = ("one",), **shared: Any) -> dict[str, Any]:
    """Return an inventory with everything on each of the hosts."""
    variables = {"cubejs_master_secret": MASTER, **shared}
    if tenants is not None:
        variables["cubejs_tenants"] = tenants
    addresses = {host: {"cubejs_address": f"192.0.2.{number}"} for number, host in enumerate(hosts, 1)}
    groups = {group: {"hosts": dict.fromkeys(hosts)} for group in EVERYTHING}
    return {"all": {"hosts": addresses, "vars": variables}, **groups}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Return a folder with the collection and a project."""
    (tmp_path / "project" / "schema").mkdir(parents=True)
    (tmp_path / "project" / "schema" / "Orders.js").write_text("cube(`Orders`, {sql: `SELECT 1`});\n")
    return Stage(tmp_path)


@pytest.fixture
def run(stage: Stage) -> Callable[..., Run]:
    """Return a function that runs a playbook, which must succeed."""

    def play(*arguments: Any, **options: Any) -> Run:
        done = stage.play(*arguments, **options)
        assert done.status == 0, done.output
        return done

    return play


def jobs(run: Run) -> list[releases.Job]:
    """Return what hosts were told to make of the archives that they were sent."""
    return [releases.unpack_job(call["job"]) for call in run.of("cube_release_store") if call["phase"] == "stage"]


def test_tenants_come_from_files_some_of_them_encrypted(run: Callable[..., Run], tmp_path: Path) -> None:
    vault = VaultLib([("default", VaultSecret(b"pass"))])
    (tmp_path / "pass").write_text("pass")
    (tmp_path / "tenants").mkdir()
    block = vault.encrypt(PASSWORD).decode().replace("\n", "\n  ")
    for name, number, line in (
        ("acme", 1, f"api_secret: !vault |\n  {block}"),
        ("beta", 2, 'log_level: "{{ level }}"'),
    ):
        keys = "\n".join(f"{key}: {value}" for key, value in tenant(name, number).items() if key != "name")
        (tmp_path / "tenants" / f"{name}.yml").write_text(f"{keys}\n{line}\n")
    found = inventory(None, cubejs_tenants_dir="tenants", level="trace")
    done = run("site", found, f"--vault-password-file={tmp_path / 'pass'}", "-vvv")
    (redis,) = done.of("redis_instances")
    assert [(each["name"], each["port"]) for each in redis["instances"]] == [("acme", 20001), ("beta", 20002)]
    derived = [secrets.derive(MASTER, secrets.FOR_REDIS, name, 0) for name in ("acme", "beta")]
    assert [each["password"] for each in redis["instances"]] == derived
    assert [each["name"] for each in done.of("mysql_server")[0]["users"]] == ["cube_acme", "cube_beta"]
    (job,) = jobs(done)
    environments = {each.tenant: job.files[each.id][f"environment/{each.tenant}-1.env"] for each in job.wanted}
    assert f'CUBEJS_API_SECRET="{PASSWORD}"' in environments["acme"]
    assert 'CUBEJS_LOG_LEVEL="trace"' in environments["beta"]
    assert PASSWORD not in done.output


def test_the_firewall_comes_first_and_only_where_others_connect(run: Callable[..., Run]) -> None:
    tenants = [tenant("acme", 1, hosts=["one"])]
    alone = run("site", inventory(tenants))
    assert not [call for call in alone.calls if "cubejs-firewall.service" in str(call["arguments"])]
    found = inventory([*tenants, tenant("beta", 2)], hosts=("one", "two"))
    # One that is none of ours has no plan, and is the first of all hosts.
    found["all"]["hosts"] = {"a": {}, **found["all"]["hosts"]}
    done = run("site", found)
    loaded = [call for call in done.calls if "cubejs-firewall.service" in str(call["arguments"].get("units"))]
    assert {call["host"] for call in loaded} == {"one", "two"}
    first = min(number for number, call in enumerate(done.calls) if call["module"] == "redis_instances")
    assert all(done.calls.index(call) < first for call in loaded), "no port is open before"


def scaled_in(run: Callable[..., Run], **shared: Any) -> list[dict[str, Any]]:
    """Return how MySQL's accounts are asked for when a host leaves that has API instances of one of two tenants."""
    found = inventory([tenant("acme", 1), tenant("beta", 2, hosts=["one"])], **shared)
    found["all"]["hosts"]["two"] = {"cubejs_address": "192.0.2.2"}
    found["cubejs_api"]["hosts"]["two"] = None
    done = run("host_remove", found, "-e", "host=two", "-e", "confirm=two")
    return [call for call in done.calls if call["module"] == "mysql_user"]


def test_a_host_that_leaves_is_shut_out_of_mysql_and_nobody_else_is(run: Callable[..., Run]) -> None:
    (call,) = scaled_in(run)
    asked = call["arguments"]
    assert (call["host"], asked["name"], asked["host"], asked["state"]) == ("one", "cube_acme", "192.0.2.2", "absent")
    assert (asked["login_user"], asked["config_file"]) == ("root", "")


def test_who_logs_in_to_mysql_is_what_a_given_file_says(run: Callable[..., Run]) -> None:
    (call,) = scaled_in(run, mysql_login_defaults_file="/root/admin.cnf")
    assert call["arguments"]["config_file"] == "/root/admin.cnf"
    assert "login_user" not in call["arguments"]
