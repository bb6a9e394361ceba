"""The observation as data that travels from a host to the controller."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import (
    FORMAT,
    Instance,
    Layer,
    Observation,
    ObservationError,
    Setting,
    Value,
)

INSTANCE = Instance(
    name="cube.service",
    running=True,
    found_by=("unit",),
    manager="systemd",
    layers=(Layer("unit", "/u", {"PORT": Value("4000")}, "0644", "root", "root", changed_after_start=False),),
    settings={
        "PORT": Setting(Value("4000"), "unit", "/u"),
        "CUBEJS_API_SECRET": Setting(Value(None, "abcd", ("it is empty",)), "process"),
    },
)
SEEN = Observation(FORMAT, "h", "m", 1.5, privileged=True, instances=(INSTANCE,))


def test_there_and_back_through_json() -> None:
    data = json.loads(json.dumps(SEEN.to_dict()))
    assert data["instances"][0]["settings"]["PORT"] == {"value": {"value": "4000"}, "layer": "unit", "path": "/u"}
    assert Observation.from_dict(data) == SEEN


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(None, "it has no format", id="nothing"),
        pytest.param([], "it has no format", id="a list"),
        pytest.param({}, "it has no format", id="empty"),
        pytest.param({"format": 99}, "its format is '99', and 1 is the one known here", id="a later format"),
        pytest.param({"format": FORMAT}, "observation.host is missing; observation.machine is missing", id="no host"),
        pytest.param({**SEEN.to_dict(), "rc": 0}, "observation.rc is no field of Observation", id="another field"),
        pytest.param({**SEEN.to_dict(), "instances": [{}]}, r"observation.instances\[0\].name is missing", id="inside"),
    ],
)
def test_what_is_no_observation_is_refused(data: Any, said: str) -> None:
    with pytest.raises(ObservationError, match=said):
        Observation.from_dict(data)


def test_a_setting_leads_to_its_file() -> None:
    assert INSTANCE.value("PORT") == "4000"
    layer = INSTANCE.layer_of("PORT")
    assert layer is not None
    assert (layer.mode, layer.owner) == ("0644", "root")
    assert INSTANCE.layer_of("CUBEJS_API_SECRET") is None
    assert INSTANCE.layer_of("NODE_ENV") is INSTANCE.value("NODE_ENV") is None


@pytest.mark.parametrize(
    ("value", "secret", "given"),
    [
        pytest.param(Value("x"), False, True, id="shown"),
        pytest.param(Value(""), False, False, id="shown and empty"),
        pytest.param(Value(None, "f"), True, True, id="secret"),
        pytest.param(Value(None, "f", ("it is empty",)), True, False, id="secret and empty"),
    ],
)
def test_what_a_value_is(value: Value, secret: bool, given: bool) -> None:
    assert (value.secret, value.given) == (secret, given)
