# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on how an instance's own settings lead to the storage."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import live_storage, versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import CRITICAL, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.live_storage import Use
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import storage_findings, verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import bounded, quoted
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.verdicts import Verdict

_TYPE = "CUBEJS_EXT_DB_TYPE"
_URL = "CUBEJS_EXT_DB_URL"
_SOCKET = "CUBEJS_DB_SOCKET_PATH"
_STORAGE = "CUBEJS_EXT_DB_"
_CUBE_STORE = "CUBEJS_CUBESTORE_"
_NEEDED = ("CUBEJS_EXT_DB_HOST", "CUBEJS_EXT_DB_NAME", "CUBEJS_EXT_DB_USER")
_READS = ">=0.19.43"
_TURNS_TO_CUBE_STORE = ">=0.27.5"
# What the driver knows besides is older than MySQL 4.1.
_PLUGINS = (versions.MYSQL_AUTH_PLUGIN, "mysql_old_password")


class StorageTypeSet(Rule):
    """CUBEJS_EXT_DB_TYPE alone turns the storage on; the other variables without it do something else, or nothing.

    From 0.27.5 they choose Cube Store, whose protocol is then spoken to the MySQL server. Before, there is no storage,
    and external pre-aggregations fail.
    """

    id = "storage-type-set"
    title = "CUBEJS_EXT_DB_TYPE is set wherever another CUBEJS_EXT_DB_ variable is"
    severity = CRITICAL
    sentences = ("mysql-storage",)
    source = "Source of @cubejs-backend/server-core 0.20.10 and 0.29.57 (handleConfiguration)"
    remedy = "Set CUBEJS_EXT_DB_TYPE=mysql, or remove the other CUBEJS_EXT_DB_ variables"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each instance whether its storage is turned on."""
        for instance in live.instances:
            yield verdicts.of(self, instance, _is_turned_on(instance))


class StorageSettingsComplete(Rule):
    """What is not set is not taken from the source database: without a host the storage is localhost:3306.

    The MySQL driver ignores CUBEJS_EXT_DB_URL, and the database of CUBEJS_EXT_DB_NAME must exist at login.
    """

    id = "storage-settings-complete"
    title = "Host, name and user of the storage are set, and read"
    sentences = ("mysql-storage",)
    source = "Source of @cubejs-backend/mysql-driver 0.20.9 and 0.29.33"
    remedy = "Set CUBEJS_EXT_DB_HOST, CUBEJS_EXT_DB_NAME and CUBEJS_EXT_DB_USER"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each instance what of its storage is not said."""
        yield from storage_findings.of_uses(self, fleet, live, _is_complete)


class StorageSocketUnset(Rule):
    """The storage's connection inherits the source's Unix socket and prefers it to CUBEJS_EXT_DB_HOST, in silence."""

    id = "storage-socket"
    title = "CUBEJS_DB_SOCKET_PATH is not set beside a storage on another host"
    source = "Source of @cubejs-backend/mysql-driver 0.29.33 and of the npm package mysql 2.18.1 (lib/Connection.js)"
    remedy = "Give the source database by CUBEJS_DB_HOST and CUBEJS_DB_PORT, and remove CUBEJS_DB_SOCKET_PATH"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each instance whether a socket leads it elsewhere."""
        yield from storage_findings.of_uses(self, fleet, live, lambda use: _has_no_socket(fleet, live, use))


class StorageReachable(Rule):
    """Without its storage a worker builds nothing, and an API instance answers no query from pre-aggregations."""

    id = "storage-reachable"
    title = "The storage lets in who comes with the instance's own settings"
    sentences = ("external-storage",)
    source = "Production Checklist: Set up Pre-aggregations Storage"
    remedy = "Compare the instance's CUBEJS_EXT_DB_ variables with the server's address, users and schemas"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each instance whether its storage was reached from its host, as it would reach it."""
        yield from storage_findings.of_uses(self, fleet, live, _is_reached)


