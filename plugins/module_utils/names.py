# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every name, port and path that derives from a tenant: one function each, nowhere else.

All of them follow from the tenant's name and number alone, so that adding, removing or reordering
tenants changes nothing of the others. Ports stay below 32768, the lower end of Linux' default
ephemeral range, so that no outgoing connection can be sitting on one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

TENANT_PATTERN = re.compile(r"[a-z][a-z0-9]{0,19}")
NUMBERS = range(1, 1000)
API_INSTANCES = range(1, 11)

# The Redis instance of a host on which tenants have an index each. No tenant can have this name: it has hyphens.
SHARED_REDIS = "shared-by-tenants"

# One Sentinel a host watches the Redis of all tenants.
SENTINEL_PORT = 26379

SLICE = "cubejs.slice"
TENANTS_DIRECTORY = "/opt/cubejs/tenants"
RUNTIMES_DIRECTORY = "/opt/cubejs/runtimes"
RUN_DIRECTORY = "/run/cubejs"
# Link, unit and process in which a release is tried before a tenant is switched to it.
TRIAL = "trial"


def is_tenant_name(name: str) -> bool:
    """Say whether a name fits a Linux user, a systemd instance and a MySQL schema alike.

    A hyphen is left out because instances are named `<tenant>-<index>`; 20 characters leave room
    for the prefixes within the 32 of a Linux or a MySQL user.
    """
    return TENANT_PATTERN.fullmatch(name) is not None


def next_number(used: Iterable[int]) -> int | None:
    """Return the number for a new tenant: one above the highest ever used, else the lowest free one, else None."""
    taken = {number for number in used if number in NUMBERS}
    following = max(taken, default=NUMBERS[0] - 1) + 1
    if following in NUMBERS:
        return following
    return next((number for number in NUMBERS if number not in taken), None)


def system_user(tenant: str) -> str:
    """Return the system user, and group, that runs a tenant's processes."""
    return f"cube-{tenant}"


def sysusers_file(tenant: str) -> str:
    """Return the file from which systemd-sysusers makes a tenant's system user, and group."""
    return f"/etc/sysusers.d/cubejs-{tenant}.conf"


def api_instance(tenant: str, index: int) -> str:
    """Return the name of a tenant's index-th (from 1) API instance on a host."""
    return f"{tenant}-{index}"


def refresh_worker_instance(tenant: str) -> str:
    """Return the name of a tenant's refresh worker instance."""
    return tenant


def api_unit(instance: str) -> str:
    """Return the systemd unit of an API instance."""
    return f"cubejs-api@{instance}.service"


def refresh_worker_unit(instance: str) -> str:
    """Return the systemd unit of a refresh worker instance."""
    return f"cubejs-refresh-worker@{instance}.service"


def trial_unit(tenant: str) -> str:
    """Return the systemd unit in which a tenant's release is tried."""
    return f"cubejs-trial@{tenant}.service"


def is_trial_unit(unit: str) -> bool:
    """Say whether a unit only tries releases: nobody is served by it, and most of the time it does not run."""
    return unit.startswith(trial_unit("").partition("@")[0] + "@")


def trial_instance(tenant: str) -> str:
    """Return the name of the process in which a tenant's release is tried; no instance can have it."""
    return f"{tenant}.{TRIAL}"


def redis_unit(tenant: str) -> str:
    """Return the systemd unit of a tenant's Redis instance."""
    return f"cubejs-redis@{tenant}.service"


def mysql_schema(tenant: str) -> str:
    """Return the MySQL schema that holds a tenant's pre-aggregations (Cube does not quote it)."""
    return f"cube_{tenant}"


def mysql_user(tenant: str) -> str:
    """Return the MySQL user that reads and writes a tenant's pre-aggregations."""
    return f"cube_{tenant}"


def api_port(number: int, index: int) -> int:
    """Return the TCP port (10010..19999) of a tenant's index-th (from 1) API instance."""
    return 10000 + 10 * number + index - 1


def redis_port(number: int) -> int:
    """Return the TCP port (20001..20999) of a tenant's Redis instance."""
    return 20000 + number


def shared_redis_port() -> int:
    """Return the TCP port of the Redis instance that tenants of a host share: below those of the tenants' own."""
    return redis_port(0)


def run_directory(instance: str) -> str:
    """Return the directory of an instance's socket."""
    return f"{RUN_DIRECTORY}/{instance}"


def socket_path(instance: str) -> str:
    """Return the Unix socket on which an instance listens."""
    return f"{run_directory(instance)}/cube.sock"


def tenant_directory(tenant: str) -> str:
    """Return the directory that holds a tenant's releases."""
    return f"{TENANTS_DIRECTORY}/{tenant}"


def current_release(tenant: str) -> str:
    """Return the link that points at the release a tenant runs."""
    return f"{tenant_directory(tenant)}/current"


def ca_bundle(tenant: str) -> str:
    """Return the file with the private CAs that a tenant's processes trust besides Node's own."""
    return f"{current_release(tenant)}/ca.crt"
