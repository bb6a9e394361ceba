"""The audit's playbooks, run as a user runs them: on this machine, and on hosts that cannot be looked at."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils.definitions import PLAYBOOKS
from ansible_collections.cubeops.cubejs.tests.unit.plugins.inventories import EVERYTHING

ROOT = Path(__file__).resolve().parents[2]
MARK = "MARKED7kD93hfLw02mXoQz71RbVtYc5Ng"
STATUS = {"ANSIBLE_CALLBACKS_ENABLED": "cubeops.cubejs.exit_status"}
HERE = {
    "ansible_connection": "local",
    "ansible_become": False,
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
}
# Nothing is asked: on the machine that runs the tests there may be a Cube.js of somebody else.
QUIET: dict[str, Any] = {"cubejs_audit_probes": [], "cubejs_report_formats": ["json", "html"]}
HOSTS: dict[str, Any] = {
    "here": HERE,
    "gone": {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_timeout": 3},
    "broken": {**HERE, "ansible_python_interpreter": "/nowhere/python"},
    "other": HERE,
}


def play(folder: Path, found: dict[str, Any], *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's programs on an inventory, in a folder."""
    (folder / "inventory.yml").write_text(yaml.safe_dump(found))
    program, *others = arguments
    return subprocess.run(
        [str(ROOT / f".venv/bin/{program}"), "-i", "inventory.yml", *others],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_HOME": str(folder / "home"),
            **environment,
        },
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def planned(**keys: Any) -> dict[str, Any]:
    """Return an inventory of this machine alone, with everything on it and marked secrets everywhere."""
    tenant = {
        "name": "acme",
        "number": 1,
        "server_name": "cube.acme.example",
        "project": {"path": "."},
        "api_secret": "{{ vault_mark }}api",
        "database": {"type": "mysql", "host": "h", "name": "n", "user": "u", "password": "{{ vault_mark }}database"},
        "environment": {"CUBEJS_JWT_KEY": "{{ vault_mark }}variable"},
        **keys,
    }
    shared = {"cubejs_tenants": [tenant], "cubejs_master_secret": "{{ vault_mark }}master", "vault_mark": MARK}
    groups = {name: {"hosts": {"here": None}} for name in EVERYTHING}
    return {"all": {"hosts": {"here": HERE}, "vars": {**shared, **QUIET}}, **groups}


def test_hosts_that_cannot_be_looked_at_are_named_and_stop_nobody(tmp_path: Path) -> None:
    strangers = {"all": {"hosts": HOSTS, "vars": QUIET}}
    # What else runs on this very machine, hosts of scenarios for one, is nobody's business here.
    only = ("--limit", "!other", "--extra-vars", json.dumps({"cubejs_rules_only": ["host-looked-at"]}))
    done = play(tmp_path, strangers, "ansible-playbook", "cubeops.cubejs.audit", *only, **STATUS)
    assert done.returncode == 21, done.stdout
    report = json.loads((tmp_path / "reports/cubejs-audit.json").read_text())
    assert report["looked_at"]["hosts"] == ["here"]
    assert report["looked_at"]["missing_hosts"] == ["broken", "gone", "other"]
    told = {each["host"]: each["message"] for each in report["findings"] if each["rule"] == "host-looked-at"}
    assert "unreachable: " in told["gone"]
    assert "instance_info failed: " in told["broken"]
    assert "left out by --limit" in told["other"]
    assert "Outcome: could-not-look (exit status 21)" in done.stdout
    assert "WARNING" not in done.stdout


def test_a_planned_host_is_audited_and_no_secret_is_shown_however_verbose(tmp_path: Path) -> None:
    done = play(tmp_path, planned(sever_name="x"), "ansible-playbook", "cubeops.cubejs.audit", "-vvv", **STATUS)
    assert done.returncode == 20, done.stdout
    text = (tmp_path / "reports/cubejs-audit.json").read_text()
    found = {(each["rule"], each["subject"]) for each in json.loads(text)["findings"] if each["status"] == "fail"}
    assert ("unknown-key", "cubejs_tenants[acme].sever_name") in found, "a plan that would be refused is told"
    assert ("instance-present", "cubejs-api@acme-1.service") in found or "units" in text
    for shown in (done.stdout, text, (tmp_path / "reports/cubejs-audit.html").read_text()):
        assert MARK not in shown
    assert not re.search(r"fingerprint_key\W+[0-9a-f]{64}", done.stdout)


