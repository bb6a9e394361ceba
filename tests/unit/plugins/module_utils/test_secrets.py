"""Secrets derived, judged, referred to and revealed."""

from __future__ import annotations

import string
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import secrets
from hypothesis import given
from hypothesis import strategies as st

MASTER = "kD93hfLw02mXoQz71RbVtYc5NgUe8sAi"
GIVEN = {
    "name": "acme",
    "api_secret": "given",
    "redis": {"password": "p", "url": "redis://:MARKED@h"},
    "database": {"password": "d"},
    "environment": {"CUBEJS_JWT_KEY": "k"},
    "rotation": {"storage": 2},
}


@given(st.text(min_size=1), st.text(max_size=20), st.integers(0, 1000))
def test_derived_secrets_are_letters_and_digits_and_repeat(master: str, tenant: str, counter: int) -> None:
    secret = secrets.derive(master, secrets.FOR_API, tenant, counter)
    assert len(secret) == 40
    assert set(secret) <= set(string.ascii_letters + string.digits)
    assert secret == secrets.derive(master, secrets.FOR_API, tenant, counter)


def test_derived_secrets_do_not_change_with_releases_of_the_collection() -> None:
    assert secrets.derive(MASTER, secrets.FOR_API, "acme", 0) == "KMaqsIHcj1KCag6WcoBiI9s5jSzUuTQ3JNPrJyqh"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((MASTER + "x", secrets.FOR_API, "acme", 0), id="master"),
        pytest.param((MASTER, secrets.FOR_REDIS, "acme", 0), id="purpose"),
        pytest.param((MASTER, secrets.FOR_API, "acm", 0), id="tenant"),
        pytest.param((MASTER, secrets.FOR_API, "acme", 1), id="counter"),
        pytest.param((MASTER, secrets.FOR_API + "a", "cme", 0), id="where one word ends"),
    ],
)
def test_every_argument_makes_another_secret(other: tuple[Any, ...]) -> None:
    assert secrets.derive(MASTER, secrets.FOR_API, "acme", 0) != secrets.derive(*other)


def test_derived_secrets_are_never_weak_and_use_every_letter() -> None:
    made = [secrets.derive(MASTER, secrets.FOR_API, "acme", counter) for counter in range(500)]
    assert not [secret for secret in made if secrets.problems(secret)]
    assert set("".join(made)) == set(secrets.ALPHABET)


@pytest.mark.parametrize(
    ("value", "reasons"),
    [
        pytest.param("", ["it is empty"], id="empty"),
        pytest.param("   ", ["it is empty"], id="blank"),
        pytest.param("SECRET", ["sample", "6 characters", "different"], id="of the documentation"),
        pytest.param("changeme123!", ["sample", "12 characters"], id="decorated sample"),
        pytest.param("your-secret-password-changeme-secret", ["sample"], id="long, of samples"),
        pytest.param("a" * 40, ["only 1 different"], id="one letter"),
        pytest.param("kD93hfLw02mXoQz7", ["16 characters, fewer than 32"], id="short"),
        pytest.param(MASTER + "\n", ["line break"], id="line break"),
        pytest.param(MASTER, [], id="good"),
        pytest.param("correct horse battery staple 9Wq", [], id="pass phrase"),
        pytest.param("testXk39fLw02mXoQz71RbVtYc5NgUe8", [], id="a word within"),
    ],
)
def test_problems(value: str, reasons: list[str]) -> None:
    found = secrets.problems(value)
    assert len(found) == len(reasons)
    assert all(reason in problem for reason, problem in zip(reasons, found))


@pytest.mark.parametrize(
    ("purpose", "value", "weak"),
    [
        pytest.param(secrets.FOR_API, "kD93hfLw02mXoQz7", True, id="api secret of 16"),
        pytest.param(secrets.FOR_REDIS, "kD93hfLw02mXoQz7", False, id="password of 16"),
        pytest.param(secrets.FOR_REDIS, "kD93hfLw02mXoQz", True, id="password of 15"),
        pytest.param(secrets.FOR_DATABASE, "pw", False, id="the source's own business"),
        pytest.param(secrets.FOR_DATABASE, "p\nw", True, id="no file could carry it"),
        pytest.param(f"{secrets.FOR_ENVIRONMENT}X", "a\tb\x7f", True, id="control character"),
    ],
)
def test_problems_by_purpose(purpose: str, value: str, weak: bool) -> None:
    assert bool(secrets.problems_of(purpose, value)) is weak


