"""Releases: what names them, what restarts whom, what a host lacks, and what it may lose."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.environment import from_file
from ansible_collections.cubeops.cubejs.plugins.module_utils.projects import Manifest
from ansible_collections.cubeops.cubejs.plugins.module_utils.releases import (
    Found,
    Garbage,
    Plan,
    Platform,
    Release,
    Runtime,
    build,
    garbage,
    pack_job,
    plan,
    unpack_job,
)

PLATFORM = Platform(18, "x86_64", "debian-12")
RUNTIME = Runtime(Manifest(b"{}", b"lock", Path("/p"), own=True), PLATFORM, scripts=False)


def deployment(**changes: Any) -> dict[str, Any]:
    """Return a deployment of two instances, as the plan has it."""
    made: dict[str, Any] = {
        "tenant": "acme",
        "user": "cube-acme",
        "version": "0.29.57",
        "settings": {"api_secret": "hidden", "log_level": "warn"},
        "environment": {"OWN": "text"},
        "start": {"command": ["../node_modules/.bin/cubejs-server", "server"], "own_index": False},
        "instances": [
            {"name": "acme-1", "heap_mb": 500, "settings": {"port": "/run/1", "refresh_worker": False}},
            {"name": "acme", "heap_mb": 800, "settings": {"port": "/run/0", "refresh_worker": True}},
        ],
    }
    return {**made, **changes}


def release(made: dict[str, Any] | None = None, **parts: Any) -> Release:
    """Return the release of a deployment."""
    return build(made or deployment(), **{"project": "p", "runtime": "r", "certificates": "", "index": "own", **parts})


def test_an_environment_file_says_what_it_belongs_to_and_how_it_starts() -> None:
    made = release()
    variables = from_file(made.files["environment/acme-1.env"])
    assert variables["CUBEOPS_RELEASE"] == made.instances["acme-1"]
    assert variables["CUBEOPS_START"] == "../node_modules/.bin/cubejs-server server"
    assert (variables["CUBEJS_API_SECRET"], variables["OWN"], variables["PORT"]) == ("hidden", "text", "/run/1")
    assert set(made.files) == {"environment/acme-1.env", "environment/acme.env"}


@pytest.mark.parametrize(
    ("index", "command", "files"),
    [
        pytest.param("ours", "../index.js", {"index.js"}, id="ours"),
        pytest.param(None, "index.js", set(), id="the project's own"),
    ],
)
def test_versions_without_a_command_start_an_index(index: str | None, command: str, files: set[str]) -> None:
    old = deployment(version="0.20.10", start={"command": ["../index.js"], "own_index": True})
    made = release(old, index=index)
    assert from_file(made.files["environment/acme.env"])["CUBEOPS_START"] == command
    assert {path for path in made.files if "/" not in path} == files


def with_settings(instance: int | None, **settings: Any) -> dict[str, Any]:
    """Return a deployment with other settings, of all instances or of one."""
    made = copy.deepcopy(deployment())
    target = made["settings"] if instance is None else made["instances"][instance]["settings"]
    target.update(settings)
    return made


def with_third() -> dict[str, Any]:
    """Return a deployment with one instance more."""
    made = copy.deepcopy(deployment())
    made["instances"].append({"name": "acme-2", "heap_mb": 1, "settings": {"port": "/run/2", "refresh_worker": False}})
    return made


@pytest.mark.parametrize(
    ("other", "restarted"),
    [
        pytest.param(release, set(), id="nothing"),
        pytest.param(lambda: release(project="q"), {"acme-1", "acme"}, id="project"),
        pytest.param(lambda: release(runtime="s"), {"acme-1", "acme"}, id="packages"),
        pytest.param(lambda: release(certificates="PEM"), {"acme-1", "acme"}, id="private CA"),
        pytest.param(lambda: release(with_settings(None, log_level="info")), {"acme-1", "acme"}, id="setting of all"),
        pytest.param(lambda: release(with_settings(0, port="/run/9")), {"acme-1"}, id="setting of one"),
        pytest.param(lambda: release(deployment(environment={})), {"acme-1", "acme"}, id="own variable"),
        pytest.param(lambda: release(with_third()), set(), id="an instance more"),
    ],
)
def test_an_instance_is_restarted_for_its_own_part_only(other: Callable[[], Release], restarted: set[str]) -> None:
    before, after = release(), other()
    assert {name for name in before.instances if after.instances[name] != before.instances[name]} == restarted
    assert (before.id != after.id) == bool(restarted or len(after.instances) > 2)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            Runtime(Manifest(b"{ }", b"lock", Path("/p"), own=True), PLATFORM, scripts=False), id="package.json"
        ),
        pytest.param(Runtime(Manifest(b"{}", b"other", Path("/p"), own=True), PLATFORM, scripts=False), id="lockfile"),
        pytest.param(Runtime(RUNTIME.manifest, Platform(20, "x86_64", "debian-12"), scripts=False), id="Node major"),
        pytest.param(Runtime(RUNTIME.manifest, Platform(18, "aarch64", "debian-12"), scripts=False), id="architecture"),
        pytest.param(Runtime(RUNTIME.manifest, Platform(18, "x86_64", "debian-13"), scripts=False), id="system"),
        pytest.param(Runtime(RUNTIME.manifest, PLATFORM, scripts=True), id="npm flags"),
    ],
)
def test_what_a_runtime_is_named_by(other: Runtime) -> None:
    assert other.digest != RUNTIME.digest


def test_a_runtime_does_not_depend_on_who_brought_the_lockfile() -> None:
    assert Runtime(Manifest(b"{}", b"lock", Path("/q"), own=False), PLATFORM, scripts=False).digest == RUNTIME.digest


def complete(made: Release) -> Found:
    """Return a host that has all of a release."""
    wanted = made.as_wanted()
    return Found("18.20.4", {wanted.tenant: wanted}, frozenset(["r"]), frozenset(["n"]), frozenset(["cube-acme"]))


@pytest.mark.parametrize(
    ("found", "missing"),
    [
        pytest.param(complete(release()), Plan(), id="nothing"),
        pytest.param(
            Found(), Plan(("cube-acme",), ("n",), ("r",), (("acme", release().id),)), id="everything on an empty host"
        ),
        pytest.param(complete(release(project="q")), Plan(releases=(("acme", release().id),)), id="a changed project"),
    ],
)
def test_what_a_host_lacks(found: Found, missing: Plan) -> None:
    assert plan([release().as_wanted()], found, "n") == missing
    assert missing.changed == (missing != Plan())


def test_a_release_whose_files_were_touched_is_made_anew() -> None:
    made = release()
    whole = complete(made)
    touched = copy.deepcopy(whole.as_dict())
    touched["current"][0]["files"]["environment/acme.env"] = ""
    assert plan([made.as_wanted()], Found.of(touched), "n").releases == (("acme", made.id),)
    added = copy.deepcopy(whole.as_dict())
    added["current"][0]["files"]["environment/stray.env"] = "x"
    assert plan([made.as_wanted()], Found.of(added), "n").releases == (("acme", made.id),)


def test_npm_is_only_needed_where_something_is_built() -> None:
    whole = complete(release())
    without = Found(whole.node, whole.current, whole.runtimes, frozenset(), whole.users)
    assert not plan([release().as_wanted()], without, "n").changed
    assert plan([release().as_wanted()], Found(), None).npm == ()


def test_tenants_with_the_same_lockfile_share_a_runtime() -> None:
    other = release(deployment(tenant="bazaar", user="cube-bazaar"))
    assert plan([release().as_wanted(), other.as_wanted()], Found(), "n").runtimes == ("r",)


def test_what_is_told_to_a_host_survives_the_way_there() -> None:
    made = release()
    whole = complete(made)
    assert Found.of(whole.as_dict()) == whole
    missing = plan([made.as_wanted()], Found(), "n")
    job = unpack_job(pack_job(missing, [made, release(deployment(tenant="other"))]))
    assert (job.plan, job.wanted, job.files) == (missing, (made.as_wanted(),), {made.id: dict(made.files)})


def test_secrets_are_not_shown() -> None:
    made = release()
    assert "hidden" not in repr(made) + repr(made.as_wanted()) + repr(unpack_job(pack_job(Plan(), [made])))
    assert "hidden" not in pack_job(plan([made.as_wanted()], Found(), "n"), [made])


RELEASES = {"acme": ["a1", "a2", "a3", "a4"], "gone": ["g1", "g2", "g3"]}
RUNTIMES = {
    ("acme", "a1"): "r1",
    ("acme", "a2"): "r1",
    ("acme", "a3"): "r2",
    ("acme", "a4"): "r3",
    ("gone", "g1"): "r9",
}


@pytest.mark.parametrize(
    ("kept", "in_use", "removed"),
    [
        pytest.param(3, [], Garbage((), ("r0",)), id="few enough"),
        pytest.param(1, [], Garbage((("acme", "a1"), ("acme", "a2")), ("r0", "r1")), id="the oldest go"),
        pytest.param(
            0,
            [],
            Garbage((("acme", "a1"), ("acme", "a2"), ("acme", "a3")), ("r0", "r1", "r2")),
            id="all but the current",
        ),
        pytest.param(0, [("acme", "a1")], Garbage((("acme", "a2"), ("acme", "a3")), ("r0", "r2")), id="none that runs"),
    ],
)
def test_what_no_one_needs(kept: int, in_use: list[tuple[str, str]], removed: Garbage) -> None:
    """Tenants that are not listed lose nothing, and neither do the runtimes of theirs."""
    found = garbage(RELEASES, RUNTIMES, ["r0", "r1", "r2", "r3", "r9"], {"acme": "a4"}, in_use, kept, ["acme"])
    assert found == removed


def test_the_current_release_stays_although_it_is_an_old_one() -> None:
    found = garbage(RELEASES, RUNTIMES, [], {"acme": "a1"}, [], 1, ["acme"])
    assert found.releases == (("acme", "a2"), ("acme", "a3"))


def test_npm_is_only_needed_where_it_builds() -> None:
    whole = Plan(npm=("n1",), runtimes=("r1", "r2"), releases=(("acme", "1"),))
    assert whole.with_runtimes(["r1"], ["r2"]) == whole
    assert whole.with_runtimes([], ["r2"]) == Plan(runtimes=("r2",), releases=(("acme", "1"),))
