"""What schemas ask for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import schedules


def project(total: int = 2, scheduled: int = 0, mentions: tuple[str, ...] = ()) -> Project:
    return Project("/srv", "cube.js", mentions, "/srv/schema", "digest", 1, total, 0, scheduled)


@pytest.mark.parametrize(
    ("version", "environment", "expected"),
    [
        pytest.param("0.29.57", {}, False, id="false up to 0.29"),
        pytest.param("0.30.0", {}, True, id="true from 0.30"),
        pytest.param("0.29.57", {"CUBEJS_SCHEDULED_REFRESH_DEFAULT": "true"}, True, id="as it is set"),
        pytest.param("0.30.0", {"CUBEJS_SCHEDULED_REFRESH_DEFAULT": "false"}, False, id="either way"),
        pytest.param("0.26.103", {"CUBEJS_SCHEDULED_REFRESH_DEFAULT": "true"}, False, id="not read before 0.27"),
    ],
)
def test_defaults(version: str, environment: dict[str, str], expected: bool, seeing: Any) -> None:
    instance = seeing.instance(version=version, environment=environment)
    assert schedules.default_of(instance, schedules.SCHEDULED) is expected


@pytest.mark.parametrize(
    ("version", "found", "expected"),
    [
        pytest.param("0.29.57", project(scheduled=1), True, id="one says so"),
        pytest.param("0.29.57", project(), False, id="none says so"),
        pytest.param("0.31.0", project(), True, id="all do by default"),
        pytest.param("0.31.0", project(total=0), False, id="there is none"),
        pytest.param("0.29.57", None, None, id="no project"),
        pytest.param("0.29.57", project(mentions=("repositoryFactory",)), None, id="a schema that is made by code"),
        pytest.param("", project(scheduled=1), None, id="a version that could not be read"),
    ],
)
def test_whether_anything_is_scheduled(version: str, found: Any, expected: bool | None, seeing: Any) -> None:
    assert schedules.is_scheduled([seeing.instance(version=version, project=found)]) is expected
