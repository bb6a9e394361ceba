# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a running Redis server is not as its files say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_check import SECRETS
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_model import Instance, Session, Store, digest

# What the private server that reads the static file has to be told otherwise, what the store puts elsewhere, and the
# replication state, which belongs to Redis and Sentinel. The first two lines are compared from the instance itself.
NOT_COMPARED = frozenset(
    (
        *("port", "tls-port", "maxclients", "requirepass"),
        *("unixsocket", "unixsocketperm", "dir", "logfile", "pidfile", "daemonize", "supervised"),
        *("replicaof", "slaveof"),
    )
)
MASK = "<masked>"


@dataclass(frozen=True)
class Differences:
    """Where a running server is not as wanted. `extra_passwords` are digests of passwords besides the wanted one."""

    settings: Mapping[str, tuple[str, str]]
    password: bool
    extra_passwords: frozenset[str]
    certificate: bool


def compare(instance: Instance, session: Session, store: Store, *, remember: bool = False) -> Differences:
    """Return where the running server differs from its static file and the instance."""
    live = session.config()
    made = store.wanted_settings(instance.name, remember=remember)
    wanted = {name: value for name, value in made.items() if name not in NOT_COMPARED} | _own_settings(instance)
    settings = {name: (live[name], value) for name, value in sorted(wanted.items()) if live.get(name, value) != value}
    digests = session.password_digests()
    wrong = digest(instance.password) not in digests or "" in digests or live.get("requirepass") != instance.password
    certificate = instance.tls and "tls-port" not in settings and store.serves_other_certificate(instance)
    return Differences(settings, wrong, digests - {digest(instance.password), ""}, certificate)


def _own_settings(instance: Instance) -> dict[str, str]:
    port = str(instance.port)
    return {
        "maxclients": str(instance.maxclients),
        "port": "0" if instance.tls else port,
        "tls-port": port if instance.tls else "0",
    }


def shown(name: str, values: tuple[str, str]) -> tuple[str, str]:
    """Return a setting's value before and after, as people may see it."""
    return (MASK, f"{MASK} (changed)") if name in SECRETS else values
