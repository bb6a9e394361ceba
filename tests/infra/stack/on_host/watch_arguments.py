"""Prints command lines that hold a secret. Standard input: secrets, one a line, an empty line; its end ends it."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress


def command_lines() -> set[bytes]:
    """Return the arguments of all processes, as `ps` shows them to everybody."""
    found = set()
    for process in os.listdir("/proc"):  # noqa: PTH208  a third of the time pathlib takes, 2.6 ms
        if process.isdigit():
            with suppress(OSError):
                descriptor = os.open(f"/proc/{process}/cmdline", os.O_RDONLY)
                try:
                    found.add(os.read(descriptor, 131072))
                finally:
                    os.close(descriptor)
    return found


def main() -> None:
    """Look again and again, until standard input ends."""
    wanted = [line.strip().encode() for line in iter(sys.stdin.readline, "\n")]
    print("watching", flush=True)
    seen: set[bytes] = set()
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        for command in command_lines() - seen:
            seen.add(command)
            if any(secret in command for secret in wanted):
                print(command.replace(b"\0", b" ").decode(errors="replace"), flush=True)


main()