@pytest.mark.parametrize(
    ("purpose", "reference", "value"),
    [
        pytest.param(secrets.FOR_API, "acme/api_secret/0", "given", id="given"),
        pytest.param(secrets.FOR_REDIS, "acme/redis_password/0", "p", id="nested"),
        pytest.param(secrets.FOR_REDIS_URL, "acme/redis_url/0", "redis://:MARKED@h", id="url"),
        pytest.param("environment:CUBEJS_JWT_KEY", "acme/environment:CUBEJS_JWT_KEY/0", "k", id="own variable"),
        pytest.param(
            secrets.FOR_STORAGE,
            "acme/storage_password/2",
            secrets.derive(MASTER, secrets.FOR_STORAGE, "acme", 2),
            id="derived, rotated twice",
        ),
    ],
)
def test_reference_and_value(purpose: str, reference: str, value: str) -> None:
    vault = secrets.Vault.of([GIVEN], MASTER)
    assert secrets.refer(GIVEN, purpose) == {"__secret__": reference}
    assert vault.value(reference) == value


@pytest.mark.parametrize(
    ("reference", "master", "message"),
    [
        pytest.param("acme/storage_password/0", None, "set cubejs_master_secret", id="no master"),
        pytest.param("acme/environment:NONE/0", MASTER, "cannot be derived", id="not given"),
        pytest.param("other/api_secret/0", MASTER, "no tenant 'other'", id="unknown tenant"),
        pytest.param("acme", MASTER, "no reference", id="no reference"),
    ],
)
def test_what_cannot_be_revealed(reference: str, master: str | None, message: str) -> None:
    with pytest.raises(secrets.SecretError, match=message):
        secrets.Vault.of([GIVEN], master).value(reference)


def test_reveal_replaces_references_wherever_they_are() -> None:
    vault = secrets.Vault.of([GIVEN], MASTER)
    data = {"list": [{"password": {"__secret__": "acme/redis_password/0"}}, 7], "text": "acme/redis_password/0"}
    assert vault.reveal(data) == {"list": [{"password": "p"}, 7], "text": "acme/redis_password/0"}
    assert data["list"][0] == {"password": {"__secret__": "acme/redis_password/0"}}


def test_a_vault_does_not_print_its_secrets() -> None:
    assert "MARKED" not in repr(secrets.Vault.of([GIVEN], "MARKED"))


def test_fingerprints_compare_and_tell_nothing() -> None:
    key, other = secrets.fingerprint_key("one"), secrets.fingerprint_key("two")
    assert secrets.fingerprint(key, "a") == secrets.fingerprint(key, "a") != secrets.fingerprint(other, "a")
    assert secrets.fingerprint(key, "a") != secrets.fingerprint(key, "b")


@pytest.mark.parametrize(
    ("purpose", "path"),
    [
        pytest.param(secrets.FOR_STORAGE, "pre_aggregations.password", id="nested"),
        pytest.param("environment:X", "environment.X", id="own variable"),
    ],
)
def test_path(purpose: str, path: str) -> None:
    assert secrets.path(purpose) == path


def test_rotations_and_purposes_belong_together() -> None:
    assert set(secrets.DERIVED) <= set(secrets.PATHS)


def test_the_shared_redis_has_a_password_of_its_own_that_is_nobodys_to_give() -> None:
    vault = secrets.Vault.of([{"name": "acme", "redis": {"password": "given"}}], MASTER)
    name = secrets.reference(secrets.of_shared_redis(2), secrets.FOR_REDIS)
    assert name == "shared-by-tenants/redis_password/2"
    assert vault.value(name) == secrets.derive(MASTER, secrets.FOR_REDIS, "shared-by-tenants", 2)
    with pytest.raises(secrets.SecretError, match="cubejs_master_secret"):
        secrets.Vault.of([], None).value(name)
