"""Faults of which server a process uses: a second Redis, another tenant's, another database, or none."""

from __future__ import annotations

import shlex
from dataclasses import replace

from fault import (
    ACME_BACK,
    ACME_FRONT,
    ACME_WORKER,
    CLEAR_JOURNAL,
    GLOBEX_API,
    GLOBEX_WORKER,
    Fault,
    Unit,
    address_of,
    all_of,
    asked,
    by_settings,
    until,
)

_PLAIN = {"CUBEJS_REDIS_TLS": "false"}


def _second_redis(port: int, *options: str) -> str:
    """Return a command that starts a Redis on front, and ends once it answers."""
    words = ("redis-server", "--port", str(port), "--save", "", "--dir", "/tmp", *options)
    return all_of(
        f"systemd-run --quiet --collect --unit=fault-redis-{port} {shlex.join(words)}",
        until(f"redis-cli -p {port} PING"),
    )


def _python(unit: str, code: str) -> str:
    """Return a command that runs Python in the background; it says READY=1 when it is done, and stays."""
    said = f"{code}\nsubprocess.run(['systemd-notify', '--ready']); time.sleep(900)"
    words = ("python3", "-c", f"import socket, subprocess, time\n{said}")
    options = "--quiet --collect --property=Type=notify --property=NotifyAccess=all"
    return f"systemd-run {options} --unit={unit} --description={unit} {shlex.join(words)}"


OTHER_REDIS = by_settings(
    "One process on a Redis of its own: without TLS and password, on all addresses of another host",
    ACME_BACK,
    ("redis-same-for-tenant", "redis-tls", "redis-password", "redis-listens-privately"),
    {"CUBEJS_REDIS_URL": "redis://@front@:6400", **_PLAIN},
    unset=("CUBEJS_REDIS_PASSWORD",),
)
OTHER_REDIS_SERVER = Fault(
    "That Redis dropped what it had for want of memory, and is a replica",
    ("redis-evicted-keys", "redis-eviction-policy", "redis-role"),
    "acme",
    "front",
    all_of(
        _second_redis(
            6400, "--protected-mode", "no", "--maxclients", "60", "--maxmemory", "4mb",
            "--maxmemory-policy", "allkeys-lru",
        ),
        # Each value is a tenth of the memory.
        "for i in $(seq 20); do head -c 400000 /dev/zero | tr '\\0' x | redis-cli -p 6400 -x SET $i >/dev/null; done",
        # Cube's client waits for a replica that has no connection to its primary, and ends.
        _second_redis(6402, "--bind", "127.0.0.1"),
        "redis-cli -p 6400 REPLICAOF 127.0.0.1 6402 >/dev/null",
        until("redis-cli -p 6400 INFO replication | grep -q master_link_status:up"),
    ),
    "true",
    clears="systemctl stop fault-redis-6400 fault-redis-6402",
)  # fmt: skip
CROWDED_REDIS = Fault(
    "That Redis has few connections: most are in use, and some clients were refused",
    ("redis-maxclients", "redis-connections-used", "redis-rejected-connections", "redis-queue-times-tenants"),
    "acme",
    "front",
    _python(
        "fault-crowd",
        "held = [socket.create_connection(('127.0.0.1', 6400)) for each in range(70)]; time.sleep(0.5); del held[48:]",
    ),
    "systemctl stop fault-crowd",
)
STRANGER = Fault(
    "A client of that Redis on a host that nobody looked at",
    ("redis-other-clients",),
    "acme",
    "back",
    # An address that is gone once the connection is there.
    all_of(
        f"address={address_of('back')}; address=${{address%.*}}.250",
        "ip address add $address/32 dev eth0",
        _python(
            "fault-stranger",
            "own = subprocess.run(['ip', '-o', '-4', 'address'], capture_output=True, text=True).stdout\n"
            "address = next(word for word in own.split() if word.endswith('.250/32')).removesuffix('/32')\n"
            "held = socket.create_connection(('front', 6400), source_address=(address, 0))",
        ),
        "ip address del $address/32 dev eth0",
    ),
    "systemctl stop fault-stranger",
)
CLUSTER = (
    Fault(
        "A Redis in cluster mode, without KEYS and without a limit of memory",
        ("redis-cluster-mode", "redis-keys-command", "redis-maxmemory", "redis-password"),
        "globex",
        "front",
        _second_redis(
            6401,
            "--bind",
            "127.0.0.1",
            "--cluster-enabled",
            "yes",
            "--cluster-config-file",
            "fault.nodes",
            "--rename-command",
            "KEYS",
            "",
        ),
        "true",
        clears="systemctl stop fault-redis-6401; rm -f /tmp/fault.nodes",
    ),
    by_settings(
        "An instance on that Redis",
        GLOBEX_API,
        (),
        {"CUBEJS_REDIS_URL": "redis://127.0.0.1:6401", **_PLAIN},
        unset=("CUBEJS_REDIS_PASSWORD",),
    ),
)
NO_SCHEME = by_settings(
    "A URL of Redis that the client cannot use",
    ACME_FRONT,
    ("redis-url",),
    {"CUBEJS_REDIS_URL": "127.0.0.1:20001/0"},
)
IN_MEMORY = by_settings(
    "A process of several that keeps cache and queue in its memory",
    GLOBEX_WORKER,
    ("memory-driver-one-process",),
    {"CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory"},
)
_DROP_INS = f"/etc/systemd/system/{ACME_WORKER.name}.service.d"
REMOVED = Fault(
    "The unit of the refresh worker was removed",
    ("instance-present", "one-refresh-worker", "unit-runs"),
    "acme",
    "front",
    all_of(
        f"systemctl disable --now {ACME_WORKER.name}",
        f"mv {_DROP_INS} /run/faults/worker.d",
        "systemctl daemon-reload",
    ),
    all_of(
        f"mv /run/faults/worker.d {_DROP_INS}", "systemctl daemon-reload", f"systemctl enable --now {ACME_WORKER.name}"
    ),
)


