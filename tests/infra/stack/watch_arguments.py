"""Prints command lines that hold a secret. Standard input: secrets, one a line, an empty line; its end ends it."""

from __future__ import annotations

import select
import sys
from contextlib import suppress
from pathlib import Path


def command_lines() -> set[bytes]:
    """Return the arguments of all processes, as `ps` shows them to everybody."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found.add((process / "cmdline").read_bytes())
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
