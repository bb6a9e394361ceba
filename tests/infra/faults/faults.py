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
    """Return a fault that a drop-in makes: settings over the instance's own, variables unset, lines of [Service].

    @front@ in a value is the address of that host.
    """
    folder = f"/run/systemd/system/{unit.name}.service.d"
    file = f"/run/faults/{unit.name}.env"
    lines = ["[Service]", f"EnvironmentFile={file}", *(f"UnsetEnvironment={name}" for name in unset), *service]
    values = [f"{name}={value}" for name, value in (settings or {}).items()]
    breaks = [
        f"mkdir -p {folder} /run/faults",
        f"printf '%s\\n' {shlex.join(values or ['#'])} >{file}",
        f"sed -i \"s/@front@/$(getent hosts front | awk '{{ print $1; exit }}')/\" {file}",
        f"chmod 0600 {file}",
        f"printf '%s\\n' {shlex.join(lines)} >{folder}/zz-fault.conf",
        "systemctl daemon-reload",
        f"systemctl restart {unit.name}",
    ]
    mends = [f"rm -r {folder} {file}", "systemctl daemon-reload", f"systemctl restart {unit.name}"]
    return Fault(what, finds, unit.tenant, unit.host, " && ".join(breaks), " && ".join(mends))


def redis(tenant: str, *words: str) -> str:
    """Return a command that asks a tenant's Redis as its administrator; the word >PASSWORD gives the tenant's."""
    secret = f"$(sed -n 's/^requirepass //p' /etc/cubejs/redis/{tenant}.secret | tr -d '\"')"
    asked = shlex.join(words).replace("'>PASSWORD'", f'">{secret}"')
    return f"REDISCLI_AUTH={secret} redis-cli -s /run/cubejs-redis/{tenant}/redis.sock {asked}"


def on_redis(what: str, finds: tuple[str, ...], breaks: tuple[str, ...], mends: tuple[str, ...], tenant: str) -> Fault:
    """Return a fault that a command to a tenant's Redis makes."""
    return Fault(what, finds, tenant, "front", redis(tenant, *breaks), redis(tenant, *mends))


def on_mysql(what: str, finds: tuple[str, ...], breaks: str, mends: str, tenant: str) -> Fault:
    """Return a fault that SQL makes."""
    return Fault(what, finds, tenant, "db", f"mariadb -e {shlex.quote(breaks)}", f"mariadb -e {shlex.quote(mends)}")


def as_user(statement: str, user: str) -> str:
    """Return SQL that runs a statement that ends with an account, on the account of that name wherever it is from."""
    account = f"SELECT CONCAT({statement!r}, QUOTE(user), '@', QUOTE(host)) FROM mysql.user WHERE user = '{user}'"
    return f"SET @statement = ({account} LIMIT 1); EXECUTE IMMEDIATE @statement"


def on_nginx(what: str, finds: tuple[str, ...], edit: str, tenant: str, file: str = "") -> Fault:
    """Return a fault that an edit (of sed) of a file of Nginx makes; the file is kept beside it meanwhile."""
    path = f"/etc/nginx/cubejs/{file or f'sites/{tenant}.conf'}"
    breaks = f"cp -a {path} /root/{tenant}.before && sed -i {shlex.quote(edit)} {path} && nginx -s reload"
    mends = f"cp -a /root/{tenant}.before {path} && nginx -s reload"
    return Fault(what, finds, tenant, "front", breaks, mends)


WORKER_OFF = "systemctl stop cubejs-refresh-worker@globex"
WORKER_ON = "systemctl start cubejs-refresh-worker@globex"

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

