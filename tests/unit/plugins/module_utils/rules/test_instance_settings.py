"""What is certain of an instance's settings, and how findings tell values."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import instance_settings as told

ENVIRON = Unknown("process.environ", "Permission denied", "Run the task with become: true")
DOTENV = Unknown("dotenv", "/srv/.env: Permission denied", "Run the task with become: true")
FILE = Unknown("environment_file", "/etc/a.env: Permission denied")
OTHER = Unknown("project", "too much")


@pytest.mark.parametrize(
    ("name", "unknown", "running", "doubts"),
    [
        pytest.param("NODE_ENV", (), True, [], id="all read"),
        pytest.param("NODE_ENV", (OTHER,), True, [], id="something else not read"),
        pytest.param("NODE_ENV", (ENVIRON,), True, ["process.environ"], id="process not read"),
        pytest.param("NODE_ENV", (DOTENV, FILE), True, [], id="the process has it, whatever files say"),
        pytest.param("MISSING", (DOTENV, FILE), True, ["dotenv"], id="a .env could add it"),
        pytest.param("", (DOTENV,), True, ["dotenv"], id="anything could be added"),
        pytest.param("MISSING", (FILE,), True, [], id="the process does not have it, whatever files say"),
        pytest.param("NODE_ENV", (FILE,), False, ["environment_file"], id="no process, and a file not read"),
    ],
)
def test_doubt(seeing: Any, name: str, unknown: tuple[Unknown, ...], running: bool, doubts: list[str]) -> None:
    instance = seeing.instance(unknown=unknown, running=running)
    assert [each.what for each in told.doubt(instance, name)] == doubts


@pytest.mark.parametrize("layer", [seen.DOTENV, seen.PROGRAM])
def test_what_depends_on_other_sources_is_in_doubt_with_them(seeing: Any, layer: str) -> None:
    settings = {"NODE_ENV": seen.Setting(seen.Value("production"), layer, "/srv/x")}
    assert told.doubt(seeing.instance(unknown=(DOTENV,), settings=settings), "NODE_ENV") == (DOTENV,)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a", "'a'", id="short"),
        pytest.param("a\nb\x1b[31m", "'a\\nb\\x1b[31m'", id="control characters"),
        pytest.param("x" * 1_000_000, f"'{'x' * 80}...'", id="a megabyte"),
    ],
)
def test_values_are_quoted_and_bounded(text: str, shown: str) -> None:
    assert told.quoted(text) == shown
    assert told.shown(seen.Value(text)) == shown


def test_a_secret_is_masked() -> None:
    assert told.shown(seen.Value(None, "0123")) == "<masked>"


@pytest.mark.parametrize(
    ("version", "found"),
    [("0.29.57", "0.29.57"), ("", ""), ("latest", ""), ("0.29", ""), ("9" * 1_000_000, "")],
    ids=["known", "not known", "a word", "two numbers", "a megabyte"],
)
def test_version(seeing: Any, version: str, found: str) -> None:
    assert told.version_of(seeing.instance(packages=seen.Packages(version=version))) == found


def test_several_tells_how_many_more_there_are() -> None:
    assert told.several("abc") == "a, b, c"
    assert told.several("abcdefg") == "a, b, c, d, e and 2 more"


def test_origin(seeing: Any) -> None:
    assert told.origin(seeing.setting("x", "/etc/a.env")) == "environment file /etc/a.env"
    assert told.origin(seen.Setting(seen.Value("x"), seen.PROCESS)) == "the process itself"
