"""Rules that no fault of this scenario can show, why, and what proves each instead."""

from __future__ import annotations

from collections.abc import Mapping

_PLAN = (
    "it judges an inventory before there is a host: its unit cases; that such inventories are refused is shown by "
    "tests/contract/test_preflight.py and by the scenario `stack` (tests/infra/stack/test_bad_input.py)"
)
_OF_PLAN = (
    *("version-works", "tenant-name", "tenant-number", "tenant-number-retired", "tenant-unique", "tenant-hosts"),
    *("server-name", "master-secret", "refresh-worker-version", "environment-free", "database-type"),
    *("memory-suffices", "ports-differ", "address-known", "socket-reached", "redis-shared-host"),
    *("redis-index-shared-server", "external-connections", "redis-memory-suffices", "redis-sentinel-possible"),
)

NOT_LIVE: Mapping[str, str] = {
    **dict.fromkeys(_OF_PLAN, _PLAN),
    "node-version": (
        "the hosts have the Node.js of their Debian, 18, which every release of Cube.js takes, as the scenario "
        "`versions` shows: its unit cases"
    ),
    "redis-version": "the hosts have the Redis of their Debian, 7.0, which is supported: its unit cases",
    "storage-login-plugin": (
        "a login by another plugin is one of Oracle's MySQL 8, or one that the look's own client does not speak "
        "either, and then storage-reachable fails: its unit cases"
    ),
    "storage-server-version": (
        "the hosts have the MariaDB of their Debian: its unit cases, and the scenario `versions`, where a real MySQL 9 "
        "is refused"
    ),
    "redis-sentinel-open": (
        "the stack has no Sentinel: the scenario `cluster` sees it fail and pass (tests/infra/cluster/test_firewall.py)"
    ),
    "redis-sentinel-first": (
        "the stack has no Sentinel: the scenario `cluster` sees it fail and pass "
        "(tests/infra/cluster/test_lost_hosts.py)"
    ),
    "redis-failover-possible": (
        "the stack has no Sentinel: the scenario `cluster` sees it fail and pass "
        "(tests/infra/cluster/test_lost_hosts.py)"
    ),
    "tried-port-closed": (
        "an audit tries ports of hosts that it looks at only: the scenario `foreign` sees it fail "
        "(tests/infra/foreign/test_asserts.py)"
    ),
    "storage-tls-verified": (
        "it fails in the healthy stack already, whose MySQL has no TLS, and is waived "
        "(molecule/faults/files/waivers.yml): the first test sees it waived"
    ),
}
