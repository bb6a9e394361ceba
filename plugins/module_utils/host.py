# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the roles need to know of a host, read in one go."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Callable, Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils.runtime_places import complete_runtimes

PACKAGE_PATTERN = r"^(redis|valkey|mariadb|mysql|nginx|nodejs|npm|python3-|libnode|logrotate|openssl)"
FAMILIES = {"debian": "Debian", "ubuntu": "Debian", "rhel": "RedHat", "fedora": "RedHat", "centos": "RedHat"}
DPKG_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "i686": "i386", "ppc64le": "ppc64el"}
# A cgroup v1 without a limit reports a number near 2**63; no machine has an exbibyte.
NO_LIMIT_BYTES = 2**60
NODE_NAMES = ("node", "nodejs")
NODE_DIRECTORIES = ("/usr/local/bin", "/opt/node/bin")

Output = Callable[[Sequence[str]], Optional[str]]


def output(command: Sequence[str]) -> str | None:
    """Return what the command prints, or None when it is not there or fails."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            check=True,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def describe(
    package_pattern: str = PACKAGE_PATTERN, *, root: Path = Path("/"), call: Output = output
) -> dict[str, object]:
    """Return the host as the fact `cubeops_host` holds it; what cannot be read is None."""
    release = os_release((root / "etc/os-release").read_text(errors="replace"))
    machine = platform.machine()
    return {
        "os": release,
        "architecture": machine,
        "package_architecture": DPKG_ARCHITECTURES.get(machine, machine) if release["family"] == "Debian" else machine,
        "memory_bytes": memory_bytes(root),
        "cpus": len(os.sched_getaffinity(0)),
        "container": is_container(root),
        "ipv6": has_ipv6(root),
        "systemd_version": systemd_version(call),
        "packages": packages(str(release["family"]), package_pattern, call),
        "node": node(call),
        "runtimes": complete_runtimes(root / "opt/cubejs"),
    }


def os_release(text: str) -> dict[str, str | None]:
    """Return id, version_id, codename and package family (`Debian`, `RedHat` or None) out of /etc/os-release."""
    values = {}
    for line in text.splitlines():
        key, found, value = line.strip().partition("=")
        if found and not key.startswith("#"):
            values[key] = value.strip("\"'")
    likes = [values.get("ID", ""), *values.get("ID_LIKE", "").split()]
    return {
        "id": values.get("ID"),
        "version_id": values.get("VERSION_ID"),
        "codename": values.get("VERSION_CODENAME"),
        "family": next((FAMILIES[like] for like in likes if like in FAMILIES), None),
    }


def memory_bytes(root: Path = Path("/")) -> int | None:
    """Return the memory that services on this host can have: the smaller of RAM and the limit of its control group."""
    limits = [limit for limit in map(_number, _limit_files(root)) if limit is not None and limit < NO_LIMIT_BYTES]
    found = re.search(r"^MemTotal:\s+(\d+) kB", _read(root / "proc/meminfo"), re.MULTILINE)
    if found:
        limits.append(int(found.group(1)) * 1024)
    return min(limits) if limits else None


def _limit_files(root: Path) -> list[Path]:
    """Return the files that may hold the limit of a container: those of the control groups above its first process."""
    cgroups = root / "sys/fs/cgroup"
    files = [cgroups / "memory.max", cgroups / "memory/memory.limit_in_bytes"]
    for line in _read(root / "proc/1/cgroup").splitlines():
        _unused, controllers, path = line.split(":", 2)
        for group in [Path(path.lstrip("/")), *Path(path.lstrip("/")).parents]:
            if not controllers:
                files.append(cgroups / group / "memory.max")
            elif "memory" in controllers.split(","):
                files.append(cgroups / "memory" / group / "memory.limit_in_bytes")
    return files


def is_container(root: Path = Path("/")) -> bool:
    """Return whether the host is a container; systemd writes down in which kind it was started."""
    marks = ("run/systemd/container", "run/.containerenv", ".dockerenv")
    return any((root / mark).exists() for mark in marks)


def has_ipv6(root: Path = Path("/")) -> bool:
    """Return whether programs can listen on IPv6 addresses; the file is missing when the kernel was told not to."""
    return (root / "proc/net/if_inet6").exists()


def systemd_version(call: Output = output) -> int | None:
    """Return systemd's major version."""
    found = re.match(r"systemd (\d+)", call(["systemctl", "--version"]) or "")
    return int(found.group(1)) if found else None


def packages(family: str, pattern: str, call: Output = output) -> dict[str, str]:
    """Return name -> version of the installed packages whose name matches the pattern."""
    if family == "Debian":
        listed = call(["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package} ${Version}\\n"])
    else:
        listed = call(["rpm", "-qa", "--queryformat", "installed %{NAME} %{EVR}\\n"])
    wanted = re.compile(pattern)
    rows = (line.split(" ") for line in (listed or "").splitlines())
    return {row[1]: row[2] for row in rows if len(row) == 3 and row[0] == "installed" and wanted.match(row[1])}


def node(call: Output = output, search: str | None = None) -> Mapping[str, str] | None:
    """Return path and version of the Node.js that is on the path or in one of its usual places."""
    path = os.pathsep.join([search if search is not None else os.environ.get("PATH", os.defpath), *NODE_DIRECTORIES])
    for name in NODE_NAMES:
        found = shutil.which(name, path=path)
        version = call([found, "--version"]) if found else None
        if found and version:
            return {"path": found, "version": version.strip().lstrip("v")}
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _read(path).strip()
    return int(text) if text.isdecimal() else None
