"""Looks for secrets where everybody may look: output, process arguments, readable files, logs."""

from __future__ import annotations

import base64
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ON_HOST = Path(__file__).parent / "on_host"


def spellings(secret: str) -> list[str]:
    """Return how a secret may be spelt: as it is, and inside of anything that was encoded in base64."""
    found = [secret]
    for offset in range(3):
        encoded = base64.b64encode(b"-" * offset + secret.encode() + b"-" * (-(offset + len(secret)) % 3)).decode()
        first = (offset * 8 + 5) // 6
        last = (offset + len(secret)) * 8 // 6
        found.append(encoded[first:last])
    return found


def in_text(text: str, secrets: Iterable[str]) -> list[str]:
    """Return the lines of a text that hold a secret in any spelling."""
    wanted = [spelling for secret in secrets for spelling in spellings(secret)]
    return [line[:200] for line in text.splitlines() if any(spelling in line for spelling in wanted)]


def in_files(ssh: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """Return the files of a host that hold a secret and that `nobody` can read."""
    program = shlex.quote((ON_HOST / "find_secrets.py").read_text())
    nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    return _run([*ssh, f"{nobody} python3 -c {program}"], "\n".join(secrets)).splitlines()


def in_logs(ssh: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """Return the lines of a host's journal and log files that hold a secret."""
    text = _run(
        [*ssh, "journalctl --no-pager --output=cat; find /var/log -name journal -prune -o -type f -exec cat {} +"]
    )
    return in_text(text, secrets)


def _run(command: list[str], given: str = "") -> str:
    done = subprocess.run(command, input=given.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="replace")


@contextmanager
def watching_arguments(secrets: Iterable[str]) -> Iterator[list[str]]:
    """Watch the arguments of all processes of this machine, its containers' included; list those that hold a secret.

    One watcher sees every host: one in each host besides took the two cores of a test machine from what it watched.
    """
    found: list[str] = []
    watcher = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("watch_arguments.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watcher.stdin
    assert watcher.stdout
    watcher.stdin.write("\n".join(secrets) + "\n\n")
    watcher.stdin.flush()
    assert watcher.stdout.readline() == "watching\n"
    reader = threading.Thread(target=found.extend, args=(watcher.stdout,), daemon=True)
    reader.start()
    try:
        yield found
    finally:
        watcher.stdin.close()
        watcher.wait(timeout=30)
        reader.join(timeout=30)
        watcher.stdout.close()
