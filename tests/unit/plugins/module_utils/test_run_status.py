"""What a run ends with."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.run_status import Tally

CHECKLIST, PLAN, ASSERT = "cubeops.cubejs.checklist", "cubeops.cubejs.plan", "cubeops.cubejs.assert_https"
FAIL = "ansible.builtin.fail"
FOUND = {"outcome": "findings", "msg": "1 failed."}
UNSEEN = {"outcome": "could-not-look", "msg": "1 unknown."}
FINE = {"outcome": "ok", "msg": "Nothing."}


@pytest.mark.parametrize(
    ("results", "given", "status"),
    [
        pytest.param([], 0, 0, id="no judgement"),
        pytest.param([(CHECKLIST, FINE, False)], 0, 0, id="all is well"),
        pytest.param([(CHECKLIST, FOUND, True)], 2, 20, id="findings"),
        pytest.param([(CHECKLIST, UNSEEN, True)], 2, 21, id="could not look"),
        pytest.param([(CHECKLIST, UNSEEN, True), (CHECKLIST, FOUND, True)], 2, 20, id="both"),
        pytest.param(
            [(CHECKLIST, FOUND, False), (FAIL, {"msg": "1 failed."}, True)], 2, 20, id="a task of its own ends"
        ),
        pytest.param([(CHECKLIST, FOUND, False)], 0, 20, id="the playbook goes on"),
        pytest.param([(PLAN, FOUND, True)], 2, 20, id="a plan that is refused"),
        pytest.param([(ASSERT, UNSEEN, True)], 2, 21, id="an assertion"),
        pytest.param([(CHECKLIST, {"msg": "no such rule"}, True)], 2, 2, id="a task that is wrong"),
        pytest.param([(CHECKLIST, FOUND, True), (FAIL, {"msg": "other"}, True)], 2, 2, id="another task failed too"),
        pytest.param([("x.y.z", {"outcome": "findings"}, True)], 2, 2, id="another's outcome"),
        pytest.param([(CHECKLIST, FOUND, False)], 4, 4, id="unreachable hosts"),
        pytest.param([(CHECKLIST, FOUND, False)], 250, 250, id="Ansible broke"),
        pytest.param([("ping", {}, True), (CHECKLIST, FOUND, False)], 0, 20, id="what failed was rescued"),
    ],
)
def test_status(results: list[tuple[str, dict[str, Any], bool]], given: int, status: int) -> None:
    tally = Tally()
    for action, result, failed in results:
        tally.add(action, result, failed=failed)
    assert tally.status(given) == status
