# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host's memory, shared among the products that live there. All sizes are bytes unless the name says otherwise.

A product's share follows from the host and from which products live there, never from how many tenants there are:
adding a tenant changes no other tenant's limits, and restarts none of its processes. Within a share, what the
instances may take together can exceed it; the slice's limit holds, and a rule says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MEBIBYTE = 2**20
GIBIBYTE = 2**30
WEIGHTS: Mapping[str, int] = {"cubejs": 55, "mysql": 30, "redis": 15}
# The system, SSH, Nginx and the page cache that they need to stay responsive.
SYSTEM_PERCENT = 10
SYSTEM_MINIMUM = 256 * MEBIBYTE
# An idle process of 0.29.57 was seen to take 110 MB; below this it cannot do its first query.
PROCESS_MINIMUM = 160 * MEBIBYTE
# Upstream's sizing advice: 3 GB for an API instance, 6 GB for a refresh worker, which buffers whole results.
API_MAXIMUM = 3 * GIBIBYTE
REFRESH_WORKER_MAXIMUM = 6 * GIBIBYTE
API_PERCENT = 40
REFRESH_WORKER_PERCENT = 60
# Cache and queue of one tenant: results and queries, not data.
REDIS_MAXIMUM = 256 * MEBIBYTE
# What V8 may use for objects; the rest is its code, stacks and the buffers of results on their way.
HEAP_PERCENT = 75


@dataclass(frozen=True)
class Limit:
    """The memory limit of one Cube.js process, and the heap that fits in it."""

    memory_bytes: int
    heap_mb: int


def shares(memory_bytes: int, products: Iterable[str]) -> dict[str, int]:
    """Return product -> its share of a host's memory; raises KeyError for a product without a weight."""
    present = sorted(set(products))
    system = max(SYSTEM_MINIMUM, memory_bytes * SYSTEM_PERCENT // 100)
    usable = max(0, memory_bytes - system)
    total = sum(WEIGHTS[product] for product in present)
    return {product: usable * WEIGHTS[product] // total for product in present}


def planned_share(memory_bytes: int | None, product: str, planned: Mapping[str, Any]) -> int | None:
    """Return a product's bytes on a host: those that its part of the plan states, else its share of the memory found.

    None where neither is known. Raises KeyError for a product that is not planned for the host.
    """
    stated = planned[product][f"{product}_memory_bytes"]
    if stated is not None:
        return int(stated)
    return None if memory_bytes is None else shares(memory_bytes, planned["products"]).get(product)


def process_limit(kind: str, share: int, given: int | None = None) -> Limit:
    """Return the limit of one process of a kind ("api" or "refresh_worker") within the host's share for Cube."""
    if given is None:
        percent, maximum = (
            (REFRESH_WORKER_PERCENT, REFRESH_WORKER_MAXIMUM) if kind == "refresh_worker" else (API_PERCENT, API_MAXIMUM)
        )
        given = max(PROCESS_MINIMUM, min(maximum, share * percent // 100))
    return Limit(given, given * HEAP_PERCENT // 100 // MEBIBYTE)


def redis_maxmemory(share: int, given: int | None = None) -> int:
    """Return the maxmemory of one tenant's Redis within the host's share for Redis.

    Half of the share at the most: while Redis saves, pages that change exist twice.
    """
    return given if given is not None else min(REDIS_MAXIMUM, share // 2)


def shared_redis_maxmemory(share: int, given: int | None = None) -> int:
    """Return the maxmemory of the Redis that tenants share; half of the host's share for Redis, as above."""
    return given if given is not None else share // 2
