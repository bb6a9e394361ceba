"""A module whose packed arguments are unpacked, run as a task runs it but for the connection."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.cubeops.cubejs.plugins.action import (
    cube_instances,
    mysql_server,
    redis_instances,
    redis_sentinel,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.unpacking import Unpacking


class Shell:
    """The part of a connection that a module's action looks at."""

    tmpdir = None


class Connection:
    """A connection that nothing is sent over."""

    _shell = Shell()
    has_native_async = False


class Sent(Unpacking):
    """Keeps what would be sent to the host."""

    def _execute_module(self, **_unused: Any) -> dict[str, Any]:
        return {"changed": False, "sent": self._task.args}


@pytest.mark.parametrize("instances", [[{"name": "acme"}], packing.pack([{"name": "acme"}])])
def test_the_module_is_run_with_lists_whether_they_were_packed_or_not(instances: Any) -> None:
    loader, task = DataLoader(), Task()
    task.args, task.action = {"instances": instances, "port": 1}, "cubeops.cubejs.redis_instances"
    made = Sent(task, Connection(), None, loader, Templar(loader=loader, variables={}), None)
    assert made.run(task_vars={})["sent"] == {"instances": [{"name": "acme"}], "port": 1}


@pytest.mark.parametrize("module", [cube_instances, mysql_server, redis_instances, redis_sentinel])
def test_the_modules_that_take_what_there_is_one_of_for_each_tenant_have_it(module: Any) -> None:
    assert module.ActionModule is Unpacking
