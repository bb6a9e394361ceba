"""A fleet as it is seen when all is well, for rules on live hosts: each test breaks what it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import judging
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import API, REFRESH_WORKER, Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import (
    Answer,
    Certificate,
    HttpSeen,
    Journal,
    MysqlSeen,
    Passing,
    ProxySeen,
    RedisSeen,
    Tables,
    WebServer,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.registry import RULES

NOW = 1_800_000_000.0
ENVIRONMENT = {
    "NODE_ENV": "production",
    "CUBEJS_DB_TYPE": "mysql",
    "CUBEJS_EXT_DB_TYPE": "mysql",
    "CUBEJS_EXT_DB_HOST": "127.0.0.1",
    "CUBEJS_EXT_DB_NAME": "cube_acme",
    "CUBEJS_EXT_DB_USER": "cube_acme",
    "CUBEJS_PRE_AGGREGATIONS_SCHEMA": "cube_acme",
    "CUBEJS_REDIS_URL": "redis://127.0.0.1:6401/0",
    "CUBEJS_REDIS_POOL_MIN": "2",
    "CUBEJS_REDIS_POOL_MAX": "110",
    "CUBEJS_TELEMETRY": "false",
}
SECRETS = ("CUBEJS_API_SECRET", "CUBEJS_DB_PASS", "CUBEJS_EXT_DB_PASS", "CUBEJS_REDIS_PASSWORD")
ANSWERS = {
    "root": Answer(200, "<h1>Cube.js server is running in production mode.</h1>"),
    "playground_context": Answer(404),
    "playground_files": Answer(404),
    "meta_without_token": Answer(403),
    "meta_bad_token": Answer(403),
    "meta_unsigned_token": Answer(403),
    "meta_signed_token": Answer(200),
    "system_context": Answer(404),
    "livez": Answer(200),
    "readyz": Answer(200),
    "websocket": Answer(404),
}


def setting(value: str | None, path: str = "/etc/cubejs/acme.env", **of_secret: Any) -> seen.Setting:
    """Return a setting from an environment file; value None is a secret, told by fingerprint= and problems=."""
    return seen.Setting(seen.Value(value, **of_secret), seen.ENVIRONMENT_FILE, path)


def instance(
    name: str = "cubejs-api@acme-1.service",
    kind: str = API,
    *,
    tenant: str = "acme",
    host: str = "one",
    version: str = "0.29.57",
    environment: Mapping[str, str | None] | None = None,
    **changes: Any,
) -> LiveInstance:
    """Return a healthy instance; environment: variables to set, or (None) to take out; changes: fields of Instance."""
    values: dict[str, str | None] = {
        **ENVIRONMENT,
        **({"CUBEJS_REFRESH_WORKER": "true"} if kind == REFRESH_WORKER else {}),
        **(environment or {}),
    }
    settings = {key: setting(value) for key, value in values.items() if value is not None}
    secrets = {
        key: setting(None, fingerprint=f"{tenant}-{key}") for key in SECRETS if (environment or {}).get(key, "") == ""
    }
    fields: dict[str, Any] = {
        "name": name,
        "running": True,
        "found_by": (seen.BY_UNIT, seen.BY_PROCESS),
        "manager": seen.SYSTEMD,
        "process": seen.Process(
            pid=100, parent=1, user=f"cube-{tenant}", uid=900, command=("node", "server.js"), script="server.js",
            directory=f"/srv/{tenant}", executable="/usr/bin/node", started_at=NOW - 3600, node_version="20.20.2",
            open_files_soft=65536, open_files_hard=65536, open_files=40, memory_bytes=110 << 20,
        ),
        "unit": seen.Unit(
            name=name, state="active", sub_state="running", enabled="enabled", user=f"cube-{tenant}", restart="always",
            restart_seconds=5.0, start_limit_interval_seconds=0.0, start_limit_burst=5, restarts=0,
            timeout_stop_seconds=20.0, open_files=65536,
        ),
        "packages": seen.Packages(
            directory=f"/srv/{tenant}/node_modules", version=version, versions={"@cubejs-backend/server": version},
            engines="^14.0.0 || ^16.0.0 || >=17.0.0", lockfiles=("package-lock.json",),
        ),
        "settings": {**settings, **secrets},
        "http": HttpSeen("/run/cubejs/acme/api.sock", "production", ANSWERS, same_process=True, settled_seconds=3.0),
        "journal": None,
        **changes,
    }  # fmt: skip
    return LiveInstance(tenant, kind, host, seen.Instance(**fields))


def host(name: str = "one", **changes: Any) -> seen.Observation:
    """Return what was seen on a host besides its instances; live() puts those in."""
    fields: dict[str, Any] = {
        "format": seen.FORMAT,
        "host": name,
        "machine": f"machine-{name}",
        "taken_at": NOW,
        "privileged": True,
        "memory_bytes": 8 << 30,
        **changes,
    }
    return seen.Observation(**fields)


def live(*instances: LiveInstance, hosts: tuple[seen.Observation, ...] = (), **changes: Any) -> Live:
    """Return what was seen: these instances (an API instance and a worker without any), on the hosts that they name."""
    present = instances or (instance(), instance("cubejs-worker@acme.service", REFRESH_WORKER))
    named = {each.host: each for each in hosts}
    found = {
        name: replace(
            named.get(name) or host(name), instances=tuple(each.seen for each in present if each.host == name)
        )
        for name in {*named, *(each.host for each in present)}
    }
    return Live(observations=found, instances=present, **changes)


def mysql(schema: str = "cube_acme", **changes: Any) -> MysqlSeen:
    """Return a healthy server of pre-aggregations, as an instance on its own host reaches it."""
    escaped = schema.replace("_", r"\_")
    fields: dict[str, Any] = {
        "asked": f"{schema}@127.0.0.1:3306/{schema}",
        "host": "127.0.0.1",
        "port": 3306,
        "user": schema,
        "database": schema,
        "reachable": True,
        "client": "pymysql",
        "identity": "server-one",
        "version": "10.11.6-MariaDB",
        "plugin": "mysql_native_password",
        "grants": (
            f"GRANT USAGE ON *.* TO `{schema}`@`127.0.0.1` IDENTIFIED BY PASSWORD '...'",
            f"GRANT SELECT, INSERT, CREATE, DROP, INDEX ON `{escaped}`.* TO `{schema}`@`127.0.0.1`",
        ),
        "variables": {
            "character_set_server": "utf8mb4", "expire_logs_days": "0.000000", "have_ssl": "YES",
            "innodb_buffer_pool_size": str(1 << 30), "log_bin": "OFF", "max_allowed_packet": str(128 << 20),
            "max_connections": "151", "max_heap_table_size": str(64 << 20), "sql_mode": "STRICT_TRANS_TABLES,ANSI",
            "tmp_table_size": str(64 << 20), "version": "10.11.6-MariaDB",
        },
        "status": {"Aborted_connects": "3", "Max_used_connections": "20", "Uptime": "86400"},
        "tables": {schema: tables(schema)},
        **changes,
    }  # fmt: skip
    return MysqlSeen(**fields)


def tables(schema: str = "cube_acme", **changes: Any) -> Tables:
    """Return what a healthy schema holds."""
    fields: dict[str, Any] = {
        "schema": schema, "count": 4, "cube": 4, "size_bytes": 1 << 20, "newest_at": NOW - 60,
        "oldest_at": NOW - 86400, "most_versions": 2, "longest_name": 44, **changes,
    }  # fmt: skip
    return Tables(**fields)


def storing(found: MysqlSeen | None = None, **changes: Any) -> Live:
    """Return an API instance on host "one" whose storage is this server, healthy unless given."""
    only = instance(storage="s", **changes)
    return live(only, hosts=(host(only.host, addresses=("192.0.2.1",), mysql={"s": found or mysql()}),))


SOCKET = "/run/cubejs/acme-1/cube.sock"
NAME = "cube.acme.example"


def certificate(**changes: Any) -> Certificate:
    """Return a certificate as it should be."""
    fields: dict[str, Any] = {
        "names": (NAME,), "not_before": NOW - 86400, "not_after": NOW + 90 * 86400, "issuer": "An authority",
        "subject": NAME, "self_signed": False, **changes,
    }  # fmt: skip
    return Certificate(**fields)


def proxy(**changes: Any) -> ProxySeen:
    """Return what a healthy proxy answers."""
    fields: dict[str, Any] = {
        "server_name": NAME, "address": NAME, "https_port": 443, "http_port": 80, "reachable": True,
        "redirect_status": 308, "redirect_to": f"https://{NAME}/cubejs-api/v1/meta", "http_answers_itself": False,
        "tls_version": "TLSv1.3", "old_tls": False, "trusted": True, "certificate": certificate(),
        "hsts": "max-age=63072000", "websocket_status": 404,
        "answers": {
            "root": Answer(404), "playground_context": Answer(404), "meta_without_token": Answer(403),
            "meta_unsigned_token": Answer(403),
        },
        **changes,
    }  # fmt: skip
    return ProxySeen(**fields)


def passing(**changes: Any) -> Passing:
    """Return a location of Nginx that passes requests on as it should."""
    headers = {"host": "$host", "x-forwarded-for": "$remote_addr", "x-forwarded-proto": "$scheme", "connection": ""}
    fields: dict[str, Any] = {
        "place": "/cubejs-api/", "upstreams": (f"unix:{SOCKET}",), "http_version": "1.1", "headers": headers,
        "body_size": "8m", "read_timeout": "120s", **changes,
    }  # fmt: skip
    return Passing(**fields)


def web_server(*passings: Passing, **changes: Any) -> WebServer:
    """Return a server of Nginx with TLS, as it should be; without passings it has the one above."""
    fields: dict[str, Any] = {
        "path": "/etc/nginx/sites/acme.conf", "names": (NAME,), "listens": ("443 ssl", "[::]:443 ssl"), "tls": True,
        "passings": passings or (passing(),), "certificate_path": "/etc/a.crt", "key_path": "/etc/a.key",
        "key_matches": True, "certificate": certificate(), "protocols": "TLSv1.2 TLSv1.3", **changes,
    }  # fmt: skip
    return WebServer(**fields)


def served(
    *servers: WebServer, proxies: tuple[ProxySeen, ...] = (), host_changes: Mapping[str, Any] | None = None, **of: Any
) -> Live:
    """Return an API instance on host "one" behind these; of: changes of the instance."""
    listeners = (seen.Listener("unix", path=SOCKET, mode="0770", owner="cube-acme", group="www-data"),)
    only = instance(**{"listeners": listeners, **of})
    there = host("one", addresses=("192.0.2.1",), web_servers=servers, proxies=proxies, **(host_changes or {}))
    return live(only, hosts=(there,))


class Seen:
    """The functions above, and what a rule says."""

    instance = staticmethod(instance)
    host = staticmethod(host)
    setting = staticmethod(setting)
    live = staticmethod(live)
    mysql = staticmethod(mysql)
    tables = staticmethod(tables)
    storing = staticmethod(storing)
    certificate = staticmethod(certificate)
    proxy = staticmethod(proxy)
    passing = staticmethod(passing)
    web_server = staticmethod(web_server)
    served = staticmethod(served)
    now = NOW

    @staticmethod
    def judge(rule: str, found: Live, plan: Fleet | None = None) -> list[Finding]:
        """Return the findings of one rule."""
        chosen = [each for each in RULES if each.id == rule]
        assert chosen, f"no rule is called {rule}"
        return judging.judge_hosts(replace(plan or Fleet(), live=found), chosen)

    def statuses(self, rule: str, *arguments: Any, **keys: Any) -> list[str]:
        """Return the statuses of a rule's findings, of what live() takes."""
        return [finding.status for finding in self.judge(rule, live(*arguments, **keys))]


