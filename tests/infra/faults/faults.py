"""The faults that the audit is proved by, in rounds.

Faults of one round are made together, on processes and servers of their own, and looked at in one audit: the findings
must be exactly those of the faults. docs/faults.md is rendered from this table.
"""

from __future__ import annotations

import faults_by_settings as own
import faults_of_installs as installs
import faults_of_nginx as nginx
import faults_of_servers as servers
import faults_of_services as services
import faults_that_passed as passed
from fault import Fault

ROUNDS: tuple[tuple[Fault, ...], ...] = (
    (own.DEVELOPMENT, own.REFRESHES, own.FROZEN, own.NOT_ENABLED, *services.FIREWALL, own.NOT_LOADED),
    (
        *(own.POOL_OF_ONE, own.BUILDS_NOT, own.NO_SECRET, own.WORKER_STOPPED, services.NOT_BUILT),
        *(own.AS_ROOT, own.FEW_FILES, own.LARGE_HEAP, own.REPORTS, own.SHORT_STOP),
        *(nginx.ONE_OF_TWO,),
    ),
    (
        *(services.EVICTS, *services.NO_PASSWORD, services.UNBOUNDED, services.STRANGERS_KEYS),
        *(services.OTHER_DEPLOYMENT, services.FOREIGN_TABLE, services.OTHER_GRANTS, services.OLD_TABLE),
        *(services.BAD_SERVER, services.CROWDED, nginx.SHORT_WAIT, nginx.SMALL_BODIES),
        *(nginx.NO_REDIRECT, nginx.SHORT_HSTS, nginx.OLD_TLS, own.KILLED),
    ),
    (
        *(own.LOG_LEVEL, own.NO_FLAG, own.OTHER_ZONES, own.STAYS_AWAY, services.LOCKED),
        *(nginx.OTHERS_CERTIFICATE, nginx.NO_HEADERS, nginx.WRONG_WAY, nginx.EXPIRED),
    ),
    (
        *(own.OTHER_INDEX, own.NO_WEB_SOCKETS, own.OPEN_DOTENV, own.OPENS, own.IDLE, own.WEB_SOCKETS, *own.WEAK),
        *(nginx.NO_TLS, servers.REMOVED, own.SOCKET, own.TLS_FOR_BOTH),
    ),
    (
        *(servers.OTHER_REDIS_SERVER, servers.CROWDED_REDIS, servers.STRANGER, servers.OTHER_REDIS),
        *(*servers.CLUSTER, servers.IN_MEMORY, servers.NO_SCHEME, *installs.NEW_RELEASE),
    ),
    (*servers.OTHERS_REDIS, servers.OTHERS_SCHEMA, servers.OTHER_DATABASES, servers.NO_STORAGE),
    (
        *(*installs.OTHER_PROJECT, *installs.OLD_RELEASE, installs.OTHER_SCHEMA_FILES),
        *(servers.WRONG_PASSWORD, servers.NO_REDIS, servers.UNKNOWN_DRIVER),
    ),
    (*passed.PASSED, services.BINARY_LOG),
    (own.UNREADABLE, services.NO_PYTHON),
)
