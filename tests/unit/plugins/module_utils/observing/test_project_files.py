"""Projects as the words in their files tell."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import project_files
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.project_files import (
    Projects,
    TooMuchError,
    driver_by_context,
    without_comments,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree

CUBE = """
// contextToAppId: never
module.exports = {
  /* redisPrefix: 'x' */
  contextToOrchestratorId: ({ securityContext }) => `https://x/${securityContext.t}`,
  myDriverFactoryOfMine: 1,
};
"""
SCHEMA = """
cube(`Orders`, { preAggregations: {
  main: { type: `rollup`, external: true, scheduledRefresh: true },
  old: { type: 'originalSql', external: false }, // external: true
}});
"""


def read(recording: Any, schema_path: str | None = None, version: str = "0.29.57") -> Any:
    return Projects().read(Tree(str(recording.root)), "/srv", schema_path, version)


def test_what_the_code_speaks_of(recording: Any) -> None:
    recording.file("/srv/cube.js", CUBE)
    seen = read(recording)
    assert (seen.configuration, seen.mentions) == ("cube.js", ("contextToOrchestratorId", "securityContext"))


def test_what_the_schema_says(recording: Any) -> None:
    recording.file("/srv/schema/deep/Orders.js", SCHEMA)
    recording.file("/srv/schema/a.yml", "type: rollup\nscheduled_refresh: true\n")
    seen = read(recording)
    assert (seen.schema_files, seen.pre_aggregations, seen.external, seen.scheduled_refresh) == (2, 3, 1, 2)
    assert seen.schema_directory == "/srv/schema"


def test_the_same_files_have_the_same_digest_wherever_they_lie(recording: Any) -> None:
    for folder in ("/srv/schema", "/srv/two", "/srv/three"):
        recording.file(f"{folder}/A.js", SCHEMA)
    recording.file("/srv/three/A.js", f"{SCHEMA} ")
    digests = [read(recording, path).schema_digest for path in ("schema", "two", "./three", "none")]
    assert digests[0] == digests[1] != digests[2]
    assert digests[3] == ""


def test_where_the_schema_is_by_default(recording: Any) -> None:
    assert read(recording, version="0.35.81").schema_directory == "/srv/model"
    assert read(recording, version="").schema_directory == "/srv/schema"


def test_endless_schemas_are_told(recording: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_files, "MAX_FILES", 2)
    for name in "abc":
        recording.file(f"/srv/schema/{name}.js", "x")
    with pytest.raises(TooMuchError, match="more than 2 files"):
        read(recording)
    recording.link("/srv/schema/again", "..")
    monkeypatch.setattr(project_files, "MAX_FILES", 10**6)
    with pytest.raises(TooMuchError, match="folders deep"):
        read(recording)


def test_pipes_are_left_alone(recording: Any) -> None:
    recording.file("/srv/schema/a.js", "x")
    os.mkfifo(recording.root / "srv/schema/pipe.js")
    assert read(recording).schema_files == 1


@pytest.mark.parametrize("text", ["/*" * 500_000, "//" * 500_000, "/**/" * 250_000], ids=["open", "line", "closed"])
def test_comments_cost_little(text: str) -> None:
    began = time.process_time()
    without_comments(text)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("a /* b */ c // d\ne", "a   c \ne", id="both kinds"),
        pytest.param("url: 'https://x'", "url: 'https://x'", id="a URL is none"),
        pytest.param("a /* b", "a /* b", id="one without an end"),
    ],
)
def test_comments_are_left_out(text: str, found: str) -> None:
    assert without_comments(text) == found


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("module.exports = { queryRewrite: (q, { securityContext }) => q };", False, id="no factory"),
        pytest.param("driverFactory: ({ securityContext }) => new D(securityContext.db),", True, id="taken apart"),
        pytest.param("driverFactory: async (c) => { return new D(c.securityContext.db) }", True, id="by its member"),
        pytest.param("driverFactory({ authInfo }) { return new D(authInfo.u) }", True, id="a method, and the old name"),
        pytest.param("driverFactory: ({ d }) => new D({ a: [1, 2] }), checkAuth: (r) => { r.securityContext }", False,
                     id="another option does"),
        pytest.param("driverFactory: () => new D({ note: 'securityContext (' }), securityContext", False, id="a text"),
        pytest.param("driverFactory: (c) => new D(c.dataSource)", False, id="another member"),
        pytest.param("driverFactory: (context) => make(context)", None, id="all of it handed on"),
        pytest.param("driverFactory, contextToAppId: ({ securityContext: s }) => s.t", None, id="made elsewhere"),
        pytest.param("driverFactory: require('./driver')", None, id="required"),
        pytest.param("module.exports.driverFactory = ({ securityContext: s }) => new D(s);", True, id="assigned"),
    ],
)  # fmt: skip
def test_whether_the_driver_depends_on_who_asks(code: str, expected: bool | None) -> None:
    assert driver_by_context(code) is expected


def test_a_hostile_configuration_is_read_in_time() -> None:
    started = time.monotonic()
    driver_by_context("driverFactory: ((((" * 5000 + "'" * 50_000)
    assert time.monotonic() - started < 5
