"""The action, in an inventory of its own and without a host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleActionFail
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.cubeops.cubejs.plugins.action import checklist
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.tests.unit.plugins.inventories import EVERYTHING, MASTER, TENANT

UNITS = ("cubejs-api@acme-1.service", "cubejs-refresh-worker@acme.service")
LOOKING = ["host-looked-at", "instance-present"]


def observed(*units: str, **changes: Any) -> dict[str, Any]:
    """Return what instance_info returns on a host with these units."""
    instances = tuple(
        seen.Instance(name=unit, running=True, found_by=(), manager=seen.SYSTEMD, unit=seen.Unit(unit))
        for unit in units
    )
    host = seen.Observation(seen.FORMAT, "one", "m", 0.0, privileged=True, instances=instances, **changes)
    return {"changed": False, "failed": False, "observation": host.to_dict()}


class Task:
    """A task in an inventory: what hosts registered, and who is in the play."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tenant: dict[str, Any] = dict(TENANT)
        self.groups: tuple[str, ...] = EVERYTHING
        self.hosts = ["one"]
        self.played: list[str] | None = None
        self.registered: Mapping[str, Any] = {"one": observed(*UNITS)}
        self.check_mode = False
        self.shown: list[str] = []

    def run(self, **arguments: Any) -> dict[str, Any]:
        """Return the task's result."""
        source = self.folder / "inventory.yml"
        shared = {"cubejs_tenants": [self.tenant], "cubejs_master_secret": MASTER}
        tree: dict[str, Any] = {name: {"hosts": {"one": None}} for name in self.groups}
        source.write_text(yaml.safe_dump({"all": {"hosts": dict.fromkeys(self.hosts), "vars": shared}, **tree}))
        loader = DataLoader()
        inventory = InventoryManager(loader=loader, sources=[str(source)])
        manager = VariableManager(loader=loader, inventory=inventory)
        for host, result in self.registered.items():
            manager.set_nonpersistent_facts(host, {"cubejs_seen": result})
        task_vars = {
            **manager.get_vars(host=inventory.get_host("one")),
            "hostvars": HostVars(inventory=inventory, variable_manager=manager, loader=loader),
            "groups": inventory.get_groups_dict(),
            "ansible_play_hosts_all": self.hosts if self.played is None else self.played,
        }
        task = SimpleNamespace(
            args=arguments, check_mode=self.check_mode, async_val=0, action="x", diff=False, environment=None
        )
        templar = Templar(loader=loader, variables=task_vars)
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
        action = checklist.ActionModule(task, connection, SimpleNamespace(), loader, templar, None)
        action._display = SimpleNamespace(display=self.shown.append)
        result: dict[str, Any] = action.run(task_vars=task_vars)
        return result


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    """Return a task in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Task(tmp_path)


def test_a_fleet_that_is_right_passes(task: Task) -> None:
    result = task.run(only=LOOKING)
    assert (result["outcome"], result["exit_status"], result["failed"]) == ("ok", 0, False)
    assert (result["findings"], result["counts"]["findings"], result["missing_hosts"]) == ([], 3, {})
    assert result["changed"] is False
    assert "Outcome: ok (exit status 0)" in task.shown[0]


def test_what_is_wrong_fails_and_is_returned(task: Task) -> None:
    task.registered = {"one": observed(UNITS[0])}
    result = task.run(only=LOOKING)
    assert (result["outcome"], result["exit_status"], result["failed"]) == ("findings", 20, True)
    assert result["msg"] == "1 failed at error or above."
    (finding,) = result["findings"]
    assert (finding["rule"], finding["subject"], finding["tenant"]) == ("instance-present", UNITS[1], "acme")
    assert "At: inventory.yml:" in task.shown[0], "what was seen of a planned tenant stands where the tenant does"


@pytest.mark.parametrize(
    ("registered", "played", "reason"),
    [
        pytest.param({}, ["one", "two"], "nothing was registered for it", id="nothing was asked"),
        pytest.param({}, ["one"], "left out by --limit", id="limit"),
        pytest.param(
            {"unreachable": True, "msg": "no route"}, ["one", "two"], "unreachable: no route", id="unreachable"
        ),
        pytest.param({"failed": False, "msg": "boom"}, ["one", "two"], "instance_info failed: boom", id="failed"),
        pytest.param({"observation": {"format": 1, "x": "y"}}, ["one", "two"], "cannot be read", id="malformed"),
    ],
)
def test_a_host_that_was_not_looked_at_is_named(
    registered: dict[str, Any], played: list[str], reason: str, task: Task
) -> None:
    task.hosts = ["one", "two"]
    task.played = played
    task.registered = {"one": observed(*UNITS), **({"two": registered} if registered else {})}
    result = task.run(only=LOOKING, hosts=["all"])
    assert (result["outcome"], result["exit_status"]) == ("could-not-look", 21)
    assert reason in result["missing_hosts"]["two"]
    assert result["failed"]


def test_hosts_are_those_of_the_groups_unless_named(task: Task) -> None:
    task.hosts = ["one", "two"]
    assert task.run(only=LOOKING)["missing_hosts"] == {}


def test_without_groups_there_is_no_plan_and_all_hosts_count(task: Task) -> None:
    task.groups = ()
    task.hosts = ["one", "two"]
    task.tenant = {"sever_name": "x"}
    result = task.run(only=[*LOOKING, "unknown-key"])
    assert list(result["missing_hosts"]) == ["two"]
    assert [finding["rule"] for finding in result["findings"]] == ["host-looked-at"]


def test_a_plan_that_would_be_refused_is_told(task: Task) -> None:
    task.tenant["sever_name"] = "x"
    result = task.run(only=[*LOOKING, "unknown-key"])
    assert [finding["rule"] for finding in result["findings"]] == ["unknown-key"]
    assert "inventory.yml:" in task.shown[0]


def test_observations_can_be_given(task: Task) -> None:
    task.registered = {}
    assert task.run(only=LOOKING, observations={"one": observed(*UNITS)})["outcome"] == "ok"


def test_the_plans_secrets_can_be_compared(task: Task) -> None:
    assert task.run(only=LOOKING, fingerprint_key="ab" * 16)["outcome"] == "ok"


def test_the_plan_alone_is_judged_without_hosts(task: Task) -> None:
    task.registered = {}
    task.tenant["redis"] = {"pool_max": 12}
    result = task.run(judge="plan", fail_on="warning")
    assert [finding["rule"] for finding in result["findings"]] == ["redis-pool-size"]
    assert (result["outcome"], result["missing_hosts"]) == ("findings", {})


def test_drift_is_told_beside_the_plan(task: Task) -> None:
    result = task.run(judge="drift", fingerprint_key="ab" * 16)
    assert {finding["rule"] for finding in result["findings"]} >= {"drift-version", "drift-unit", "drift-redis"}
    assert not any(finding["rule"].startswith("redis-") for finding in result["findings"])
    assert "Cube.js plan and hosts" in task.shown[0]


def test_reports_are_written(task: Task) -> None:
    result = task.run(only=LOOKING, formats=["json", "html"], directory="out", name="audit", mode="0640", console=False)
    assert result["reports"] == {"json": "out/audit.json", "html": "out/audit.html"}
    assert len(json.loads(Path("out/audit.json").read_text())["findings"]) == 3
    assert task.shown == []


def test_check_mode_writes_nothing(task: Task) -> None:
    task.check_mode = True
    result = task.run(only=LOOKING, formats=["json"], directory="out")
    assert (result["outcome"], result["reports"]) == ("ok", {})
    assert not Path("out").exists()


def test_waivers_and_a_baseline_are_read_from_files(task: Task) -> None:
    task.registered = {"one": observed(UNITS[0])}
    waiver = {"rule": "instance-present", "subject": "*", "reason": "r", "owner": "o", "expires": "2999-12-31"}
    Path("waivers.yml").write_text(yaml.safe_dump([waiver]))
    waived = task.run(only=LOOKING, waivers="waivers.yml")
    assert (waived["outcome"], [finding["status"] for finding in waived["findings"]]) == ("ok", ["waived"])
    first = task.run(only=LOOKING, formats=["json"], directory="out")
    assert first["outcome"] == "findings"
    again = task.run(only=LOOKING, baseline=first["reports"]["json"], new_only=True)
    assert again["outcome"] == "ok"


def test_a_rule_is_explained(task: Task) -> None:
    assert task.run(explain="redis-pool-size") == {"changed": False}
    assert task.shown[0].startswith("redis-pool-size\n  Redis pools hold")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"explain": "redis-pool-sise"}, "Did you mean redis-pool-size?", id="no such rule"),
        pytest.param({"only": ["x"]}, "only: there is no rule 'x'", id="no such rule to apply"),
        pytest.param({"formats": ["htm"]}, "is html meant?", id="no such format"),
        pytest.param({"waivers": "none.yml"}, "waivers: .*none.yml cannot be read: No such file", id="no waivers"),
        pytest.param({"hosts": ["three"]}, "no host and no group three", id="no such host"),
    ],
)
def test_what_is_wrong_with_the_task_is_said(arguments: dict[str, Any], message: str, task: Task) -> None:
    with pytest.raises(AnsibleActionFail, match=message):
        task.run(**arguments)


def test_no_secret_is_in_the_result(task: Task) -> None:
    task.tenant["redis"] = {"password": ["MARKED"]}
    result = task.run(formats=["json", "html", "sarif"], directory="out")
    told = json.dumps(result) + "".join(task.shown) + "".join(path.read_text() for path in Path("out").iterdir())
    assert "MARKED" not in told
    assert MASTER not in told
