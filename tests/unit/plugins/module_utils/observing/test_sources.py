"""The files that set variables for one instance; whole instances are in test_host_reading.py."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.layering import Source
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.sources import (
    Notes,
    layer_of,
    read_sources,
    remedy_for,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import FileFacts, Tree
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.unit_files import Service


def test_weakest_first_and_the_dotenv_last(recording: Any) -> None:
    for path in ("/etc/systemd/system/c.service", "/etc/systemd/system/c.service.d/a.conf"):
        recording.file(path)
    recording.file("/etc/1.env", "A=1\n")
    recording.file("/etc/2.env", "A=2\n")
    recording.file("/srv/.env", "A=3\n")
    properties = {
        "FragmentPath": ["/etc/systemd/system/c.service"],
        "DropInPaths": ["/etc/systemd/system/c.service.d/a.conf"],
        "Environment": ["B=1"],
        "EnvironmentFiles": ["/etc/2.env (ignore_errors=no)", "/etc/1.env (ignore_errors=yes)"],
    }
    tree, notes = Tree(str(recording.root)), Notes(Redactor(b"k"))
    found = read_sources(tree, tree, Service("c.service", properties), "/srv", "0.29.57", notes)
    assert [(each.kind, each.variables) for each in found] == [
        ("unit", {"B": "1"}),
        ("drop_in", {}),
        ("environment_file", {"A": "2"}),
        ("environment_file", {"A": "1"}),
        ("dotenv", {"A": "3"}),
    ]
    assert not notes.unknown


def test_what_a_unit_takes_out_again_is_not_there(recording: Any) -> None:
    recording.file("/etc/1.env", "A=1\nB=2\nC=3\n")
    properties = {
        "EnvironmentFiles": ["/etc/1.env (ignore_errors=no)"],
        "Environment": ["D=4"],
        "UnsetEnvironment": ["A B=other C=3 D"],
    }
    tree, notes = Tree(str(recording.root)), Notes(Redactor(b"k"))
    found = read_sources(tree, tree, Service("c.service", properties), "", "0.29.57", notes)
    assert {name: value for each in found for name, value in each.variables.items()} == {"B": "2"}


def test_what_is_there_and_cannot_be_read(recording: Any) -> None:
    os.mkfifo(recording.file("/srv/x").parent / ".env")
    tree, notes = Tree(str(recording.root)), Notes(Redactor(b"k"))
    (found,) = read_sources(tree, tree, None, "/srv", "", notes)
    assert (found.kind, found.variables) == ("dotenv", {})
    assert [(each.what, each.reason) for each in notes.unknown] == [("dotenv", "/srv/.env: it is no regular file")]


@pytest.mark.parametrize(
    ("exc", "user", "said"),
    [
        pytest.param(OSError(errno.EACCES, "x"), 1000, "become: true", id="another user"),
        pytest.param(OSError(errno.EPERM, "x"), 0, "CAP_SYS_PTRACE", id="root in a container"),
        pytest.param(OSError(errno.EFBIG, "x"), 1000, "", id="no question of permission"),
        pytest.param(ValueError("x"), 1000, "", id="no file"),
    ],
)
def test_what_would_let_it_be_read(monkeypatch: pytest.MonkeyPatch, exc: Exception, user: int, said: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert said in remedy_for(exc)
    assert bool(remedy_for(exc)) is bool(said)


@pytest.mark.parametrize(
    ("started", "changed"), [(None, None), (99.0, True), (101.0, False)], ids=["no process", "before", "after"]
)
def test_whether_a_file_changed_after_the_start(started: float | None, changed: bool | None) -> None:
    source = Source("dotenv", "/srv/.env", {"CUBEJS_DB_PASS": "x"}, FileFacts("0600", "cube", "cube", 100.0))
    layer = layer_of(Redactor(b"k"), source, started)
    assert (layer.changed_after_start, layer.mode, layer.values["CUBEJS_DB_PASS"].secret) == (changed, "0600", True)
