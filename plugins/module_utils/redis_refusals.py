# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is refused of the Redis instances that a user wrote, each with what to write instead."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import memory, pools, secrets

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
# Redis keeps 32 files for itself besides one for each client (CONFIG_MIN_RESERVED_FDS in its source), and lowers
# maxclients silently when it cannot have them.
RESERVED_FILES = 32
# An empty Redis takes about a megabyte, and a few more for the buffers of its clients.
MIN_MAXMEMORY_BYTES = 16 * memory.MEBIBYTE

INSTANCE_KEYS = (
    "name",
    "port",
    "bind",
    "password",
    "maxclients",
    "maxmemory_bytes",
    "databases",
    "tls",
    "tls_names",
    "replication",
    "settings",
)
SAFE_POLICIES = ("noeviction", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl")

# Directives that are derived, and which option to write instead (None: this collection does not have it).
DERIVED: dict[str, str | None] = {
    "port": "port",
    "tls-port": "port and tls",
    "bind": "bind",
    "requirepass": "password",
    "maxclients": "maxclients",
    "maxmemory": "maxmemory_bytes",
    "databases": "databases",
    "tls-cert-file": "tls_names",
    "tls-key-file": "tls_names",
    "tls-ca-cert-file": "tls",
    "tls-ca-cert-dir": "tls",
    "tls-auth-clients": None,
    "tls-replication": "tls",
    "unixsocket": None,
    "unixsocketperm": None,
    "dir": None,
    "daemonize": None,
    "supervised": None,
    "pidfile": None,
    "logfile": None,
    "include": None,
    "loadmodule": None,
    "user": None,
    "aclfile": None,
    "replicaof": "replication",
    "slaveof": "replication",
    "masterauth": "replication",
    "primaryauth": "replication",
    "masteruser": "replication",
    "primaryuser": "replication",
    "replica-announce-ip": "replication",
    "slave-announce-ip": "replication",
    "cluster-enabled": None,
    "rename-command": None,
}


@dataclass(frozen=True)
class Limits:
    """What the host gives: `memory_bytes` is Redis' share of it (None: not known), `open_files` each process' limit."""

    memory_bytes: int | None
    open_files: int


def problems(instances: Sequence[Mapping[str, Any]], host: Limits) -> list[str]:
    """Return everything that is wrong with instances that have their defaults, one line each."""
    found = [problem for instance in instances for problem in _problems(instance, host)]
    return list(dict.fromkeys([*found, *_collisions(instances)]))


def _problems(instance: Mapping[str, Any], host: Limits) -> Iterator[str]:
    """Return what is wrong with one instance by itself."""
    where = f"redis_instances[{instance.get('name', '?')}]"
    for key in sorted(set(instance) - set(INSTANCE_KEYS)):
        yield f"{where}.{key}: there is no such key{_nearest(key, INSTANCE_KEYS)}"
    name = instance.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        yield f"{where}.name: {name!r}: write lower-case letters, digits and hyphens, a letter first, at most 40"
    yield from _number_problems(where, instance, host)
    yield from _bind_problems(where, instance)
    yield from _password_problems(where, instance.get("password"))
    if not isinstance(instance["tls"], bool):
        yield f"{where}.tls: {instance['tls']!r}: write true or false"
    elif instance["tls"] and not instance["tls_names"]:
        yield f"{where}.tls_names: empty, and tls is on: list the names and addresses that clients connect to"
    yield from _replication_problems(where, instance)
    yield from _setting_problems(f"{where}.settings", instance["settings"])


def _number_problems(where: str, instance: Mapping[str, Any], host: Limits) -> Iterator[str]:
    most_clients = host.open_files - RESERVED_FILES
    ranges = (
        ("port", 1, 65535, ""),
        ("maxclients", pools.SMALLEST_SERVER, most_clients, "; raise redis_open_files_limit for more"),
        ("databases", 1, 10000, ""),
        ("maxmemory_bytes", MIN_MAXMEMORY_BYTES, 2**50, ""),
    )
    for key, low, high, advice in ranges:
        value = instance.get(key)
        if key == "maxmemory_bytes" and value is None:
            yield f"{where}.{key}: the memory of this host is not known: set it here, or redis_memory_bytes for all"
        elif not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            yield f"{where}.{key}: {value!r}: write a whole number from {low} to {high}{advice}"


def _bind_problems(where: str, instance: Mapping[str, Any]) -> Iterator[str]:
    addresses = instance["bind"]
    if not isinstance(addresses, list) or not addresses:
        yield f"{where}.bind: {addresses!r}: write a list of addresses of the host, such as [127.0.0.1]"
        return
    for address in addresses:
        if not _is_address(str(address).lstrip("-")):
            yield f"{where}.bind: {address!r} is no IP address: Redis binds to addresses of the host, not to names"


def _replication_problems(where: str, instance: Mapping[str, Any]) -> Iterator[str]:
    """Return why an instance can be no part of a replicated Redis."""
    given = instance.get("replication")
    if given is None:
        return
    primary = given.get("primary") if isinstance(given, Mapping) else None
    if not isinstance(given, Mapping) or set(given) != {"primary"} or not _is_address(str(primary)):
        yield f"{where}.replication: {given!r}: write {{primary: ADDRESS}}, the IP address of the first primary"
    elif ipaddress.ip_address(str(primary)).is_loopback:
        yield f"{where}.replication.primary: {primary}: replicas are on other hosts: write an address they reach"
    if instance["tls"]:
        yield f"{where}.tls: true, with replication: a Sentinel URL of Cube's cannot ask for TLS: leave one of them out"
    addresses = instance["bind"]
    first = str(addresses[0]).lstrip("-") if isinstance(addresses, list) and addresses else ""
    # Redis 6 opens its connections from the first address that it is bound to.
    if _is_address(first) and (ipaddress.ip_address(first).is_loopback or ipaddress.ip_address(first).is_unspecified):
        yield f"{where}.bind: {first} comes first: with replication, begin with the address that other hosts reach"
    password = instance.get("password")
    if isinstance(password, str) and any(character in password for character in "\"'\\"):
        yield f"{where}.password: (value masked) has a quote or backslash, which Sentinel cannot keep in its file"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _password_problems(where: str, password: object) -> Iterator[str]:
    advice = "(value masked): generate one, for instance with `openssl rand -hex 32`"
    if not isinstance(password, str):
        yield f"{where}.password: missing, or no text {advice}"
        return
    # Whoever reaches the port tries thousands a second: Redis knows neither delay nor lockout.
    found = [*secrets.problems(password, secrets.SHORTEST_PASSWORD)]
    if not password.isascii() or any(character.isspace() for character in password):
        found.append("it has white space, or a character that not every client sends the same way")
    if found:
        yield f"{where}.password: {'; '.join(found)} {advice}"


def _setting_problems(where: str, settings: object) -> Iterator[str]:
    if not isinstance(settings, Mapping):
        yield f"{where}: {settings!r}: write directives of redis.conf and their values"
        return
    for given, value in settings.items():
        name = str(given).lower()
        if name in DERIVED:
            instead = DERIVED[name]
            advice = (
                f"write {instead} of the instance instead" if instead else "this collection keeps it as it has to be"
            )
            yield f"{where}.{given}: is not set here: {advice}"
        elif not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            yield f"{where}.{given}: is no directive of redis.conf"
        elif not _is_plain(value):
            yield f"{where}.{given}: write a text, number or boolean on one line, or a list of them"
        elif name == "maxmemory-policy" and value not in SAFE_POLICIES:
            yield (
                f"{where}.{given}: {value!r}: write one of {', '.join(SAFE_POLICIES)}; allkeys-* drops entries of the "
                "queue, which have no expiry, when memory is full"
            )


def _is_plain(value: object) -> bool:
    values = value if isinstance(value, list) else [value]
    return all(isinstance(each, (str, int, float, bool)) and not re.search(r"[\r\n\0]", str(each)) for each in values)


def _collisions(instances: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for key in ("name", "port"):
        seen = [instance.get(key) for instance in instances]
        for value in dict.fromkeys(value for value in seen if isinstance(value, (str, int))):
            if seen.count(value) > 1:
                yield f"redis_instances: {key} {value!r} is given {seen.count(value)} times: each needs its own"


def _nearest(key: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, known, 1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
