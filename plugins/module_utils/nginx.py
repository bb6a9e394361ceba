# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Nginx' configuration needs and no template should work out: checks, syntax by version, sizes of hash tables."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.pki import PkiError, normalise_name

# The directive took the place of a parameter of `listen`, which warns since (changes of Nginx 1.25.1).
HTTP2_DIRECTIVE = (1, 25, 1)
# Before, a default server for TLS needs a certificate of its own (changes of Nginx 1.19.4).
REJECT_HANDSHAKE = (1, 19, 4)
# Since, one limit holds for HTTP/1 and HTTP/2; before, HTTP/2 refused headers over 4 KB, long URLs too (1.19.7).
ONE_HEADER_LIMIT = (1, 19, 7)
NEWEST = (99, 0, 0)
# Of a Unix socket's path, the terminating null left out.
SOCKET_PATH_BYTES = 107

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_BASE_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_SOCKET = re.compile(r"unix:(/[A-Za-z0-9@._/-]+)")
_VERSION = re.compile(r"(?:\d+:)?(\d+)\.(\d+)\.(\d+)")


class NginxError(Exception):
    """The settings cannot be served; the message has every problem, one a line."""


@dataclass(frozen=True)
class Settings:
    """What the servers have in common; `version` is the installed package's, None before there is one."""

    version: str | None
    ipv6: bool
    http_port: int
    https_port: int
    http2: bool
    worker_connections: int
    trusted_proxies: tuple[str, ...] = ()
    health_clients: tuple[str, ...] = ()


