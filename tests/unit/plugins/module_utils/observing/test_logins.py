"""Logins of instances, each once; what is done with them is in test_probing.py."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Instance, Listener, Packages
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.instance_reading import Found
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.logins import (
    Logins,
    listening_at,
    subject_of,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.subject import Subject


def found(name: str = "a", same_network: bool | None = True, **environ: str) -> Found:
    instance = Instance(name, running=True, found_by=(), manager="", packages=Packages(version="0.29.57"))
    return Found(instance, 1, 1.0, {"NODE_ENV": "production", **environ}, same_network)


def logins(**asked: bool) -> Logins:
    return Logins(Redactor(b"k"), {}, **{"ask_redis": True, "ask_mysql": True, **asked})


def test_the_same_login_is_one_and_another_password_is_another() -> None:
    seen = logins()
    given = {"CUBEJS_REDIS_URL": "redis://h/1"}
    keys = [
        seen.links_of(found(**given)).redis,
        seen.links_of(found("b", **given)).redis,
        seen.links_of(found("c", **given, CUBEJS_REDIS_PASSWORD="p")).redis,
        seen.links_of(found("d", CUBEJS_REDIS_URL="redis://h/2")).redis,
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == len(seen.redis) == 3


def test_a_url_that_cannot_be_read_is_told_without_it() -> None:
    seen = logins()
    key = seen.links_of(found(CUBEJS_REDIS_URL="redis://:planted/x@h")).redis
    assert (seen.refused[key].reachable, seen.refused[key].reason) == (False, "url")
    assert "planted" not in repr(seen.refused)
    assert seen.redis == {}


def test_storage_and_source_with_their_schemas() -> None:
    seen = logins()
    given = {"CUBEJS_EXT_DB_TYPE": "mysql", "CUBEJS_DB_TYPE": "mysql", "CUBEJS_DB_HOST": "source"}
    first = seen.links_of(found(**given))
    second = seen.links_of(found("b", **given, CUBEJS_PRE_AGGREGATIONS_SCHEMA="own"))
    assert first.storage == second.storage != first.source == second.source
    assert seen.mysql[first.storage][1] == {"prod_pre_aggregations", "own"}
    assert seen.mysql[first.source][1] == set()


@pytest.mark.parametrize(
    ("each", "asked"),
    [
        pytest.param(found(same_network=False), {}, id="another network"),
        pytest.param(found(same_network=None), {}, id="a network that cannot be read"),
        pytest.param(found(CUBEJS_EXT_DB_TYPE="mysql"), {"ask_redis": False, "ask_mysql": False}, id="not wanted"),
        pytest.param(Found(found().instance), {}, id="no environment"),
    ],
)
def test_what_is_not_asked(each: Found, asked: dict[str, bool]) -> None:
    seen = logins(**asked)
    links = seen.links_of(each)
    assert (links.redis, links.storage, links.source, seen.redis, seen.mysql) == ("", "", "", {}, {})


@pytest.mark.parametrize(
    ("port", "listeners", "address"),
    [
        pytest.param("4000", (Listener("tcp", port=4000),), "127.0.0.1:4000", id="where it says"),
        pytest.param("4000", (Listener("tcp", port=5000),), "127.0.0.1:5000", id="elsewhere"),
        pytest.param("/a.sock", (Listener("unix", path="/b.sock"),), "/b.sock", id="another socket"),
        pytest.param("/a.sock", (), "/a.sock", id="nowhere yet"),
    ],
)
def test_where_it_is_asked(port: str, listeners: Any, address: str) -> None:
    instance = Instance("a", running=True, found_by=(), manager="", listeners=listeners)
    assert str(listening_at(instance, Subject("0.29.57", {"PORT": port}))) == address


def test_without_a_version_the_oldest_is_taken() -> None:
    instance = Instance("a", running=True, found_by=(), manager="")
    assert subject_of(Found(instance), {}).version == "0.19.0"
