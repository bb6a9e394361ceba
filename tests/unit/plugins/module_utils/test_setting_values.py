"""Which texts a version takes, as they were tried with env-var 6.3 and read in env.js."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import setting_names, setting_values
from ansible_collections.cubeops.cubejs.plugins.module_utils.setting_values import READINGS

LINES = tuple(f"0.{minor}.{patch}" for minor in range(19, 36) for patch in (0, 15, 40, 99))


@pytest.mark.parametrize(
    ("name", "version", "taken", "refused"),
    [
        pytest.param("CUBEJS_WEB_SOCKETS", "0.29.57", "true TRUE false False", "1 yes on", id="strict"),
        pytest.param("CUBEJS_WEB_SOCKETS", "0.20.10", "true false", "TRUE 1 yes", id="exactly true"),
        pytest.param("CUBEJS_TELEMETRY", "0.29.57", "true FALSE 1 0", "yes no", id="switch"),
        pytest.param("CUBEJS_CONCURRENCY", "0.31.69", "4 -1 +4 4abc", "abc 1.5", id="integer"),
        pytest.param("CUBEJS_GRACEFUL_SHUTDOWN", "0.29.57", "0 30", "-1 abc 1.5", id="natural"),
        pytest.param("CUBEJS_DB_QUERY_TIMEOUT", "0.29.57", "600 10m 1H 30s", "10x xs 1.5m m", id="duration"),
        pytest.param("PORT", "0.24.13", "4000 0", "abc 70000 -1 /run/a.sock", id="port"),
        pytest.param("PORT", "0.29.57", "4000 0 65535 /run/a.sock", "abc 70000 -1 999999999999", id="port or path"),
        pytest.param("CUBEJS_PG_SQL_PORT", "0.31.69", "5432 0 false FALSE", "abc -1 65536", id="port or off"),
    ],
)
def test_kinds(name: str, version: str, taken: str, refused: str) -> None:
    kind = setting_values.kind_of(name, version)
    assert kind is not None
    assert [text for text in taken.split() if not kind.takes(text)] == []
    assert [text for text in refused.split() if kind.takes(text)] == []


@pytest.mark.parametrize(
    ("name", "version", "taken"),
    [
        pytest.param("CUBEJS_WEB_SOCKETS", "0.29.57", False, id="strict"),
        pytest.param("CUBEJS_TELEMETRY", "0.29.57", False, id="switch"),
        pytest.param("CUBEJS_CONCURRENCY", "0.31.69", False, id="integer"),
        pytest.param("CUBEJS_DB_SSL", "0.29.57", False, id="TLS of the source up to 0.30"),
        pytest.param("CUBEJS_DB_SSL", "0.31.69", True, id="TLS of the source from 0.31 on"),
        pytest.param("CUBEJS_DB_QUERY_TIMEOUT", "0.29.57", True, id="duration"),
        pytest.param("PORT", "0.29.57", True, id="port or path"),
        pytest.param("CUBEJS_SQL_PORT", "0.29.57", True, id="port or off"),
    ],
)
def test_empty(name: str, version: str, taken: bool) -> None:
    kind = setting_values.kind_of(name, version)
    assert kind is not None
    assert kind.takes("") == taken


@pytest.mark.parametrize(
    ("name", "version"),
    [
        pytest.param("CUBEJS_DB_SSL", "0.25.15", id="before it was strict"),
        pytest.param("CUBEJS_TELEMETRY", "0.20.10", id="any text"),
        pytest.param("CUBEJS_API_SECRET", "0.29.57", id="takes any text"),
        pytest.param("NOT_CUBES", "0.29.57", id="not known"),
    ],
)
def test_no_kind(name: str, version: str) -> None:
    assert setting_values.kind_of(name, version) is None


@pytest.mark.parametrize("target", sorted(setting_values.BY_TARGET))
def test_ranges_do_not_overlap(target: str) -> None:
    for version in LINES:
        matching = [
            each
            for each in READINGS
            if each.target == target and setting_values.versions.within(version, each.versions)
        ]
        assert len(matching) < 2, version


@pytest.mark.parametrize("target", sorted(setting_values.BY_TARGET))
def test_what_is_judged_is_read(target: str) -> None:
    for version in LINES:
        if setting_values.kind_of(target, version):
            assert setting_names.is_read(target, version), version
