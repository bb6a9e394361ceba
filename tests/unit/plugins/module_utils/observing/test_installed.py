"""Packages found as Node finds them."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.installed import (
    Installed,
    library_of_node,
    script_path,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree


def version(recording: Any, script: str, directory: str, **environ: str) -> str:
    return Installed().packages(Tree(str(recording.root)), script, directory, environ).version


@pytest.mark.parametrize(
    ("home", "script", "directory", "environ"),
    [
        pytest.param("/srv/cube", "index.js", "/srv/cube", {}, id="beside the script"),
        pytest.param("/srv", "cube/app/index.js", "/srv", {}, id="above the script"),
        pytest.param("/srv/cube", "/bin/x.js", "/srv/cube/conf", {}, id="above the working directory"),
        pytest.param("/srv/cube", "node_modules/.bin/cubejs-server", "/srv/cube", {}, id="the program itself"),
        pytest.param("/opt/x", "/bin/x.js", "/srv", {"NODE_PATH": "rel:/opt/x/node_modules"}, id="NODE_PATH"),
        pytest.param("/usr/local/lib", "/bin/x.js", "/srv", {}, id="global"),
    ],
)
def test_where_packages_are_found(
    recording: Any, home: str, script: str, directory: str, environ: dict[str, str]
) -> None:
    recording.packages(home)
    recording.file("/bin/x.js")
    recording.file("/srv/cube/app/index.js")
    assert version(recording, script, directory, **environ) == "0.29.57"


def test_the_scripts_own_packages_win(recording: Any) -> None:
    recording.packages("/srv/a", "0.28.67")
    recording.packages("/srv/b", "0.29.57")
    assert version(recording, "/srv/a/node_modules/.bin/cubejs-server", "/srv/b") == "0.28.67"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        pytest.param("0.29.57", "0.29.57", id="release"),
        pytest.param("0.30.0-alpha.1", "0.30.0", id="pre-release"),
        pytest.param("latest", "", id="none"),
        pytest.param("0.29.57\n<b>", "", id="hostile"),
        pytest.param("1" * 5000, "", id="endless"),
    ],
)
def test_versions(recording: Any, written: str, found: str) -> None:
    recording.packages("/srv/cube", written, **{"server-core": written})
    seen = Installed().packages(Tree(str(recording.root)), "x.js", "/srv/cube", {})
    assert (seen.version, seen.directory) == (found, "/srv/cube/node_modules")


def test_only_the_core_is_installed(recording: Any) -> None:
    recording.file("/srv/cube/node_modules/@cubejs-backend/server-core/package.json", '{"version": "0.28.1"}')
    assert version(recording, "x.js", "/srv/cube") == "0.28.1"


def test_all_that_rules_ask(recording: Any) -> None:
    recording.packages("/srv/cube")
    recording.file("/srv/cube/node_modules/antlr4/package.json", '{"version": "4.13.2"}')
    recording.file("/srv/cube/yarn.lock")
    recording.file("/srv/cube/package-lock.json")
    manifest = {
        "dependencies": {"pg": "1", "@cubejs-backend/server": "0.29.57", "../etc": "1", "@x/../../etc": "1"},
        "devDependencies": {"@cubejs-backend/mysql-driver": "0.29.33", "jest": "1"},
    }
    recording.file("/srv/cube/package.json", json.dumps(manifest))
    seen = Installed().packages(Tree(str(recording.root)), "x.js", "/srv/cube", {})
    assert (seen.missing, seen.in_development) == (("pg",), ("@cubejs-backend/mysql-driver",))
    assert seen.lockfiles == ("/srv/cube/package-lock.json", "/srv/cube/yarn.lock")
    assert (seen.antlr4, seen.engines) == ("4.13.2", "^12.0.0 || >=16.0.0")
    inner = "/srv/cube/node_modules/@cubejs-backend/schema-compiler/node_modules/antlr4/package.json"
    recording.file(inner, '{"version": "4.8.0"}')
    assert Installed().packages(Tree(str(recording.root)), "x.js", "/srv/cube", {}).antlr4 == "4.8.0"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[]", id="a list"),
        pytest.param("{" * 100_000, id="nested"),
        pytest.param("\xff", id="no JSON"),
        pytest.param('{"version": 7, "dependencies": [1]}', id="other kinds"),
    ],
)
def test_hostile_manifests(recording: Any, text: str) -> None:
    recording.packages("/srv/cube")
    recording.file("/srv/cube/package.json", text)
    recording.file("/srv/cube/node_modules/@cubejs-backend/mysql-driver/package.json", text)
    seen = Installed().packages(Tree(str(recording.root)), "x.js", "/srv/cube", {})
    assert "@cubejs-backend/mysql-driver" not in seen.versions
    assert seen.missing == ()


def test_shared_packages_are_read_once(recording: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    recording.packages("/srv/cube")
    installed, tree = Installed(), Tree(str(recording.root))
    first = installed.packages(tree, "x.js", "/srv/cube", {})
    monkeypatch.setattr(Tree, "read", None)
    assert installed.packages(tree, "y.js", "/srv/cube", {}) is first


def test_a_program_that_is_none(recording: Any) -> None:
    installed = Installed()
    os.mkfifo(recording.root / "pipe")
    for path in (recording.root / "pipe", recording.root / "none", recording.file("/empty"), recording.root):
        assert installed.node_version(str(path)) == ""


def test_the_mapped_library() -> None:
    maps = "7f00 r-xp 0 08:01 9 /a b/libnode.so.108\n7f01 rw-p 0 0 0\n7f02 r-xp 0 08:01 9   /usr/lib/libc.so"
    assert library_of_node(maps) == "/a b/libnode.so.108"
    assert library_of_node("x" * 1_000_000) == ""


def test_a_script_as_node_resolves_it(recording: Any) -> None:
    recording.file("/srv/a.js")
    recording.file("/srv/app/index.js")
    tree = Tree(str(recording.root))
    found = [script_path(tree, each, "/srv") for each in ("a.js", "a", "app", "./app/../a", "none")]
    assert found == ["/srv/a.js", "/srv/a.js", "/srv/app/index.js", "/srv/a.js", ""]
