# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The configuration of Redis instances worked out from what a user wrote: defaults, sizes, and what is refused."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import memory, redis_check
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_refusals import Limits, problems

CONFIG_DIRECTORY = "/etc/cubejs/redis"
DATA_DIRECTORY = "/var/lib/cubejs-redis"
RUN_DIRECTORY = "/run/cubejs-redis"

DEFAULT_MAXCLIENTS = 10000
DEFAULT_DATABASES = 16
COMMENT_COLUMNS = 118
NUMBERS = ("port", "maxclients", "maxmemory_bytes", "databases")


class RedisSettingsError(ValueError):
    """What a user wrote cannot be meant; the message holds every problem, one a line."""


@dataclass(frozen=True)
class Directive:
    """One line of the configuration, and why it is there."""

    name: str
    value: str
    reason: str


def limits(given_bytes: int | None, host_memory_bytes: int | None, open_files: int) -> Limits:
    """Return the limits of a host: Redis' share as given, or of a host where only Redis lives."""
    if given_bytes is None and host_memory_bytes is not None:
        return Limits(memory.shares(host_memory_bytes, ["redis"])["redis"], open_files)
    return Limits(given_bytes, open_files)


def resolve(
    instances: Sequence[Mapping[str, Any]], host: Limits, host_name: str = "localhost"
) -> dict[str, list[dict[str, Any]]]:
    """Return what the role needs of the instances, in the order given.

    `files`: of each its `name`, `tls`, `certificate`; `configuration`: the lines of its configuration, each with its
    reason; `secrets`: those that nobody else may read. `instances`: what the module redis_instances takes;
    `certificates`: what the module certificates takes.
    Raises RedisSettingsError with everything that is wrong with any of them.

    Texts and not one dictionary a line: Ansible takes as long for each value as for a whole text, and a host has
    hundreds of instances.
    """
    complete = [_with_defaults(instance, host) for instance in instances]
    found = problems(complete, host)
    if found:
        raise RedisSettingsError("\n".join(found))
    files = [_files(instance, host_name) for instance in complete]
    return {
        "files": files,
        "instances": [_instance(instance) for instance in complete],
        "certificates": [each["certificate"] for each in files if each["tls"]],
    }


