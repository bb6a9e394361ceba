# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Logins to the Redis instances of a host, some of them sent ahead, so that servers work while others are judged."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_model import Instance, NotReadyError
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_session import Login
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import Endpoint

# How many servers are logged in to ahead: each is a connection that is held.
AHEAD = 16


class Logins:
    """run: the directory in which each instance has its Unix socket."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._expected: list[Instance] = []
        self._sent: dict[str, Login] = {}

    def expect(self, instances: Sequence[Instance]) -> None:
        """Say which will be asked for, in their order."""
        self._expected = list(instances)

    def of(self, instance: Instance, password: str) -> Login:
        """Return a login, the one that was sent ahead where there is one; else send some ahead for the next ones.

        By the instance's own Unix socket, whatever its port. Raises NotReadyError.
        """
        ahead = self._sent.pop(instance.name, None)
        if ahead is None:
            self._look_ahead(instance)
        elif ahead.serves(password):
            return ahead
        else:
            ahead.close()
        return self._login(instance.name, password)

    def _look_ahead(self, instance: Instance) -> None:
        names = [each.name for each in self._expected]
        if instance.name in names:
            self._expected = self._expected[names.index(instance.name) + 1 :]
            for each in self._expected[:AHEAD]:
                if each.name not in self._sent:
                    # One that does not run, or not yet, is asked when its turn comes.
                    with contextlib.suppress(NotReadyError):
                        self._sent[each.name] = self._login(each.name, each.password)

    def _login(self, name: str, password: str) -> Login:
        return Login(Endpoint(socket_path=str(self._run / name / "redis.sock")), password)