ROUNDS: tuple[tuple[Fault, ...], ...] = (
    (DEVELOPMENT, REFRESHES),
    (
        by_settings(
            "A Redis pool of 1",
            GLOBEX_API,
            ("redis-pool-size",),
            {"CUBEJS_REDIS_POOL_MAX": "1", "CUBEJS_REDIS_POOL_MIN": "0"},
        ),
        by_settings(
            "An empty API secret",
            ACME_FRONT,
            ("api-secret-set", "api-secret-same", "unsigned-token-refused", "proxy-production-mode"),
            {"CUBEJS_API_SECRET": ""},
        ),
        Fault(
            "The refresh worker is stopped",
            ("one-refresh-worker", "unit-runs"),
            "globex",
            "front",
            "systemctl stop cubejs-refresh-worker@globex",
            "systemctl start cubejs-refresh-worker@globex",
        ),
    ),
    (
        on_redis(
            "Redis may drop what does not expire",
            ("redis-eviction-policy",),
            ("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"),
            ("CONFIG", "SET", "maxmemory-policy", "volatile-lru"),
            "acme",
        ),
        on_redis(
            "Redis lets in who gives no password, and nobody gives one",
            ("redis-password",),
            ("ACL", "SETUSER", "default", "nopass"),
            ("ACL", "SETUSER", "default", "resetpass", ">PASSWORD"),
            "globex",
        ),
        *(
            by_settings("An instance without Redis' password", unit, (), unset=("CUBEJS_REDIS_PASSWORD",))
            for unit in (GLOBEX_API, GLOBEX_WORKER)
        ),
        on_mysql(
            "A foreign table in the schema",
            ("storage-foreign-tables",),
            "CREATE TABLE cube_acme.notes (id INT)",
            "DROP TABLE cube_acme.notes",
            "acme",
        ),
        on_mysql(
            "The storage's user may read other schemas",
            ("storage-grants-minimal",),
            as_user("GRANT SELECT ON shop.* TO ", "cube_globex"),
            as_user("REVOKE SELECT ON shop.* FROM ", "cube_globex"),
            "globex",
        ),
        on_nginx(
            "Nginx waits five seconds only",
            ("proxy-timeouts",),
            "s/proxy_read_timeout .*/proxy_read_timeout 5s;/",
            "acme",
        ),
        on_nginx(
            "Nginx takes small requests only",
            ("proxy-body-size",),
            "s/include cubejs.proxy.conf;/& client_max_body_size 1m;/",
            "globex",
        ),
    ),
    (
        by_settings(
            "A log level that there is not, and an old name beside the new one with another value",
            GLOBEX_API,
            ("log-level", "redis-variables-agree"),
            {"CUBEJS_LOG_LEVEL": "warning", "REDIS_URL": "redis://10.255.255.1:6379"},
        ),
        by_settings(
            "A worker whose flag no version takes for on",
            GLOBEX_WORKER,
            ("refresh-flag",),
            {"CUBEJS_REFRESH_WORKER": "false"},
        ),
        by_settings(
            "Time zones and pre-aggregation schema that only one process has",
            ACME_BACK,
            ("time-zones-agree", "storage-schema-agrees", "storage-grants-sufficient"),
            {"CUBEJS_SCHEDULED_REFRESH_TIMEZONES": "Europe/Berlin", "CUBEJS_PRE_AGGREGATIONS_SCHEMA": "cube_other"},
        ),
        by_settings(
            "A unit that systemd does not start again",
            ACME_FRONT,
            ("restarts-for-ever",),
            service=("Restart=no",),
        ),
    ),
    (
        by_settings(
            "One process of a tenant on another index of Redis",
            ACME_BACK,
            ("redis-same-for-tenant",),
            {"CUBEJS_REDIS_URL": "rediss://@front@:20001/3"},
        ),
        Fault(
            "A stray .env in the project, and secrets that everybody may read",
            ("secret-files-closed", "process-matches-disk"),
            "globex",
            "front",
            "d=$(systemctl show -p WorkingDirectory --value cubejs-api@globex-1) && echo CUBEJS_API_SECRET=x >$d/.env "
            "&& chmod 0644 $d/.env",
            "d=$(systemctl show -p WorkingDirectory --value cubejs-api@globex-1) && rm $d/.env",
        ),
    ),
)
