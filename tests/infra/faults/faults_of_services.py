"""Faults of what Cube.js processes use: Redis, MySQL, the firewall before them, and a host of its own."""

from __future__ import annotations

import shlex
from dataclasses import replace

from fault import (
    GLOBEX_API,
    GLOBEX_WORKER,
    Fault,
    all_of,
    as_before,
    as_user,
    by_settings,
    on_mysql,
    on_redis,
    redis,
)


def _sql(statements: str) -> str:
    return f"mariadb -NB -D mysql -e {shlex.quote(statements)}"


def _of_large(verb: str) -> str:
    """Return a command that does something with the large table, whose name ends with when it was made."""
    found = f"SELECT CONCAT('{verb} TABLE cube_acme.', table_name) FROM information_schema.tables "
    return _sql(f"{found} WHERE table_name LIKE 'orders_large_%'") + " | mariadb"


def _unfiltered(what: str, rule: str, whom: str, host: str) -> Fault:
    return Fault(what, (rule,), whom, host, "nft delete table inet cubeops", "systemctl reload cubejs-firewall.service")


FIREWALL = (
    _unfiltered("No firewall before the instances of a host", "cube-port-exposed", "acme", "back"),
    _unfiltered("No firewall before a Redis that other hosts use", "redis-port-exposed", "acme", "front"),
    _unfiltered("No firewall before MySQL", "mysql-port-exposed", "db", "db"),
)

EVICTS = on_redis(
    "Redis may drop what does not expire",
    ("redis-eviction-policy",),
    ("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"),
    ("CONFIG", "SET", "maxmemory-policy", "volatile-lru"),
    "acme",
)
NO_PASSWORD = (
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
)
UNBOUNDED = Fault(
    "Redis without a limit of memory, that listens on every address",
    ("redis-maxmemory", "redis-listens-privately"),
    "acme",
    "front",
    all_of(redis("acme", "CONFIG", "SET", "maxmemory", "0"), redis("acme", "CONFIG", "SET", "bind", "*")),
    all_of(as_before("maxmemory", "acme"), as_before("bind", "acme")),
)
_QUEUE, _RESULT = "SQL_PRE_AGGREGATIONS_faults", f"SQL_QUERY_RESULT_OTHER_{'0f' * 16}"
STRANGERS_KEYS = Fault(
    "A queue of 999 queries without a sign of life",
    ("redis-queue-moves", "redis-queue-times-tenants", "refresh-worker-alive"),
    "globex",
    "front",
    all_of(
        f"""seq 999 | sed 's/.*/ZADD {_QUEUE}_QUEUE & &/' | {redis("globex")} >/dev/null""",
        redis("globex", "ZADD", f"{_QUEUE}_HEART_BEAT", "1600000000000", "1"),
    ),
    redis("globex", "DEL", f"{_QUEUE}_QUEUE", f"{_QUEUE}_HEART_BEAT"),
)
OTHER_DEPLOYMENT = on_redis(
    "Keys of a deployment that nobody looked at",
    ("redis-other-deployments",),
    ("SET", _RESULT, "1"),
    ("DEL", _RESULT),
    "acme",
)

