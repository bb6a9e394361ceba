"""Projects: which files are deployed, what changes their digest, and which packages they run with."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.projects import (
    LOCK,
    PACKAGE,
    SERVER,
    Manifest,
    ProjectError,
    manifest,
    manifest_problems,
    read_tree,
)

DRIVER = "@cubejs-backend/mysql-driver"
SHIPPED = Path(__file__).resolve().parents[4] / "roles/cubejs/files/runtimes"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "schema").mkdir(parents=True)
    (folder / "schema/Orders.js").write_text("cube(`Orders`, {})")
    (folder / "cube.js").write_text("module.exports = {}")
    (folder / "schema/Link.js").symlink_to("../cube.js")
    return folder


def lock(**versions: str) -> bytes:
    """Return a lockfile that installs packages (`server` and the driver, unless they are said to be others)."""
    packages = {
        SERVER: "0.29.57",
        DRIVER: "0.29.33",
        **{name.replace("_", "-"): version for name, version in versions.items()},
    }
    return json.dumps(
        {"packages": {f"node_modules/{name}": {"version": at} for name, at in packages.items() if at}}
    ).encode()


def test_what_is_deployed_and_what_is_left_out(project: Path) -> None:
    for left_out in (".env", ".env.local", ".npmrc", "schema/.env", "node_modules/a/index.js", ".git/config"):
        (project / left_out).parent.mkdir(parents=True, exist_ok=True)
        (project / left_out).write_text("CUBEJS_DEV_MODE=true")
    tree = read_tree(project)
    assert [file.path for file in tree.files] == ["cube.js", "schema/Link.js", "schema/Orders.js"]
    assert tree.excluded == (".env", ".env.local", ".npmrc", "schema/.env")
    assert (tree.has("cube.js"), tree.has("index.js")) == (True, False)


def test_a_file_that_only_looks_like_one_of_those_is_deployed(project: Path) -> None:
    (project / "schema/.environment.js").write_text("")
    (project / "env").write_text("")
    assert {"env", "schema/.environment.js"} < {file.path for file in read_tree(project).files}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda project: (project / "cube.js").write_text("other"), id="content"),
        pytest.param(lambda project: (project / "cube.js").rename(project / "cube.ts"), id="name"),
        pytest.param(lambda project: (project / "cube.js").chmod(0o755), id="executable"),
        pytest.param(lambda project: (project / "new.js").touch(), id="another file"),
        pytest.param(lambda project: (project / "schema/Link.js").unlink(), id="a link less"),
    ],
)
def test_what_changes_the_digest(project: Path, change: Callable[[Path], object]) -> None:
    before = read_tree(project).digest
    change(project)
    assert read_tree(project).digest != before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda project: os.utime(project / "cube.js", (1, 1)), id="times"),
        pytest.param(lambda project: (project / "cube.js").chmod(0o600), id="rights of others"),
        pytest.param(lambda project: (project / ".env").write_text("A=1"), id="what is left out"),
        pytest.param(lambda project: (project / "empty").mkdir(), id="an empty folder"),
    ],
)
def test_what_does_not(project: Path, change: Callable[[Path], object]) -> None:
    before = read_tree(project).digest
    change(project)
    assert read_tree(project).digest == before


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "schema/../../outside"])
def test_links_that_lead_outside_are_refused(project: Path, target: str) -> None:
    (project / "leaves").symlink_to(target)
    with pytest.raises(ProjectError, match=f"leaves is a link to {target}, outside the project"):
        read_tree(project)


def test_folders_that_are_links_are_kept_as_links(project: Path) -> None:
    (project / "model").symlink_to("schema")
    assert next(file for file in read_tree(project).files if file.path == "model").link == "schema"


def test_what_is_no_file_and_no_folder_is_refused(project: Path) -> None:
    os.mkfifo(project / "pipe")
    with pytest.raises(ProjectError, match="pipe is neither a file nor a directory"):
        read_tree(project)
    with pytest.raises(ProjectError, match="none is no directory on the controller"):
        read_tree(project / "none")


def test_a_project_brings_its_packages_or_takes_those_that_are_shipped(project: Path) -> None:
    assert not manifest(project, SHIPPED, "0.29.57").own
    (project / PACKAGE).write_bytes(b"{}")
    (project / LOCK).write_bytes(lock())
    found = manifest(project, SHIPPED, "0.29.57")
    assert (found.own, found.source, found.lock) == (True, project, lock())


@pytest.mark.parametrize(
    ("there", "said"),
    [
        pytest.param([PACKAGE], "has package.json alone: make the other one", id="no lockfile"),
        pytest.param([PACKAGE, "yarn.lock"], "yarn.lock is not read", id="yarn"),
        pytest.param([LOCK], "has package-lock.json alone", id="no package.json"),
        pytest.param([], "for Cube 0.25.1 none are shipped .*0.20.10, 0.27.53", id="nothing for the version"),
    ],
)
def test_half_a_manifest_is_refused(project: Path, there: list[str], said: str) -> None:
    for name in there:
        (project / name).write_text("{}")
    with pytest.raises(ProjectError, match=said):
        manifest(project, SHIPPED, "0.25.1")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"{", "is no JSON", id="broken"),
        pytest.param(b"[]", "is no JSON object", id="a list"),
        pytest.param(b'{"lockfileVersion": 1}', "lockfileVersion 1", id="of npm 6"),
    ],
)
def test_a_lockfile_that_cannot_be_read(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ProjectError, match=said):
        manifest_problems(Manifest(b"{}", content, tmp_path, own=True), "0.29.57", [])


@pytest.mark.parametrize(
    ("version", "content", "said"),
    [
        pytest.param("0.29.57", lock(), [], id="right"),
        pytest.param("0.29.57", lock(**{SERVER: ""}), ["does not install @cubejs-backend/server"], id="no server"),
        pytest.param("0.29.20", lock(), ["0.29.57, but Cube 0.29.20 is asked for"], id="another version"),
        pytest.param("0.29.57", lock(**{DRIVER: ""}), [f"does not install {DRIVER}"], id="no driver"),
        pytest.param("0.29.57", lock(**{DRIVER: "0.27.33"}), ["must share the minor"], id="another minor"),
        pytest.param(
            "0.20.10", lock(**{SERVER: "0.20.10", DRIVER: "0.20.9", "antlr4": "4.13.2"}), ['"overrides"'], id="antlr4"
        ),
        pytest.param(
            "0.20.10", lock(**{SERVER: "0.20.10", DRIVER: "0.20.9", "antlr4": "4.8.0"}), [], id="antlr4 pinned"
        ),
        pytest.param("0.28.1", lock(**{SERVER: "", DRIVER: ""}), ["server", "driver"], id="everything at once"),
    ],
)
def test_packages_that_cannot_run(tmp_path: Path, version: str, content: bytes, said: list[str]) -> None:
    problems = manifest_problems(Manifest(b"{}", content, tmp_path, own=True), version, [DRIVER])
    assert len(problems) == len(said)
    assert all(words in problem for words, problem in zip(said, problems))


def test_the_remedy_fits_who_wrote_the_lockfile(tmp_path: Path) -> None:
    (own,) = manifest_problems(Manifest(b"{}", lock(**{DRIVER: ""}), tmp_path, own=True), "0.29.57", [DRIVER])
    (shipped,) = manifest_problems(Manifest(b"{}", lock(**{DRIVER: ""}), tmp_path, own=False), "0.29.57", [DRIVER])
    assert own.endswith("add it to package.json")
    assert "give the project a package.json" in shipped


@pytest.mark.parametrize("version", sorted(path.name for path in SHIPPED.iterdir()))
def test_what_is_shipped_can_run_and_names_no_registry(version: str, tmp_path: Path) -> None:
    found = manifest(tmp_path, SHIPPED, version)
    driver = "@cubejs-backend/postgres-driver" if version.startswith(("0.31", "0.32")) else DRIVER
    assert manifest_problems(found, version, [driver]) == []
    installed = [entry for path, entry in found.packages.items() if path]
    assert len(installed) > 300
    assert not [entry for entry in installed if "resolved" in entry]
    assert all(entry.get("integrity") or entry.get("inBundle") for entry in installed)
