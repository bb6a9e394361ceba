"""The controller's half of cube_releases, run as a task runs it but for the connection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.cubeops.cubejs.plugins.action import cube_releases
from ansible_collections.cubeops.cubejs.plugins.action.cube_releases import ActionModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing
from ansible_collections.cubeops.cubejs.plugins.module_utils.releases import Found, unpack_job
from ansible_collections.cubeops.cubejs.plugins.module_utils.runtime_shipping import sha256
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.runtime_archives import Cache

ROLE = Path(__file__).resolve().parents[4] / "roles/cubejs"
HOST = {"os": {"id": "debian", "version_id": "12"}, "architecture": "x86_64"}


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that ends with the run."""
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(cube_releases.constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "run"))
    return tmp_path / "run"


class HostVars(dict[str, Any]):
    """What Ansible knows of hosts."""

    def raw_get(self, host: str) -> Any:
        """Return a host's variables."""
        return self[host]


def of_host(host: str, **runtimes: list[str]) -> dict[str, Any]:
    """Return the variables of a task on one of several hosts; runtimes: host -> what it has."""
    facts = {each: {"ansible_facts": {"cubeops_host": {"runtimes": has}}} for each, has in runtimes.items()}
    return {"inventory_hostname": host, "ansible_play_hosts": list(runtimes), "hostvars": HostVars(facts)}


class Shell:
    """The part of a connection that files are sent through."""

    tmpdir = "/tmp/remote"

    @staticmethod
    def join_path(*parts: str) -> str:
        """Join."""
        return "/".join(parts)


class Connection:
    """A connection that nothing is sent over."""

    _shell = Shell()


class Sent(ActionModule):
    """Keeps what would be sent to the host, which answers with what it has."""

    found = Found("18.20.4")
    fails = ""
    # Runtimes that npm has installed before, if nobody waited for it.
    begun: tuple[str, ...] = ()

    def _execute_module(
        self, module_name: str, module_args: dict[str, Any], wrap_async: bool = False, **_others: Any
    ) -> dict[str, Any]:
        self.calls = [*getattr(self, "calls", []), (module_name.rpartition(".")[2], module_args)]
        self.waited = not wrap_async
        if module_args.get("phase") == "look":
            return {"found": self.found.as_dict()}
        if self.fails and module_name.endswith(self.fails):
            return {"failed": True, "msg": "it broke"}
        if module_args.get("phase") == "stage":
            runtimes = unpack_job(module_args["job"]).plan.runtimes
            there = {*self.begun, *module_args["shipped"]}
            return {"changed": True, "left": [digest for digest in runtimes if digest not in there]}
        return {"changed": True}

    def _transfer_file(self, local_path: str, remote_path: str) -> str:
        self.sizes = [*getattr(self, "sizes", []), Path(local_path).stat().st_size]
        return remote_path

    def _fixup_perms2(self, *_arguments: Any, **_options: Any) -> None:
        pass

    def _remove_tmp_path(self, tmp_path: str | None, **_options: Any) -> None:
        self.removed = tmp_path


def action(tmp_path: Path, check_mode: bool = False, **changes: Any) -> Sent:
    """Return the action of a task for one tenant."""
    (tmp_path / "project").mkdir(exist_ok=True)
    (tmp_path / "project/.env").write_text("CUBEJS_DEV_MODE=true")
    (tmp_path / "npm.tgz").write_bytes(b"npm")
    loader = DataLoader()
    task = Task()
    task.check_mode = check_mode
    deployment = {
        "tenant": "acme",
        "user": "cube-acme",
        "version": "0.29.57",
        "project": {"path": str(tmp_path / "project")},
        "drivers": [],
        "install_scripts": False,
        "settings": {"api_secret": "hidden-secret"},
        "environment": {},
        "ca_certificates": [],
        "start": {"command": ["x"], "own_index": False},
        "instances": [{"name": "acme-1", "settings": {"port": 10010}}],
    }
    task.args = {
        "deployments": [{**deployment, **changes.pop("deployment", {})}],
        "platform": HOST,
        "npm_archive": str(tmp_path / "npm.tgz"),
        "shipped": str(ROLE / "files/runtimes"),
        "index": str(ROLE / "files/index.js"),
        "checkouts": str(tmp_path),
        "runtime_archives": str(tmp_path / "runtimes"),
        **changes,
    }
    return Sent(task, Connection(), None, loader, Templar(loader=loader, variables={}), None)


def phases(made: Sent) -> list[str]:
    """Return what was called, in order."""
    return [arguments.get("phase") or name for name, arguments in made.calls]


