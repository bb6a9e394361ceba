# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one table of Cube.js' environment, 0.19 to 0.35.

Sources: the published packages as they were read, their changelogs, and probes that were run. Where the first release
that reads a variable is not known, it is the first in which it was found.
"""

from __future__ import annotations

from ansible_collections.cubeops.cubejs.plugins.module_utils.settings import NEVER, Setting

_OPEN_TLS = "TLS ends in the proxy; from 0.26 Cube throws when it is set"
_SOCKET_LEAK = (
    "the connection to the pre-aggregation storage inherits it and prefers it to the storage's host; "
    "give the source database by host and port"
)

PROCESS = (
    Setting("node_env", "NODE_ENV", "Production mode; any other text opens the Playground and drops authentication."),
    Setting("port", "PORT", "TCP port, on every interface, or the path of a Unix socket."),
    Setting("node_options", "NODE_OPTIONS", "Options of Node.js: the size of the heap."),
    Setting("extra_ca_certificates", "NODE_EXTRA_CA_CERTS", "File with private CAs that Node trusts besides its own."),
    Setting("telemetry", "CUBEJS_TELEMETRY", "Reports to the vendor; strict true or false from 0.26.", type="bool"),
    Setting("log_level", "CUBEJS_LOG_LEVEL", "trace, info, warn or error; any other text silences the log."),
    Setting("web_sockets", "CUBEJS_WEB_SOCKETS", "Serve WebSockets on the same port.", type="bool"),
    Setting(
        "graceful_shutdown_seconds",
        "CUBEJS_GRACEFUL_SHUTDOWN",
        "Seconds that running requests have after SIGTERM; unset, the process exits at once.",
        type="int",
        read=">=0.25.15",
        write=">=0.25.15",
    ),
    Setting(
        "api_secret",
        "CUBEJS_API_SECRET",
        "Key of the HS256 tokens; empty but set, unsigned tokens are accepted.",
        secret=True,
    ),
    Setting(
        "dev_mode",
        "CUBEJS_DEV_MODE",
        "Overrides NODE_ENV.",
        type="bool",
        read=">=0.23.12",
        write=NEVER,
        refused="it turns production mode off, whatever NODE_ENV says",
    ),
    Setting(
        "tls", "CUBEJS_ENABLE_TLS", "Own TLS listener of old releases.", type="bool", write=NEVER, refused=_OPEN_TLS
    ),
    Setting(
        "tls_port",
        "TLS_PORT",
        "Port of the own TLS listener.",
        type="int",
        read="<0.26",
        write=NEVER,
        refused=_OPEN_TLS,
    ),
)

DATABASE = (
    Setting("database_type", "CUBEJS_DB_TYPE", "Kind of the source database; chooses the driver."),
    Setting("database_host", "CUBEJS_DB_HOST", "Host of the source database."),
    Setting("database_port", "CUBEJS_DB_PORT", "Port of the source database.", type="int"),
    Setting("database_name", "CUBEJS_DB_NAME", "Database or schema of the source."),
    Setting("database_user", "CUBEJS_DB_USER", "User at the source database."),
    Setting("database_password", "CUBEJS_DB_PASS", "Password at the source database.", secret=True),
    Setting("database_ssl", "CUBEJS_DB_SSL", "TLS to the source, and to the storage alike: both read it.", type="bool"),
    Setting(
        "database_ssl_reject_unauthorized",
        "CUBEJS_DB_SSL_REJECT_UNAUTHORIZED",
        "Verify the certificate; false unless it is set.",
        type="bool",
    ),
    Setting(
        "database_pool_max",
        "CUBEJS_DB_MAX_POOL",
        "Connections of each pool, source and storage alike; 8 unless it is set.",
        type="int",
        read=">=0.18.10",
    ),
    Setting(
        "database_socket", "CUBEJS_DB_SOCKET_PATH", "Unix socket of a MySQL source.", write=NEVER, refused=_SOCKET_LEAK
    ),
    Setting(
        "database_query_timeout",
        "CUBEJS_DB_QUERY_TIMEOUT",
        "Longest query: seconds, or 10m, 1h.",
        read=">=0.29.15",
        write=NEVER,
    ),
    Setting(
        "concurrency",
        "CUBEJS_CONCURRENCY",
        "Queries run at once for each data source.",
        type="int",
        read=">=0.30.30",
        write=NEVER,
    ),
)

REDIS = (
    Setting("redis_url", "REDIS_URL", "Redis that holds cache and queue.", write="<0.27", precedence=2, secret=True),
    Setting(
        "redis_url", "CUBEJS_REDIS_URL", "Redis that holds cache and queue.", read=">=0.27", write=">=0.27", secret=True
    ),
    Setting(
        "redis_password",
        "REDIS_PASSWORD",
        "Password of Redis, as it is (not URL-encoded).",
        write="<0.27.1",
        precedence=2,
        secret=True,
    ),
    Setting(
        "redis_password",
        "CUBEJS_REDIS_PASSWORD",
        "Password of Redis, as it is (not URL-encoded).",
        read=">=0.27.1",
        write=">=0.27.1",
        secret=True,
    ),
    Setting(
        "redis_tls", "REDIS_TLS", "TLS to Redis, verified against Node's CAs.", type="bool", write="<0.27", precedence=2
    ),
    Setting(
        "redis_tls",
        "CUBEJS_REDIS_TLS",
        "TLS to Redis, verified against Node's CAs.",
        type="bool",
        read=">=0.27",
        write=">=0.27",
    ),
    Setting("redis_pool_min", "CUBEJS_REDIS_POOL_MIN", "Idle connections kept in each pool.", type="int"),
    Setting(
        "redis_pool_max",
        "CUBEJS_REDIS_POOL_MAX",
        "Most connections of each pool; 0 is a connection on demand.",
        type="int",
    ),
    Setting(
        "redis_use_ioredis",
        "CUBEJS_REDIS_USE_IOREDIS",
        "Use ioredis, which Sentinel needs.",
        type="bool",
        read=">=0.26.7",
        write=">=0.26.7",
    ),
    Setting(
        "redis_acquire_timeout",
        "CUBEJS_REDIS_ACQUIRE_TIMEOUT",
        "Milliseconds to wait for a pooled connection.",
        type="int",
        read=">=0.31.67",
        write=NEVER,
    ),
    Setting(
        "cache_and_queue_driver",
        "CUBEJS_CACHE_AND_QUEUE_DRIVER",
        "redis or memory; unset in production means Cube Store from 0.32.",
    ),
    Setting(
        "queue_events_bus",
        "CUBEJS_PRE_AGGREGATIONS_QUEUE_EVENTS_BUS",
        "One more connection, on a channel that all deployments of a Redis server share.",
        type="bool",
        read=">=0.27.33",
        write=NEVER,
    ),
)

STORAGE = (
    Setting(
        "storage_type",
        "CUBEJS_EXT_DB_TYPE",
        "Kind of the pre-aggregation storage; without it the other names select Cube Store from 0.27.5.",
        read=">=0.19.43",
        write=">=0.19.43",
    ),
    Setting("storage_host", "CUBEJS_EXT_DB_HOST", "Host of the storage.", read=">=0.19.43", write=">=0.19.43"),
    Setting(
        "storage_port", "CUBEJS_EXT_DB_PORT", "Port of the storage.", type="int", read=">=0.19.43", write=">=0.19.43"
    ),
    Setting(
        "storage_name", "CUBEJS_EXT_DB_NAME", "Schema that must exist at login.", read=">=0.19.43", write=">=0.19.43"
    ),
    Setting("storage_user", "CUBEJS_EXT_DB_USER", "User at the storage.", read=">=0.19.43", write=">=0.19.43"),
    Setting(
        "storage_password",
        "CUBEJS_EXT_DB_PASS",
        "Password at the storage.",
        read=">=0.19.43",
        write=">=0.19.43",
        secret=True,
    ),
    Setting(
        "storage_url",
        "CUBEJS_EXT_DB_URL",
        "Address of the storage as a URL.",
        read=">=0.27.5",
        write=NEVER,
        refused="the MySQL driver ignores it",
    ),
    Setting(
        "pre_aggregations_schema",
        "CUBEJS_PRE_AGGREGATIONS_SCHEMA",
        "Schema that holds the pre-aggregations, and nothing else: Cube drops what it does not know.",
        read=">=0.25.4",
        write=">=0.25.4",
    ),
)

REFRESH = (
    Setting(
        "refresh_worker",
        "CUBEJS_SCHEDULED_REFRESH_TIMER",
        "Makes a process the refresh worker. Up to 0.23 any text does, false included: left out on API instances.",
        type="bool",
        read=">=0.19.40",
        write=">=0.19.40,<0.27.46",
        precedence=3,
        true_only=True,
    ),
    Setting(
        "refresh_worker",
        "CUBEJS_SCHEDULED_REFRESH",
        "The same; beats the timer.",
        type="bool",
        read=">=0.25.15",
        write=NEVER,
        precedence=2,
        refused="it contradicts the flag that the role sets",
    ),
    Setting(
        "refresh_worker",
        "CUBEJS_REFRESH_WORKER",
        "Makes a process the refresh worker; beats the older names.",
        type="bool",
        read=">=0.27.45",
        write=">=0.27.46",
    ),
    Setting(
        "pre_aggregations_builder",
        "CUBEJS_PRE_AGGREGATIONS_BUILDER",
        "Lets an API instance build, which it otherwise does not do from 0.30.34 on.",
        type="bool",
        read=">=0.30.34",
        write=">=0.30.34",
        true_only=True,
    ),
    Setting(
        "time_zones",
        "CUBEJS_SCHEDULED_REFRESH_TIMEZONES",
        "Every time zone that queries name; others find no pre-aggregation.",
        type="csv",
        read=">=0.19.42",
        write=">=0.19.42",
    ),
    Setting(
        "rollup_only",
        "CUBEJS_ROLLUP_ONLY",
        "Answer from pre-aggregations only.",
        type="bool",
        read=">=0.27.45",
        write=NEVER,
    ),
    Setting(
        "scheduled_refresh_concurrency",
        "CUBEJS_SCHEDULED_REFRESH_CONCURRENCY",
        "Refreshes at once.",
        type="int",
        read=">=0.25.2",
        write=NEVER,
    ),
    Setting(
        "scheduled_refresh_batch_size",
        "CUBEJS_SCHEDULED_REFRESH_BATCH_SIZE",
        "Refreshes in a batch.",
        type="int",
        read=">=0.31.67",
        write=NEVER,
    ),
    Setting(
        "external_default",
        "CUBEJS_EXTERNAL_DEFAULT",
        "Whether a pre-aggregation that does not say is external; false up to 0.29, true from 0.30.",
        type="bool",
        read=">=0.27",
        write=NEVER,
    ),
    Setting(
        "scheduled_refresh_default",
        "CUBEJS_SCHEDULED_REFRESH_DEFAULT",
        "Whether a pre-aggregation that does not say is refreshed on schedule; false up to 0.29.",
        type="bool",
        read=">=0.27",
        write=NEVER,
    ),
    Setting(
        "drop_without_touch",
        "CUBEJS_DROP_PRE_AGG_WITHOUT_TOUCH",
        "Another cleanup of orphans.",
        type="bool",
        read=">=0.31",
        write=NEVER,
    ),
    Setting("touch_timeout", "CUBEJS_TOUCH_PRE_AGG_TIMEOUT", "Its period.", read=">=0.31", write=NEVER),
)

ACCESS = (
    Setting("jwk_url", "CUBEJS_JWK_URL", "Where keys for JWTs are fetched.", read=">=0.26", write=NEVER),
    Setting(
        "jwt_key",
        "CUBEJS_JWT_KEY",
        "Beats the API secret when tokens are verified.",
        read=">=0.26",
        write=NEVER,
        secret=True,
    ),
    Setting("jwt_algorithms", "CUBEJS_JWT_ALGS", "Algorithms allowed in JWTs.", read=">=0.26", write=NEVER),
    Setting("jwt_audience", "CUBEJS_JWT_AUDIENCE", "Audience that a JWT must name.", read=">=0.26", write=NEVER),
    Setting("jwt_issuer", "CUBEJS_JWT_ISSUER", "Issuer that a JWT must name.", read=">=0.26", write=NEVER),
    Setting("jwt_subject", "CUBEJS_JWT_SUBJECT", "Subject that a JWT must name.", read=">=0.26", write=NEVER),
    Setting(
        "jwt_claims_namespace",
        "CUBEJS_JWT_CLAIMS_NAMESPACE",
        "Where a JWT carries the claims.",
        read=">=0.26",
        write=NEVER,
    ),
    Setting(
        "playground_auth_secret",
        "CUBEJS_PLAYGROUND_AUTH_SECRET",
        "Opens /cubejs-system/v1 and is a second key for the data API.",
        read=">=0.26",
        write=NEVER,
        secret=True,
    ),
    Setting(
        "default_api_scopes", "CUBEJS_DEFAULT_API_SCOPES", "REST scopes of every token.", read=">=0.32.30", write=NEVER
    ),
    Setting(
        "sql_port", "CUBEJS_SQL_PORT", "SQL API over the MySQL protocol.", type="int", read=">=0.28,<0.35", write=NEVER
    ),
    Setting(
        "pg_sql_port",
        "CUBEJS_PG_SQL_PORT",
        "SQL API over the PostgreSQL protocol, on every interface.",
        type="int",
        read=">=0.30.1",
        write=NEVER,
    ),
    Setting("sql_user", "CUBEJS_SQL_USER", "User of the SQL API.", read=">=0.28", write=NEVER),
    Setting(
        "sql_password",
        "CUBEJS_SQL_PASSWORD",
        "Password of the SQL API; random and logged when unset.",
        read=">=0.28",
        write=NEVER,
        secret=True,
    ),
    Setting("schema_path", "CUBEJS_SCHEMA_PATH", "Folder of the data schema in the project.", write=NEVER),
    Setting("app", "CUBEJS_APP", "Prefix of Redis keys, up to 0.28 only.", read="<0.29", write=NEVER),
    Setting(
        "agent_endpoint",
        "CUBEJS_AGENT_ENDPOINT_URL",
        "Receives every log message, SQL included.",
        read=">=0.20",
        write=NEVER,
    ),
)

TABLE: tuple[Setting, ...] = PROCESS + DATABASE + REDIS + STORAGE + REFRESH + ACCESS
