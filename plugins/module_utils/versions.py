# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is known of Cube.js, Node, Redis and MySQL by version: ranges as data, one function a question."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Problem

SUPPORTED = ">=0.19,<0.36"
DEFAULT = "0.29.57"
MYSQL_AUTH_PLUGIN = "mysql_native_password"

_VERSION = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})")
_BOUND = re.compile(r"(>=|<=|>|<)(\d+)(?:\.(\d+))?(?:\.(\d+))?")
_COMPARE: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
}


class VersionError(ValueError):
    """A text that is no full version."""


class Version(NamedTuple):
    """A full version: three numbers that compare as numbers."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@cache
def _parse_text(text: str) -> Version | None:
    match = _VERSION.fullmatch(text)
    return Version(*(int(part) for part in match.groups())) if match else None


def parse(value: object) -> Version:
    """Return the version written as three numbers, "0.29.57"; raise VersionError otherwise.

    A float is refused: YAML reads 0.30 as 0.3, and 0.29 names no release that could be installed.
    """
    if not isinstance(value, str):
        raise VersionError(f"{value!r} is a {type(value).__name__}, not a version")
    version = _parse_text(value)
    if version is None:
        raise VersionError(f"{value!r} is no full version")
    return version


@cache
def _bounds(spec: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    bounds = []
    for part in filter(None, spec.split(",")):
        match = _BOUND.fullmatch(part)
        if match is None:
            raise VersionError(f"{part!r} is no bound such as >=0.27.1")
        bounds.append((match[1], tuple(int(number or 0) for number in match.groups()[1:])))
    return tuple(bounds)


@cache
def within(version: str, spec: str) -> bool:
    """Say whether a version lies in a range such as ">=0.27.1,<0.36"; "" holds every version."""
    parsed = parse(version)
    return all(_COMPARE[operator](parsed, bound) for operator, bound in _bounds(spec))


def problem(value: object) -> Problem | None:
    """Say why this version of Cube.js cannot be deployed, and what to do; None when it can."""
    try:
        version = parse(value)
    except VersionError as exc:
        return Problem(str(exc), f'Write three numbers in quotes, "{DEFAULT}"')
    if within(str(version), SUPPORTED):
        return None
    if version >= (0, 36):
        return Problem(
            f"Cube {version} has neither Redis (removed in 0.36) nor a supported MySQL pre-aggregation storage",
            "Stay on 0.35 or older, or move to Cube Store, which this collection does not deploy",
        )
    return Problem(f"Cube {version} is older than 0.19, the first line whose settings are known", "Use 0.19 to 0.35")


@dataclass(frozen=True)
class NodeEngine:
    """The Node majors that a line of Cube accepts, from the `engines` of its package.json."""

    cube: str
    minimum: str
    refused: tuple[int, ...] = ()


NODE_ENGINES = (
    NodeEngine(">=0.19,<0.26", "8.11.1"),
    NodeEngine(">=0.26,<0.29", "10.8.0"),
    NodeEngine(">=0.29,<0.32", "12.0.0", refused=(13, 15)),
    NodeEngine(">=0.32,<0.36", "14.0.0", refused=(15,)),
)


def node_problem(version: str, node: str) -> str | None:
    """Say why a Node.js version cannot run this version of Cube; None when it can."""
    engine = next(row for row in NODE_ENGINES if within(version, row.cube))
    found = parse(node.lstrip("v"))
    if found >= parse(engine.minimum) and found.major not in engine.refused:
        return None
    but = f", but none of {', '.join(map(str, engine.refused))}" if engine.refused else ""
    return f"Cube {version} needs Node {engine.minimum} or newer{but}; {found} was found"


@dataclass(frozen=True)
class Start:
    """How a version starts in production.

    command: arguments for `node`, relative to the project's directory; node_modules lies beside it.
    own_index: an index.js creates the server and lets it listen; the project's own where it has one.
    """

    command: tuple[str, ...]
    own_index: bool


def start(version: str) -> Start:
    """Return how this version is started.

    Up to 0.21.1 the package has no `server` command; its first packages with the `cubejs-server`
    program that were read are 0.23. The project's own index.js works in all of 0.22 too.
    """
    if within(version, "<0.23"):
        return Start(("../index.js",), own_index=True)
    # The link that npm makes: the program itself has had two names, bin/server.js and bin/server.
    return Start(("../node_modules/.bin/cubejs-server", "server"), own_index=False)


_DRIVERS = {
    "postgres": "postgres-driver",
    "mysql": "mysql-driver",
    "mysqlauroraserverless": "mysql-aurora-serverless-driver",
    "mssql": "mssql-driver",
    "athena": "athena-driver",
    "jdbc": "jdbc-driver",
    "mongobi": "mongobi-driver",
    "bigquery": "bigquery-driver",
    "redshift": "redshift-driver",
    "clickhouse": "clickhouse-driver",
    "hive": "hive-driver",
    "snowflake": "snowflake-driver",
    "prestodb": "prestodb-driver",
    "trino": "trino-driver",
    "oracle": "oracle-driver",
    "sqlite": "sqlite-driver",
    "elasticsearch": "elasticsearch-driver",
    "awselasticsearch": "elasticsearch-driver",
    "dremio": "dremio-driver",
    "druid": "druid-driver",
    "ksql": "ksql-driver",
    "materialize": "materialize-driver",
    "questdb": "questdb-driver",
    "crate": "crate-driver",
    "firebolt": "firebolt-driver",
    "duckdb": "duckdb-driver",
    "databricks-jdbc": "databricks-jdbc-driver",
}
# Databases that are reached by host, name and user; the others have variables of their own.
DATABASES_WITH_HOST = ("postgres", "mysql", "mssql", "redshift", "mongobi")


def driver_package(database: str) -> str | None:
    """Return the npm package that speaks to a kind of database; None for a kind that Cube does not know."""
    driver = _DRIVERS.get(database)
    return f"@cubejs-backend/{driver}" if driver else None


def database_types() -> tuple[str, ...]:
    """Return the kinds of database that have a driver."""
    return tuple(_DRIVERS)


def has_health_endpoints(version: str) -> bool:
    """Say whether /readyz and /livez answer (CHANGELOG of 0.24.12; 404 before)."""
    return within(version, ">=0.24.12")


def stops_gracefully(version: str) -> bool:
    """Say whether SIGTERM lets running requests end, given the setting (CHANGELOG of 0.25.15)."""
    return within(version, ">=0.25.15")


def needs_install_scripts(version: str) -> bool:
    """Say whether the packages' install scripts must run.

    They fetch the native addon, without which 0.35.81 does not start; 0.32.9 was seen to start
    without it. 0.33 and 0.34 were not tried and are held to need it.
    """
    return within(version, ">=0.33")


def pins_antlr4(version: str) -> bool:
    """Say whether antlr4 must be pinned to 4.8.0: these ask for ^4.8.0, and 4.9 breaks their import."""
    return within(version, "<0.25")


# Up to 0.27.34 the MySQL driver stages a build in the source, in a table of the same schema and name
# as the one it then creates in the storage: ER_TABLE_EXISTS_ERROR, seen on 0.20.10, and on 0.27.53 with
# the driver 0.27.33 that its range allows.
STAGES_IN_SOURCE = "<0.27.35"
MAY_STAGE_IN_SOURCE = ">=0.27.35,<0.28"


def mysql_server_problem(version: str) -> Problem | None:
    """Say why Cube cannot log in to this MySQL or MariaDB server ("8.0.36", "10.11.6-MariaDB"); None when it can.

    Cube's driver speaks only mysql_native_password, which Oracle removed in MySQL 9.0. The suffix
    or the major (10 and up) tells MariaDB, which keeps it.
    """
    match = re.match(r"(\d+)\.", version)
    if match is None:
        return Problem(f"{version!r} is no version of a MySQL server", "Look at what the server reports")
    if "mariadb" in version.lower() or int(match[1]) != 9:
        return None
    return Problem(
        f"MySQL {version} has no {MYSQL_AUTH_PLUGIN} (removed in 9.0), the only login that Cube's MySQL driver speaks",
        "Use MariaDB, or MySQL 8.0 or 8.4",
    )


_REDIS_SERVERS = {"redis": ((6, 0), (9, 0)), "valkey": ((8, 0), (9, 0))}


def redis_server_problem(product: str, version: str) -> Problem | None:
    """Say why a Redis or Valkey server ("redis", "7.0.15") is not one that is supported; None when it is."""
    match = re.match(r"(\d{1,6})\.(\d{1,6})", version)
    remedy = "Use Redis 6.0 to 8, or Valkey 8"
    if product not in _REDIS_SERVERS or match is None:
        return Problem(f"{product} {version} is no server that is known", remedy)
    first, beyond = _REDIS_SERVERS[product]
    found = (int(match[1]), int(match[2]))
    if found < first and product == "redis":
        return Problem(f"{product} {version} is no longer repaired by anybody", remedy)
    if not first <= found < beyond:
        return Problem(f"{product} {version} was never tried with Cube", remedy)
    return None


PREFIX = "STANDALONE"


def redis_prefix(version: str, app: str | None, data_source: str = "default") -> str | None:
    """Return what a deployment's Redis keys begin with, unless its project decides; None where that is not known.

    Up to 0.23 it is CUBEJS_APP and the data source, from 0.25 to 0.28 CUBEJS_APP, in 0.29.57 and 0.31 to 0.35 the
    constant (packages read: core 0.19.61 to 0.35.81). Of 0.24, and of 0.29 before 0.29.57, no package was read.
    """
    if within(version, "<0.24"):
        return f"{app or PREFIX}_{data_source}"
    if within(version, ">=0.25,<0.29"):
        return app or PREFIX
    if within(version, "<0.25"):
        return None
    return PREFIX if not app or within(version, ">=0.29.57") else None
