"""Rules on pools of connections to Redis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]
REDIS = "cubejs_tenants[acme].redis"


@pytest.mark.parametrize(
    ("redis", "found"),
    [
        pytest.param({}, [], id="derived"),
        pytest.param({"pool_max": 0}, [], id="on demand"),
        pytest.param({"pool_max": 30}, [], id="what is needed"),
        pytest.param({"pool_max": 1}, [(f"{REDIS}.pool_max", "error")], id="one: deadlock"),
        pytest.param({"pool_max": 9}, [(f"{REDIS}.pool_max", "error")], id="nine"),
        pytest.param({"pool_max": 10}, [(f"{REDIS}.pool_max", "warning")], id="ten"),
        pytest.param({"pool_max": 29}, [(f"{REDIS}.pool_max", "warning")], id="fewer than declared"),
        pytest.param({"pool_max": -1}, [(f"{REDIS}.pool_max", "error")], id="negative"),
        pytest.param({"pool_min": 31}, [(f"{REDIS}.pool_min", "error")], id="minimum above the maximum"),
        pytest.param({"pool_min": 30, "pool_max": 30}, [], id="minimum at the maximum"),
        pytest.param(
            {"pool_min": 11, "pool_max": 10},
            [(f"{REDIS}.pool_max", "warning"), (f"{REDIS}.pool_min", "error")],
            id="minimum above the smallest pool",
        ),
        pytest.param({"pool_min": -1}, [(f"{REDIS}.pool_min", "error")], id="negative minimum"),
        pytest.param({"pool_min": 31, "pool_max": 0}, [], id="minimum without a pool"),
    ],
)
def test_pool(redis: dict[str, Any], found: list[tuple[str, str]], subjects: Subjects, make_tenant: MakeTenant) -> None:
    assert subjects("redis-pool-size", [make_tenant(redis=redis)]) == found


def _sized(maximum: str | None, minimum: str | None = "2", **others: str | None) -> dict[str, str | None]:
    return {"CUBEJS_REDIS_POOL_MAX": maximum, "CUBEJS_REDIS_POOL_MIN": minimum, **others}


@pytest.mark.parametrize(
    ("environment", "version", "found"),
    [
        pytest.param(_sized("30"), "0.29.57", ("pass", "error"), id="what is needed"),
        pytest.param(_sized(None), "0.29.57", ("pass", "error"), id="the default"),
        pytest.param(_sized("0"), "0.29.57", ("pass", "error"), id="on demand"),
        pytest.param(_sized("29"), "0.29.57", ("fail", "warning"), id="fewer than declared"),
        pytest.param(_sized("9"), "0.29.57", ("fail", "error"), id="too few for any"),
        pytest.param(_sized("1", "0"), "0.29.57", ("fail", "error"), id="one: deadlock"),
        pytest.param(_sized("-1"), "0.29.57", ("fail", "warning"), id="negative: no pool"),
        pytest.param(_sized("abc"), "0.20.10", ("fail", "warning"), id="no number, silently no pool"),
        pytest.param(_sized("abc"), "0.29.57", ("fail", "error"), id="no number, refused"),
        pytest.param(_sized("50.5"), "0.29.57", ("fail", "error"), id="a fraction"),
        pytest.param(_sized("50", "60"), "0.29.57", ("fail", "warning"), id="minimum above the maximum"),
        pytest.param(
            _sized("50", CUBEJS_CACHE_AND_QUEUE_DRIVER="memory"), "0.29.57", ("not_applicable", "error"), id="memory"
        ),
        pytest.param(_sized("50"), "", ("unknown", "error"), id="version not known"),
    ],
)
def test_seen_sizes_for_what_is_declared(
    environment: dict[str, str | None],
    version: str,
    found: tuple[str, str],
    redises: Any,
    make_fleet: Callable[..., Any],
) -> None:
    process = redises.process(environment={"REDIS_URL": "redis://h", **environment}, version=version)
    assert redises.said("redis-pool-size", process, plan=make_fleet()) == [found]


@pytest.mark.parametrize(
    ("maximum", "opened", "status"),
    [
        pytest.param("30", 25, "pass", id="ten in flight were seen to open 25"),
        pytest.param("29", 25, "fail", id="and need 30"),
        pytest.param("110", 105, "pass", id="fifty in flight"),
        pytest.param("50", None, "unknown", id="neither declared nor seen"),
        pytest.param("1000", None, "pass", id="the default suffices"),
    ],
)
def test_seen_sizes_for_what_is_in_flight(maximum: str, opened: int | None, status: str, redises: Any) -> None:
    changes: dict[str, Any] = {"connections": {"127.0.0.1:6401": opened}} if opened is not None else {"process": None}
    process = redises.process(environment=_sized(maximum), **changes)
    (finding,) = redises.judge("redis-pool-size", redises.reach(process))
    assert finding.status == status


@pytest.mark.parametrize(
    ("mentions", "prefixes", "status"),
    [
        pytest.param(("redisPoolOptions",), ("P",), "unknown", id="sized in code"),
        pytest.param(("contextToOrchestratorId",), ("a", "b"), "pass", id="a pool each for two"),
        pytest.param(("contextToOrchestratorId",), None, "unknown", id="nobody knows how many pools"),
    ],
)
def test_pools_in_code(mentions: tuple[str, ...], prefixes: tuple[str, ...] | None, status: str, redises: Any) -> None:
    # 30 in one pool would need 36; 15 in each of two need 20.
    process = redises.process(
        environment=_sized("30"), project=Project("/srv", "cube.js", mentions), connections={"127.0.0.1:6401": 30},
        redis=redises.redis(prefixes=prefixes),
    )  # fmt: skip
    assert [status for status, _severity in redises.said("redis-pool-size", process)] == [status]


def test_unread_settings_are_no_defaults(redises: Any) -> None:
    keys = {"unknown": (Unknown("dotenv", "/srv/.env: Permission denied", "become"),)}
    assert redises.said("redis-pool-size", redises.process(environment=_sized(None), **keys)) == [("unknown", "error")]
    # A .env only adds to what is set.
    assert redises.said("redis-pool-size", redises.process(**keys)) == [("pass", "error")]
