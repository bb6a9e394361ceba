# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on the schema that holds a tenant's pre-aggregations: what may be done there, and what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import live_storage, mysql_grants
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import CRITICAL, INFO, STATUSES, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.live_storage import Schema
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import MysqlSeen
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import storage_findings, verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.verdicts import DAY, Verdict
from ansible_collections.cubeops.cubejs.plugins.module_utils.servers import PRIVILEGES

# A structure's tables are kept this long after it changed (PreAggregations.js, structureVersionPersistTime).
KEPT_DAYS = 30
# Cube drops what is replaced after the next build, once nobody has read it for some minutes.
LEFT_DAYS = 1
# MySQL takes 64 characters; a date or an index makes names longer than those that are there today.
LONGEST_NAME = 60


class StorageHoldsOnlyCube(Rule):
    """After each build Cube drops every table of the schema that it does not know: whatever else is there is lost."""

    id = "storage-foreign-tables"
    title = "The schema holds Cube's tables only"
    severity = CRITICAL
    source = "Source of @cubejs-backend/query-orchestrator 0.29.51 (PreAggregations.js, dropOrphanedTables)"
    remedy = "Move the other tables to a schema of their own now, or give Cube another schema"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each schema whether there are others' tables in it."""
        yield from storage_findings.of_schemas(self, fleet, live, _is_cubes)


class StorageGrantsSufficient(Rule):
    """A build creates, fills, indexes and at last drops tables; a privilege that is missing shows with the first."""

    id = "storage-grants-sufficient"
    title = "The storage's user may select, insert, create, drop and index in its schema"
    sentences = ("mysql-storage",)
    source = "Source of @cubejs-backend/mysql-driver 0.29.33"
    remedy = "GRANT SELECT, INSERT, CREATE, DROP, INDEX on the schema, with each _ of its name escaped"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each schema what its users lack."""
        yield from storage_findings.of_schemas(self, fleet, live, lambda each: _of_grants(each, _suffices))


class StorageGrantsMinimal(Rule):
    """What the storage's user may do elsewhere, whoever gets at the process may do there.

    An underscore in a grant stands for any character: a grant on cube_a is one on cubexa, too, unless it is escaped.
    """

    id = "storage-grants-minimal"
    title = "The storage's user has privileges on its own schema only"
    severity = WARNING
    source = "MySQL Reference Manual: GRANT Statement"
    remedy = "REVOKE the others, and GRANT on the schema alone, with each _ of its name escaped"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each schema what its users may do beyond it."""
        yield from storage_findings.of_schemas(self, fleet, live, lambda each: _of_grants(each, _is_minimal))


class StorageOrphans(Rule):
    """Cube keeps the newest table of every name for ever, those of removed cubes too, and others for 30 days."""

    id = "storage-orphans"
    title = "The schema does not fill up with tables that nobody reads any more"
    severity = INFO
    source = "Source of @cubejs-backend/query-orchestrator 0.29.51 (PreAggregations.js, dropOrphanedTables)"
    remedy = "Drop the tables of cubes and pre-aggregations that are gone; see that the refresh worker ends its builds"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each schema whether its tables are old, or have many versions."""
        yield from storage_findings.of_schemas(self, fleet, live, lambda each: _is_tidy(each, live))


class StorageNameLength(Rule):
    """A table is called after cube, pre-aggregation and partition, and two hashes; MySQL takes 64 characters."""

    id = "storage-name-length"
    title = "Names of tables leave room below MySQL's 64 characters"
    severity = WARNING
    source = "cube-js/cube issues 86 and 1564"
    remedy = "Give the pre-aggregation a short sqlAlias"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each schema how long its longest name is."""
        yield from storage_findings.of_schemas(self, fleet, live, _is_short)


