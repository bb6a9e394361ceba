# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sockets of a network namespace, as /proc/net shows them, told by their inodes."""

from __future__ import annotations

import contextlib
import ipaddress
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

LISTENING = "0A"
ESTABLISHED = "01"
# __SO_ACCEPTCON in the flags of /proc/net/unix.
ACCEPTS = 0x10000


@dataclass(frozen=True)
class Tcp:
    """A TCP socket; addresses as people write them."""

    address: str
    port: int
    remote: str = ""
    remote_port: int = 0


@dataclass(frozen=True)
class Table:
    """All sockets by inode: those that listen, those that are connected, and the paths of Unix ones that listen."""

    listening: dict[str, Tcp] = field(default_factory=dict)
    connected: dict[str, Tcp] = field(default_factory=dict)
    unix: dict[str, str] = field(default_factory=dict)


def read(net: str) -> Table:
    """Return the sockets in a directory such as /proc/net; files that are not there have none."""
    table = Table()
    for name in ("tcp", "tcp6"):
        for row in _lines(f"{net}/{name}"):
            fields = row.split()
            # A row that cannot be understood is one that no socket of ours has.
            with contextlib.suppress(IndexError, ValueError, struct.error):
                _add_tcp(table, fields)
    for row in _lines(f"{net}/unix"):
        fields = row.split(None, 7)
        with contextlib.suppress(IndexError, ValueError):
            if len(fields) == 8 and int(fields[3], 16) & ACCEPTS:
                table.unix[fields[6]] = fields[7]
    return table


def _add_tcp(table: Table, fields: list[str]) -> None:
    state, inode = fields[3], fields[9]
    if state not in (LISTENING, ESTABLISHED):
        return
    address, port = _endpoint(fields[1])
    if state == LISTENING:
        table.listening[inode] = Tcp(address, port)
    else:
        table.connected[inode] = Tcp(address, port, *_endpoint(fields[2]))


def _lines(path: str) -> Iterator[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as opened:
            next(opened, None)
            yield from (line.rstrip("\n") for line in opened)
    except OSError:
        return


def _endpoint(text: str) -> tuple[str, int]:
    """Return address and port; the kernel writes addresses as words in the machine's own order of bytes."""
    address, _colon, port = text.partition(":")
    raw = bytes.fromhex(address)
    words = struct.unpack(f">{len(raw) // 4}I", raw)
    found = ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found), int(port, 16)


def inodes(descriptors: Iterable[str]) -> list[str]:
    """Return the inodes among what descriptors are open on, such as "socket:[123]"."""
    return [each[8:-1] for each in descriptors if each.startswith("socket:[")]


def local_addresses(net: str) -> tuple[str, ...]:
    """Return the addresses of the host itself, loopback left out, sorted."""
    found = set()
    previous = ""
    for line in _lines(f"{net}/fib_trie"):
        if line.strip() == "/32 host LOCAL":
            found.add(previous.split()[-1])
        previous = line if line.strip() else previous
    for line in _lines_of_interfaces(f"{net}/if_inet6"):
        with contextlib.suppress(ValueError, IndexError):
            found.add(str(ipaddress.IPv6Address(bytes.fromhex(line.split()[0]))))
    return tuple(sorted(each for each in found if not _is_loopback(each)))


def _lines_of_interfaces(path: str) -> list[str]:
    try:
        with open(path, encoding="ascii", errors="replace") as opened:
            return opened.read().splitlines()
    except OSError:
        return []


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return True
