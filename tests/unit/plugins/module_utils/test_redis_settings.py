"""Configurations worked out from what a user writes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_refusals import Limits
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_settings import (
    RedisSettingsError,
    limits,
    quote,
    resolve,
)

GIBIBYTE = 2**30
HOST = limits(None, 4 * GIBIBYTE, 65536)
MINIMAL = {"name": "acme", "port": 20001, "password": "Zy8gT4kqP0vBn3Lw"}


def lines(**changed: Any) -> list[str]:
    resolved = resolve([{**MINIMAL, **changed}], HOST)["files"][0]
    texts = f"{resolved['configuration']}\n{resolved['secrets']}".splitlines()
    return [line for line in texts if line and not line.startswith("#")]


def test_the_least_that_can_be_written_is_complete_and_safe() -> None:
    found = lines()
    for line in (
        "bind 127.0.0.1",
        "port 20001",
        'requirepass "Zy8gT4kqP0vBn3Lw"',
        "maxclients 10000",
        "databases 16",
        "maxmemory-policy volatile-lru",
        "dir /var/lib/cubejs-redis/acme",
        "unixsocket /run/cubejs-redis/acme/redis.sock",
        "appendonly no",
    ):
        assert line in found


def test_every_line_has_its_reason() -> None:
    resolved = resolve([{**MINIMAL, "tls": True, "tls_names": ["x"]}], HOST)["files"][0]
    for paragraph in resolved["configuration"].split("\n\n"):
        *reason, line = paragraph.splitlines()
        assert all(text.startswith("# ") and len(text) <= 120 for text in reason)
        assert reason[-1].endswith(".")
        assert not line.startswith("#")


def test_secrets_stand_apart() -> None:
    resolved = resolve([{**MINIMAL, "settings": {"tls-key-file-pass": "planted"}}], HOST)["files"][0]
    assert {line.split()[0] for line in resolved["secrets"].splitlines()} == {"requirepass", "tls-key-file-pass"}
    assert "planted" not in resolved["configuration"]
    assert MINIMAL["password"] not in resolved["configuration"]


def test_tls_leaves_nothing_in_the_clear() -> None:
    found = lines(tls=True, tls_names=["redis.example"])
    assert {"port 0", "tls-port 20001", "tls-replication yes", "tls-auth-clients no"} <= set(found)
    assert "tls-cert-file /etc/cubejs/redis/acme.crt" in found


def test_without_tls_there_is_no_line_about_it() -> None:
    assert not [line for line in lines() if line.startswith("tls")]


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        pytest.param({"maxmemory-policy": "noeviction"}, ["maxmemory-policy noeviction"], id="replaces a default"),
        pytest.param({"MaxMemory-Policy": "noeviction"}, ["maxmemory-policy noeviction"], id="in any case"),
        pytest.param({"appendonly": True}, ["appendonly yes"], id="boolean"),
        pytest.param({"slowlog-max-len": 64}, ["slowlog-max-len 64"], id="number"),
        pytest.param(
            {"save": ["900 1", "60 5"]}, ['save ""', "save 900 1", "save 60 5"], id="a line each, after a reset"
        ),
        pytest.param({"save": ""}, ['save ""'], id="nothing"),
    ],
)
def test_settings_of_the_user_win(settings: dict[str, Any], wanted: list[str]) -> None:
    name = wanted[0].split()[0]
    assert [line for line in lines(settings=settings) if line.split()[0] == name] == wanted


def test_memory_follows_from_the_host_and_not_from_the_other_instances() -> None:
    alone = resolve([MINIMAL], HOST)["files"][0]
    beside = resolve([MINIMAL, {**MINIMAL, "name": "globex", "port": 20002}], HOST)["files"][0]
    assert alone == beside
    assert "maxmemory 268435456" in lines()
    assert "maxmemory 33554432" in lines(maxmemory_bytes=33554432)


@pytest.mark.parametrize(
    ("given", "host", "wanted"),
    [
        pytest.param(None, None, None, id="not known"),
        pytest.param(1000, 4 * GIBIBYTE, 1000, id="given"),
        pytest.param(None, 4 * GIBIBYTE, 4 * GIBIBYTE - 4 * GIBIBYTE // 10, id="what the system leaves"),
    ],
)
def test_limits_of_a_host(given: int | None, host: int | None, wanted: int | None) -> None:
    found = limits(given, host, 1024).memory_bytes
    assert found == wanted or (found and wanted and abs(found - wanted) <= 1)


def test_numbers_that_templates_made_text_are_numbers() -> None:
    assert "maxclients 300" in lines(maxclients="300", port="20001")


def test_what_other_modules_need() -> None:
    resolved = resolve([{**MINIMAL, "tls": True, "tls_names": ["redis.example"]}], HOST, "host1")
    assert resolved["certificates"] == [{"name": "redis-acme-host1", "names": ["redis.example"]}]
    assert resolved["files"][0]["certificate"] == resolved["certificates"][0]
    assert resolve([MINIMAL], HOST)["certificates"] == []
    assert set(resolved["instances"][0]) == {
        "name",
        "port",
        "bind",
        "password",
        "maxclients",
        "tls",
        "tls_names",
        "primary",
    }


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        pytest.param("plain", '"plain"', id="plain"),
        pytest.param('a"b', '"a\\"b"', id="quote"),
        pytest.param("a\\b", '"a\\\\b"', id="backslash"),
        pytest.param("a#b", '"a#b"', id="hash"),
    ],
)
def test_values_are_quoted(text: str, quoted: str) -> None:
    assert quote(text) == quoted


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(RedisSettingsError) as caught:
        resolve([{**MINIMAL, "port": 0, "bind": []}, MINIMAL], Limits(None, 1024))
    assert len(str(caught.value).splitlines()) >= 4


def test_every_member_of_a_replicated_redis_can_become_a_replica() -> None:
    found = lines(bind=["10.0.0.6", "127.0.0.1"], replication={"primary": "10.0.0.5"})
    assert {'masterauth "Zy8gT4kqP0vBn3Lw"', "replica-announce-ip 10.0.0.6", "min-replicas-to-write 0"} <= set(found)
    assert not any(line.startswith("replicaof") for line in found)
    assert not any(line.startswith(("masterauth", "replica-")) for line in lines())


def test_where_replication_begins_arrives_at_the_module() -> None:
    given = {**MINIMAL, "bind": ["10.0.0.6"], "replication": {"primary": "10.0.0.5"}}
    assert resolve([given], HOST)["instances"][0]["primary"] == "10.0.0.5"
    assert resolve([MINIMAL], HOST)["instances"][0]["primary"] is None