def _is_cubes(schema: Schema) -> Verdict:
    tables = schema.tables
    if tables is None:
        return verdicts.unknown(live_storage.why(schema.uses[0].seen, f"tables.{schema.name}"))
    if tables.foreign_count:
        named = ", ".join(tables.foreign[:5])
        more = f" and {tables.foreign_count - 5} more" if tables.foreign_count > 5 else ""
        return verdicts.fails(f"Cube will drop {named}{more}", "", f"{tables.cube} of {tables.count} tables are Cube's")
    if not tables.whole:
        return verdicts.unknown(f"it has more tables than the {tables.count} that were looked at")
    return verdicts.passes(f"all {tables.count} tables are Cube's")


def _of_grants(schema: Schema, judge: Callable[[Schema, MysqlSeen, mysql_grants.Grants], Verdict]) -> Verdict:
    """Return the worst that is to be said of the users of a schema, each login once."""
    looks = {id(use.seen): use.seen for use in schema.uses if use.seen is not None}
    found = [_of_user(schema, seen, judge) for seen in looks.values()]
    return min(found, key=lambda verdict: STATUSES.index(verdict.status))


def _of_user(
    schema: Schema, seen: MysqlSeen, judge: Callable[[Schema, MysqlSeen, mysql_grants.Grants], Verdict]
) -> Verdict:
    if seen.grants is None:
        return verdicts.unknown(live_storage.why(seen, "grants"))
    return judge(schema, seen, mysql_grants.parse(seen.grants))


def _suffices(schema: Schema, seen: MysqlSeen, grants: mysql_grants.Grants) -> Verdict:
    lacks = grants.lacks(schema.name, PRIVILEGES)
    if not lacks:
        return verdicts.passes(f"{seen.user} has {', '.join(PRIVILEGES)}")
    if "" in grants.places or grants.not_understood:
        return verdicts.unknown(
            f"{seen.user} has roles or grants that are not understood, and {', '.join(lacks)} not by itself",
            "Grant the privileges to the user itself",
        )
    return verdicts.fails(f"{seen.user} lacks {', '.join(lacks)} on it", "", *(seen.grants or ()))


def _is_minimal(schema: Schema, seen: MysqlSeen, grants: mysql_grants.Grants) -> Verdict:
    beyond = list(grants.beyond(filter(None, (schema.name, seen.database))))
    if "GRANT OPTION" in grants.on(schema.name):
        beyond.append(f"GRANT OPTION on {schema.name}")
    if beyond:
        return verdicts.fails(f"{seen.user} also has {'; '.join(beyond[:3])}", "", *(seen.grants or ()))
    if "" in grants.places or grants.not_understood:
        return verdicts.unknown(f"{seen.user} has roles or grants that are not understood")
    return verdicts.passes(f"{seen.user} has privileges on it alone")


def _is_tidy(schema: Schema, live: Live) -> Verdict:
    tables = schema.tables
    if tables is None:
        return verdicts.unknown(live_storage.why(schema.uses[0].seen, f"tables.{schema.name}"))
    now = live.observations[schema.uses[0].instance.host].taken_at
    age = (now - tables.oldest_at) / DAY if tables.oldest_at is not None else 0.0
    left = (now - tables.replaced_at) / DAY if tables.replaced_at is not None else 0.0
    problems = []
    if left > LEFT_DAYS:
        size = verdicts.mebibytes(tables.replaced_bytes)
        problems.append(f"{tables.replaced} tables ({size}) have newer versions, the first since {left:.0f} days")
    if age > KEPT_DAYS:
        problems.append(f"the oldest table was made {age:.0f} days ago")
    told = (
        f"{tables.cube} tables, {verdicts.mebibytes(tables.size_bytes)}, at most {tables.most_versions} versions of one"
    )
    return verdicts.fails(" and ".join(problems), "", told) if problems else verdicts.passes(told)


def _is_short(schema: Schema) -> Verdict:
    tables = schema.tables
    if tables is None:
        return verdicts.unknown(live_storage.why(schema.uses[0].seen, f"tables.{schema.name}"))
    told = f"the longest name has {tables.longest_name} characters"
    return verdicts.fails(told) if tables.longest_name >= LONGEST_NAME else verdicts.passes(told)