FOREIGN_TABLE = on_mysql(
    "A foreign table in the schema",
    ("storage-foreign-tables",),
    "CREATE TABLE cube_acme.notes (id INT)",
    "DROP TABLE cube_acme.notes",
    "acme",
)
OTHER_GRANTS = on_mysql(
    "The storage's user may read other schemas",
    ("storage-grants-minimal",),
    as_user("GRANT SELECT ON shop.* TO ", "cube_globex"),
    as_user("REVOKE SELECT ON shop.* FROM ", "cube_globex"),
    "globex",
)
# The last part of a table's name is when it was made, in base 32: here a day of 2014.
_OLD_TABLE = "cube_acme.orders_with_a_rollup_of_a_long_name_aaaaaaaa_bbbbbbbb_1a00000"
OLD_TABLE = on_mysql(
    "A table of ten years ago, with a long name",
    ("storage-orphans", "storage-name-length"),
    f"CREATE TABLE {_OLD_TABLE} (id INT)",
    f"DROP TABLE {_OLD_TABLE}",
    "acme",
)
NOT_BUILT = Fault(
    "The pre-aggregations are gone",
    ("pre-aggregations-fresh",),
    "globex",
    "db",
    all_of(
        "mariadb -e 'CREATE DATABASE kept'",
        'for t in $(mariadb -NBe "SHOW TABLES IN cube_globex"); do '
        'mariadb -e "RENAME TABLE cube_globex.$t TO kept.$t"; done',
    ),
    all_of(
        'for t in $(mariadb -NBe "SHOW TABLES IN kept"); do mariadb -e "RENAME TABLE kept.$t TO cube_globex.$t"; done',
        "mariadb -e 'DROP DATABASE kept'",
    ),
)
LOCKED = replace(
    on_mysql(
        "MySQL does not let the storage's user in",
        ("storage-reachable", "health-endpoints"),
        as_user("ALTER USER @ ACCOUNT LOCK", "cube_globex"),
        as_user("ALTER USER @ ACCOUNT UNLOCK", "cube_globex"),
        "globex",
    ),
    # How much its schema holds.
    unknown=(("storage-buffer-pool", "db"),),
)
_SETTINGS = {
    "character_set_server": "latin1",
    "innodb_buffer_pool_size": "5242880",
    "max_allowed_packet": "16777216",
    "max_connections": "40",
    "sql_mode": "''",
    "tmp_table_size": "1048576",
}
_BEFORE = "/run/faults/mysql.sql"
_LARGE = "cube_acme.orders_large_aaaaaaaa_bbbbbbbb"
BAD_SERVER = Fault(
    "MySQL with settings of another purpose",
    (
        *("storage-sql-mode", "storage-character-set", "storage-packet-size", "storage-temporary-tables"),
        *("storage-buffer-pool", "storage-max-connections"),
    ),
    "db",
    "db",
    all_of(
        "mkdir -p /run/faults",
        _sql(
            "SELECT CONCAT('SET GLOBAL ', variable_name, ' = ', "
            "IF(variable_value REGEXP '^[0-9]+$', variable_value, QUOTE(variable_value)), ';') "
            "FROM information_schema.global_variables WHERE variable_name IN "
            f"({', '.join(repr(name) for name in (*_SETTINGS, 'collation_server'))}) ORDER BY variable_name"
        )
        + f" >{_BEFORE}",
        _sql("; ".join(f"SET GLOBAL {name} = {value}" for name, value in _SETTINGS.items())),
        _sql(
            f"EXECUTE IMMEDIATE CONCAT('CREATE TABLE {_LARGE}_', LOWER(CONV(UNIX_TIMESTAMP(), 10, 32)), "
            "' AS SELECT seq AS id, REPEAT(0, 1000) AS text FROM seq_1_to_9000')"
        ),
        _of_large("ANALYZE"),
    ),
    all_of(_of_large("DROP"), f"mariadb <{_BEFORE}"),
)
_LOGGED = "/etc/mysql/mariadb.conf.d/99-fault.cnf"
BINARY_LOG = Fault(
    "A binary log that never expires",
    ("storage-binary-log",),
    "db",
    "db",
    all_of(
        f"printf '%s\\n' '[mysqld]' 'log_bin = /var/lib/mysql/fault' 'expire_logs_days = 0' >{_LOGGED}",
        "systemctl restart mariadb",
    ),
    all_of(f"rm {_LOGGED}", "systemctl restart mariadb", "rm -f /var/lib/mysql/fault.*"),
)
CROWDED = Fault(
    "A client that takes most connections of MySQL, and one that does not get in",
    ("storage-connections-used", "storage-aborted-connects"),
    "db",
    "db",
    all_of(
        "(for i in $(seq 33); do mariadb -e 'SELECT SLEEP(2)' >/dev/null & done; wait)",
        "(for i in $(seq 110); do mariadb -h 127.0.0.1 -u nobody -pwrong -e '' 2>/dev/null; done; true)",
    ),
    "mariadb -e 'FLUSH STATUS'",
)

# Any host may have more of these.
_ACROSS_TENANTS = (
    *("redis-shared-by-tenants", "redis-locks-shared", "redis-maxclients", "redis-queue-times-tenants"),
    *("storage-schema-shared", "secret-shared-by-tenants"),
)
NO_PYTHON = Fault(
    "A host that cannot be looked at: it has no Python any more",
    (),
    "outside",
    "outside",
    "mv /usr/bin/python3.11 /usr/bin/python3.11.kept",
    "mv /usr/bin/python3.11.kept /usr/bin/python3.11",
    unknown=(
        ("host-looked-at", "outside"),
        *((rule, "db") for rule in ("mysql-port-exposed", "storage-max-connections")),
        *((rule, tenant) for rule in _ACROSS_TENANTS for tenant in ("acme", "globex")),
    ),
)
