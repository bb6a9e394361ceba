"""Rules on secrets: pass, fail, unknown, not applicable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

Subjects = Callable[..., list[tuple[str, str]]]
MakeTenant = Callable[..., dict[str, Any]]
ENVIRON = Unknown("process.environ", "Permission denied")
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


WEAK = ("it has 3 characters, fewer than 16",)


def with_secrets(seeing: Any, secrets: dict[str, Any], **keys: Any) -> Any:
    """Return an instance with other secrets: variable -> fingerprint and problems, None takes it out."""
    instance = seeing.instance(**keys)
    settings = dict(instance.seen.settings)
    for name, given in secrets.items():
        settings.pop(name, None)
        if given is not None:
            settings[name] = seeing.setting(None, **{"fingerprint": f"{keys.get('tenant', 'acme')}-{name}", **given})
    return replace(instance, seen=replace(instance.seen, settings=settings))


@pytest.mark.parametrize(
    ("secrets", "changes", "found"),
    [
        pytest.param({}, {}, [("", "pass", "error")], id="strong"),
        pytest.param(
            {"CUBEJS_API_SECRET": {"problems": WEAK}}, {}, [("CUBEJS_API_SECRET", "fail", "error")], id="api secret"
        ),
        pytest.param(
            {"CUBEJS_REDIS_PASSWORD": {"problems": WEAK}, "CUBEJS_EXT_DB_PASS": {"problems": WEAK}},
            {},
            [("CUBEJS_REDIS_PASSWORD", "fail", "warning"), ("CUBEJS_EXT_DB_PASS", "fail", "warning")],
            id="passwords of servers that somebody else set up",
        ),
        pytest.param({"CUBEJS_DB_PASS": {"problems": WEAK}}, {}, [("", "pass", "error")], id="the source's"),
        pytest.param(
            {"CUBEJS_API_SECRET": {"problems": ("it is empty",)}}, {}, [("", "pass", "error")], id="empty"
        ),
        pytest.param(
            {"REDIS_PASSWORD": {"problems": WEAK}}, {"version": "0.20.10"},
            [("REDIS_PASSWORD", "fail", "warning")], id="by the old name",
        ),
        pytest.param(
            {"CUBEJS_REDIS_PASSWORD": {"problems": WEAK}}, {"version": "0.20.10"}, [("", "pass", "error")],
            id="not read by the version",
        ),
        pytest.param(
            {"CUBEJS_JWT_KEY": {"problems": WEAK}}, {}, [("CUBEJS_JWT_KEY", "fail", "error")], id="key of tokens"
        ),
        pytest.param(
            {"CUBEJS_JWT_KEY": {"problems": WEAK}}, {"environment": {"CUBEJS_JWT_ALGS": "RS256, ES256"}},
            [("", "pass", "error")], id="a public key is no secret",
        ),
        pytest.param(
            {"CUBEJS_JWT_KEY": {"problems": WEAK}}, {"environment": {"CUBEJS_JWT_ALGS": "RS256, HS256"}},
            [("CUBEJS_JWT_KEY", "fail", "error")], id="a key that may be public or not",
        ),
        pytest.param(
            {"CUBEJS_API_SECRET": {"problems": ("it has 5000 characters, too many to be shown",)}}, {},
            [("CUBEJS_API_SECRET", "unknown", "error")], id="too long to be judged",
        ),
        pytest.param({}, {"unknown": (ENVIRON,)}, [("", "unknown", "error")], id="process not read"),
        pytest.param(
            {"CUBEJS_API_SECRET": {"problems": WEAK}}, {"unknown": (ENVIRON,)},
            [("CUBEJS_API_SECRET", "fail", "error"), ("", "unknown", "error")], id="weak, process not read",
        ),
        pytest.param(
            {"CUBEJS_API_SECRET": None, "CUBEJS_REDIS_PASSWORD": None, "CUBEJS_EXT_DB_PASS": None}, {},
            [("", "not_applicable", "error")], id="none",
        ),
    ],
)  # fmt: skip
def test_live_strength(
    seeing: Any, secrets: dict[str, Any], changes: dict[str, Any], found: list[tuple[str, str, str]]
) -> None:
    findings = seeing.judge("secret-strength", seeing.live(with_secrets(seeing, secrets, **changes)))
    assert [(each.subject.partition(" ")[2], each.status, each.severity) for each in findings] == found


def test_passwords_that_we_set_are_judged_in_earnest(seeing: Any, make_fleet: Callable[..., Fleet]) -> None:
    plan = make_fleet()
    instance = with_secrets(seeing, {"CUBEJS_REDIS_PASSWORD": {"problems": WEAK}})
    planned = replace(instance, planned=plan.instances_of("acme")[0])
    (finding,) = seeing.judge("secret-strength", seeing.live(planned), plan)
    assert (finding.status, finding.severity) == ("fail", "error")


SHARED = {"CUBEJS_API_SECRET": {"fingerprint": "one"}}


@pytest.mark.parametrize(
    ("acme", "beta", "missing", "found"),
    [
        pytest.param({}, {}, {}, ["pass", "pass"], id="own"),
        pytest.param(SHARED, SHARED, {}, ["fail", "fail"], id="shared"),
        pytest.param(
            SHARED, {"CUBEJS_REDIS_PASSWORD": {"fingerprint": "one"}}, {}, ["fail", "fail"], id="of two purposes"
        ),
        pytest.param(
            {"CUBEJS_API_SECRET": {"fingerprint": "one", "problems": ("it is empty",)}},
            {"CUBEJS_API_SECRET": {"fingerprint": "one", "problems": ("it is empty",)}},
            {},
            ["pass", "pass"],
            id="empty ones are no secrets",
        ),
        pytest.param({}, {}, {"three": "unreachable"}, ["unknown", "unknown"], id="a host was not looked at"),
        pytest.param(SHARED, SHARED, {"three": "unreachable"}, ["fail", "fail"], id="shared, whoever is missing"),
    ],
)
def test_live_sharing(
    seeing: Any, acme: dict[str, Any], beta: dict[str, Any], missing: dict[str, str], found: list[str]
) -> None:
    first = with_secrets(seeing, acme)
    second = with_secrets(seeing, beta, name="cubejs-api@beta-1.service", tenant="beta", host="two")
    findings = seeing.judge("secret-shared-by-tenants", seeing.live(first, second, missing=missing))
    assert [each.status for each in findings] == found
    assert all(("three" in each.message) == (each.status == "unknown") for each in findings)


def test_live_sharing_within_a_tenant_and_alone(seeing: Any) -> None:
    first = with_secrets(seeing, SHARED)
    second = with_secrets(seeing, SHARED, name="cubejs-api@acme-2.service")
    (finding,) = seeing.judge("secret-shared-by-tenants", seeing.live(first, second))
    assert (finding.subject, finding.status) == ("acme", "not_applicable")


def test_live_sharing_is_unknown_where_settings_were_not_read(seeing: Any) -> None:
    second = seeing.instance("b.service", tenant="beta", unknown=(ENVIRON,))
    findings = seeing.judge("secret-shared-by-tenants", seeing.live(seeing.instance(), second))
    assert [each.status for each in findings] == ["unknown", "unknown"]
    assert all("b.service on one" in each.message for each in findings)
