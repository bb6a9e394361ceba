"""What may leave a host."""

from __future__ import annotations

import time

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import (
    Redactor,
    is_secret,
    is_secret_name,
)

KEY = b"0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        pytest.param("CUBEJS_API_SECRET", "x", True, id="of the table"),
        pytest.param("CUBEJS_DB_PASS", "", True, id="source database"),
        pytest.param("CUBEJS_DB_USER", "cube", False, id="shown by the table"),
        pytest.param("NODE_ENV", "production", False, id="mode"),
        pytest.param("CUBEJS_PRE_AGGREGATIONS_SCHEMA", "s", False, id="a name of the table"),
        pytest.param("CUBEJS_DB_EXPORT_BUCKET_AWS_SECRET", "x", True, id="looks secret by name"),
        pytest.param("CUBEJS_DB_BQ_CREDENTIALS", "x", True, id="credentials"),
        pytest.param("CUBEJS_AWS_KEY", "x", True, id="key"),
        pytest.param("CUBEJS_SOMETHING_NEW", "x", False, id="of Cube, harmless"),
        pytest.param("CUBEJS_AGENT_ENDPOINT_URL", "https://u:p@h/", True, id="credentials in a URL"),
        pytest.param("CUBEJS_AGENT_ENDPOINT_URL", "https://h/?api_token=x", True, id="a token in a URL"),
        pytest.param("CUBEJS_AGENT_ENDPOINT_URL", "https://h/?level=1", False, id="a harmless URL"),
        pytest.param("CUBEJS_SQL_USER", "-----BEGIN RSA PRIVATE KEY-----", True, id="a key for a value"),
        pytest.param("CUBEJS_JWT_AUDIENCE", "eyJhbGciOiJIUzI1NiJ9.e30.x", True, id="a token for a value"),
        pytest.param("PLAIN", "x", True, id="not known at all"),
        pytest.param("TZ", "UTC", False, id="time zone"),
    ],
)
def test_what_is_secret(name: str, value: str, secret: bool) -> None:
    assert is_secret(name, value) is secret


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        pytest.param("CUBEJS_API_SECRET", True, id="of the table"),
        pytest.param("CUBEJS_JWT_AUDIENCE", False, id="of the table, and none"),
        pytest.param("AWS_SECRET_ACCESS_KEY", True, id="by its words"),
        pytest.param("COLOUR", False, id="not known"),
    ],
)
def test_secret_names(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret


def test_a_secret_is_a_fingerprint_and_its_weaknesses() -> None:
    redactor = Redactor(KEY)
    weak = redactor.value("CUBEJS_API_SECRET", "changeme")
    assert weak.value is None
    assert len(weak.fingerprint) == 16
    assert any("fewer than 32" in each for each in weak.problems)
    assert redactor.value("CUBEJS_API_SECRET", "").problems == ("it is empty",)
    assert redactor.value("CUBEJS_DB_PASS", "short").problems == ()
    assert redactor.value("CUBEJS_DB_PASS", " ").problems == ("it is empty",)
    assert redactor.value("CUBEJS_REDIS_PASSWORD", "Vh3sPq8ZtW1nXb6R").problems == ()


def test_fingerprints_compare_within_a_run_and_never_between_two() -> None:
    one, other = Redactor(KEY), Redactor(b"another key")
    assert one.fingerprint("s") == Redactor(KEY).fingerprint("s") != other.fingerprint("s")
    # Bytes that are no text are told apart, too.
    assert one.fingerprint("\udcff") != one.fingerprint("\udcfe")


def test_words_lose_the_secrets_that_were_seen() -> None:
    redactor = Redactor(KEY)
    redactor.value("CUBEJS_REDIS_URL", "redis://user:planted-one@h/0")
    redactor.value("UNKNOWN", "planted-two")
    told = redactor.text("WRONGPASS planted-one\nfor planted-two at mysql://a:planted-three@h")
    assert "planted" not in told
    assert "\n" not in told
    assert told.startswith("WRONGPASS <masked> for <masked>")


def test_words_are_cut_and_cleaned() -> None:
    redactor = Redactor(KEY)
    assert redactor.text("x" * 10_000_000) == "x" * 300 + "..."
    assert redactor.text("a\x1b[31m\x00\u2028b\udcff") == "a [31m  b\\xff"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(("node", "index.js"), ("node", "index.js"), id="harmless"),
        pytest.param(("node", "--max-old-space-size=512"), ("node", "--max-old-space-size=512"), id="an option"),
        pytest.param(("x", "--password=p"), ("x", "--password=<masked>"), id="an option with a value"),
        pytest.param(("x", "--api-key", "p", "y"), ("x", "--api-key", "<masked>", "y"), id="an option and a value"),
        pytest.param(("env", "MY_TOKEN=p", "node"), ("env", "MY_TOKEN=<masked>", "node"), id="an assignment"),
        pytest.param(("env", "NODE_ENV=production"), ("env", "NODE_ENV=production"), id="a harmless assignment"),
        pytest.param(("x", "mysql://u:p@h/d"), ("x", "mysql://<masked>@h/d"), id="a URL"),
    ],
)
def test_command_lines(words: tuple[str, ...], told: tuple[str, ...]) -> None:
    assert Redactor(KEY).command(words) == told


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("?" + "key" * 300_000, id="names of secrets"),
        pytest.param("://" * 300_000, id="marks of URLs"),
        pytest.param("-eyJ" * 250_000, id="beginnings of tokens"),
        pytest.param("--" + "pass" * 250_000, id="an option"),
    ],
)
def test_hostile_texts_cost_little(value: str) -> None:
    redactor = Redactor(KEY)
    began = time.process_time()
    redactor.value("CUBEJS_SQL_USER", value)
    redactor.value("CUBEJS_SQL_USER", value[:4000])
    redactor.text(value)
    redactor.command([value])
    assert time.process_time() - began < 2
