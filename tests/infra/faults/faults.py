"""The faults that the audit is proved by: how each is made on a running stack, how it is mended, what must be found.

Faults of one round are made together, on processes and servers of their own, and looked at in one audit: the findings
must be exactly those of the faults. docs/faults.md is rendered from this table.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

READY = 90


class Unit(NamedTuple):
    """An instance of the scenario: its host, its unit, its tenant, and where it answers."""

    host: str
    name: str
    tenant: str


ACME_FRONT = Unit("front", "cubejs-api@acme-1", "acme")
ACME_BACK = Unit("back", "cubejs-api@acme-1", "acme")
ACME_WORKER = Unit("front", "cubejs-refresh-worker@acme", "acme")
GLOBEX_API = Unit("front", "cubejs-api@globex-1", "globex")
GLOBEX_WORKER = Unit("front", "cubejs-refresh-worker@globex", "globex")


@dataclass(frozen=True)
class Fault:
    """One thing that is broken.

    what: in words, for people. finds: rules that must fail, of `tenant` (or of the host, where that is whom they
    concern). breaks, mends: commands on the host.
    """

    what: str
    finds: tuple[str, ...]
    tenant: str
    host: str
    breaks: str
    mends: str


def by_settings(
    what: str,
    unit: Unit,
    finds: tuple[str, ...],
    settings: Mapping[str, str] | None = None,
    *,
    unset: tuple[str, ...] = (),
    service: tuple[str, ...] = (),
) -> Fault:
    """Return a fault that a drop-in makes: settings over the instance's own, variables unset, lines of [Service]."""
    folder = f"/run/systemd/system/{unit.name}.service.d"
    file = f"/run/faults/{unit.name}.env"
    lines = ["[Service]", f"EnvironmentFile={file}", *(f"UnsetEnvironment={name}" for name in unset), *service]
    values = [f"{name}={value}" for name, value in (settings or {}).items()]
    breaks = [
        f"mkdir -p {folder} /run/faults",
        f"printf '%s\\n' {shlex.join(values or ['#'])} >{file}",
        f"chmod 0600 {file}",
        f"printf '%s\\n' {shlex.join(lines)} >{folder}/90-fault.conf",
        "systemctl daemon-reload",
        f"systemctl restart {unit.name}",
    ]
    mends = [f"rm -r {folder} {file}", "systemctl daemon-reload", f"systemctl restart {unit.name}"]
    return Fault(what, finds, unit.tenant, unit.host, " && ".join(breaks), " && ".join(mends))


def redis(tenant: str, *words: str) -> str:
    """Return a command that asks a tenant's Redis as its administrator."""
    secret = f"$(sed -n 's/^requirepass //p' /etc/cubejs/redis/{tenant}.secret | tr -d '\"')"
    return f"REDISCLI_AUTH={secret} redis-cli -s /run/cubejs-redis/{tenant}/redis.sock {shlex.join(words)}"