def test_an_empty_host_is_shipped_everything(tmp_path: Path) -> None:
    made = action(tmp_path)
    result = made.run(task_vars=of_host("web1", web1=[]))
    assert phases(made) == ["look", "stage", "npm", "adopt"]
    assert result["changed"]
    assert result["excluded"] == {"acme": [".env"]}
    stage, npm, adopt = (arguments for _name, arguments in made.calls[1:])
    job = unpack_job(stage["job"])
    assert [each.id for each in job.wanted] == [packing.unpack(result["releases"])["acme"]["release"]]
    assert "hidden-secret" in job.files[job.wanted[0].id]["environment/acme-1.env"]
    (runtime,) = result["plan"]["runtimes"]
    assert npm["path"] == f"/opt/cubejs/.staging/runtime-{runtime}"
    assert npm["ci"]
    assert npm["ignore_scripts"]
    assert npm["executable"].startswith("/usr/bin/node /opt/cubejs/npm/")
    assert adopt["runtimes"] == [runtime]
    assert made.removed == "/tmp/remote"


def test_packages_are_begun_without_waiting(tmp_path: Path) -> None:
    """Only what takes long: no user, no release, no secret."""
    made = action(tmp_path, begin=True)
    result = made.run(task_vars=of_host("web1", web1=[]))
    assert (phases(made), made.waited, result["changed"]) == (["look", "stage", "npm"], False, True)
    job = unpack_job(made.calls[1][1]["job"])
    assert (job.plan.users, job.plan.releases, job.wanted, job.files) == ((), (), (), {})
    assert (job.plan.runtimes, len(job.plan.npm)) == (tuple(result["plan"]["runtimes"]), 1)


def test_packages_that_were_begun_are_taken_over(tmp_path: Path) -> None:
    first = action(tmp_path, begin=True)
    made = action(tmp_path)
    made.begun = tuple(first.run(task_vars=of_host("web1", web1=[]))["plan"]["runtimes"])
    made.run(task_vars=of_host("web1", web1=[]))
    assert (phases(made), made.calls[-1][1]["runtimes"]) == (["look", "stage", "adopt"], list(made.begun))


@pytest.mark.parametrize("place", ["runtimes", "begun"])
def test_nothing_is_begun_twice(tmp_path: Path, place: str) -> None:
    made = action(tmp_path, begin=True)
    runtimes = frozenset(action(tmp_path).run(task_vars=of_host("web1", web1=[]))["plan"]["runtimes"])
    made.found = Found("18.20.4", **{place: runtimes})
    assert (made.run(task_vars=of_host("web1", web1=[]))["changed"], phases(made)) == (False, ["look"])


def test_no_secret_is_returned_or_sent_in_the_clear(tmp_path: Path) -> None:
    made = action(tmp_path)
    assert "hidden" not in json.dumps(made.run(task_vars=of_host("web1", web1=[]))) + json.dumps(made.calls)


def test_a_host_that_has_everything_is_asked_once(tmp_path: Path) -> None:
    first = action(tmp_path)
    first.run(task_vars=of_host("web1", web1=[]))
    (wanted,) = unpack_job(first.calls[1][1]["job"]).wanted
    made = action(tmp_path)
    made.found = Found("18.20.4", {"acme": wanted}, frozenset([wanted.runtime]), frozenset(), frozenset(["cube-acme"]))
    result = made.run(task_vars=of_host("web1", web1=[]))
    assert (phases(made), result["changed"]) == (["look"], False)


def test_check_mode_only_looks(tmp_path: Path) -> None:
    made = action(tmp_path, check_mode=True)
    made.found = Found()
    result = made.run(task_vars=of_host("web1", web1=[]))
    assert (phases(made), result["changed"]) == (["look"], True)
    assert result["plan"]["users"] == ["cube-acme"]


