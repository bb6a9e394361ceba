"""Services that run Cube, out of all of a host's."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import unit_files
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.unit_files import find, number, seconds


def found(recording: Any, *running: str) -> dict[str, unit_files.Service]:
    return find(recording.places.systemd, Tree(str(recording.root)), running)


@pytest.mark.parametrize(
    ("unit", "environment", "is_cube"),
    [
        pytest.param("ExecStart=/usr/bin/node /x/node_modules/.bin/cubejs-server", "", True, id="its program"),
        pytest.param("ExecStart=/x/node_modules/.bin/cubejs-server server", "", True, id="its program alone"),
        pytest.param("ExecStart=/usr/bin/npm start", "CUBEJS_DB_TYPE=mysql", True, id="its variables"),
        pytest.param("ExecStart=/usr/bin/node index.js\nWorkingDirectory=/srv/cube", "", True, id="its packages"),
        pytest.param("ExecStart=/bin/sh -c x\nEnvironmentFile=/etc/cubejs.env", "", True, id="its file"),
        pytest.param("ExecStart=/usr/bin/node index.js\nWorkingDirectory=/srv/web", "", False, id="another node"),
        pytest.param("ExecStart=/bin/sh -c cubejs-backup\nType=oneshot", "", False, id="a script"),
        pytest.param("ExecStart=/usr/bin/redis-server /etc/cubejs/redis.conf", "", False, id="a Redis for Cube"),
    ],
)
def test_which_services_would_run_cube(recording: Any, unit: str, environment: str, is_cube: bool) -> None:
    recording.packages("/srv/cube")
    recording.unit("some.service", f"[Service]\n{unit}\n", environment)
    assert list(found(recording)) == (["some.service"] if is_cube else [])


def test_units_that_are_gone_are_none(recording: Any) -> None:
    recording.file("/etc/systemd/system/cubejs.service", "[Service]\nExecStart=/usr/bin/node x\n")
    assert found(recording, "gone.service") == {}
    assert recording.commands[0][-3:] == ["*.service", "cubejs.service", "gone.service"]


def test_instances_of_templates_are_known_by_their_drop_ins(recording: Any) -> None:
    recording.file("/etc/systemd/system/cubejs-api@.service", "[Service]\n")
    recording.file("/etc/systemd/system/cubejs-api@a-1.service.d/x.conf", "[Service]\n")
    found(recording)
    assert recording.commands[0][-2:] == ["*.service", "cubejs-api@a-1.service"]


UNIT = """[Service]
ExecStart=/usr/bin/node cubejs.js
Environment=A=1 "B=two words" \\
  C=3
# Environment=D=4
Environment=E=%i
LoadCredential=secret:/etc/secret
SetCredential=other:x
"""


def test_which_file_decides_on_a_variable(recording: Any) -> None:
    environment = 'A=9 "B=two words" C=3 E=acme F=6'
    drop_ins = {"10.conf": "[Service]\nEnvironment=A=9\n", "20.conf": "[Service]\nEnvironment=X=1\nEnvironment=\n"}
    recording.unit("cube.service", UNIT, environment, drop_ins)
    service = found(recording)["cube.service"]
    base = "/etc/systemd/system/cube.service"
    assert unit_files.environment_of(service) == {
        # Specifiers are resolved, and what no file assigns is the unit's.
        base: {"B": "two words", "C": "3", "E": "acme", "F": "6"},
        f"{base}.d/10.conf": {"A": "9"},
        f"{base}.d/20.conf": {},
    }
    assert service.credentials == ("other", "secret")


def test_what_is_told_of_a_service(recording: Any) -> None:
    recording.unit(
        "cube.service", f"{UNIT}User=cube\nRestart=always\nEnvironmentFile=-/etc/a.env\n", "", None,
        NoNewPrivileges="yes", CapabilityBoundingSet="", NeedDaemonReload="yes", DynamicUser="no", Result="success",
    )  # fmt: skip
    told = unit_files.describe(found(recording)["cube.service"], Redactor(b"k"))
    assert (told.user, told.restart, told.stale, told.dynamic_user) == ("cube", "always", True, False)
    assert told.command == ("/usr/bin/node", "cubejs.js")
    assert told.hardening == {"NoNewPrivileges": "yes", "CapabilityBoundingSet": ""}
    assert told.environment_files == ("-/etc/a.env",)


@pytest.mark.parametrize(
    ("text", "found_seconds"),
    [
        ("100ms", 0.1), ("5s", 5.0), ("1min 30s", 90.0), ("1h", 3600.0), ("0", 0.0), ("1d 2h", 93600.0),
        ("1min 30.5s", 90.5), ("infinity", None), ("", None), ("soon", None),
    ],
)  # fmt: skip
def test_time_spans(text: str, found_seconds: float | None) -> None:
    assert seconds(text) == found_seconds


@pytest.mark.parametrize(
    ("text", "found_number"),
    [("512", 512), ("infinity", None), ("18446744073709551615", None), ("[not set]", None), ("", None)],
)
def test_numbers(text: str, found_number: int | None) -> None:
    assert number(text) == found_number


def test_patterns_of_environment_files(recording: Any) -> None:
    for name in ("b.env", "a.env", "c.txt"):
        recording.file(f"/etc/cube/{name}")
    tree = Tree(str(recording.root))
    paths = ["/etc/x.env", "/etc/cube/*.env", "/none/*.env"]
    assert unit_files.expand(tree, paths) == ["/etc/x.env", "/etc/cube/a.env", "/etc/cube/b.env"]


def test_services_of_pm2_are_known_by_their_names(recording: Any) -> None:
    for name in ("pm2-root.service", "pm2.service", "pm2@.service", "pm2-logs.timer", "cube.service"):
        recording.file(f"/etc/systemd/system/{name}", "[Service]\n")
    assert unit_files.of_pm2(Tree(str(recording.root))) == {"pm2-root.service", "pm2.service"}
