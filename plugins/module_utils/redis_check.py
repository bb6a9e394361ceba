# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the Redis (or Valkey) server installed on this host accepts a configuration file, found out by starting it.

A server is started on the file with everything that could disturb anyone else replaced: it listens only on a Unix
socket in a private directory, which is also where its data goes, and it is stopped again at once.

Imports nothing but the standard library, because the role also puts this very file on hosts, as the program that
validates staged configuration (and check mode) before it is put in place:

    check_config.py SERVER DIRECTORY LIVE_DIRECTORY

checks every configuration file of a directory that is not yet the same in the live directory.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

START_SECONDS = 10.0
PARALLEL = 4
SOCKET = "s"
# Directives whose values nobody may see. They stand in a file of their own beside the others.
SECRETS = ("requirepass", "masterauth", "primaryauth", "auth-pass", "tls-key-file-pass", "tls-client-key-file-pass")
LOG_LINE = re.compile(r"^\d+:[A-Z] .{20,26} [.*#-] ")
# What a server says besides why it does not start.
NOISE = (
    "oO0OoO0OoO0Oo",
    "Configuration loaded",
    "just started",
    "Running mode=",
    "monotonic clock:",
    "WARNING",
    "Server initialized",
    "*** FATAL CONFIG FILE ERROR",
)


class ConfigRefusedError(Exception):
    """The server does not start with this configuration; the message is the server's own."""


@contextlib.contextmanager
def throwaway(server: str, config: str, seconds: float = START_SECONDS) -> Iterator[str]:
    """Start a private server with a configuration and give the path of its Unix socket; it takes no password there."""
    with tempfile.TemporaryDirectory(prefix="cubejs-redis-") as name:
        directory = Path(name)
        log = directory / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [server, str(_write(directory, config)), *_overrides(config, directory)],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={"PATH": os.defpath, "LC_ALL": "C"},
            )
        try:
            _wait(process, directory, seconds)
            yield str(directory / SOCKET)
        finally:
            process.kill()
            process.wait()


def _write(directory: Path, config: str) -> Path:
    path = directory / "redis.conf"
    path.touch(0o600)
    # The server changes there as soon as it reads the line, and before the first start there is no such directory.
    path.write_text(re.sub(r"(?m)^dir .*$", "", config))
    return path


def _overrides(config: str, directory: Path) -> list[str]:
    """Return what the server is told after its file; the last word counts.

    The password is taken away, since the private socket needs none and a command line is no place for one.
    """
    overrides = ["--port", "0", "--unixsocket", str(directory / SOCKET), "--dir", str(directory), "--requirepass", ""]
    overrides += ["--supervised", "no", "--daemonize", "no", "--logfile", "", "--pidfile", str(directory / "pid")]
    return overrides + (["--tls-port", "0"] if directive(config, "tls-port") else [])


def _wait(process: subprocess.Popen[bytes], directory: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not _answers(str(directory / SOCKET)):
        if process.poll() is not None:
            raise ConfigRefusedError(explain((directory / "log").read_text(errors="replace")))
        if time.monotonic() > deadline:
            raise ConfigRefusedError(f"the server does not answer within {seconds:.0f} s")
        time.sleep(0.005)


def _answers(path: str) -> bool:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as client:
        client.settimeout(1)
        try:
            client.connect(path)
            client.sendall(b"PING\r\n")
            return client.recv(1) == b"+"
        except OSError:
            return False


def explain(log: str) -> str:
    """Return why a server did not start, from what it printed, without secrets."""
    lines = []
    for line in (LOG_LINE.sub("", line).strip() for line in log.splitlines()):
        if line.startswith(">>>"):
            words = line.strip("> '").split(None, 1)
            shown = words[0] if words and words[0].strip('"').lower() in SECRETS else " ".join(words)
            lines.append(f"line `{shown}`:")
        elif line and not any(noise in line for noise in NOISE) and not line.startswith("Reading the configuration"):
            lines.append(line)
    return " ".join(lines[-4:]) or "the server stopped without a word"


def directive(config: str, name: str) -> list[str]:
    """Return the words of the last line that gives a directive; empty without one."""
    found: list[str] = []
    for line in config.splitlines():
        words = line.split(None, 1)
        if len(words) == 2 and words[0].lower() == name:
            found = shlex.split(words[1])
    return found


def unusable_addresses(config: str) -> list[str]:
    """Return the addresses to bind that this host does not have. `-ADDRESS` may be missing, says Redis."""
    return [
        address for address in directive(config, "bind") if not address.startswith(("-", "*")) and _is_missing(address)
    ]


def _is_missing(address: str) -> bool:
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        try:
            probe.bind((address, 0))
        except OSError as exc:
            return exc.errno == errno.EADDRNOTAVAIL
    return False


def read(path: Path) -> str:
    """Return a configuration file and the file with its secrets, as the server reads them."""
    secrets = path.with_suffix(".secret")
    return path.read_text() + (secrets.read_text() if secrets.exists() else "")


def problems(server: str, staged: Path, live: Path) -> list[str]:
    """Return what is wrong with the configurations in a directory, one line each.

    They may name files of the set they belong to, by the path these will have: the staged ones are read instead.
    """
    # What lies beside a configuration is of its name (its secrets, certificate and key), and the CA is everybody's.
    # Each file is looked at once: to look for those of each of 300 instances took half a second.
    new = {path.stem for path in staged.iterdir() if _is_new(path, live / path.name)}
    changed = [path for path in sorted(staged.glob("*.conf")) if path.stem in new or "ca" in new]
    with ThreadPoolExecutor(PARALLEL) as pool:
        found = pool.map(lambda path: _problems_of(server, path, staged, live), changed)
        return [f"{path.stem}: {problem}" for path, rows in zip(changed, found) for problem in rows]


def _problems_of(server: str, path: Path, staged: Path, live: Path) -> list[str]:
    config = read(path).replace(f"{live}/", f"{staged}/")
    found = [f"bind {address}: this host has no such address" for address in unusable_addresses(config)]
    try:
        with throwaway(server, config):
            pass
    except ConfigRefusedError as exc:
        found.append(str(exc))
    return found


def _is_new(staged: Path, live: Path) -> bool:
    """Return whether a file is not what is in place. Where it is, the staged one may be a link to it."""
    try:
        return not staged.samefile(live) and staged.read_bytes() != live.read_bytes()
    except OSError:
        return True


def main(arguments: list[str]) -> int:
    """Print what is wrong, and return the exit status: 1 when anything is."""
    if len(arguments) != 3:
        sys.stderr.write("usage: check_config.py SERVER DIRECTORY LIVE_DIRECTORY\n")
        return 2
    server, staged, live = arguments
    found = problems(server, Path(staged), Path(live))
    sys.stdout.write("".join(f"{problem}\n" for problem in found))
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