@pytest.fixture
def seeing() -> Seen:
    """Return the functions that make live fleets."""
    return Seen()


@pytest.fixture
def verdicts(seeing: Seen) -> Callable[..., list[str]]:
    """Return a function from a rule's id, and what live() takes, to the statuses of its findings."""
    return seeing.statuses


def redis_seen(tenant: str = "acme", **changes: Any) -> RedisSeen:
    """Return a healthy Redis of a tenant's own, reached on the same host."""
    fields: dict[str, Any] = {
        "asked": "127.0.0.1:6401/0", "client": "node_redis", "host": "127.0.0.1", "port": 6401, "index": 0,
        "tls": False, "password_set": True, "reachable": True, "run_id": f"run-{tenant}", "product": "redis",
        "version": "7.0.15", "role": "master", "uptime_seconds": 7200, "cluster_enabled": False,
        "stranger_refused": True, "databases": 16, "maxclients": 1000, "connected_clients": 9, "blocked_clients": 0,
        "rejected_connections": 0, "used_memory_bytes": 1 << 20, "maxmemory_bytes": 64 << 20,
        "maxmemory_policy": "volatile-lru", "evicted_keys": 0, "db_keys": 20, "keys_command": "usable", "peers": (),
        "prefixes": ("STANDALONE",), "scanned_whole": True, **changes,
    }  # fmt: skip
    return RedisSeen(**fields)