def test_the_distributions_npm_and_a_version_that_needs_its_scripts(tmp_path: Path) -> None:
    made = action(tmp_path, npm="/usr/bin/npm", npm_archive=None, deployment={"install_scripts": True})
    del made._task.args["npm_archive"]
    made.run(task_vars=of_host("web1", web1=[]))
    npm = dict(made.calls)["npm"]
    assert (npm["executable"], npm["ignore_scripts"]) == ("/usr/bin/npm", False)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"deployment": {"version": "0.25.1"}}, "none are shipped", id="version"),
        pytest.param({"npm_archive": "/no/npm.tgz"}, "No such file", id="npm"),
        pytest.param({"npm": "/usr/bin/npm"}, "mutually exclusive", id="two npms"),
        pytest.param({"platform": None}, "platform", id="no platform"),
    ],
)
def test_what_cannot_be_built_is_refused_before_anything_is_shipped(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    made = action(tmp_path, **changes)
    with pytest.raises(AnsibleActionFail, match=said):
        made.run(task_vars=of_host("web1", web1=[]))
    assert getattr(made, "sizes", []) == []


def test_a_host_without_node_is_told_so(tmp_path: Path) -> None:
    made = action(tmp_path, node="/opt/node/bin/node")
    made.found = Found()
    with pytest.raises(AnsibleActionFail, match=r"no Node\.js at /opt/node/bin/node on the host"):
        made.run(task_vars=of_host("web1", web1=[]))


@pytest.mark.parametrize(("module", "last"), [("npm", "npm"), ("cube_release_store", "stage")])
def test_a_module_that_fails_ends_it_with_its_message(tmp_path: Path, module: str, last: str) -> None:
    made = action(tmp_path)
    made.fails = module
    with pytest.raises(AnsibleActionFail, match="it broke"):
        made.run(task_vars=of_host("web1", web1=[]))
    assert phases(made)[-1] == last


def test_one_of_two_hosts_builds_and_the_other_knows_where(tmp_path: Path) -> None:
    nobody: dict[str, list[str]] = {"web1": [], "web2": []}
    first, second = action(tmp_path), action(tmp_path)
    built, waiting = first.run(task_vars=of_host("web1", **nobody)), second.run(task_vars=of_host("web2", **nobody))
    assert (phases(first), built["elsewhere"]) == (["look", "stage", "npm", "adopt"], [])
    # Its release is there already; nothing of npm is.
    assert phases(second) == ["look", "stage"]
    plan = unpack_job(second.calls[1][1]["job"]).plan
    assert (plan.runtimes, plan.npm, len(plan.releases)) == ((), (), 1)
    assert waiting["elsewhere"] == [{"host": "web1", "runtimes": built["plan"]["runtimes"]}]


def test_npm_is_begun_on_one_host_only(tmp_path: Path) -> None:
    nobody: dict[str, list[str]] = {"web1": [], "web2": []}
    first, second = (action(tmp_path, begin=True) for _each in nobody)
    changed = [made.run(task_vars=of_host(host, **nobody))["changed"] for made, host in zip((first, second), nobody)]
    assert changed == [True, False]
    assert (phases(first), phases(second)) == (["look", "stage", "npm"], ["look"])


def test_a_new_host_is_sent_to_one_that_has_the_packages(tmp_path: Path) -> None:
    (runtime,) = action(tmp_path, check_mode=True).run(task_vars=of_host("web1", web1=[]))["plan"]["runtimes"]
    made = action(tmp_path)
    result = made.run(task_vars=of_host("web2", web1=[runtime], web2=[]))
    assert (phases(made), result["elsewhere"]) == (["look", "stage"], [{"host": "web1", "runtimes": [runtime]}])


def test_an_archive_that_the_controller_has_is_shipped(tmp_path: Path) -> None:
    (runtime,) = action(tmp_path, check_mode=True).run(task_vars=of_host("web1", web1=[]))["plan"]["runtimes"]
    cache = Cache(tmp_path / "runtimes")
    cache.folder.mkdir()
    (cache.folder / "staged").write_bytes(b"archive")
    kept = cache.keep(runtime, cache.folder / "staged", sha256(cache.folder / "staged"))
    made = action(tmp_path, alone=True)
    made.run(task_vars=of_host("web2", web1=[runtime], web2=[]))
    assert phases(made) == ["look", "stage", "adopt"]
    assert made.calls[1][1]["shipped"] == {runtime: {"path": f"/tmp/remote/{runtime}.tgz", "sha256": kept.sha256}}
    assert unpack_job(made.calls[1][1]["job"]).plan.npm == ()


def test_a_host_that_was_left_alone_installs_itself(tmp_path: Path) -> None:
    """The host that was to build has failed: npm says the same here, or does better."""
    nobody: dict[str, list[str]] = {"web1": [], "web2": []}
    action(tmp_path).run(task_vars=of_host("web1", **nobody))
    made = action(tmp_path, alone=True)
    made.run(task_vars=of_host("web2", **nobody))
    assert phases(made) == ["look", "stage", "npm", "adopt"]


def test_the_heap_that_the_plan_left_open_follows_from_the_hosts_memory(tmp_path: Path) -> None:
    instance = {"name": "acme-1", "kind": "api", "memory_bytes": None, "heap_mb": None, "settings": {"port": 10010}}
    made = action(tmp_path, memory_bytes=2**31, deployment={"instances": [instance]})
    made.run(task_vars=of_host("web1", web1=[]))
    job = unpack_job(made.calls[1][1]["job"])
    assert "--max-old-space-size=" in job.files[job.wanted[0].id]["environment/acme-1.env"]
