# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Redis instances are to the code that brings them up to date: wanted, seen, and what can be done to them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


class InstancesError(Exception):
    """An instance cannot be brought up to date; the message names it, says why and what to do."""


class WrongPasswordError(InstancesError):
    """The running server takes none of the passwords that it can have."""


class NotReadyError(Exception):
    """The server does not answer, or still loads its data; the message says which."""


class ImmutableError(Exception):
    """The server cannot change this setting while it runs."""


class SettingRefusedError(Exception):
    """The server refuses this value; the message is its own."""


@dataclass(frozen=True)
class Instance:
    """A wanted instance. `bind`, `port` and `tls`: where clients reach it; `tls_name`: what its certificate is for.

    `primary`: the address of the first primary of a replicated Redis, maybe its own; None where it is not replicated.
    """

    name: str
    port: int
    password: str
    maxclients: int
    bind: tuple[str, ...] = ("127.0.0.1",)
    tls: bool = False
    tls_name: str | None = None
    primary: str | None = None


@dataclass(frozen=True)
class UnitState:
    """What systemd says. `stale`: the unit's file changed after its process started."""

    active: bool
    enabled: bool
    needs_daemon_reload: bool = False
    stale: bool = False
    failing: bool = False
    pid: int = 0


class Session(Protocol):
    """An administrator's connection to a running server, logged in with `password`."""

    password: str

    def config(self) -> dict[str, str]:
        """Return every setting and its value."""

    def process_id(self) -> int:
        """Return the server's own idea of its process."""

    def used_memory(self) -> int:
        """Return how many bytes the data takes."""

    def password_digests(self) -> frozenset[str]:
        """Return the SHA-256 of every password that lets clients in; an empty text stands for none being needed."""

    def set(self, name: str, value: str) -> None:
        """Change a setting. Raises ImmutableError or SettingRefusedError."""

    def set_password(self, password: str, keep: Collection[str]) -> None:
        """Change the password at one stroke; connected clients stay. Those in `keep` (SHA-256) let clients in too."""

    def reload_certificate(self) -> None:
        """Read the certificate and its key again; connected clients stay."""


class Store(Protocol):
    """The host, its files and its servers."""

    def units(self, names: Sequence[str]) -> dict[str, UnitState]:
        """Return the state of every instance's unit."""

    def daemon_reload(self) -> None:
        """Let systemd read its unit files again."""

    def enable(self, names: Sequence[str]) -> None:
        """Start the instances at boot."""

    def start(self, name: str) -> None:
        """Start an instance, without waiting until its data is loaded."""

    def restart(self, name: str) -> None:
        """Restart an instance, without waiting until its data is loaded."""

    def unlisted(self, names: Collection[str]) -> list[str]:
        """Return the enabled instances that are not among the names."""

    def wanted_settings(self, name: str, *, remember: bool) -> dict[str, str]:
        """Return what the installed server makes of the static file."""

    def passwords(self, name: str) -> list[str]:
        """Return the passwords that the running server may have besides the wanted one."""

    def remember_passwords(self, name: str, passwords: Sequence[str]) -> None:
        """Note which passwords the running server may have from now on; survives being killed right after."""

    def was_started(self, name: str) -> bool:
        """Return whether the instance ever ran on this host: from then on it knows itself what it is a replica of."""

    def present_primary(self, name: str) -> str | None:
        """Return the address of the primary that Sentinel names; None where none answers or knows it."""

    def begin_as_replica(self, instance: Instance, primary: str) -> None:
        """Let an instance that never ran begin as a replica of the one on another host."""

    def session(self, instance: Instance, passwords: Sequence[str]) -> AbstractContextManager[Session]:
        """Connect with the first password that is taken. Raises NotReadyError or WrongPasswordError."""

    def serves_other_certificate(self, instance: Instance) -> bool:
        """Return whether clients are shown another certificate than the one on disk."""

    def check_clients_way(self, instance: Instance) -> None:
        """Do what a client does: connect (with TLS, trusting the CA), log in, ping.

        Raises InstancesError, and NotReadyError while the server loads data.
        """

    def ports_taken(self, instance: Instance) -> list[str]:
        """Return the addresses of a stopped instance on which something else listens."""

    def replaced_binary(self, pid: int) -> bool:
        """Return whether the process runs a program that was replaced since, by a package update for instance."""

    def open_files_limit(self, pid: int) -> int:
        """Return how many files the process may open."""

    def journal(self, name: str) -> str:
        """Return the last lines that the instance logged, without secrets."""

    def moments(self, seconds: float) -> Iterator[None]:
        """Pass now and again until the time is over."""


def digest(password: str) -> str:
    """Return a password as the server keeps it."""
    return hashlib.sha256(password.encode()).hexdigest()
