"""The size of a Redis pool by version."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import redis_pool
from ansible_collections.cubeops.cubejs.plugins.module_utils.versions import VersionError

OLD, NEW = "0.20.10", "0.29.57"


@pytest.mark.parametrize(
    ("version", "minimum", "maximum", "size"),
    [
        pytest.param(NEW, None, None, (2, 1000), id="the default"),
        pytest.param(OLD, None, None, (2, 1000), id="the default of old"),
        pytest.param(NEW, "2", "110", (2, 110), id="set"),
        pytest.param(NEW, None, "0", (0, None), id="on demand"),
        pytest.param(OLD, "2", "0", (0, None), id="on demand of old"),
        pytest.param(NEW, "0", "20", (0, 20), id="nothing kept"),
        pytest.param(OLD, "", "", (2, 1000), id="empty is not set before 0.26"),
    ],
)
def test_legal(version: str, minimum: str | None, maximum: str | None, size: tuple[int, int | None]) -> None:
    assert redis_pool.read(version, minimum, maximum) == redis_pool.Pool(*size)


@pytest.mark.parametrize(
    ("version", "minimum", "maximum", "size", "says"),
    [
        pytest.param(NEW, None, "-5", (0, None), "no pool then", id="negative"),
        pytest.param(OLD, None, "-5", (0, None), "no pool then", id="negative of old"),
        pytest.param(OLD, None, "abc", (0, None), "without a word", id="no number"),
        pytest.param("0.25.32", None, "abc", (0, None), "without a word", id="no number, last that takes it"),
        pytest.param(OLD, "abc", "20", (0, 20), "CUBEJS_REDIS_POOL_MIN is 'abc'", id="minimum no number"),
        pytest.param(OLD, None, "20.9", (2, 20), "reads as 20", id="a fraction of old"),
        pytest.param(NEW, None, "20abc", (2, 20), "reads as 20", id="begins as a number"),
        pytest.param(NEW, None, "1e3", (1, 1), "reads as 1", id="no exponent"),
        pytest.param(NEW, None, "+50", (2, 50), "reads as 50", id="a sign"),
        pytest.param(NEW, "-1", "20", (0, 20), "fewer than none", id="minimum negative"),
        pytest.param(NEW, "30", "20", (20, 20), "is lowered to it", id="minimum above the maximum"),
    ],
)
def test_odd(version: str, minimum: str | None, maximum: str | None, size: tuple[int, int | None], says: str) -> None:
    pool = redis_pool.read(version, minimum, maximum)
    assert (pool.minimum, pool.maximum, pool.usable) == (*size, True)
    assert says in "; ".join(pool.oddities)


@pytest.mark.parametrize(
    ("minimum", "maximum", "says"),
    [
        pytest.param(None, "1", "deadlocks", id="one"),
        pytest.param(None, "9", "too small", id="nine"),
        pytest.param(None, "abc", "CUBEJS_REDIS_POOL_MAX is 'abc'", id="no number"),
        pytest.param("abc", None, "CUBEJS_REDIS_POOL_MIN is 'abc'", id="minimum no number"),
        pytest.param(None, "1.5", "throws an error", id="a fraction"),
        pytest.param(None, "", "throws an error", id="empty"),
        pytest.param(None, "x" * 5000, "throws an error", id="very long"),
    ],
)
def test_broken(minimum: str | None, maximum: str | None, says: str) -> None:
    pool = redis_pool.read("0.26.0", minimum, maximum)
    assert says in "; ".join(pool.problems)
    assert len("; ".join(pool.problems)) < 200


def test_a_version_that_is_none() -> None:
    with pytest.raises(VersionError):
        redis_pool.read("latest", None, None)