def _with_password_of(fault: Fault, tenant: str) -> Fault:
    """Return a fault by settings with another tenant's password of Redis among them."""
    secret = f"grep ^CUBEJS_REDIS_PASSWORD= /opt/cubejs/tenants/{tenant}/current/environment/{tenant}-1.env"
    (file,) = (word for word in fault.mends.split() if word.endswith(".env"))
    return replace(fault, breaks=all_of(fault.breaks, f"{secret} >>{file}"))


def _on_redis_of_acme(unit: Unit, finds: tuple[str, ...]) -> Fault:
    # Acme's processes on this host call it 127.0.0.1.
    settings = {"CUBEJS_REDIS_URL": "redis://@front@:20001/0"}
    what = "A second tenant on the same keyspace, through another name of the server, with its password"
    also = (*((rule, "acme") for rule in finds), *((("redis-maxclients", ""),) if finds else ()))
    return _with_password_of(by_settings(what, unit, finds, settings, also=also), "acme")


OTHERS_REDIS = (
    _on_redis_of_acme(GLOBEX_API, ("redis-shared-by-tenants", "redis-locks-shared", "secret-shared-by-tenants")),
    _on_redis_of_acme(GLOBEX_WORKER, ()),
)
OTHERS_SCHEMA = by_settings(
    "A tenant's process on the schema of another's",
    GLOBEX_API,
    ("storage-schema-shared", "storage-schema-agrees", "storage-grants-sufficient"),
    {"CUBEJS_PRE_AGGREGATIONS_SCHEMA": "cube_acme"},
    also=(("storage-schema-shared", "acme"),),
)
OTHER_DATABASES = replace(
    by_settings(
        "A process with another source, and another storage, whose driver is not installed",
        ACME_BACK,
        (
            *("source-server-agrees", "storage-server-agrees", "database-settings-agree", "health-endpoints"),
            "journal-crashes",
        ),
        {
            **{f"CUBEJS_DB_{name}": value for name, value in (("TYPE", "postgres"), ("HOST", "@front@"))},
            **{f"CUBEJS_EXT_DB_{name}": value for name, value in (("TYPE", "postgres"), ("HOST", "@front@"))},
        },
    ),
    then=asked(ACME_BACK, "/readyz"),
    clears=CLEAR_JOURNAL,
)
NO_STORAGE = by_settings(
    "A process whose storage has no type",
    ACME_FRONT,
    ("storage-type-set", "storage-endpoint"),
    unset=("CUBEJS_EXT_DB_TYPE",),
)
WRONG_PASSWORD = by_settings(
    "A process with another password than Redis has",
    ACME_BACK,
    ("redis-reachable",),
    {"CUBEJS_REDIS_PASSWORD": "q7Xw2Lr9Tz4Nc8Vb5Kd3"},
)
NO_REDIS = by_settings(
    "A process that no variable tells of a Redis",
    ACME_FRONT,
    ("redis-endpoint", "redis-reachable"),
    unset=("CUBEJS_REDIS_URL",),
)
UNKNOWN_DRIVER = by_settings(
    "A driver of cache and queue that the version does not know",
    GLOBEX_API,
    ("cache-driver-legal", "redis-endpoint", "health-endpoints"),
    {"CUBEJS_CACHE_AND_QUEUE_DRIVER": "cubestore"},
)
