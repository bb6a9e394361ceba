"""What a store says of a disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store with a tenant of two releases, the second current."""
    found = Store(tmp_path / "cubejs")
    for number, name in enumerate(["one", "two"]):
        folder = found.release("acme", name)
        (folder / "project").mkdir(parents=True)
        (folder / "project/cube.js").write_text(name)
        (folder / "environment").mkdir()
        (folder / "environment/acme.env").write_text("secret")
        (folder / "environment/acme.env").chmod(0o600)
        (folder / "ca.crt").write_text("PEM")
        (folder / "node_modules").symlink_to("../../../../runtimes/r1/node_modules")
        (folder / "release.json").write_text("{}")
        os.utime(folder, (number, number))
    (found.runtime("r1") / "node_modules").mkdir(parents=True)
    (found.runtime("r1") / "node_modules/.package-lock.json").touch()
    (found.runtime("half") / "node_modules").mkdir(parents=True)
    found.npm("n1").parent.mkdir(parents=True)
    found.npm("n1").touch()
    found.switch("acme", "two")
    return found


def test_what_is_there(store: Store) -> None:
    found = store.look({"acme": "root", "bazaar": "cube-bazaar"}, "/no/node")
    assert (found.node, found.users, found.npm, found.runtimes) == (None, {"root"}, {"n1"}, {"r1"})
    current = found.current["acme"]
    assert (current.id, current.runtime, set(current.files)) == ("two", "r1", {"environment/acme.env", "ca.crt"})
    assert set(found.current) == {"acme"}


def test_an_empty_disk(tmp_path: Path) -> None:
    found = Store(tmp_path / "none").look({"acme": "root"}, "/no/node")
    assert (dict(found.current), found.runtimes, found.npm) == ({}, frozenset(), frozenset())


def test_nodes_version_is_asked_of_the_program(store: Store, tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v18.20.4\n")
    node.chmod(0o755)
    assert store.look({}, str(node)).node == "18.20.4"


@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_a_secret_that_others_may_read_is_not_what_it_should_be(store: Store, mode: int) -> None:
    whole = store.look({"acme": "root"}, "/no/node").current["acme"]
    (store.release("acme", "two") / "environment/acme.env").chmod(mode)
    opened = store.look({"acme": "root"}, "/no/node").current["acme"]
    assert opened.files["environment/acme.env"] == "" != whole.files["environment/acme.env"]


def test_a_release_without_its_mark_or_with_a_stray_pipe_is_none(store: Store) -> None:
    os.mkfifo(store.release("acme", "two") / "project/pipe")
    assert store.look({"acme": "root"}, "/no/node").current == {}
    store.switch("acme", "one")
    (store.release("acme", "one") / "release.json").unlink()
    assert store.look({"acme": "root"}, "/no/node").current == {}


def test_releases_are_in_the_order_in_which_they_ran(store: Store) -> None:
    store.release("acme", "unfinished").mkdir()
    assert store.releases() == {"acme": ["one", "two"]}
    store.switch("acme", "one")
    assert store.releases() == {"acme": ["two", "one"]}


def test_a_switch_survives_what_an_earlier_one_left(store: Store) -> None:
    (store.root / "tenants/acme/.current.new").symlink_to("nowhere")
    store.switch("acme", "one")
    assert store.current("acme") == "one"
    assert (store.root / "tenants/acme/current/project/cube.js").read_text() == "one"
    assert store.current("bazaar") is None


def test_what_processes_were_started_from(store: Store, tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    for pid, cwd in {
        "10": store.release("acme", "one") / "project",
        "11": store.staging / "runtime-x",
        "12": Path("/"),
    }.items():
        (proc / pid).mkdir(parents=True)
        (proc / pid / "cwd").symlink_to(cwd)
    (proc / "13").mkdir()  # gone meanwhile
    (proc / "self").mkdir()
    assert store.in_use(proc) == {("acme", "one")}
    assert store.staging / "runtime-x" in set(store.processes(proc))
