"""The report as lines of text."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.report import console
from ansible_collections.cubeops.cubejs.tests.unit.plugins.module_utils.report import samples

BEGINNING = """\
Cube.js production checklist, 2031-05-06T07:08:09Z, cubeops.cubejs 1.2.3
Looked at 4 hosts and 2 tenants.
NOT LOOKED AT: cube3

== acme, all hosts: 1 fail, 1 not applicable
  FAIL    critical  cubejs_tenants[acme].redis  [redis-shared-by-tenant]  (new)
          cube1 and cube2 use two Redis servers (run_id 3f1c… and 90ab…)
          Remedy: Give both the same Redis
          Evidence: cube1: 192.0.2.10:20001, index 0
          Evidence: cube2: 192.0.2.11:20001, index 0

== acme on cube1: 1 fail, 1 pass
  FAIL    error  cubejs_tenants[acme].redis.pool_max  [redis-pool-size]
          the pool has 1 connection, a process needs 25 for 50 queries in flight
          Remedy: Write pool_max: 25, or leave it out
          At: inventory/group_vars/all.yml:12
          Evidence: CUBEJS_REDIS_POOL_MAX=1 in /proc/4711/environ
          Evidence: connected clients now: 1
"""
END = """\
8 findings
                        fail         unknown          waived            pass  not applicable
  critical                 1               0               0               0               0
  error                    1               1               1               1               1
  warning                  1               0               0               0               0
  info                     1               0               0               0               0

Against the baseline: 4 new, 1 unchanged, 1 fixed, 1 not looked at again.
Outcome: findings (exit status 20). 2 failed at error or above; 1 unknown at error or above; 1 host not looked at.
"""


def test_failures_come_first_with_their_remedies_and_totals_last() -> None:
    shown = console.render(samples.compared())
    assert shown.startswith(BEGINNING)
    assert shown.endswith(END)


def test_a_waived_finding_shows_why() -> None:
    assert "Waived: replaced in June (accepted by ops@ until 2031-06-30)" in console.render(samples.report())


def test_what_passes_is_counted_only() -> None:
    shown = console.render(samples.report(findings=(samples.MODE,)))
    assert "== acme on cube1: 1 pass\n" in shown
    assert samples.MODE.message not in shown


@pytest.mark.parametrize("value", list(samples.HOSTILE.values()), ids=list(samples.HOSTILE))
def test_hostile_values_add_no_line_and_move_no_cursor(value: str) -> None:
    shown = console.render(samples.hostile(value))
    assert len(shown.splitlines()) == len(console.render(samples.hostile("harmless")).splitlines())
    assert all(character == "\n" or character.isprintable() for character in shown)
    assert not any(line.startswith("::") for line in shown.splitlines()[1:])
    assert len(shown) < 200_000
    shown.encode()
