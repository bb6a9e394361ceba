# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Redis instances of this host as they are: units, files, processes and servers."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import ipaddress
import json
import os
import re
import socket
import ssl
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import clock, sentinel_store, template_units
from ansible_collections.cubeops.cubejs.plugins.module_utils.masks import mask
from ansible_collections.cubeops.cubejs.plugins.module_utils.names import redis_unit
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_check import (
    ConfigRefusedError,
    directive,
    read,
    throwaway,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_logins import Logins
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_model import (
    Instance,
    InstancesError,
    NotReadyError,
    UnitState,
    WrongPasswordError,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_session import (
    REPLY_SECONDS,
    LiveSession,
    settings_of,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import Connection, Endpoint, RespError, Tls, answered
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import (
    Systemd,
    newest_change,
    process_started_at,
)

PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "Job",
    "UnitFileState",
    "MainPID",
    "NeedDaemonReload",
    "FragmentPath",
    "DropInPaths",
)


class HostStore:
    """The instances of this host. `notes` is a root-only directory that does not outlive a boot."""

    def __init__(
        self,
        server: str,
        systemd: Systemd | None = None,
        root: Path = Path("/"),
        sentinels: Sequence[Endpoint] = (),
    ) -> None:
        self._server = server
        self._systemd = systemd or Systemd()
        self._config = root / "etc/cubejs/redis"
        self._run = root / "run/cubejs-redis"
        self._credentials = root / "run/credentials"
        self._notes = root / "run/cubeops/redis"
        self._wants = root / "etc/systemd/system/multi-user.target.wants"
        self._proc = root / "proc"
        self._data = root / "var/lib/cubejs-redis"
        self._sentinels = sentinels
        self._secrets: set[str] = set()
        self._noted: dict[str, Mapping[str, Any]] = {}
        self._logins = Logins(self._run)

    # --- units ---

    def units(self, names: Sequence[str]) -> dict[str, UnitState]:
        """Return the state of every instance's unit, in as many calls however many there are."""
        units = {name: redis_unit(name) for name in names}
        running = template_units.running(self._systemd, [*units.values()], self._wants, self._proc)
        shown = self._systemd.show([unit for unit in units.values() if unit not in running], PROPERTIES)
        return {
            name: self._at_rest(running[unit]) if unit in running else self._state(shown[unit])
            for name, unit in units.items()
        }

    def _at_rest(self, found: template_units.Running) -> UnitState:
        stale = self._is_stale(found.pid, found.files_changed)
        return UnitState(active=True, enabled=True, stale=stale, pid=found.pid)

    def _is_stale(self, pid: int, changed: float | None) -> bool:
        started = process_started_at(pid, self._proc) if pid else None
        return changed is not None and started is not None and changed > started

    def _state(self, shown: Mapping[str, str]) -> UnitState:
        pid = int(shown.get("MainPID") or 0)
        # With a job, somebody has asked for it to be started or stopped and systemd has not come to that yet.
        waits = shown.get("ActiveState") == "failed" or shown.get("SubState") == "auto-restart"
        active = shown.get("ActiveState") in ("active", "reloading") or (
            shown.get("ActiveState") == "activating" and shown.get("SubState") != "auto-restart"
        )
        changed = newest_change([shown.get("FragmentPath", ""), *shown.get("DropInPaths", "").split()])
        return UnitState(
            active=active,
            enabled=shown.get("UnitFileState") == "enabled",
            needs_daemon_reload=shown.get("NeedDaemonReload") == "yes",
            stale=self._is_stale(pid, changed),
            failing=waits and shown.get("Job", "0") in ("", "0"),
            pid=pid,
        )

    def daemon_reload(self) -> None:
        """Let systemd read its unit files again."""
        self._systemd.daemon_reload()

    def enable(self, names: Sequence[str]) -> None:
        """Start the instances at boot."""
        self._systemd.enable_for_boot([redis_unit(name) for name in names])

    def start(self, name: str) -> None:
        """Start an instance, without waiting until its data is loaded.

        By `restart`: in the pause before systemd's own restart, `start` waits for its end (service_start() in
        systemd's src/core/service.c).
        """
        self._systemd.restart([redis_unit(name)], block=False)

    def restart(self, name: str) -> None:
        """Restart an instance, without waiting until its data is loaded."""
        self._systemd.restart([redis_unit(name)], block=False)

    def unlisted(self, names: Collection[str]) -> list[str]:
        """Return the enabled instances that are not among the names."""
        prefix, _name, suffix = redis_unit("\n").partition("\n")
        enabled = (entry.name for entry in self._wants.glob(f"{prefix}*{suffix}"))
        return sorted({name[len(prefix) : -len(suffix)] for name in enabled} - set(names))

    def journal(self, name: str) -> str:
        """Return the last lines that the instance logged, without secrets."""
        return mask(self._systemd.journal(redis_unit(name), 15), self._secrets)

    # --- files ---

    def wanted_settings(self, name: str, *, remember: bool) -> dict[str, str]:
        """Return what the installed server makes of the static file, noted until that file or the server changes."""
        config = self._static(name)
        key = hashlib.sha256(f"{config}\n{_identity(self._server)}".encode()).hexdigest()
        note = self._note(name)
        if note.get("key") == key:
            return dict(note["settings"])
        try:
            with throwaway(self._server, config) as path:
                settings = settings_of(path)
        except (ConfigRefusedError, RespError) as exc:
            raise InstancesError(f"the installed server refuses its configuration: {exc}") from exc
        if remember:
            self._write_note(name, {**note, "key": key, "settings": settings})
        return settings

    def passwords(self, name: str) -> list[str]:
        """Return the passwords that the running server may have: those noted, and the one it was started with.

        systemd keeps what a unit loaded as credentials for as long as it runs, whatever became of the file since.
        """
        started = directive(_read(self._credentials / redis_unit(name) / "redis.secret"), "requirepass")
        found = [*self._note(name).get("passwords", []), *started]
        self._secrets.update(found)
        return found

    def remember_passwords(self, name: str, passwords: Sequence[str]) -> None:
        """Note which passwords the running server may have from now on."""
        self._write_note(name, {**self._note(name), "passwords": list(dict.fromkeys(passwords))})

    def _static(self, name: str) -> str:
        path = self._config / f"{name}.conf"
        try:
            return read(path)
        except OSError as exc:
            raise InstancesError(f"its configuration {path} cannot be read: {exc.strerror}") from exc

    def _note(self, name: str) -> Mapping[str, Any]:
        """Return an instance's note, read once: nobody else writes it while we do (`host_lock`)."""
        if name not in self._noted:
            try:
                note = json.loads((self._notes / f"{name}.json").read_text())
            except (OSError, ValueError):
                note = {}
            self._noted[name] = note if isinstance(note, dict) else {}
        return self._noted[name]

    def _write_note(self, name: str, note: Mapping[str, object]) -> None:
        self._noted.pop(name, None)
        self._notes.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._notes.chmod(0o700)
        staged = self._notes / f".{name}.json"
        staged.unlink(missing_ok=True)
        with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            json.dump(note, stream)
        staged.replace(self._notes / f"{name}.json")

    # --- what it is a replica of, which Redis keeps in its own file ---

    def was_started(self, name: str) -> bool:
        """Return whether the instance ever ran here: its unit makes Redis' own file before the first start."""
        return (self._data / name / "redis.conf").exists()

    def present_primary(self, name: str) -> str | None:
        """Return the address of the primary that the first Sentinel to answer names."""
        return sentinel_store.primary_of(name, self._sentinels)

    def begin_as_replica(self, instance: Instance, primary: str) -> None:
        """Write Redis' own file for the first start. systemd hands the directory over to the instance's user then."""
        directory = self._data / instance.name
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged = directory / ".redis.conf"
        staged.unlink(missing_ok=True)
        with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(f"replicaof {primary} {instance.port}\n")
        staged.replace(directory / "redis.conf")

    # --- the process and its server ---

    def expect(self, instances: Sequence[Instance]) -> None:
        """Say which sessions will be asked for, in their order."""
        self._logins.expect(instances)

    def session(self, instance: Instance, passwords: Sequence[str]) -> LiveSession:
        """Connect by the instance's own Unix socket, whatever its port, with the first password that is taken."""
        self._secrets.update(passwords)
        for password in dict.fromkeys(passwords):
            session = self._logins.of(instance, password).session()
            if session is not None:
                return session
        raise WrongPasswordError(
            "it takes neither the wanted password nor any that it was given before, so somebody else changed it. "
            f"`systemctl restart {redis_unit(instance.name)}` lets it take the one of its configuration"
        )

    def check_clients_way(self, instance: Instance) -> None:
        """Do what a client does on every address: connect, with TLS trusting the CA, log in and ping.

        Raises NotReadyError while the server loads data, as a replica does once it has its primary's.
        """
        for address in instance.bind:
            problem = self._problem_at(instance, address)
            if problem and problem.startswith("LOADING"):
                raise NotReadyError(problem)
            if problem and not address.startswith("-"):
                raise InstancesError(f"a client cannot use it: {mask(problem, self._secrets)}")

    def _problem_at(self, instance: Instance, address: str) -> str | None:
        try:
            with self._client(instance, address) as client:
                for reply in client.pipeline([("AUTH", instance.password), ("PING",)]):
                    answered(reply)
        except RespError as exc:
            return str(exc)
        return None

    def serves_other_certificate(self, instance: Instance) -> bool:
        """Return whether clients are shown another certificate than the one on disk."""
        wanted = _read(self._config / f"{instance.name}.crt").partition(ssl.PEM_FOOTER)[0]
        try:
            with self._client(instance, instance.bind[0], verify=False) as client:
                return client.peer_certificate() != ssl.PEM_cert_to_DER_cert(f"{wanted}{ssl.PEM_FOOTER}")
        except (RespError, ValueError) as exc:
            raise InstancesError(f"its certificate cannot be looked at: {exc}") from exc

    def _client(self, instance: Instance, address: str, *, verify: bool = True) -> Connection:
        tls = Tls(str(self._config / "ca.crt"), instance.tls_name, verify) if instance.tls else None
        return Connection(Endpoint(_reachable(address), instance.port, tls=tls), REPLY_SECONDS)

    def ports_taken(self, instance: Instance) -> list[str]:
        """Return the addresses of a stopped instance on which something else listens."""
        return [f"{address}:{instance.port}" for address in instance.bind if _is_taken(address, instance.port)]

    def replaced_binary(self, pid: int) -> bool:
        """Return whether the process runs a program that was replaced on disk since it started."""
        try:
            return str((self._proc / str(pid) / "exe").readlink()).endswith(" (deleted)")
        except OSError:
            return False

    def open_files_limit(self, pid: int) -> int:
        """Return how many files the process may open."""
        found = re.search(r"^Max open files\s+(\d+)", _read(self._proc / str(pid) / "limits"), re.MULTILINE)
        return int(found.group(1)) if found else 0

    def moments(self, seconds: float) -> Iterator[None]:
        """Pass now and again until the time is over."""
        return clock.moments(seconds, 0.05)


def _identity(server: str) -> str:
    """Return what tells one installed version of a program from another."""
    try:
        found = Path(server).stat()
    except OSError as exc:
        raise InstancesError(f"{server} is not installed: {exc.strerror}") from exc
    return f"{server} {found.st_ino} {found.st_size} {found.st_mtime_ns}"


def _read(path: Path) -> str:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW)) as stream:
            return stream.read()
    except OSError:
        return ""


def _reachable(address: str) -> str:
    """Return where a client on this host reaches what listens on an address."""
    parsed = ipaddress.ip_address(address.lstrip("-"))
    return str(parsed) if not parsed.is_unspecified else ("127.0.0.1" if parsed.version == 4 else "::1")


def _is_taken(address: str, port: int) -> bool:
    plain = address.lstrip("-")
    with contextlib.closing(socket.socket(socket.AF_INET6 if ":" in plain else socket.AF_INET)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((plain, port))
        except OSError as exc:
            return exc.errno == errno.EADDRINUSE
    return False
