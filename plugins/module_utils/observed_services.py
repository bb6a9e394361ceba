# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was seen of the services that Cube.js uses, and of its own live behaviour: plain data, no values of secrets.

None is unknown; why, and how it could be known, stands in the `unknown` beside it. Sizes are bytes, ages and times are
seconds (times since the epoch) unless the name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Optional


@dataclass(frozen=True)
class Unknown:
    """Something that could not be read: what (a dotted path), why, and what would let it be read."""

    what: str
    reason: str
    remedy: str = ""


@dataclass(frozen=True)
class Queue:
    """A queue of Cube in Redis: how many entries wait, and how long ago its oldest executing query showed life."""

    name: str
    length: int
    oldest_heartbeat_seconds: Optional[float] = None


@dataclass(frozen=True)
class Peers:
    """Clients of one server from one address: how many, and on which database index or schema."""

    address: str
    database: str
    count: int


@dataclass(frozen=True)
class RedisSeen:
    """A Redis server, reached with the settings of instances.

    client: node_redis or ioredis, which read URLs differently. host, port: the data node, behind Sentinel too; named by
    the settings as `asked`. problem: why it does not serve these settings, "" where it does; `reason` is a word for it:
    url, refused, unreachable, timeout, auth, tls, protocol.
    run_id: the same for all who reach the same server, under whatever name. stranger_refused: whether a client without
    a password is turned away. keys_command: usable, renamed, or denied. prefixes: of Cube's keys in this database.
    replicas: how many follow it and are up to date.
    """

    asked: str
    client: str
    host: str
    port: int
    index: int
    tls: bool
    tls_verified: Optional[bool] = None
    user: str = ""
    password_set: bool = False
    sentinels: tuple[str, ...] = ()
    master: str = ""
    reachable: Optional[bool] = None
    problem: str = ""
    reason: str = ""
    run_id: str = ""
    product: str = ""
    version: str = ""
    role: str = ""
    uptime_seconds: Optional[int] = None
    cluster_enabled: Optional[bool] = None
    stranger_refused: Optional[bool] = None
    databases: Optional[int] = None
    maxclients: Optional[int] = None
    connected_clients: Optional[int] = None
    blocked_clients: Optional[int] = None
    rejected_connections: Optional[int] = None
    used_memory_bytes: Optional[int] = None
    maxmemory_bytes: Optional[int] = None
    maxmemory_policy: Optional[str] = None
    evicted_keys: Optional[int] = None
    db_keys: Optional[int] = None
    replicas: Optional[int] = None
    keys_command: Optional[str] = None
    peers: Optional[tuple[Peers, ...]] = None
    prefixes: Optional[tuple[str, ...]] = None
    queues: tuple[Queue, ...] = ()
    scanned_whole: bool = False
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True)
class Tables:
    """The tables of a pre-aggregation schema.

    cube: those whose names are Cube's. foreign: the first of the others' names. newest_at, oldest_at: when the newest
    and oldest of Cube's were made, by their names. most_versions: content versions of one structure. replaced: tables
    of which there is a newer version, replaced_at: since when the first of them has been. longest_name: in characters.
    whole: all tables were looked at.
    """

    schema: str
    count: int
    cube: int
    foreign: tuple[str, ...] = ()
    foreign_count: int = 0
    size_bytes: int = 0
    newest_at: Optional[float] = None
    oldest_at: Optional[float] = None
    most_versions: int = 0
    replaced: int = 0
    replaced_bytes: int = 0
    replaced_at: Optional[float] = None
    longest_name: int = 0
    whole: bool = True


