# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""URLs of Redis as Cube.js' two clients read them: each has a grammar of its own, and traps of its own.

node_redis decodes the parts of a URL and ignores what it does not understand. Cube's own parser for
ioredis decodes nothing and splits at every `@`, `:` and `/`. Both were probed at 0.29.57 (node_redis
3.1.2, ioredis 4.31).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Problem

NODE_REDIS = "node_redis"
IOREDIS = "ioredis"
PORT = 6379
PLAIN = "Write redis://host:port/index"

_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class RedisUrlError(ValueError):
    """A URL that the client cannot use as it is meant; the problem never holds its password."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}. {remedy}")
        self.problem = Problem(message, remedy)


@dataclass(frozen=True)
class Target:
    """What a URL points at. sentinels is empty unless it is a Sentinel URL, whose host is its first sentinel."""

    host: str
    port: int
    index: int
    tls: bool
    user: str | None = None
    password: str | None = None
    sentinels: tuple[tuple[str, int], ...] = ()
    master: str = ""


def parse(url: str, client: str) -> Target:
    """Return what a URL points at for this client; raise RedisUrlError when it would be misread."""
    if re.search(r"\s", url):
        raise RedisUrlError("it holds a blank or a line break", "Remove it")
    scheme, separator, rest = url.partition("://")
    if client == IOREDIS:
        return _parse_ioredis(scheme, rest) if separator else _parse_ioredis("redis", url)
    if not separator:
        raise RedisUrlError("it has no scheme; node_redis refuses it", PLAIN)
    if scheme == "redis+sentinel":
        raise RedisUrlError("node_redis takes the first sentinel for a Redis server", "Set redis.client to ioredis")
    if scheme not in ("redis", "rediss"):
        raise RedisUrlError("its scheme is none of redis and rediss", PLAIN)
    return _parse_node_redis(rest, tls=scheme == "rediss")


def _parse_node_redis(rest: str, *, tls: bool) -> Target:
    location, _mark, query = rest.partition("?")
    authority, _slash, path = location.partition("/")
    if "@" in path:
        raise RedisUrlError("its password has a / that is not encoded", "Write %2F, or set redis.password")
    credentials, at, address = authority.rpartition("@")
    if "@" in credentials or "#" in rest:
        raise RedisUrlError("its password has an @ or # that is not encoded", "Write %40 or %23, or set redis.password")
    if _BAD_PERCENT.search(credentials):
        raise RedisUrlError("its password has a percent sign that is not encoded", "Write %25, or set redis.password")
    host, port = _address(address)
    user, _colon, password = credentials.partition(":")
    arguments = parse_qs(query)
    return Target(
        host=host,
        port=port,
        index=_index(arguments.get("db", [path])[0]),
        tls=tls,
        user=unquote(user) or None,
        password=arguments.get("password", [unquote(password)])[0] or None if at or query else None,
    )


def _parse_ioredis(scheme: str, rest: str) -> Target:
    if scheme == "redis+sentinel":
        return _parse_sentinel(rest)
    if scheme not in ("redis", "rediss"):
        raise RedisUrlError("its scheme is none of redis, rediss and redis+sentinel", PLAIN)
    if "?" in rest:
        raise RedisUrlError("Cube ignores what follows the ? for ioredis", "Write the index as redis://host:port/index")
    credentials, at, location = rest.rpartition("@")
    user, password = _ioredis_credentials(credentials) if at else (None, None)
    address, _slash, path = location.partition("/")
    if "[" in address:
        raise RedisUrlError("Cube cannot read an IPv6 address for ioredis", "Write a name or an IPv4 address")
    host, port = _address(address)
    return Target(host, port, _index(path), scheme == "rediss", user, password)


def _ioredis_credentials(credentials: str) -> tuple[str, str]:
    user, colon, password = credentials.partition(":")
    if not colon or not user:
        raise RedisUrlError("for ioredis Cube wants user:password@, both", "Write default:password@, or redis.password")
    if any(character in user + password for character in "@:/"):
        raise RedisUrlError("Cube splits at every @, ", "And / for ioredis and decodes nothing: set redis.password")
    if "%" in password:
        raise RedisUrlError("Cube decodes no percent sign in a password for ioredis", "Set redis.password")
    return user, password


def _parse_sentinel(rest: str) -> Target:
    if "@" in rest:
        raise RedisUrlError("Cube refuses credentials in a Sentinel URL", "Set redis.password for the data nodes")
    parts = rest.split("/")
    if len(parts) != 3 or not all(parts):
        raise RedisUrlError(
            "a Sentinel URL needs the master's name and the index", "Redis+sentinel://a:26379,b:26379/name/0"
        )
    sentinels = []
    for address in parts[0].split(","):
        if not re.search(r":\d+$", address):
            raise RedisUrlError("every sentinel needs its port, since Cube would take 6379", "Write host:26379")
        sentinels.append(_address(address))
    host, port = sentinels[0]
    return Target(host, port, _index(parts[2]), tls=False, sentinels=tuple(sentinels), master=parts[1])


def _address(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/]+)(?::([0-9]{1,9}))?", text)
    if match is None:
        raise RedisUrlError("its host and port cannot be read", PLAIN)
    port = int(match[2] or PORT)
    if not 0 < port < 65536:
        raise RedisUrlError(f"{port} is no port", "Write 1 to 65535")
    return match[1].strip("[]"), port


def _index(text: str) -> int:
    if not text:
        return 0
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise RedisUrlError("its database index is no number", PLAIN)
    return int(text)


def build_sentinel(sentinels: Iterable[tuple[str, int]], master: str, index: int) -> str:
    """Return the URL by which ioredis finds the primary; it has room for no password, be it Redis' or Sentinel's."""
    return f"redis+sentinel://{','.join(f'{host}:{port}' for host, port in sentinels)}/{master}/{index}"


def build(host: str, port: int, index: int) -> str:
    """Return the URL of a server, without credentials, that both clients read alike."""
    name = f"[{host}]" if ":" in host else host
    return f"redis://{name}:{port}/{index}"
