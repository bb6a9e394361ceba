# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nginx' configuration read from its files: the servers that pass requests on, and how.

`nginx -T` would tell the same, and makes log files and directories where there are none; an audit makes nothing.
"""

from __future__ import annotations

import contextlib
import fnmatch
import posixpath
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils import x509
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import (
    Certificate,
    Passing,
    Unknown,
    WebServer,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree

ROOT = "/etc/nginx/nginx.conf"
MAX_FILES = 2000
MAX_DEPTH = 10
MAX_BYTES = 16 * 1024 * 1024

# A quoted text, a comment, a mark, or a bare word, in which ${name} may stand.
_TOKEN = re.compile(
    r"""
    "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | \#[^\n]* | [{};] |
    (?:\$\{\w+\}|\\.|[^\s{};"'\#\\])(?:\$\{\w+\}|\\.|[^\s{};\\])*
    """,
    re.VERBOSE | re.DOTALL,
)


class NginxFilesError(ValueError):
    """The files cannot be read as Nginx would."""


@dataclass
class Block:
    """A directive: its words, and for a block the directives in it."""

    words: tuple[str, ...]
    path: str
    inner: list[Block] = field(default_factory=list)

    def all(self, name: str) -> list[Block]:
        """Return the directives of this name that stand directly in it."""
        return [each for each in self.inner if each.words[0] == name]

    def one(self, name: str) -> str:
        """Return what a directive is set to; "" for none."""
        found = self.all(name)
        return " ".join(found[-1].words[1:]) if found else ""


def read_web_servers(tree: Tree, redactor: Redactor, path: str = ROOT) -> tuple[WebServer, ...]:
    """Return the servers; none without Nginx. Raises OSError and NginxFilesError for files that cannot be read."""
    if not tree.exists(path):
        return ()
    root = Block(("main",), path)
    reader = _Reader(tree, posixpath.dirname(path))
    reader.read(path, root, 0)
    found: list[WebServer] = []
    for http in root.all("http"):
        upstreams = {block.words[1]: block for block in http.all("upstream") if len(block.words) > 1}
        maps = (block.words[1:] for block in http.all("map"))
        upgrades = {words[1] for words in maps if words[:1] == ("$http_upgrade",) and words[1:]}
        context = _Context(tree, redactor, posixpath.dirname(path), upstreams, upgrades)
        found += [_server(context, http, server) for server in http.all("server")]
    return tuple(found)


@dataclass(frozen=True)
class _Context:
    tree: Tree
    redactor: Redactor
    home: str
    upstreams: Mapping[str, Block]
    upgrades: set[str]


class _Reader:
    def __init__(self, tree: Tree, home: str) -> None:
        self._tree = tree
        self._home = home
        self._files = 0
        self._bytes = 0

    def read(self, path: str, into: Block, depth: int) -> None:
        """Read a file's directives, and those of the files that it includes, in their places."""
        self._files += 1
        text = self._tree.text(path)
        self._bytes += len(text)
        if depth > MAX_DEPTH or self._files > MAX_FILES or self._bytes > MAX_BYTES:
            raise NginxFilesError(f"{path}: more files are included, or more deeply, than are read")
        self._directives(_words(text), path, into, depth)

    def _directives(self, words: Iterator[str], path: str, into: Block, depth: int) -> None:
        stack = [into]
        current: list[str] = []
        for word in words:
            if word == "{":
                block = Block(tuple(current) or ("",), path)
                stack[-1].inner.append(block)
                stack.append(block)
                current = []
            elif word == "}":
                if len(stack) == 1:
                    raise NginxFilesError(f"{path}: a block ends that did not begin")
                stack.pop()
            elif word == ";":
                if current[:1] == ["include"] and len(current) == 2:
                    self._include(current[1], stack[-1], depth)
                elif current:
                    stack[-1].inner.append(Block(tuple(current), path))
                current = []
            else:
                current.append(word)

    def _include(self, pattern: str, into: Block, depth: int) -> None:
        path = posixpath.join(self._home, pattern)
        folder, name = posixpath.split(path)
        if not re.search(r"[*?[]", name):
            self.read(path, into, depth + 1)
            return
        with contextlib.suppress(FileNotFoundError):
            for each in self._tree.names(folder):
                if fnmatch.fnmatchcase(each, name):
                    self.read(f"{folder}/{each}", into, depth + 1)


def _words(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text):
        word = match[0]
        if word[0] == "#":
            continue
        yield word[1:-1] if word[0] in "\"'" and len(word) > 1 else word


def _server(context: _Context, http: Block, server: Block) -> WebServer:
    places = [(server,), *_locations(server, (server,))]
    passings = tuple(_passing(context, (*reversed(place), http)) for place in places if place[-1].all("proxy_pass"))
    listens = tuple(" ".join(each.words[1:]) for each in server.all("listen"))
    certificate_path, key_path = (
        _path(context, server.one(name)) for name in ("ssl_certificate", "ssl_certificate_key")
    )
    certificate, matches, unknown = _certificate(context, certificate_path, key_path)
    text = context.redactor.text
    return WebServer(
        path=text(server.path),
        names=tuple(text(name) for each in server.all("server_name") for name in each.words[1:]),
        listens=tuple(map(text, listens)),
        upstreams=tuple(dict.fromkeys(end for each in passings for end in each.upstreams)),
        passings=passings,
        tls=any("ssl" in each.split() for each in listens),
        redirects_to=text(_redirect(place[-1] for place in places)),
        certificate_path=text(certificate_path),
        key_path=text(key_path),
        key_matches=matches,
        certificate=certificate,
        protocols=text(_set_to((server, http), "ssl_protocols")),
        unknown=unknown,
    )


def _locations(block: Block, above: tuple[Block, ...]) -> Iterator[tuple[Block, ...]]:
    """Yield each location with what it stands in, the outermost first."""
    for each in block.inner:
        if each.words[0] in ("location", "if"):
            yield (*above, each)
            yield from _locations(each, (*above, each))


def _passing(context: _Context, places: tuple[Block, ...]) -> Passing:
    """Return how a place passes requests on. places: it, and what it stands in, the innermost first."""
    text = context.redactor.text
    headers = _headers(places)
    place = places[0]
    return Passing(
        place=text(" ".join(place.words[1:]) if place.words[0] == "location" else ""),
        upstreams=tuple(dict.fromkeys(map(text, _ends(context, place.one("proxy_pass"))))),
        http_version=text(_set_to(places, "proxy_http_version")),
        headers={text(name, 100): text(value) for name, value in headers.items()},
        upgrade_map=headers.get("connection", "") in context.upgrades,
        body_size=text(_set_to(places, "client_max_body_size")),
        read_timeout=text(_set_to(places, "proxy_read_timeout")),
    )


def _set_to(places: Iterable[Block], name: str) -> str:
    """Return what holds in the first of the places: there, else in what it stands in."""
    return next((value for value in (place.one(name) for place in places) if value), "")


def _headers(places: Iterable[Block]) -> dict[str, str]:
    """Return the headers set at the innermost level that sets any: Nginx inherits all of them or none."""
    for place in places:
        found = {
            each.words[1].lower(): " ".join(each.words[2:])
            for each in place.all("proxy_set_header")
            if len(each.words) > 2
        }
        if found:
            return found
    return {}


def _ends(context: _Context, target: str) -> list[str]:
    address = re.sub(r"^https?://", "", target)
    # A Unix socket's path ends at a colon, another address at the first slash.
    address = re.sub(r":[^:]*$", "", address) if address.count(":") > 1 and address.startswith("unix:") else address
    name = address if address.startswith("unix:") else address.partition("/")[0]
    upstream = context.upstreams.get(name)
    return [each.words[1] for each in upstream.all("server") if len(each.words) > 1] if upstream else [name]


def _redirect(places: Iterable[Block]) -> str:
    for place in places:
        words = place.one("return").split()
        if len(words) == 2 and words[0] in ("301", "302", "303", "307", "308"):
            return words[1]
    return ""


def _path(context: _Context, written: str) -> str:
    """Return a file that is named from where nginx.conf is; "" and what is set at run time stay as they are."""
    return posixpath.join(context.home, written) if written and "$" not in written else written


def _certificate(
    context: _Context, path: str, key_path: str
) -> tuple[Certificate | None, bool | None, tuple[Unknown, ...]]:
    """Return what the certificate's file says, whether the key belongs to it, and what could not be read."""
    if not path or "$" in path or "$" in key_path:
        return None, None, ()
    remedy = "Run the task with become: true"
    try:
        certificate: Certificate | None = x509.parse_pem(context.tree.text(path))
    except (OSError, x509.X509Error) as exc:
        return None, None, (Unknown("certificate", context.redactor.text(f"{path}: {_why(exc)}"), remedy),)
    try:
        chain = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # A key with a password would be asked for at the terminal; an empty one is wrong for it.
        chain.load_cert_chain(context.tree.place(path), context.tree.place(key_path), password="")
    except ssl.SSLError as exc:
        if "KEY_VALUES_MISMATCH" in str(exc):
            return certificate, False, ()
        return certificate, None, (Unknown("key_matches", context.redactor.text(f"{key_path}: {exc.reason or exc}")),)
    except OSError as exc:
        return certificate, None, (Unknown("key_matches", context.redactor.text(f"{key_path}: {_why(exc)}"), remedy),)
    return certificate, True, ()


def _why(exc: Exception) -> str:
    return exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
