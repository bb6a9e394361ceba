"""Processes as /proc shows them."""

from __future__ import annotations

import os
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.installed import Installed
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.processes import Proc, manager_of, script_of
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree

LIBPOD = "/libpod_parent/libpod-0fe83324e146"


@pytest.mark.parametrize(
    ("groups", "own", "found"),
    [
        pytest.param("0::/system.slice/cube.service", "/", ("systemd", "cube.service"), id="a unit"),
        pytest.param("0::/cubejs.slice/a@b.service/sub", "/", ("systemd", "a@b.service"), id="below a unit"),
        pytest.param("5:cpu:/\n1:name=systemd:/system.slice/c.service", "/", ("systemd", "c.service"), id="hybrid"),
        pytest.param(
            "0::/user.slice/user-1.slice/user@1.service/app.slice/c.service", "/", ("systemd-user", "c.service"),
            id="a user's",
        ),
        pytest.param("0::/user.slice/session-1.scope", "/", ("", ""), id="a session"),
        pytest.param("0::/docker/0123", "/", ("container", ""), id="docker"),
        pytest.param("0::/system.slice/docker-0123.scope", "/", ("container", ""), id="docker under systemd"),
        pytest.param("0::/kubepods/besteffort/pod1", "/", ("container", ""), id="kubernetes"),
        pytest.param(f"0::{LIBPOD}/system.slice/c.service", "/", ("container", ""), id="another container"),
        pytest.param(f"0::{LIBPOD}/system.slice/c.service", LIBPOD, ("systemd", "c.service"), id="own container"),
        pytest.param("", "/", ("", ""), id="nothing"),
    ],
)  # fmt: skip
def test_who_manages_a_process(groups: str, own: str, found: tuple[str, str]) -> None:
    assert manager_of(groups, own) == found


@pytest.mark.parametrize(
    ("words", "script"),
    [
        pytest.param(("node", "a.js", "b"), "a.js", id="script"),
        pytest.param(("node", "--max-old-space-size=1", "-r", "x", "a.js"), "a.js", id="after options"),
        pytest.param(("node",), "", id="none"),
        pytest.param(("node", "-r"), "", id="an option without its word"),
    ],
)
def test_the_script(words: tuple[str, ...], script: str) -> None:
    assert script_of(words) == script


def test_a_process_that_ends_while_it_is_read_was_not_there(recording: Any) -> None:
    recording.process(5, ["node", "a.js"], "/", {})
    recording.process(6, ["node", "a.js"], "/", {})
    (recording.proc / "5/status").unlink()
    assert [each.pid for each in Proc(str(recording.proc)).nodes()] == [6]


def test_nonsense_of_numbers_is_no_process(recording: Any) -> None:
    (recording.process(5, ["node", "a.js"], "/", {}) / "stat").write_text("5 (node) S")
    assert list(Proc(str(recording.proc)).nodes()) == []


def test_the_first_of_two_variables_counts(recording: Any) -> None:
    recording.process(5, ["node", "a.js"], "/", b"A=1\0A=2\0B\0=c\0D=\xff\0")
    seen = next(iter(Proc(str(recording.proc)).nodes()))
    assert seen.environ == {"A": "1", "D": "\udcff"}
    assert "A" not in repr(seen)


def test_limits_and_flags(recording: Any) -> None:
    folder = recording.process(5, ["node", "a.js"], "/", {})
    seen = next(iter(Proc(str(recording.proc)).nodes()))
    assert (seen.open_files, seen.memory_bytes) == ((1024, 524288), 110000 * 1024)
    assert (seen.flag("Seccomp"), seen.flag("CapEff"), seen.flag("Nothing")) == (True, False, None)
    (folder / "limits").write_text("Max open files            unlimited  unlimited  files\n")
    assert next(iter(Proc(str(recording.proc)).nodes())).open_files == (None, None)


def test_the_version_of_node_is_in_its_program_or_its_library(recording: Any) -> None:
    folder = recording.process(5, ["node", "a.js"], "/", {})
    proc, installed = Proc(str(recording.proc)), Installed()
    assert proc.node_version(5, installed) == ""
    (folder / "root").symlink_to(recording.root)
    recording.file("/usr/lib/libnode.so.108", b"\0/node-vX\0https://x/node-v18.20.4.tar.gz\0")
    (folder / "maps").write_text("7f00-7f01 r-xp 0 08:01 99   /usr/lib/libnode.so.108\n")
    assert proc.node_version(5, installed) == "18.20.4"
    (folder / "exe").unlink()
    (folder / "exe").symlink_to(recording.file("/opt/node", b"...https://x/download/node-v20.1.2-headers.tar.gz"))
    assert proc.node_version(5, installed) == "20.1.2"


def test_its_own_root_where_it_may_be_looked_at(recording: Any) -> None:
    folder = recording.process(5, ["node", "a.js"], "/", {})
    host = Tree(str(recording.root))
    proc = Proc(str(recording.proc))
    assert proc.tree(5, host) is host
    (folder / "root").symlink_to(recording.root)
    assert proc.tree(5, host).root == f"{folder}/root"


def test_this_very_process() -> None:
    proc = Proc()
    assert proc.since_boot(os.getpid()) is not None
    assert proc.since_boot(2**22 + 1) is None
    assert proc.network(os.getpid())[1] == proc.own_network() != ""
    assert (proc.open_files(os.getpid()) or 0) > 2
