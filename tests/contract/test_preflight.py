"""The first play, run as a user runs it: the whole inventory is judged, no host is contacted, no secret is shown."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.cubeops.cubejs.tests.unit.plugins.inventories import EVERYTHING

ROOT = Path(__file__).resolve().parents[2]
MARK = "MARKED7kD93hfLw02mXoQz71RbVtYc5Ng"


def inventory(groups: dict[str, list[str]], **keys: Any) -> dict[str, Any]:
    """Return an inventory of hosts that nobody could reach (TEST-NET-1), with marked secrets everywhere."""
    tenant = {
        "name": "acme",
        "number": 1,
        "server_name": "cube.acme.example",
        "project": {"path": "."},
        "api_secret": "{{ vault_mark }}api",
        "database": {"type": "mysql", "host": "h", "name": "n", "user": "u", "password": "{{ vault_mark }}database"},
        "redis": {"password": "{{ vault_mark }}redis"},
        "pre_aggregations": {"password": "{{ vault_mark }}storage"},
        "environment": {"CUBEJS_JWT_KEY": "{{ vault_mark }}variable"},
        **keys,
    }
    shared = {"cubejs_tenants": [tenant], "cubejs_master_secret": "{{ vault_mark }}master", "vault_mark": MARK}
    names = dict.fromkeys(host for members in groups.values() for host in members)
    hosts = {name: {"ansible_host": f"192.0.2.{number}"} for number, name in enumerate(names, 1)}
    return {
        "all": {"hosts": hosts, "vars": shared},
        **{group: {"hosts": dict.fromkeys(members)} for group, members in groups.items()},
    }


def play(
    tmp_path: Path, found: dict[str, Any], *arguments: str, playbook: str = "cubeops.cubejs.preflight"
) -> subprocess.CompletedProcess[str]:
    """Run a playbook on an inventory."""
    source = tmp_path / "inventory.yml"
    source.write_text(yaml.safe_dump(found))
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_HOME": str(tmp_path / "home"),
    }
    return subprocess.run(
        [str(ROOT / ".venv/bin/ansible-playbook"), "-i", str(source), playbook, *arguments],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_a_right_inventory_passes_and_shows_no_secret_however_verbose(tmp_path: Path) -> None:
    done = play(tmp_path, inventory({name: ["one", "two"] for name in EVERYTHING}), "-vvv")
    assert done.returncode == 0, done.stdout
    assert "unreachable=0" in done.stdout
    assert "WARNING" not in done.stdout
    assert MARK not in done.stdout


def test_a_wrong_one_is_refused_whole_and_shows_no_secret(tmp_path: Path) -> None:
    keys = {"sever_name": "x", "redis": {"pool_max": 1, "password": ["{{ vault_mark }}"]}, "api_secret": "secret"}
    found = inventory({name: ["one"] for name in EVERYTHING}, **keys)
    found["all"]["vars"]["cubejs_version"] = 0.29
    done = play(tmp_path, found, "-vvv")
    assert done.returncode == 2, done.stdout
    for words in (
        "cubejs_tenants[acme].sever_name: there is no such key. Did you mean server_name?",
        "cubejs_tenants[acme].redis.pool_max: 1 is neither 0 nor at least 10. Use 30",
        "cubejs_tenants[acme].redis.password: <masked>, not a text",
        "cubejs_tenants[acme].api_secret: <masked>: it is a sample",
        "cubejs_version: '0.29 (a float)' is no full version",
    ):
        assert words in done.stdout, words
    assert MARK not in done.stdout


@pytest.mark.parametrize("limit", ["one", "three", "all"])
def test_a_limit_changes_nothing_of_the_plan(limit: str, tmp_path: Path) -> None:
    groups = {"cubejs_redis": ["one"], "cubejs_mysql": ["one"], "cubejs_api": ["two"], "cubejs_refresh_worker": ["two"]}
    book = tmp_path / "book.yml"
    hosts = "cubejs_plan.hosts"
    many = "cubeops.cubejs.unpacked"
    first, third = (
        f"({hosts}.one.redis.redis_instances | {many})[0]",
        f"({hosts}.three.nginx.nginx_servers | {many})[0]",
    )
    shown = f"{{{{ {first}.bind + {third}.upstreams }}}}"
    book.write_text(
        yaml.safe_dump(
            [
                {"ansible.builtin.import_playbook": "cubeops.cubejs.preflight"},
                {"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.debug": {"msg": shown}}]},
            ]
        )
    )
    done = play(tmp_path, inventory({**groups, "cubejs_nginx": ["three"]}), "--limit", limit, playbook=str(book))
    assert done.returncode == 0, done.stdout
    for words in ("127.0.0.1", "192.0.2.1", "192.0.2.2:10010"):
        assert words in done.stdout


def test_groups_that_are_missing_are_skipped_without_a_warning(tmp_path: Path) -> None:
    done = play(tmp_path, inventory({"cubejs_nginx": ["one"]}), "--list-hosts", playbook="cubeops.cubejs.site")
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stdout
    assert done.stdout.count("hosts (0)") == 6, "Redis and the firewall twice, MySQL and Cube.js once"


def test_an_inventory_without_any_group_says_so(tmp_path: Path) -> None:
    done = play(tmp_path, inventory({"servers": ["one"]}))
    assert done.returncode == 2, done.stdout
    assert "No host is in any of the groups cubejs_redis" in done.stdout


def test_the_plan_is_shown_without_contacting_a_host(tmp_path: Path) -> None:
    found = inventory({name: ["one", "two"] for name in EVERYTHING}, redis={"password": MARK})
    done = play(tmp_path, found, "-e", "cubejs_plan_file=plan.json", playbook="cubeops.cubejs.plan")
    assert done.returncode == 0, done.stdout
    assert "Tenants (1)\ntenant  number  wave  version" in done.stdout
    assert "Nothing is wrong with this plan." in done.stdout
    assert MARK not in done.stdout + (tmp_path / "plan.json").read_text()
