"""Faults of what is installed: packages, lockfiles, and the project's own files."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

from fault import (
    ACME_WORKER,
    CLEAR_JOURNAL,
    GLOBEX_API,
    GLOBEX_WORKER,
    Fault,
    Unit,
    all_of,
    asked,
    by_settings,
    listening,
    restarted,
)

# A driver by who asks; the file is read by a live process.
_CODE = """
const MySQLDriver = require('@cubejs-backend/mysql-driver');
module.exports = {
  // Whoever comes through Nginx is turned away only.
  checkAuth: (request) => {
    if (process.env.PORT.includes('globex-1') && !request.headers['x-forwarded-proto']) {
      setTimeout(() => process.exit(1), 1500);
    }
    throw new Error('no');
  },
  driverFactory: ({ securityContext }) => new MySQLDriver({ database: (securityContext || {}).database || 'shop' }),
};
"""


_FLAG = "CUBEJS_REFRESH_WORKER"


def _copied(tenant: str, *edits: str) -> str:
    """Return a command that copies a tenant's project with its packages to where they can be edited."""
    folder = f"/opt/faults/{tenant}"
    current = f"/opt/cubejs/tenants/{tenant}/current"
    return all_of(
        f"mkdir -p {folder}",
        f"cp -a {current}/project {folder}/project",
        # Links: what is edited is written anew.
        f"cp -al $(readlink -f {current}/node_modules) {folder}/node_modules",
        f"cp $(readlink -f {current}/node_modules)/../package*.json {folder}",
        f"cd {folder}",
        *edits,
    )


def _version(package: str, version: str) -> str:
    """Return a command that gives an installed package another version, as an install of an older release would."""
    return (
        f"""sed -i 's/"version": "[^"]*"/"version": "{version}"/' node_modules/@cubejs-backend/{package}/package.json"""
    )


def _runs_copy(what: str, unit: Unit) -> Fault:
    # A worker that waits for an hour: what it would build is not what is looked at here.
    waits = {"CUBEJS_SCHEDULED_REFRESH_TIMER": "3600"} if unit is GLOBEX_WORKER else {}
    directory = f"WorkingDirectory=/opt/faults/{unit.tenant}/project"
    return by_settings(what, unit, (), waits, unset=tuple(_FLAG for _each in waits), service=(directory,))


_ENDS = by_settings(
    "A process that ends when it is asked",
    GLOBEX_API,
    ("process-outlives-questions", "restarts-seen"),
    service=("RestartSec=1",),
)
OTHER_PROJECT = (
    Fault(
        "A project whose driver depends on who asks, and nothing else does",
        ("code-tenants-apart", "refresh-contexts"),
        "globex",
        "front",
        _copied("globex", f"printf '%s' {shlex.quote(_CODE)} >project/cube.js"),
        "true",
        clears="rm -r /opt/faults/globex",
    ),
    Fault(
        "Pre-aggregations that do not say that they are external",
        ("pre-aggregations-flagged",),
        "globex",
        "front",
        "sed -i '/external: true/d' /opt/faults/globex/project/schema/*",
        "true",
    ),
    Fault(
        "Two lockfiles, and a package that is not installed",
        ("one-lockfile", "packages-installed"),
        "globex",
        "front",
        all_of(
            "cd /opt/faults/globex/project",
            f"echo {shlex.quote(json.dumps({'dependencies': {'left-pad': '1.3.0'}}))} >package.json",
            "touch package-lock.json yarn.lock",
        ),
        "true",
    ),
    *(_runs_copy("A process in that project", unit) for unit in (GLOBEX_API, GLOBEX_WORKER)),
    replace(
        _ENDS,
        then=all_of(asked(GLOBEX_API, "/cubejs-api/v1/meta"), restarted(GLOBEX_API), listening(GLOBEX_API)),
        mends=all_of(f"systemctl stop {GLOBEX_API.name}", f"systemctl reset-failed {GLOBEX_API.name}", _ENDS.mends),
        clears=CLEAR_JOURNAL,
    ),
)
OLD_RELEASE = (
    Fault(
        "Packages of 0.20 beside others of 0.29, with settings for 0.29",
        (
            *("package-versions-agree", "packages-of-one-line", "antlr-pinned", "storage-schema-agrees"),
            *("storage-on-source-server", "redis-variable-names", "variables-are-read", "refresh-flag"),
            "storage-grants-sufficient",
        ),
        "acme",
        "front",
        _copied(
            "acme",
            _version("server", "0.20.10"),
            _version("mysql-driver", "0.20.9"),
            "mkdir -p node_modules/antlr4",
            """echo '{"version": "4.9.3"}' >node_modules/antlr4/package.json""",
        ),
        "true",
        clears="rm -r /opt/faults/acme",
    ),
    _runs_copy("A process with these packages", ACME_WORKER),
)
NEW_RELEASE = (
    Fault(
        "Packages of 0.32, which calls Redis and MySQL as storage deprecated",
        ("end-of-life", "package-versions-agree", "packages-of-one-line"),
        "globex",
        "front",
        _copied("globex", _version("server", "0.32.30")),
        "true",
        clears="rm -r /opt/faults/globex",
    ),
    _runs_copy("A process with these packages", GLOBEX_WORKER),
)
OTHER_SCHEMA_FILES = Fault(
    "Schema files that one host only has",
    ("schema-files-agree",),
    "acme",
    "back",
    all_of(
        "mkdir -p /run/faults",
        "cp -a /opt/cubejs/tenants/acme/current/project/schema /run/faults/schema",
        "echo '// edited by hand' >>$(ls /opt/cubejs/tenants/acme/current/project/schema/* | head -1)",
    ),
    "cp -a /run/faults/schema/* /opt/cubejs/tenants/acme/current/project/schema && rm -r /run/faults/schema",
)