@pytest.mark.parametrize("given", ["inventory", "-e"])
def test_hosts_beyond_the_groups_are_looked_at_when_asked_for(given: str, tmp_path: Path) -> None:
    found = planned()
    found["all"]["hosts"]["another"] = HERE
    asked = {"cubejs_audit_hosts": "all", "cubejs_rules_only": ["host-looked-at"]}
    more = ("--extra-vars", json.dumps(asked)) if given == "-e" else ()
    found["all"]["vars"].update({} if more else asked)
    play(tmp_path, found, "ansible-playbook", "cubeops.cubejs.audit", *more, **STATUS)
    report = json.loads((tmp_path / "reports/cubejs-audit.json").read_text())
    assert (report["looked_at"]["hosts"], report["looked_at"]["missing_hosts"]) == (["another", "here"], [])
    play(tmp_path, found, "ansible-playbook", "cubeops.cubejs.drift", *more, **STATUS)
    report = json.loads((tmp_path / "reports/cubejs-drift.json").read_text())
    assert (report["looked_at"]["hosts"], report["looked_at"]["missing_hosts"]) == (["here"], [])


def test_drift_is_told(tmp_path: Path) -> None:
    done = play(tmp_path, planned(), "ansible-playbook", "cubeops.cubejs.drift", "-vvv", **STATUS)
    assert done.returncode in (20, 21), done.stdout
    report = json.loads((tmp_path / "reports/cubejs-drift.json").read_text())
    assert report["title"] == "Cube.js plan and hosts"
    assert ("drift-instance", "cubejs-api@acme-1.service") in {
        (each["rule"], each["subject"]) for each in report["findings"]
    }
    assert MARK not in done.stdout


@pytest.mark.parametrize(
    ("environment", "status"),
    [pytest.param({}, 2, id="as it is"), pytest.param(STATUS, 20, id="with the callback")],
)
def test_preflight_reports_and_ends_with_its_status(environment: dict[str, str], status: int, tmp_path: Path) -> None:
    wrong = planned(redis={"pool_max": 12})
    wrong["all"]["vars"].update(cubejs_fail_on="warning", cubejs_report_formats=["junit", "sarif"])
    done = play(tmp_path, wrong, "ansible-playbook", "cubeops.cubejs.preflight", **environment)
    assert done.returncode == status, done.stdout
    assert "1 failed at warning or above" in done.stdout
    sarif = json.loads((tmp_path / "reports/cubejs-preflight.sarif").read_text())
    place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "inventory.yml"
    line = (tmp_path / "inventory.yml").read_text().splitlines()[place["region"]["startLine"] - 1]
    assert "pool_max" in line
    assert (tmp_path / "reports/cubejs-preflight.junit.xml").exists()


SMALL = {"pool_max": 12}  # a warning: redis-pool-size


def preflight(folder: Path, found: dict[str, Any], **variables: Any) -> tuple[int, str, dict[str, Any]]:
    """Judge an inventory with warnings counting; return status, what was printed, and the report ({} without one)."""
    found["all"]["vars"].update(cubejs_fail_on="warning", **variables)
    written = folder / "reports/cubejs-preflight.json"
    written.unlink(missing_ok=True)
    done = play(folder, found, "ansible-playbook", "cubeops.cubejs.preflight", **STATUS)
    return done.returncode, done.stdout, json.loads(written.read_text()) if written.exists() else {}


def waiver(**keys: Any) -> dict[str, Any]:
    """Return a waiver of what is wrong with SMALL."""
    return {
        "rule": "redis-pool-size",
        "subject": "cubejs_tenants[acme].redis.*",
        "reason": "one dashboard",
        "owner": "data@acme.example",
        "expires": "2099-12-31",
        **keys,
    }