def _instance(instance: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("name", "port", "bind", "password", "maxclients", "tls", "tls_names")
    primary = (instance.get("replication") or {}).get("primary")
    return {**{key: instance[key] for key in keys}, "primary": primary}


def _files(instance: Mapping[str, Any], host_name: str) -> dict[str, Any]:
    name = instance["name"]
    lines = directives(instance)
    return {
        "name": name,
        "tls": instance["tls"],
        "configuration": _explained(line for line in lines if line.name not in redis_check.SECRETS),
        "secrets": "\n".join(f"{line.name} {line.value}" for line in lines if line.name in redis_check.SECRETS),
        "certificate": {"name": f"redis-{name}-{host_name}", "names": instance["tls_names"]},
    }


def _explained(lines: Iterable[Directive]) -> str:
    """Return lines of a configuration, each below its reason."""
    return "\n\n".join(f"{_comment(line.reason)}\n{line.name} {line.value}" for line in lines)


@functools.cache
def _comment(text: str) -> str:
    return "# " + "\n# ".join(textwrap.wrap(text, COMMENT_COLUMNS))


def directives(instance: Mapping[str, Any]) -> list[Directive]:
    """Return the whole configuration of an instance; what the user set replaces a default of the same name."""
    own = {str(name).lower(): value for name, value in instance["settings"].items()}
    lines = [*_listener(instance), *_identity(instance), *_limits(instance), *_replication(instance)]
    lines += [default for default in DEFAULTS if default.name not in own]
    for name in sorted(own):
        lines += [Directive(name, text, "Set in the inventory.") for text in _values(name, own[name])]
    return lines


DEFAULTS = (
    Directive(
        "maxmemory-policy",
        "volatile-lru",
        "Cached results have an expiry and the queue has none: when memory is full the least used results go, the "
        "queue never does (allkeys-* would lose queries). volatile-ttl would first take Cube's marks of tables in use, "
        "which live shortest.",
    ),
    Directive(
        "save", '""', "Forget Redis' built-in schedule of snapshots, and any that was rewritten into its own file."
    ),
    Directive(
        "save",
        "300 1",
        "A snapshot every five minutes and at every stop keeps the cache warm over restarts. What a crash loses is "
        "computed again, and queued queries are asked again by who waits for them.",
    ),
    Directive("appendonly", "no", "Everything here can be computed again: no request waits for a disk."),
    Directive(
        "stop-writes-on-bgsave-error", "no", "A full disk must not stop the queue, which needs no snapshot to work."
    ),
    Directive("timeout", "0", "Idle connections stay: any error on one of its connections ends a Cube process."),
    Directive(
        "tcp-keepalive", "60", "A client that vanished without a word gives its connection back within two minutes."
    ),
)


def _listener(instance: Mapping[str, Any]) -> Iterator[Directive]:
    port, tls = str(instance["port"]), instance["tls"]
    yield Directive("bind", " ".join(instance["bind"]), "Only where its clients are.")
    if not tls:
        yield Directive("port", port, "One port per instance.")
    else:
        files = f"{CONFIG_DIRECTORY}/{instance['name']}"
        yield Directive("port", "0", "Nothing is served in the clear.")
        yield Directive("tls-port", port, "One port per instance.")
        yield Directive("tls-cert-file", f"{files}.crt", "Issued by the deployment's own CA.")
        yield Directive("tls-key-file", f"{files}.key", "Readable by Redis alone.")
        yield Directive("tls-ca-cert-file", f"{CONFIG_DIRECTORY}/ca.crt", "Whom replication trusts.")
        yield Directive(
            "tls-auth-clients", "no", "Clients prove themselves by password: Cube cannot present a certificate."
        )
        yield Directive("tls-replication", "yes", "Data leaves this host encrypted only.")
        yield Directive("tls-protocols", '"TLSv1.2 TLSv1.3"', "Older ones are broken.")
    yield Directive("unixsocket", f"{RUN_DIRECTORY}/{instance['name']}/redis.sock", "For administration on this host.")
    yield Directive("unixsocketperm", "700", "Opened by root and Redis itself.")


def _identity(instance: Mapping[str, Any]) -> Iterator[Directive]:
    yield Directive("requirepass", quote(str(instance["password"])), "Nobody without it.")
    yield Directive("dir", f"{DATA_DIRECTORY}/{instance['name']}", "The only directory that the unit may write.")
    yield Directive("daemonize", "no", "systemd runs it.")
    yield Directive("supervised", "systemd", "It tells systemd when its data is loaded.")


def _limits(instance: Mapping[str, Any]) -> Iterator[Directive]:
    yield Directive("maxclients", str(instance["maxclients"]), "What the pools of its clients need together.")
    yield Directive("maxmemory", str(instance["maxmemory_bytes"]), "Its share of this host, in bytes.")
    yield Directive("databases", str(instance["databases"]), "Cannot change without a restart, so there is room.")


def _replication(instance: Mapping[str, Any]) -> Iterator[Directive]:
    """Yield what every member of a replicated Redis has, since each may come to be a replica.

    Which one is the primary is not written here: that is Sentinel's to decide.
    """
    if not instance.get("replication"):
        return
    yield Directive("masterauth", quote(str(instance["password"])), "The same on all: any of them may be the primary.")
    yield Directive("replica-announce-ip", instance["bind"][0], "Where Sentinel and Cube find it.")
    yield Directive(
        "min-replicas-to-write",
        "0",
        "A primary that lost its replicas goes on: refused writes would end every query, and what a cut-off primary "
        "writes is cache and queue, which can be lost.",
    )


def quote(text: str) -> str:
    """Return a value as Redis reads it between double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _values(name: str, value: object) -> Iterator[str]:
    """Return the value of each line that a setting becomes; an empty `save` resets what was set before."""
    values = value if isinstance(value, list) else [value]
    if name == "save" and values != [""]:
        yield '""'
    for each in values:
        text = ("no", "yes")[each] if isinstance(each, bool) else str(each)
        yield text or '""'


def _with_defaults(instance: Mapping[str, Any], host: Limits) -> dict[str, Any]:
    given = {key: _number(value) if key in NUMBERS else value for key, value in instance.items() if value is not None}
    defaults: dict[str, Any] = {
        "bind": ["127.0.0.1"],
        "maxclients": DEFAULT_MAXCLIENTS,
        "databases": DEFAULT_DATABASES,
        "tls": False,
        "tls_names": [],
        "settings": {},
    }
    if host.memory_bytes is not None:
        defaults["maxmemory_bytes"] = memory.redis_maxmemory(host.memory_bytes)
    return {**defaults, **given}


def _number(value: object) -> object:
    """Return a number that came as text, as templates make them before ansible-core 2.19."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value
