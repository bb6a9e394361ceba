"""Outages and kills: what heals unaided, and what a run then finds."""

from __future__ import annotations

import json
import time
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.health import token
from tenant import API_SECRET, FIRST, TENANT, UNITS, wait_for

OUTAGE_SECONDS = 60


def test_killed_processes_come_back_and_the_next_run_changes_nothing(acme: Any, lab: Any) -> None:
    before = acme.pids()
    for pid in before.values():
        acme.host.check_output("kill -9 %s", str(pid))
    run = lab.converge()
    assert run.status == 0, run.output
    assert not run.changed, run.output
    assert acme.all_ready()
    assert all(pid not in (0, before[unit]) for unit, pid in acme.pids().items())


def test_a_minute_without_redis_heals_unaided(acme: Any) -> None:
    before = acme.pids()
    query = "/cubejs-api/v1/load?query=" + json.dumps({"measures": ["Orders.count"]}, separators=(",", ":"))
    acme.host.check_output("systemctl stop redis-server")
    began = time.monotonic()
    try:
        # What opens connections, and so ends processes, again and again.
        while time.monotonic() - began < OUTAGE_SECONDS:
            for instance in ("acme", "acme-1", "acme-2"):
                acme.ask(instance, query, token(API_SECRET, {}))
    finally:
        acme.host.check_output("systemctl start redis-server")
    assert all(acme.pid(unit) != before[unit] for unit in UNITS), "a process survived: the outage proved nothing of it"
    wait_for(acme.all_ready, 120)
    assert {acme.show(unit, "ActiveState") for unit in UNITS} == {"active"}


def test_a_run_without_redis_says_so_and_kills_nobody(acme: Any, lab: Any) -> None:
    before = acme.pids()
    acme.host.check_output("systemctl stop redis-server")
    try:
        run = lab.converge("--tags", "cubejs_health,cubejs_service")
    finally:
        acme.host.check_output("systemctl start redis-server")
    assert run.status != 0
    assert "Redis 127.0.0.1:6379: Connection refused" in run.output
    assert "planted" not in run.output
    after = acme.pids()
    # /readyz would have ended the processes that had no connection open; these were not asked.
    assert [unit for unit in UNITS if "/readyz" in acme.host.check_output("journalctl -u %s -n 5 -o cat", unit)] == []
    assert set(after) == set(before)
    wait_for(acme.all_ready, 120)


def test_requests_in_flight_end_before_an_instance_stops(acme: Any) -> None:
    answer = acme.load("acme-1", {"measures": ["Slow.naps"]})
    time.sleep(1.5)
    acme.host.check_output("systemctl restart %s", FIRST)
    got = answer()
    assert got["status"] == 200, got
    assert "data" in got, got
    wait_for(lambda: acme.is_ready("acme-1"))


def test_what_someone_changed_by_hand_is_put_right(acme: Any, converge: Any) -> None:
    """Only the instance whose unit was changed is restarted; the release is made anew without a restart."""
    before = acme.pids()
    acme.host.check_output("sed -i 's/^RestartSec=.*/RestartSec=99/' /etc/systemd/system/%s.d/instance.conf", FIRST)
    acme.host.check_output("sed -i 's/warn/trace/' %s/current/environment/acme.env", TENANT)
    acme.host.check_output("chmod 0644 %s/current/environment/acme-2.env", TENANT)
    foretold = converge("--check").changed
    run = converge()
    assert run.status == 0, run.output
    # Check mode cannot see that the unit file, once written again, is what the process was started with.
    assert run.changed <= foretold
    assert "trace" not in acme.host.check_output("cat %s/current/environment/acme.env", TENANT)
    assert acme.host.file(f"{TENANT}/current/environment/acme-2.env").mode == 0o600
    assert not converge().changed
    after = acme.pids()
    # Its unit file is again what it was started with.
    assert before == after
