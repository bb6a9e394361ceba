# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host's Cube.js processes ended for good: not before the last request is, and what of them still stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import instances
from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import CLOCK, Clock, moments
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import sockets
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Systemd

POLL_SECONDS = 0.2
NET = "/proc/net"
# What a host that leaves keeps: all of it is found again where the host comes back.
KEPT = ("opt/cubejs", "etc/systemd/system/cubejs.slice", "var/lib/cubejs-redis", "var/lib/mysql", "etc/nginx/cubejs")


class DrainError(Exception):
    """Requests do not end; the message says whose, and what to do."""


@dataclass
class Drained:
    """Unit -> what was done with it (in check mode, would be), and the paths that still stand."""

    actions: dict[str, list[str]] = field(default_factory=dict)
    standing: list[str] = field(default_factory=list)


def _connected() -> Collection[sockets.Tcp]:
    return sockets.read(NET).connected.values()


@dataclass(frozen=True)
class Host:
    """How the host is reached; root: of its file system. connected: its TCP connections at this moment."""

    systemd: Systemd = field(default_factory=Systemd)
    connected: Callable[[], Collection[sockets.Tcp]] = _connected
    clock: Clock = CLOCK
    root: Path = Path("/")


def drain(ports: Sequence[int], seconds: float, host: Host, *, apply: bool) -> Drained:
    """Wait until nobody is connected to the ports, then stop and disable every instance of Cube.js on the host.

    seconds: how long connections may take to end. With `apply` false only say what would be done, at once. Raises
    DrainError and SystemdError.
    """
    loaded = sorted(host.systemd.loaded(instances.PATTERNS))
    seen = host.systemd.show(loaded, ("ActiveState", "UnitFileState"))
    enabled = [unit for unit in loaded if seen[unit].get("UnitFileState") == instances.ENABLED]
    running = [unit for unit in loaded if seen[unit].get("ActiveState") in instances.STARTED]
    if apply:
        if running:
            _wait(ports, seconds, host)
        # First what keeps them from coming back with the next boot, so that a run that is killed leaves none.
        host.systemd.disable(enabled)
        host.systemd.stop(running)
        host.systemd.reset_failed(loaded)
    actions: dict[str, list[str]] = {}
    for verb, units in (("disable", enabled), ("stop", running)):
        for unit in units:
            actions.setdefault(unit, []).append(verb)
    return Drained(actions, [f"/{path}" for path in KEPT if (host.root / path).exists()])


def _wait(ports: Sequence[int], seconds: float, host: Host) -> None:
    for _moment in moments(seconds, POLL_SECONDS, host.clock):
        clients = _clients(ports, host)
        if not clients:
            return
    told = ", ".join(f"{count} from {address}" for address, count in sorted(clients.items()))
    raise DrainError(
        f"After {seconds:.0f} s clients are still connected to Cube.js here: {told}. No proxy of the inventory passes "
        "requests on any more; end what else does, or wait, and run again. Nothing was stopped"
    )


def _clients(ports: Sequence[int], host: Host) -> Counter[str]:
    wanted = set(ports)
    return Counter(each.remote for each in host.connected() if each.port in wanted)
