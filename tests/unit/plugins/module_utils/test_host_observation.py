"""A whole recorded host, from its files to plain data."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import host_observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.host_observation import Outside, observe
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import FORMAT, Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import FirewallSeen
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.probing import Wanted

KEY = b"0123456789abcdef"
REFUSED = (1, "", "Operation not permitted (you must be root)")
NO_TABLE = (1, "", "Error: No such file or directory")
QUIET = Wanted(probes=frozenset(), deadline_seconds=1.0, settle_seconds=0.0)


def test_a_host_is_observed_and_its_data_travel(recording: Any) -> None:
    recording.packages("/srv/cube")
    recording.process(5, ["node", "node_modules/.bin/cubejs-server"], "/srv/cube", {"CUBEJS_API_SECRET": "planted-one"})
    recording.file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    recording.file("/etc/nginx/nginx.conf", "http { server { listen 80; } }")
    recording.file("/proc/meminfo", "MemTotal: 1024 kB\n")
    seen = observe(KEY, QUIET, recording.places, Outside(now=lambda: 7.0, nft=lambda _command: NO_TABLE))
    data = json.loads(json.dumps(seen.to_dict()))
    assert Observation.from_dict(data) == seen
    assert (seen.format, seen.taken_at, seen.memory_bytes) == (FORMAT, 7.0, 2**20)
    assert [each.name for each in seen.instances] == ["process:5"]
    assert len(seen.web_servers) == 1
    assert len(seen.machine) == 16
    assert seen.firewall == FirewallSeen(loaded=False)
    assert not seen.unknown
    assert "planted" not in json.dumps(data)
    assert "0123456789abcdef0123" not in json.dumps(data)


def test_an_empty_host(recording: Any) -> None:
    seen = observe(KEY, QUIET, recording.places, Outside(nft=lambda _command: NO_TABLE))
    assert (seen.instances, seen.web_servers, seen.redis) == ((), (), {})
    assert [each.what for each in seen.unknown] == ["machine"]


def test_nginx_that_cannot_be_read_is_unknown(recording: Any) -> None:
    recording.file("/etc/nginx/nginx.conf", "}")
    recording.file("/etc/machine-id", "x")
    seen = observe(KEY, QUIET, recording.places, Outside(nft=lambda _command: NO_TABLE))
    assert [(each.what, "did not begin" in each.reason) for each in seen.unknown] == [("web_servers", True)]


def test_rules_that_may_not_be_read_are_unknown(recording: Any) -> None:
    recording.file("/etc/machine-id", "x")
    seen = observe(KEY, QUIET, recording.places, Outside(nft=lambda _command: REFUSED))
    assert seen.firewall is None
    assert [(each.what, "not permitted" in each.reason) for each in seen.unknown] == [("firewall", True)]


def test_nft_that_hangs_does_not_hang_the_run(recording: Any) -> None:
    def hangs(_command: object) -> tuple[int, str, str]:
        time.sleep(10)
        return NO_TABLE

    recording.file("/etc/machine-id", "x")
    seen = observe(KEY, QUIET, recording.places, Outside(passive_seconds=0.2, nft=hangs))
    assert [(each.what, each.reason) for each in seen.unknown] == [("firewall", "nft did not end in 0.2 s")]


def test_a_file_system_that_hangs_does_not_hang_the_run(recording: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_observation, "read_host", lambda *_given: time.sleep(10))
    recording.file("/etc/machine-id", "x")
    began = time.monotonic()
    seen = observe(KEY, QUIET, recording.places, Outside(passive_seconds=0.2, nft=lambda _command: NO_TABLE))
    assert time.monotonic() - began < 3
    assert [(each.what, each.reason) for each in seen.unknown] == [("instances", "reading files did not end in 0.2 s")]
