"""Rows resolved by version."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import settings
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings import NEVER, Setting

ROWS = (
    Setting("url", "OLD_URL", "Address.", write="<0.27", precedence=2),
    Setting("url", "NEW_URL", "Address.", read=">=0.27", write=">=0.27"),
    Setting("flag", "FLAG", "Switch.", type="bool", true_only=True),
    Setting("plain", "PLAIN", "Switch.", type="bool"),
    Setting("count", "COUNT", "Number.", type="int", read=">=0.30", write=">=0.30"),
    Setting("zones", "ZONES", "List.", type="csv"),
    Setting("yours", "YOURS", "Nobody's.", write=NEVER),
)


@pytest.mark.parametrize(
    ("values", "version", "environment"),
    [
        pytest.param({"url": "u"}, "0.26.103", {"OLD_URL": "u"}, id="before the rename"),
        pytest.param({"url": "u"}, "0.27.0", {"NEW_URL": "u"}, id="from the rename on"),
        pytest.param({"flag": True, "plain": True}, "0.20.10", {"FLAG": "true", "PLAIN": "true"}, id="true"),
        pytest.param({"flag": False, "plain": False}, "0.20.10", {"PLAIN": "false"}, id="false that reads as true"),
        pytest.param({"count": 0}, "0.30.0", {"COUNT": "0"}, id="zero is a value"),
        pytest.param({"count": 3}, "0.29.57", {}, id="not read by the version"),
        pytest.param({"zones": ["UTC", "Europe/Berlin"]}, "0.29.57", {"ZONES": "UTC,Europe/Berlin"}, id="list"),
        pytest.param({"zones": []}, "0.29.57", {}, id="empty list"),
        pytest.param({"url": None}, "0.29.57", {}, id="not set"),
        pytest.param({"yours": "x"}, "0.29.57", {}, id="never written"),
    ],
)
def test_resolve(values: dict[str, Any], version: str, environment: dict[str, str]) -> None:
    assert settings.resolve(ROWS, values, version) == environment


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"plain": "yes"}, "plain: a str cannot become PLAIN", id="text for a switch"),
        pytest.param({"url": {"__secret__": "acme/redis_url/0"}}, "url: a dict cannot become NEW_URL", id="unrevealed"),
        pytest.param({"count": True}, "count: a bool", id="switch for a number"),
        pytest.param({"zones": "UTC"}, "zones: a str cannot become ZONES", id="text for a list"),
        pytest.param({"url": ["u"]}, "url: a list cannot become NEW_URL", id="list for a text"),
        pytest.param({"nothing": 1}, "no such setting: nothing", id="unknown"),
    ],
)
def test_wrong_values_are_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(settings.SettingError, match=message):
        settings.resolve(ROWS, values, "0.30.0")


def test_unread_names_what_would_be_lost() -> None:
    values = {"count": 3, "url": "u", "flag": None}
    assert settings.unread(ROWS, values, "0.29.57") == ("count",)
    assert settings.unread(ROWS, values, "0.30.0") == ()


@pytest.mark.parametrize(
    ("version", "present", "target"),
    [
        pytest.param("0.29.57", ["OLD_URL", "NEW_URL"], "NEW_URL", id="the new one wins"),
        pytest.param("0.26.103", ["OLD_URL", "NEW_URL"], "OLD_URL", id="the new one is not read"),
        pytest.param("0.29.57", ["OLD_URL"], "OLD_URL", id="the old one is still read"),
        pytest.param("0.29.57", [], None, id="none"),
    ],
)
def test_winner(version: str, present: list[str], target: str | None) -> None:
    row = settings.winner(ROWS, "url", version, present)
    assert (row.target if row else None) == target


def test_by_target() -> None:
    assert [row.name for row in settings.by_target(ROWS, "NEW_URL")] == ["url"]
    assert settings.by_target(ROWS, "NONE") == ()
