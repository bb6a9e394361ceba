"""The table held to itself."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import settings, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings import NEVER, Setting
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings_table import TABLE

# One version of every line, and each side of every bound that a row has.
BOUNDS = {".".join(map(str, bound)) for row in TABLE for spec in (row.read, row.write)
          if spec not in ("", NEVER) for _operator, bound in versions._bounds(spec)}  # fmt: skip
VERSIONS = sorted({f"0.{minor}.{patch}" for minor in range(19, 36) for patch in (0, 39, 57)} | BOUNDS)
WRITTEN = [row for row in TABLE if row.write != NEVER]


@pytest.mark.parametrize("row", WRITTEN, ids=lambda row: row.target)
def test_what_is_written_is_read(row: Setting) -> None:
    assert not [version for version in VERSIONS if row.is_written_for(version) and not row.is_read_by(version)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_setting_has_one_variable_in_each_version(version: str) -> None:
    written = [row.name for row in WRITTEN if row.is_written_for(version)]
    assert sorted(set(written)) == sorted(written)


@pytest.mark.parametrize("version", [version for version in VERSIONS if version != "0.27.45"])
def test_the_variable_written_wins_over_its_synonyms(version: str) -> None:
    """Whatever older name a stray .env adds, the one that is written is the one obeyed.

    0.27.45 reads the new refresh flag, but obeys it wrongly: it is written from the next release on.
    """
    allowed = [row for row in TABLE if not row.refused]
    targets = [row.target for row in allowed]
    for row in WRITTEN:
        if row.is_written_for(version):
            assert settings.winner(allowed, row.name, version, targets) is row


def test_every_row_is_documented_and_every_secret_marked() -> None:
    assert all(row.doc.endswith(".") for row in TABLE)
    named = {row.target for row in TABLE if row.target.endswith(("_PASS", "_PASSWORD", "_SECRET", "_KEY"))}
    assert named == {row.target for row in TABLE if row.secret} - {"REDIS_URL", "CUBEJS_REDIS_URL"}


@pytest.mark.parametrize(
    ("version", "api", "worker"),
    [
        pytest.param("0.19.40", {}, {"CUBEJS_SCHEDULED_REFRESH_TIMER": "true"}, id="0.19"),
        pytest.param("0.23.15", {}, {"CUBEJS_SCHEDULED_REFRESH_TIMER": "true"}, id="false would mean true"),
        pytest.param("0.24.15", {}, {"CUBEJS_SCHEDULED_REFRESH_TIMER": "true"}, id="0.24"),
        pytest.param("0.27.45", {}, {"CUBEJS_SCHEDULED_REFRESH_TIMER": "true"}, id="priority not yet right"),
        pytest.param(
            "0.27.46", {"CUBEJS_REFRESH_WORKER": "false"}, {"CUBEJS_REFRESH_WORKER": "true"}, id="the new flag"
        ),
        pytest.param("0.35.81", {"CUBEJS_REFRESH_WORKER": "false"}, {"CUBEJS_REFRESH_WORKER": "true"}, id="newest"),
    ],
)
def test_refresh_flag(version: str, api: dict[str, str], worker: dict[str, str]) -> None:
    assert settings.resolve(TABLE, {"refresh_worker": False}, version) == api
    assert settings.resolve(TABLE, {"refresh_worker": True}, version) == worker


@pytest.mark.parametrize(
    ("version", "names"),
    [
        pytest.param("0.26.103", {"REDIS_URL", "REDIS_PASSWORD", "REDIS_TLS"}, id="old names"),
        pytest.param("0.27.0", {"CUBEJS_REDIS_URL", "REDIS_PASSWORD", "CUBEJS_REDIS_TLS"}, id="the password is later"),
        pytest.param("0.27.1", {"CUBEJS_REDIS_URL", "CUBEJS_REDIS_PASSWORD", "CUBEJS_REDIS_TLS"}, id="new names"),
    ],
)
def test_redis_names(version: str, names: set[str]) -> None:
    values = {"redis_url": "redis://r", "redis_password": "p", "redis_tls": True}
    assert set(settings.resolve(TABLE, values, version)) == names


@pytest.mark.parametrize(
    ("name", "value", "target", "first"),
    [
        pytest.param("graceful_shutdown_seconds", 20, "CUBEJS_GRACEFUL_SHUTDOWN", "0.25.15", id="graceful stop"),
        pytest.param("pre_aggregations_schema", "s", "CUBEJS_PRE_AGGREGATIONS_SCHEMA", "0.25.4", id="schema"),
        pytest.param("storage_type", "mysql", "CUBEJS_EXT_DB_TYPE", "0.19.43", id="storage"),
        pytest.param("redis_use_ioredis", True, "CUBEJS_REDIS_USE_IOREDIS", "0.26.7", id="ioredis"),
        pytest.param("pre_aggregations_builder", True, "CUBEJS_PRE_AGGREGATIONS_BUILDER", "0.30.34", id="builder"),
    ],
)
def test_where_a_variable_begins(name: str, value: object, target: str, first: str) -> None:
    before = versions.parse(first)
    last = str(before._replace(patch=before.patch - 1))
    assert target in settings.resolve(TABLE, {name: value}, first)
    assert settings.unread(TABLE, {name: value}, last) == (name,)


@pytest.mark.parametrize("target", ["CUBEJS_DEV_MODE", "CUBEJS_DB_SOCKET_PATH", "CUBEJS_ENABLE_TLS", "TLS_PORT"])
def test_traps_are_never_written(target: str) -> None:
    rows = settings.by_target(TABLE, target)
    assert rows
    assert all(row.write == NEVER and row.refused for row in rows)
