"""One instance, put together; whole hosts are in test_host_reading.py."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.host_reading import read_host
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.instance_reading import Found
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor


def start(recording: Any, version: str = "0.29.57", cube: str = "module.exports = {}", **environ: str) -> Found:
    recording.packages("/srv/cube", version)
    recording.file("/srv/cube/cube.js", cube)
    recording.process(
        5, ["node", "node_modules/.bin/cubejs-server"], "/srv/cube", {"CUBEJS_DB_TYPE": "mysql", **environ},
        sockets=["1", "2", "3", "4"],
    )  # fmt: skip
    recording.listen("1", port=4000)
    recording.connect("2", "192.0.2.5", 6379)
    recording.connect("3", "192.0.2.5", 6379)
    return read_host(recording.places, Redactor(b"k")).found[0]


@pytest.mark.parametrize(
    ("version", "app", "cube", "prefix"),
    [
        pytest.param("0.20.10", "", "", "STANDALONE_default", id="old"),
        pytest.param("0.20.10", "acme", "", "acme_default", id="old with an app"),
        pytest.param("0.28.67", "acme", "", "acme", id="up to 0.28 the app counts"),
        pytest.param("0.29.57", "acme", "", "STANDALONE", id="from 0.29.57 it does not"),
        pytest.param("0.29.10", "acme", "", None, id="between them nobody knows"),
        pytest.param("0.29.57", "", "contextToOrchestratorId: x", None, id="the project decides"),
    ],
)
def test_the_prefix_of_its_keys(recording: Any, version: str, app: str, cube: str, prefix: str | None) -> None:
    environ = {"CUBEJS_APP": app} if app else {}
    assert start(recording, version, cube, **environ).instance.prefix == prefix


def test_whom_it_is_connected_to(recording: Any) -> None:
    seen = start(recording).instance
    assert seen.connections == {"192.0.2.5:6379": 2}
    assert [each.port for each in seen.listeners] == [4000]


def test_what_is_needed_to_ask_it_stays_here(recording: Any) -> None:
    found = start(recording, CUBEJS_API_SECRET="planted-secret")
    assert found.environment["CUBEJS_API_SECRET"] == "planted-secret"
    assert "planted-secret" not in repr(found)
    assert (found.pid, found.same_network) == (5, True)


def test_another_network_is_told_apart(recording: Any) -> None:
    folder = recording.proc / "5"
    recording.packages("/srv/cube")
    recording.process(5, ["node", "node_modules/.bin/cubejs-server"], "/srv/cube", {})
    (folder / "ns").mkdir()
    (folder / "ns/net").symlink_to("net:[7]")
    assert not read_host(recording.places, Redactor(b"k")).found[0].same_network


def test_an_environment_file_that_is_not_there(recording: Any) -> None:
    """Systemd would refuse to start, or was told to ignore it: there is nothing to know of it."""
    recording.unit("cube.service", "[Service]\nExecStart=/usr/bin/node cubejs.js\nEnvironmentFile=/etc/none.env\n")
    seen = read_host(recording.places, Redactor(b"k")).found[0].instance
    assert [each.kind for each in seen.layers] == ["unit"]


def test_a_network_that_may_not_be_read_is_not_known(recording: Any) -> None:
    recording.packages("/srv/cube")
    recording.process(5, ["node", "node_modules/.bin/cubejs-server"], "/srv/cube", {})
    (recording.proc / "self/ns").mkdir(parents=True)
    (recording.proc / "self/ns/net").symlink_to("net:[7]")
    assert read_host(recording.places, Redactor(b"k")).found[0].same_network is None
