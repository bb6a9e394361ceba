"""Rules on secrets: pass and fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]
STRONG = "Zq83jfKw72mXoPz41RbVtYc9NgUe5sBi"


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        pytest.param({}, [], id="derived"),
        pytest.param({"api_secret": STRONG}, [], id="strong"),
        pytest.param({"api_secret": "secret"}, [("api_secret", "error")], id="sample"),
        pytest.param({"api_secret": ""}, [("api_secret", "error")], id="empty"),
        pytest.param({"redis": {"password": "short"}}, [("redis.password", "error")], id="our Redis"),
        pytest.param(
            {"redis": {"host": "h", "password": "short"}}, [("redis.password", "warning")], id="somebody's Redis"
        ),
        pytest.param(
            {"redis": {"host": "h", "password": "a\nb" * 9}}, [("redis.password", "error")], id="not to be carried"
        ),
        pytest.param({"environment": {"X": "a\nb"}}, [("environment.X", "error")], id="line break in a variable"),
        pytest.param({"environment": {"X": "a"}}, [], id="short variable"),
    ],
)
def test_strength(
    keys: dict[str, Any], found: list[tuple[str, str]], subjects: Subjects, make_tenant: MakeTenant
) -> None:
    expected = [(f"cubejs_tenants[acme].{subject}", severity) for subject, severity in found]
    assert subjects("secret-strength", [make_tenant(**keys)]) == expected


@pytest.mark.parametrize(
    ("keys", "master", "fails"),
    [
        pytest.param({}, STRONG, False, id="given"),
        pytest.param({}, None, True, id="needed and not given"),
        pytest.param(
            {"api_secret": STRONG, "redis": {"password": STRONG[:20]}, "pre_aggregations": {"password": STRONG[5:25]}},
            None,
            False,
            id="not needed",
        ),
    ],
)
def test_master(
    keys: dict[str, Any], master: str | None, fails: bool, subjects: Subjects, make_tenant: MakeTenant
) -> None:
    expected = [("cubejs_master_secret", "error")] if fails else []
    assert subjects("master-secret", [make_tenant(**keys)], cubejs_master_secret=master) == expected


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        pytest.param({}, {}, [], id="derived"),
        pytest.param({"api_secret": STRONG}, {"api_secret": STRONG}, ["api_secret"], id="one api secret"),
        pytest.param({"api_secret": STRONG}, {"redis": {"password": STRONG}}, ["redis.password"], id="of two purposes"),
        pytest.param(
            {"environment": {"X": "a"}}, {"environment": {"X": "a"}}, [], id="own variables may well be the same"
        ),
    ],
)
def test_shared(
    first: dict[str, Any], second: dict[str, Any], found: list[str], subjects: Subjects, make_tenant: MakeTenant
) -> None:
    tenants = [make_tenant(**first), make_tenant("beta", 2, **second)]
    expected = [(f"cubejs_tenants[beta].{subject}", "error") for subject in found]
    assert subjects("secret-shared-by-tenants", tenants) == expected


def test_two_purposes_of_one_tenant_may_share(subjects: Subjects, make_tenant: MakeTenant) -> None:
    tenant = make_tenant(api_secret=STRONG, redis={"password": STRONG})
    assert subjects("secret-shared-by-tenants", [tenant]) == []
