"""An environment, written as systemd reads it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import environment, settings
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

DEPLOYMENT: dict[str, Any] = {
    "version": "0.29.57",
    "settings": {"node_env": "production", "telemetry": False, "time_zones": ["UTC", "Europe/Berlin"]},
    "environment": {"CUBEJS_JWT_KEY": "k", "NODE_ENV": "development"},
    "instances": [
        {
            "kind": "api",
            "settings": {"port": "/run/a.sock", "refresh_worker": False},
            "memory_bytes": None,
            "heap_mb": None,
        },
        {"kind": "refresh_worker", "settings": {"refresh_worker": True}, "memory_bytes": 2**30, "heap_mb": 700},
    ],
}


def test_an_instances_environment() -> None:
    assert environment.of_instance(DEPLOYMENT, DEPLOYMENT["instances"][0]) == {
        "CUBEJS_JWT_KEY": "k",
        "CUBEJS_REFRESH_WORKER": "false",
        "CUBEJS_SCHEDULED_REFRESH_TIMEZONES": "UTC,Europe/Berlin",
        "CUBEJS_TELEMETRY": "false",
        "NODE_ENV": "production",
        "PORT": "/run/a.sock",
    }
    worker = environment.of_instance(DEPLOYMENT, DEPLOYMENT["instances"][1])
    assert (worker["CUBEJS_REFRESH_WORKER"], worker["NODE_OPTIONS"]) == ("true", "--max-old-space-size=700")


def test_a_secret_that_was_not_revealed_is_refused_by_name() -> None:
    deployment = {**DEPLOYMENT, "settings": {"api_secret": {"__secret__": "acme/api_secret/0"}}}
    with pytest.raises(settings.SettingError, match="api_secret"):
        environment.of_instance(deployment, DEPLOYMENT["instances"][0])


def test_memory_is_filled_in_where_the_plan_left_it_open() -> None:
    before = copy.deepcopy(DEPLOYMENT)
    api, worker = environment.with_memory(DEPLOYMENT, 2**31)["instances"]
    assert (api["memory_bytes"], api["heap_mb"]) == (2**31 * 40 // 100, 614)
    assert (worker["memory_bytes"], worker["heap_mb"]) == (2**30, 700)
    assert before == DEPLOYMENT


def test_a_file_is_sorted_and_quoted_for_systemd() -> None:
    values = {"Z": "plain", "A": 'quote " back\\slash $dollar `tick`', "M": 4000, "E": ""}
    assert environment.to_file(values) == (
        'A="quote \\" back\\\\slash \\$dollar \\`tick\\`"\nE=""\nM="4000"\nZ="plain"\n'
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"A": "one\ntwo"}, "A: a line break", id="line break"),
        pytest.param({"A": "one\rtwo"}, "A: a line break", id="carriage return"),
        pytest.param({"A": "nul\0"}, "A: a line break or control", id="nul"),
        pytest.param({"A B": "x"}, "no name of a variable", id="blank in the name"),
        pytest.param({"1A": "x"}, "no name of a variable", id="digit first"),
        pytest.param({"A\n": "x"}, "no name of a variable", id="line break in the name"),
        pytest.param({"A": None}, "A: a NoneType is no text", id="nothing"),
        pytest.param({"A": True}, "A: a bool is no text", id="switch"),
        pytest.param({"A": ["MARKED"]}, "A: a list is no text", id="list"),
    ],
)
def test_what_a_file_cannot_carry_is_refused_without_its_value(values: dict[str, Any], message: str) -> None:
    with pytest.raises(environment.EnvironmentFileError, match=message) as refused:
        environment.to_file(values)
    assert "two" not in str(refused.value)
    assert "MARKED" not in str(refused.value)


NAMES = st.from_regex(environment.NAME, fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t"))


@hypothesis_settings(max_examples=40)
@given(st.dictionaries(NAMES, TEXTS))
def test_what_is_written_is_read_back(values: dict[str, str]) -> None:
    assume(all("\n" not in name for name in values))
    assert environment.from_file(environment.to_file(values)) == values


def test_comments_are_skipped_and_anything_else_is_an_error() -> None:
    assert environment.from_file('# comment\n\nA="1"\n') == {"A": "1"}
    with pytest.raises(environment.EnvironmentFileError, match="line 2"):
        environment.from_file('A="1"\nB=2\n')