class StorageLogin(Rule):
    """Cube's MySQL driver speaks mysql_native_password only: other clients get in where Cube does not."""

    id = "storage-login-plugin"
    title = "The storage's user logs in by mysql_native_password"
    source = "Source of the npm package mysql 2.18.1 (lib/protocol/Auth.js)"
    remedy = "ALTER USER ... IDENTIFIED WITH mysql_native_password BY ... (MariaDB: IDENTIFIED VIA)"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each instance by what its user logs in."""
        yield from storage_findings.of_uses(self, fleet, live, _logs_in)


def _is_turned_on(instance: LiveInstance) -> Verdict:
    kind = instance.seen.value(_TYPE)
    others = [name for name in instance.seen.settings if name.startswith(_STORAGE) and name != _TYPE]
    unread = None if kind else verdicts.unread_settings(instance)
    if unread is not None:
        return verdicts.unknown(unread)
    if not others and not kind:
        return verdicts.not_applicable("no variable of a storage is set")
    if verdicts.is_within(instance.version, _READS) is False:
        return verdicts.fails(
            f"Cube {instance.version} reads none of {_STORAGE}... (since 0.19.43): there is no storage",
            "Use a newer version, or externalDriverFactory in the project's code",
        )
    if kind:
        known = kind in versions.database_types() or kind == "cubestore"
        return (
            verdicts.passes(f"it is {bounded(kind)}")
            if known
            else verdicts.fails(f"Cube has no driver for {quoted(kind)}")
        )
    listed = f"{', '.join(sorted(others))} without {_TYPE}"
    if any(name.startswith(_CUBE_STORE) for name in instance.seen.settings):
        return verdicts.fails(
            f"{listed}, and {_CUBE_STORE}...: the storage is Cube Store, and they are not meant for it"
        )
    chooses = verdicts.is_within(instance.version, _TURNS_TO_CUBE_STORE)
    if chooses is None:
        return verdicts.fails(f"{listed}: there is no storage, or from 0.27.5 Cube Store")
    does = "choose Cube Store, whose protocol no MySQL speaks" if chooses else "do nothing: there is no storage"
    return verdicts.fails(f"{listed} {does}")


def _is_complete(use: Use) -> Verdict:
    seen = use.instance.seen
    missing = [name for name in _NEEDED if name not in seen.settings or not seen.settings[name].value.given]
    unread = verdicts.unread_settings(use.instance)
    if missing and unread is not None:
        return verdicts.unknown(unread)
    problems = [f"{', '.join(missing)} not set"] if missing else []
    if "CUBEJS_EXT_DB_HOST" in missing:
        problems.append("so that the storage is localhost:3306")
    if _URL in seen.settings:
        problems.append(f"{_URL} is set, and the MySQL driver ignores it")
    problems += [note.reason for note in seen.unknown if note.what == "storage"]
    return verdicts.fails(", ".join(problems)) if problems else verdicts.passes("they are set")


def _has_no_socket(fleet: Fleet, live: Live, use: Use) -> Verdict:
    seen = use.instance.seen
    path = seen.value(_SOCKET)
    unread = verdicts.unread_settings(use.instance)
    if path is None and unread is not None:
        return verdicts.unknown(unread)
    if not path:
        return verdicts.passes("it is not set")
    host = seen.value("CUBEJS_EXT_DB_HOST") or "localhost"
    if live_storage.is_local(fleet, live, use.instance, host):
        return verdicts.passes(f"{bounded(path)} is on the host of the storage, {bounded(host)}")
    return verdicts.fails(f"{_SOCKET} ({bounded(path)}) takes the connection that is meant for {bounded(host)}")


def _is_reached(use: Use) -> Verdict:
    if use.seen is None:
        return verdicts.unknown(live_storage.why_not_seen(use))
    if use.seen.reachable:
        return verdicts.passes(f"{use.seen.asked} was reached")
    if use.seen.reachable is None:
        return verdicts.unknown(live_storage.why(use.seen, "everything"))
    if use.seen.reason == "database":
        return verdicts.fails(use.seen.problem, "Create the schema of CUBEJS_EXT_DB_NAME: it must be there at login")
    return verdicts.fails(use.seen.problem)


def _logs_in(use: Use) -> Verdict:
    if use.seen is None:
        return verdicts.unknown(live_storage.why_not_seen(use))
    plugin = use.seen.plugin
    if plugin is None:
        return verdicts.unknown(live_storage.why(use.seen, "plugin"))
    if plugin in _PLUGINS:
        return verdicts.passes(f"{use.seen.user} logs in by {plugin}")
    return verdicts.fails(f"{use.seen.user} logs in by {plugin}, which Cube's driver does not speak")
