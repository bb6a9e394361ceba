"""Faults that one process is given: its settings, its unit, a file in its project."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from fault import (
    ACME_BACK,
    ACME_FRONT,
    ACME_WORKER,
    GLOBEX_API,
    GLOBEX_WORKER,
    Fault,
    Found,
    Unit,
    all_of,
    by_settings,
    listening,
    started,
)


def by_dotenv(
    what: str,
    unit: Unit,
    finds: tuple[str, ...],
    lines: Sequence[str],
    *,
    mode: str = "0600",
    also: tuple[Found, ...] = (),
) -> Fault:
    """Return a fault that lines of a .env make, written beside processes that run: they were started without it."""
    file = f"{_directory(unit)}/.env"
    writes = all_of(f"printf '%s\\n' {shlex.join(lines)} >>{file}", f"chmod {mode} {file}")
    return Fault(what, finds, unit.tenant, unit.host, "true", f"rm -f {file}", also=also, then=writes)


def _directory(unit: Unit) -> str:
    return f"$(systemctl show -p WorkingDirectory --value {unit.name})"


DEVELOPMENT = by_settings(
    "CUBEJS_DEV_MODE=true over a production unit",
    GLOBEX_API,
    (
        *("development-mode-off", "node-env-production", "root-page-production", "playground-closed"),
        *("token-required", "bad-token-refused", "unsigned-token-refused", "proxy-production-mode", "node-env-agrees"),
    ),
    {"CUBEJS_DEV_MODE": "true"},
)
REFRESHES = by_settings(
    "An API instance that refreshes",
    ACME_BACK,
    ("api-does-not-refresh",),
    {"CUBEJS_REFRESH_WORKER": "true"},
)
FROZEN = Fault(
    "The refresh worker is frozen (SIGSTOP)",
    ("refresh-worker-alive",),
    "acme",
    "front",
    f"systemctl kill --signal=STOP {ACME_WORKER.name}",
    f"systemctl kill --signal=CONT {ACME_WORKER.name}",
)
NOT_ENABLED = Fault(
    "A unit that no boot starts",
    ("starts-at-boot",),
    "globex",
    "front",
    f"systemctl disable {GLOBEX_WORKER.name}",
    f"systemctl enable {GLOBEX_WORKER.name}",
)
NOT_LOADED = Fault(
    "A drop-in that was changed, and no daemon-reload",
    ("unit-files-loaded",),
    "globex",
    "front",
    "true",
    "systemctl daemon-reload",
    # Later than the load of the unit, whose time the file system may keep in coarser steps.
    then=f"sleep 1; touch /etc/systemd/system/{GLOBEX_WORKER.name}.service.d/*.conf",
)
KILLED = Fault(
    "A process that was killed, and started again",
    ("restarts-seen",),
    "acme",
    "front",
    f"systemctl kill --signal=KILL {ACME_FRONT.name}",
    started((ACME_FRONT,)),
    then=listening(ACME_FRONT),
)

POOL_OF_ONE = by_settings(
    "A Redis pool of 1",
    GLOBEX_API,
    ("redis-pool-size",),
    {"CUBEJS_REDIS_POOL_MAX": "1", "CUBEJS_REDIS_POOL_MIN": "0"},
)
NO_SECRET = by_settings(
    "An empty API secret",
    ACME_FRONT,
    ("api-secret-set", "api-secret-same", "unsigned-token-refused", "proxy-production-mode"),
    {"CUBEJS_API_SECRET": ""},
)
WORKER_STOPPED = Fault(
    "The refresh worker is stopped",
    ("one-refresh-worker", "unit-runs"),
    "globex",
    "front",
    f"systemctl stop {GLOBEX_WORKER.name}",
    f"systemctl start {GLOBEX_WORKER.name}",
)
BUILDS_NOT = by_settings(
    "No refresh worker, and an API instance that answers from pre-aggregations only",
    GLOBEX_API,
    ("pre-aggregations-built",),
    {"CUBEJS_ROLLUP_ONLY": "true"},
)
AS_ROOT = by_settings(
    "A process that runs as root",
    ACME_BACK,
    ("process-user",),
    service=("User=root",),
)
FEW_FILES = by_settings("A process that may open 100 files", ACME_WORKER, ("open-files",), service=("LimitNOFILE=100",))
LARGE_HEAP = by_settings(
    "A heap that is larger than the process' memory",
    ACME_WORKER,
    ("heap-size",),
    {"NODE_OPTIONS": "--max-old-space-size=4096"},
)
REPORTS = by_settings(
    "Reports to the vendor that nobody decided on, and a log that goes to an address",
    ACME_WORKER,
    ("telemetry-decided", "agent-endpoint-unset"),
    {"CUBEJS_AGENT_ENDPOINT_URL": "http://127.0.0.1:9/"},
    unset=("CUBEJS_TELEMETRY",),
)
SHORT_STOP = by_settings(
    "A unit that systemd kills before its queries have ended",
    ACME_FRONT,
    ("graceful-stop",),
    service=("TimeoutStopSec=5",),
    restarts=False,
)

LOG_LEVEL = by_settings(
    "A log level that there is not, and an old name beside the new one with another value",
    GLOBEX_API,
    ("log-level", "redis-variables-agree"),
    {"CUBEJS_LOG_LEVEL": "warning", "REDIS_URL": "redis://10.255.255.1:6379"},
)
NO_FLAG = by_settings(
    "A worker whose flag no version takes for on",
    GLOBEX_WORKER,
    ("refresh-flag",),
    {"CUBEJS_REFRESH_WORKER": "false"},
)
OTHER_ZONES = by_settings(
    "Time zones and pre-aggregation schema that only one process has",
    ACME_BACK,
    ("time-zones-agree", "storage-schema-agrees", "storage-grants-sufficient"),
    {"CUBEJS_SCHEDULED_REFRESH_TIMEZONES": "Europe/Berlin", "CUBEJS_PRE_AGGREGATIONS_SCHEMA": "cube_other"},
)
STAYS_AWAY = by_settings(
    "A unit that systemd does not start again",
    ACME_FRONT,
    ("restarts-for-ever",),
    service=("Restart=no",),
)

OTHER_INDEX = by_settings(
    "One process of a tenant on another index of Redis",
    ACME_BACK,
    ("redis-same-for-tenant",),
    {"CUBEJS_REDIS_URL": "rediss://@front@:20001/3"},
)
NO_WEB_SOCKETS = by_settings("An instance without CUBEJS_WEB_SOCKETS", GLOBEX_API, (), unset=("CUBEJS_WEB_SOCKETS",))
OPEN_DOTENV = by_dotenv(
    "A stray .env in the project, and secrets that everybody may read",
    GLOBEX_API,
    ("secret-files-closed", "process-matches-disk"),
    ("CUBEJS_API_SECRET=x",),
    mode="0644",
)
OPENS = by_dotenv(
    "A .env that opens what is closed: TLS by Cube itself, the Playground's secret, the SQL API without a login",
    GLOBEX_API,
    ("cube-tls-off", "playground-secret-unset", "sql-api-login"),
    ("CUBEJS_ENABLE_TLS=true", "CUBEJS_PLAYGROUND_AUTH_SECRET=playground", "CUBEJS_SQL_PORT=13306"),
    mode="0644",
)
IDLE = by_dotenv(
    "A .env with variables that are not read, or do not do what they say",
    GLOBEX_API,
    (
        *("variables-are-read", "values-are-taken", "storage-settings-complete", "cubejs-app-isolation"),
        "refresh-flags-agree",
    ),
    (
        *("CUBEJS_CONCURRENCY=2", "CUBEJS_EXTERNAL_DEFAULT=yes", "CUBEJS_EXT_DB_URL=mysql://db/cube_globex"),
        *("CUBEJS_APP=globex", "CUBEJS_SCHEDULED_REFRESH_TIMER=true"),
    ),
    mode="0644",
)
WEB_SOCKETS = by_dotenv(
    "WebSockets that are set, and neither the process nor Nginx takes them",
    GLOBEX_API,
    ("websockets-as-set", "proxy-web-sockets", "proxy-upgrade"),
    ("CUBEJS_WEB_SOCKETS=true",),
    mode="0644",
)
SOCKET = by_dotenv(
    "A Unix socket of the source, to which the storage's connection goes, too",
    GLOBEX_API,
    ("storage-socket", "storage-reachable"),
    ("CUBEJS_DB_SOCKET_PATH=/run/mysqld/mysqld.sock",),
    mode="0644",
)
TLS_FOR_BOTH = by_dotenv(
    "TLS to the source, and a storage without",
    ACME_FRONT,
    ("storage-tls", "database-settings-agree"),
    ("CUBEJS_DB_SSL=true",),
)
WEAK = (
    by_dotenv(
        "One weak key for the tokens of two tenants",
        GLOBEX_API,
        ("secret-strength", "secret-shared-by-tenants"),
        ("CUBEJS_JWT_KEY=changeme",),
        mode="0644",
    ),
    by_dotenv(
        "One weak key for the tokens of two tenants, and on one of two hosts only",
        ACME_FRONT,
        ("secret-strength", "secret-shared-by-tenants", "api-secret-same", "process-matches-disk"),
        ("CUBEJS_JWT_KEY=changeme",),
    ),
)
UNREADABLE = Fault(
    "A .env that cannot be read, since it is a pipe",
    ("process-matches-disk",),
    "globex",
    "front",
    f"mkfifo {_directory(GLOBEX_API)}/.env",
    f"rm {_directory(GLOBEX_API)}/.env",
    unknown=(("settings-readable", "globex"),),
)
