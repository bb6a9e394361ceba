"""What is seen of services goes through plain data unchanged, in every field."""

from __future__ import annotations

import dataclasses
import json

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observed_services as services
from ansible_collections.cubeops.cubejs.plugins.module_utils.plain_data import decode, encode

SEEN = [
    services.RedisSeen(
        "h:1/0", "ioredis", "h", 1, 0, tls=True, peers=(services.Peers("a", "0", 2),), prefixes=("STANDALONE",),
        queues=(services.Queue("q", 1, 2.5),), unknown=(services.Unknown("x", "y", "z"),),
    ),
    services.MysqlSeen(
        "u@h:1", "h", 1, "u", tables={"s": services.Tables("s", 2, 1, ("x",), 1)}, grants=("G",), variables={"a": "b"}
    ),
    services.HttpSeen("h:1", "production", {"root": services.Answer(200, "t")}, same_process=True),
    services.Journal(24.0, {"heap": 1}, {"heap": 2.0}),
    services.ProxySeen("n", "h", 1, 2, certificate=services.Certificate(("n",), 1.0, 2.0, "i", "s", self_signed=True)),
    services.Reach("h", 1, "open"),
    services.WebServer("/p", ("n",), passings=(services.Passing("/", headers={"host": "$host"}),), key_matches=False),
]  # fmt: skip


@pytest.mark.parametrize("seen", SEEN, ids=lambda each: type(each).__name__)
def test_there_and_back(seen: object) -> None:
    data = json.loads(json.dumps(encode(seen)))
    assert set(data) == {field.name for field in dataclasses.fields(seen)}
    assert decode(type(seen), data, "it") == seen


@pytest.mark.parametrize("kind", [services.RedisSeen, services.MysqlSeen])
def test_until_it_was_asked_nothing_is_known(kind: type) -> None:
    found = {field.name: field.default for field in dataclasses.fields(kind)}
    assert found["reachable"] is None
