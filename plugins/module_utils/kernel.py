# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel settings that Redis needs, compared with the running kernel and set there.

Files below /etc/sysctl.d and /etc/tmpfiles.d bring them back at boot; what counts until then is the kernel itself, so a
run that was killed between file and kernel is completed by the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class KernelSetting:
    """A setting: where it is read and written below /, its value, and whether more is as good (`at_least`)."""

    path: str
    value: str
    at_least: bool = False

    def is_met_by(self, found: str) -> bool:
        """Return whether what the kernel says is enough. A choice is shown as `always [madvise] never`."""
        chosen = found[found.index("[") + 1 : found.index("]")] if "[" in found and "]" in found else found
        if self.at_least and chosen.isdecimal():
            return int(chosen) >= int(self.value)
        # Never giving out huge pages is stricter than giving them to those who ask.
        return chosen == self.value or (self.value == "madvise" and chosen == "never")


# What Redis warns of in its log when it starts, and its reasons (its own documentation, "Redis administration"):
# without overcommit the fork of a snapshot fails when half of the memory is used; huge pages make that fork copy 2 MB
# for every byte changed; the kernel cuts the queue of new connections (tcp-backlog, 511) down to somaxconn.
REDIS = (
    KernelSetting("proc/sys/vm/overcommit_memory", "1"),
    KernelSetting("proc/sys/net/core/somaxconn", "511", at_least=True),
    KernelSetting("sys/kernel/mm/transparent_hugepage/enabled", "madvise"),
)


def unmet(settings: Sequence[KernelSetting], root: Path = Path("/")) -> dict[str, tuple[str, str]]:
    """Return path -> (found, wanted) of what the kernel does not have; a setting that it does not know is met."""
    found: dict[str, tuple[str, str]] = {}
    for setting in settings:
        text = _read(root / setting.path)
        if text is not None and not setting.is_met_by(text):
            found[f"/{setting.path}"] = (text, setting.value)
    return found


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def write(settings: dict[str, tuple[str, str]], root: Path = Path("/")) -> None:
    """Give the kernel what `unmet` returned. Raises OSError where it does not take it."""
    for path, (_found, value) in settings.items():
        (root / path.lstrip("/")).write_text(value)