@dataclass(frozen=True)
class MysqlSeen:
    """A MySQL or MariaDB server, reached with the settings of instances; problem and reason as in RedisSeen.

    identity: the same for all who reach the same server. grants: of the user, without hashes of passwords. plugin: by
    which it logs in. variables, status: of the server, those that matter to Cube.
    """

    asked: str
    host: str
    port: int
    user: str
    database: str = ""
    socket: str = ""
    tls: bool = False
    reachable: Optional[bool] = None
    problem: str = ""
    reason: str = ""
    client: str = ""
    identity: str = ""
    version: str = ""
    plugin: Optional[str] = None
    grants: Optional[tuple[str, ...]] = None
    variables: Mapping[str, str] = field(default_factory=dict)
    status: Mapping[str, str] = field(default_factory=dict)
    schemas: Optional[tuple[str, ...]] = None
    tables: Mapping[str, Tables] = field(default_factory=dict)
    peers: Optional[tuple[Peers, ...]] = None
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What one request was answered: the status, and the beginning of its text without secrets."""

    status: int
    text: str = ""


@dataclass(frozen=True)
class HttpSeen:
    """What a process answers where it listens.

    mode: production or development by its root page, "" where that says neither. answers: question -> answer: root,
    playground_context, playground_files, meta_without_token, meta_bad_token, meta_unsigned_token, meta_signed_token,
    system_context, livez, readyz, websocket. same_process: whether the process was still the same a moment later.
    """

    address: str
    mode: str = ""
    answers: Mapping[str, Answer] = field(default_factory=dict)
    same_process: Optional[bool] = None
    settled_seconds: float = 0.0
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True)
class Journal:
    """Known error patterns in what a unit logged: pattern -> lines. whole: the bound on lines did not cut it off."""

    hours: float
    counts: Mapping[str, int] = field(default_factory=dict)
    last_at: Mapping[str, float] = field(default_factory=dict)
    whole: bool = True


@dataclass(frozen=True)
class Certificate:
    """A certificate: for which names, from and until when, and by whom it was issued."""

    names: tuple[str, ...]
    not_before: float
    not_after: float
    issuer: str
    subject: str
    self_signed: bool


@dataclass(frozen=True)
class ProxySeen:
    """What a proxy answers for one name.

    redirect_status, redirect_to: of plain HTTP. tls_version: that was agreed on. old_tls: whether TLS 1.1 or older is
    still taken. trusted: whether chain, name and dates hold; trust_problem says why not. websocket_status: 101 where an
    upgrade gets through. answers: as in HttpSeen, through the proxy.
    """

    server_name: str
    address: str
    https_port: int
    http_port: int
    reachable: bool = False
    problem: str = ""
    redirect_status: Optional[int] = None
    redirect_to: str = ""
    http_answers_itself: Optional[bool] = None
    tls_version: str = ""
    old_tls: Optional[bool] = None
    trusted: Optional[bool] = None
    trust_problem: str = ""
    certificate: Optional[Certificate] = None
    hsts: str = ""
    websocket_status: Optional[int] = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True)
class Reach:
    """Whether a port can be reached from this host: open, refused, filtered (no answer) or unknown."""

    host: str
    port: int
    state: str
    problem: str = ""


@dataclass(frozen=True)
class Passing:
    """A place of a server of Nginx that passes requests on. Times and sizes as they are written, "" where nowhere.

    place: the words of its location, "" for the server itself. upstreams: where to, through `upstream` blocks. headers:
    proxy_set_header. upgrade_map: the Connection header comes from a map of $http_upgrade.
    """

    OMITS_DEFAULTS: ClassVar[bool] = True

    place: str
    upstreams: tuple[str, ...] = ()
    http_version: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    upgrade_map: bool = False
    body_size: str = ""
    read_timeout: str = ""


@dataclass(frozen=True)
class WebServer:
    """A server of Nginx' configuration, as its files say.

    upstreams: of all its passings. key_matches: whether the private key belongs to the certificate.
    """

    path: str
    names: tuple[str, ...] = ()
    listens: tuple[str, ...] = ()
    upstreams: tuple[str, ...] = ()
    passings: tuple[Passing, ...] = ()
    tls: bool = False
    redirects_to: str = ""
    certificate_path: str = ""
    key_path: str = ""
    key_matches: Optional[bool] = None
    certificate: Optional[Certificate] = None
    protocols: str = ""
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True)
class FirewallSeen:
    """The kernel's table `inet cubeops`, by which strangers are turned away from our ports.

    admitted: port -> the networks that get through, of every port from which others are turned away. strange: where the
    table is not one that the role firewall loads: then what is admitted may not be all there is to say.
    """

    loaded: bool
    admitted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    strange: tuple[str, ...] = ()
