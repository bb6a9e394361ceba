"""What is written down for units and users."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.cube_units import KINDS, layout, rolls

GIBIBYTE = 2**30


def deployment(**changes: Any) -> dict[str, Any]:
    """Return a deployment of an API instance on a socket, one on TCP and a refresh worker."""
    common = {"memory_bytes": None, "heap_mb": None, "restart_seconds": 6, "stop_seconds": 25}
    instances = [
        {**common, "kind": "api", "name": "acme-1", "unit": "cubejs-api@acme-1.service", "listen": "socket"},
        {**common, "kind": "api", "name": "acme-2", "unit": "cubejs-api@acme-2.service", "listen": "tcp"},
        {
            **common,
            "kind": "refresh_worker",
            "name": "acme",
            "unit": "cubejs-refresh-worker@acme.service",
            "listen": "socket",
        },
    ]
    return {"tenant": "acme", "user": "cube-acme", "instances": instances, **changes}


def test_rows_of_drop_ins() -> None:
    first, second, worker, trial = layout([deployment()], 4 * GIBIBYTE, "proxy", 252)["drop_ins"]
    assert first["directory"] == "/opt/cubejs/tenants/acme/current/project"
    assert first["environment_file"] == "/opt/cubejs/tenants/acme/current/environment/acme-1.env"
    assert (first["run_directory"], first["socket_group"]) == ("/run/cubejs/acme-1", "proxy")
    assert (second["socket_group"], worker["socket_group"]) == (None, None)
    assert (worker["unit"], worker["user"], worker["stop_seconds"]) == (
        "cubejs-refresh-worker@acme.service", "cube-acme", 25,
    )  # fmt: skip
    assert trial["unit"] == "cubejs-trial@acme.service"
    assert trial["directory"] == "/opt/cubejs/tenants/acme/trial/project"
    assert trial["environment_file"] == "/opt/cubejs/tenants/acme/trial.env"
    assert (trial["run_directory"], trial["socket_group"]) == ("/run/cubejs/acme.trial", None)


def test_no_two_processes_share_a_directory() -> None:
    rows = layout([deployment(), deployment(tenant="acme2", instances=[])][:1], None, "proxy", 252)["drop_ins"]
    assert len({row["run_directory"] for row in rows}) == len(rows)


def test_memory_that_the_plan_left_open_is_filled_in() -> None:
    found = layout([deployment()], 4 * GIBIBYTE, "proxy", 252)
    sizes = [row["memory_bytes"] for row in found["drop_ins"]]
    assert all(size and size <= 4 * GIBIBYTE for size in sizes)
    assert sizes[3] == max(sizes)


def test_without_knowing_the_hosts_memory_there_is_no_limit() -> None:
    found = layout([deployment()], None, "proxy", 252)
    assert {row["memory_bytes"] for row in found["drop_ins"]} == {None}


def test_users_and_kinds() -> None:
    found = layout([deployment()], None, "proxy", 252)
    assert found["users"] == [
        {
            "name": "cube-acme",
            "tenant": "acme",
            "file": "/etc/sysusers.d/cubejs-acme.conf",
            "line": 'u cube-acme - "Cube.js of tenant acme"',
        }
    ]
    assert [kind["unit"] for kind in KINDS] == [
        "cubejs-api@.service",
        "cubejs-refresh-worker@.service",
        "cubejs-trial@.service",
    ]


@pytest.mark.parametrize(("systemd", "private"), [(247, False), (252, True)])
def test_users_are_private_where_systemd_can(systemd: int, private: bool) -> None:
    assert {kind["private_users"] for kind in layout([deployment()], None, "proxy", systemd)["kinds"]} == {private}


@pytest.mark.parametrize(
    ("waves", "expected"),
    [
        pytest.param((), [["acme", "globex", "initech"]], id="nobody says"),
        pytest.param((0, 1, 2), [["acme"], ["globex"], ["initech"]], id="one each"),
        pytest.param((0, 5), [["acme"], ["globex", "initech"]], id="the last has what is in no other"),
        pytest.param((3, 4), [[], ["acme", "globex", "initech"]], id="a wave of other hosts"),
    ],
)
def test_tenants_are_in_waves(waves: tuple[int, ...], expected: list[list[str]]) -> None:
    given = [{**deployment(), "tenant": name, "wave": wave} for wave, name in enumerate(("acme", "globex", "initech"))]
    found = [rolls(given, waves, wave) for wave in waves or (1,)]
    assert [[each["tenant"] for each in wave] for wave in found] == expected


def test_without_a_wave_all_are_rolled_and_settings_stay_here() -> None:
    given = [{**deployment(), "wave": 7, "settings": {"api_secret": "x"}, "version": "0.29.57", "suspended": True}]
    (found,) = rolls(given)
    assert set(found) == {"tenant", "version", "suspended", "instances"}
    assert found["instances"][0] == {"kind": "api", "name": "acme-1", "unit": "cubejs-api@acme-1.service"}