def layout(
    servers: Sequence[Mapping[str, Any]], settings: Settings, others: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Return what the templates print, with every default filled in. Raises NginxError with all problems at once.

    others: servers that are on the host besides, and not written.
    """
    complete = [_complete(server) for server in servers]
    present = [*complete, *map(_complete, others)]
    problems = [*_setting_problems(settings), *_server_problems(present)]
    if problems:
        raise NginxError("\n".join(problems))
    version = parse_version(settings.version)
    terminates_tls = not settings.trusted_proxies
    listens_for_http2 = settings.http2 and version < HTTP2_DIRECTIVE
    return {
        "servers": complete,
        "tls_servers": complete if terminates_tls else [],
        "certificates": [_certificate_request(server) for server in complete if terminates_tls],
        "terminates_tls": terminates_tls,
        "http_listen": _addresses(settings.http_port, settings.ipv6),
        "https_listen": [
            f"{address} ssl{' http2' if listens_for_http2 else ''}"
            for address in _addresses(settings.https_port, settings.ipv6)
        ],
        "http2_directive": settings.http2 and version >= HTTP2_DIRECTIVE,
        "http2_own_limits": settings.http2 and version < ONE_HEADER_LIMIT,
        "reject_handshake": version >= REJECT_HANDSHAKE,
        "names_hash": hash_sizes([server["server_name"] for server in present]),
        "open_files": open_files(settings.worker_connections),
        "public_port": "" if settings.https_port == 443 or not terminates_tls else f":{settings.https_port}",
        "health_clients": [*settings.health_clients, *settings.trusted_proxies],
    }


def parse_version(version: str | None) -> tuple[int, int, int]:
    """Return a package's version as numbers; what is not installed yet counts as the newest."""
    match = _VERSION.match(version or "")
    if match is None:
        return NEWEST
    return int(match[1]), int(match[2]), int(match[3])


def hash_sizes(names: Iterable[str]) -> dict[str, int]:
    """Return bucket_size (bytes) and max_size (buckets) with which Nginx finds a place for every name at once.

    An element of the table is a pointer (8 bytes) and the name with its length (2 bytes), padded to 8; a bucket ends
    with another pointer (ngx_hash.h, NGX_HASH_ELT_SIZE). A bucket that holds eight of the longest name, and two buckets
    for each name, leave room for the names in other people's files too.
    """
    sizes = [len(name.encode("utf-8")) for name in names] or [0]
    element = 8 + (max(sizes) + 2 + 7) // 8 * 8
    return {"bucket_size": _power_of_two(8 * element + 8, 256), "max_size": _power_of_two(2 * len(sizes), 512)}


def open_files(worker_connections: int) -> int:
    """Return the files a worker may need: a client and an upstream for each connection pair, logs and listeners."""
    return 2 * worker_connections + 512


def upstream_problem(upstream: str) -> str | None:
    """Return why Nginx cannot proxy to this address, or None."""
    socket = _SOCKET.fullmatch(upstream)
    if socket:
        too_long = len(socket[1]) > SOCKET_PATH_BYTES
        return f"its path is longer than the {SOCKET_PATH_BYTES} bytes of a Unix socket" if too_long else None
    host, _colon, port = upstream.rpartition(":")
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        return "write unix:/path/of/a.sock or host:port"
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return _name_problem(host)
    return "write an IPv6 address in brackets" if address.version == 6 and not host.startswith("[") else None


def _complete(server: Mapping[str, Any]) -> dict[str, Any]:
    certificate = server.get("certificate") or {}
    return {
        "name": server["name"],
        "server_name": server["server_name"],
        "upstreams": list(server["upstreams"]),
        "web_sockets": bool(server.get("web_sockets")),
        "base_path": server.get("base_path") or "/cubejs-api",
        "directives": server.get("directives") or "",
        "maintenance": bool(server.get("maintenance")),
        "certificate": {
            "source": certificate.get("source") or "own_ca",
            "certificate_path": certificate.get("certificate_path"),
            "key_path": certificate.get("key_path"),
        },
    }


def _certificate_request(server: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the certificates action is asked for: named after the server name, which no other deployment has."""
    request = {"name": server["server_name"], "names": [server["server_name"]]}
    if server["certificate"]["source"] == "own_ca":
        return request
    return {**request, **{key: server["certificate"][key] for key in ("certificate_path", "key_path")}}


def _addresses(port: int, ipv6: bool) -> list[str]:
    return [str(port), f"[::]:{port}"] if ipv6 else [str(port)]


def _power_of_two(least: int, floor: int) -> int:
    return max(floor, 1 << (least - 1).bit_length())


def _setting_problems(settings: Settings) -> list[str]:
    problems = [
        f"{variable}: {port} is no port: 1 to 65535"
        for variable, port in (("nginx_http_port", settings.http_port), ("nginx_https_port", settings.https_port))
        if not 1 <= port <= 65535
    ]
    if settings.http_port == settings.https_port:
        problems.append(f"nginx_https_port: {settings.https_port} is nginx_http_port too: give each its own")
    if settings.worker_connections < 64:
        problems.append(f"nginx_worker_connections: {settings.worker_connections} serves nobody: at least 64")
    networks = (
        ("nginx_behind_load_balancer.trusted_proxies", settings.trusted_proxies),
        ("nginx_health_clients", settings.health_clients),
    )
    return problems + [
        f"{variable}: '{network}' is no IP address and no network: write 192.0.2.1 or 192.0.2.0/24"
        for variable, given in networks
        for network in given
        if not _is_network(network)
    ]


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _server_problems(servers: Sequence[Mapping[str, Any]]) -> list[str]:
    problems = []
    seen: dict[tuple[str, str], int] = {}
    for index, server in enumerate(servers):
        where = f"nginx_servers[{index}]"
        problems += [f"{where}.{problem}" for problem in _own_problems(server)]
        for key in ("name", "server_name"):
            first = seen.setdefault((key, server[key].lower()), index)
            if first != index:
                problems.append(f"{where}.{key}: '{server[key]}' is nginx_servers[{first}]'s too: each has its own")
    return problems


def _own_problems(server: Mapping[str, Any]) -> list[str]:
    said = {
        "name": None if _NAME.fullmatch(server["name"]) else "write lower-case letters, digits, - and _, at most 63",
        "server_name": _name_problem(server["server_name"]),
        "base_path": None if _BASE_PATH.fullmatch(server["base_path"]) else "write /a/path without / at its end",
    }
    problems = [f"{key}: '{server[key]}': {problem}" for key, problem in said.items() if problem]
    for upstream in server["upstreams"]:
        problem = upstream_problem(upstream)
        if problem:
            problems.append(f"upstreams: '{upstream}': {problem}")
    if not server["upstreams"]:
        problems.append("upstreams: there is none: a server needs one or more")
    if len(set(server["upstreams"])) < len(server["upstreams"]):
        problems.append("upstreams: one of them is written twice")
    certificate = server["certificate"]
    if certificate["source"] == "provided" and not (certificate["certificate_path"] and certificate["key_path"]):
        problems.append("certificate: a provided one needs certificate_path and key_path")
    return problems


def _name_problem(name: str) -> str | None:
    try:
        normalise_name(name)
    except PkiError as exc:
        return str(exc).partition(": ")[2]
    return None