@pytest.mark.parametrize(
    ("waivers", "status", "told"),
    [
        pytest.param([waiver()], 0, {("redis-pool-size", "waived")}, id="waived, and still told"),
        pytest.param(
            [waiver(expires="2020-01-31")], 20, {("redis-pool-size", "fail"), ("waiver-expired", "fail")}, id="expired"
        ),
        pytest.param(
            [waiver(), waiver(subject="cubejs_tenants[globex].*")],
            20,
            {("redis-pool-size", "waived"), ("waiver-unused", "fail")},
            id="one that nothing needs",
        ),
    ],
)
def test_waivers(waivers: list[dict[str, Any]], status: int, told: set[tuple[str, str]], tmp_path: Path) -> None:
    (tmp_path / "waivers.yml").write_text(yaml.safe_dump(waivers))
    ended, printed, report = preflight(tmp_path, planned(redis=SMALL), cubejs_waivers_file="waivers.yml")
    found = {(each["rule"], each["status"]): each for each in report["findings"] if each["status"] != "pass"}
    assert (ended, found.keys()) == (status, told), printed
    assert all(rule in printed for rule, _status in told)
    if ("redis-pool-size", "waived") in found:
        assert "one dashboard" in found["redis-pool-size", "waived"]["waiver"]
        assert "one dashboard" in printed


def test_malformed_waivers_stop_the_run_with_all_that_is_wrong(tmp_path: Path) -> None:
    wrong = [waiver(rule="redis-pol-size", expires="soon"), {"rule": "heap-size"}]
    (tmp_path / "waivers.yml").write_text(yaml.safe_dump(wrong))
    ended, printed, report = preflight(tmp_path, planned(redis=SMALL), cubejs_waivers_file="waivers.yml")
    assert (ended, report) == (2, {}), printed
    for told in ("redis-pool-size", "expires", "soon", "owner", "reason", "subject"):
        assert told in printed, told


def test_only_what_is_new_counts_beside_a_baseline(tmp_path: Path) -> None:
    ended, printed, report = preflight(tmp_path, planned(redis=SMALL))
    assert ended == 20, printed
    (tmp_path / "baseline.json").write_text(json.dumps(report))
    beside = {"cubejs_baseline_file": "baseline.json", "cubejs_new_only": True}
    ended, printed, report = preflight(tmp_path, planned(redis=SMALL), **beside)
    assert (ended, report["outcome"]["name"]) == (0, "ok"), printed
    assert "redis-pool-size" in printed, "what is known stays visible"
    ended, printed, report = preflight(tmp_path, planned(redis=SMALL, sever_name="x"), **beside)
    assert (ended, report["outcome"]["failed"]) == (20, 1), printed
    ended, printed, _report = preflight(tmp_path, planned(), **beside)
    assert ended == 0, printed
    assert "1 fixed" in printed


def test_a_plan_that_is_refused_ends_with_the_status_of_findings(tmp_path: Path) -> None:
    wrong = planned(sever_name="x")
    del wrong["all"]["vars"]["cubejs_report_formats"]
    done = play(tmp_path, wrong, "ansible-playbook", "cubeops.cubejs.preflight", **STATUS)
    assert done.returncode == 20, done.stdout
    assert "The plan is refused before any host is touched: 1 problem" in done.stdout


def test_the_callback_leaves_other_statuses_alone(tmp_path: Path) -> None:
    found = {"all": {"hosts": HOSTS}}
    book = [{"hosts": "here,gone", "gather_facts": False, "tasks": [{"ansible.builtin.ping": None}]}]
    (tmp_path / "book.yml").write_text(yaml.safe_dump(book))
    assert play(tmp_path, found, "ansible-playbook", "book.yml", **STATUS).returncode == 4


def test_a_rule_is_explained_without_an_inventory(tmp_path: Path) -> None:
    done = play(tmp_path, {}, "ansible", "localhost", "-m", "cubeops.cubejs.checklist", "-a", "explain=redis-pool-size")
    assert done.returncode == 0, done.stdout
    assert "redis-pool-size\n  Redis pools hold" in done.stdout


def test_variables_of_the_playbooks_are_known_and_documented() -> None:
    texts = "".join(path.read_text() for path in (ROOT / "playbooks/tasks").glob("*.yml"))
    texts += "".join((ROOT / f"playbooks/{name}.yml").read_text() for name in ("audit", "drift", "preflight"))
    used = set(re.findall(r"(?<![\w.])cubejs_(?:audit|report|rules|waivers|baseline|new|fail)_\w+", texts))
    assert used == set(PLAYBOOKS)
    documented = (ROOT / "docs/reports.md").read_text()
    assert not [name for name in PLAYBOOKS if f"`{name}`" not in documented]