class SeenRedis(Seen):
    """Fleets of instances with the Redis that each of them reaches."""

    redis = staticmethod(redis_seen)

    @staticmethod
    def process(
        name: str = "cubejs-api@acme-1.service", kind: str = API, *, redis: Any = "healthy", **changes: Any
    ) -> tuple[LiveInstance, RedisSeen | None]:
        """Return an instance (changes: as of instance()) and its Redis; None is one that nobody looked at."""
        fields = {
            "prefix": "STANDALONE", "connections": {"127.0.0.1:6401": 4}, "journal": Journal(24.0),
            "project": seen.Project("/srv/acme", "cube.js", schema_digest="schema"), **changes,
        }  # fmt: skip
        look = redis_seen(changes.get("tenant", "acme")) if redis == "healthy" else redis
        return instance(name, kind, **fields), look

    @staticmethod
    def reach(
        *pairs: tuple[LiveInstance, RedisSeen | None], hosts: Mapping[str, Any] | None = None, **changes: Any
    ) -> Live:
        """Return what was seen of processes; hosts: name -> fields of its observation."""
        logins: dict[str, dict[str, RedisSeen]] = {}
        instances = []
        for number, (each, look) in enumerate(pairs):
            key = f"login-{number}" if look else ""
            if look:
                logins.setdefault(each.host, {})[key] = look
            instances.append(replace(each, seen=replace(each.seen, redis=key)))
        names = {each.host for each in instances} | set(hosts or {})
        listening = (seen.Listener("tcp", "127.0.0.1", 6401),)
        observed = tuple(
            host(name, **{"redis": logins.get(name, {}), "listening": listening, **(hosts or {}).get(name, {})})
            for name in sorted(names)
        )
        return live(*instances, hosts=observed, **changes)

    def said(self, rule: str, *pairs: Any, plan: Fleet | None = None, **keys: Any) -> list[tuple[str, str]]:
        """Return status and severity of a rule's findings, of what reach() takes."""
        found = self.judge(rule, self.reach(*pairs, **keys), plan)
        return [(finding.status, finding.severity) for finding in found]


@pytest.fixture
def redises() -> SeenRedis:
    """Return the functions that make live fleets with Redis."""
    return SeenRedis()
