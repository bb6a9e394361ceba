"""What a host is described as."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import host

BOOKWORM = 'PRETTY_NAME="Debian GNU/Linux 12"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n'
ALMA = 'ID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n'
SUSE = '# a comment=1\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            BOOKWORM, {"id": "debian", "version_id": "12", "codename": "bookworm", "family": "Debian"}, id="debian"
        ),
        pytest.param(
            ALMA,
            {"id": "almalinux", "version_id": "9.4", "codename": None, "family": "RedHat"},
            id="a relative of rhel",
        ),
        pytest.param(
            SUSE, {"id": "opensuse-leap", "version_id": "15.6", "codename": None, "family": None}, id="neither family"
        ),
    ],
)
def test_os_release(text: str, expected: dict[str, str | None]) -> None:
    assert host.os_release(text) == expected


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


MEMINFO = "MemTotal:        8000 kB\nMemFree:  1 kB\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"proc/meminfo": MEMINFO}, 8192000, id="no control group"),
        pytest.param({"proc/meminfo": MEMINFO, "sys/fs/cgroup/memory.max": "max\n"}, 8192000, id="v2 without a limit"),
        pytest.param({"proc/meminfo": MEMINFO, "sys/fs/cgroup/memory.max": "4096\n"}, 4096, id="v2, container"),
        pytest.param(
            {"proc/meminfo": MEMINFO, "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"},
            8192000,
            id="v1 without a limit",
        ),
        pytest.param(
            {"proc/meminfo": MEMINFO, "sys/fs/cgroup/memory/memory.limit_in_bytes": "5000\n"}, 5000, id="v1, container"
        ),
        pytest.param(
            {
                "proc/meminfo": MEMINFO,
                "proc/1/cgroup": "5:cpu,memory:/docker/a/init.scope\n0::/docker/a/init.scope\n",
                "sys/fs/cgroup/memory/docker/a/memory.limit_in_bytes": "6000\n",
            },
            6000,
            id="v1, the limit of a group above the first process",
        ),
        pytest.param(
            {
                "proc/meminfo": MEMINFO,
                "proc/1/cgroup": "0::/lxc/b/init.scope\n",
                "sys/fs/cgroup/lxc/memory.max": "7000\n",
            },
            7000,
            id="v2, the limit of a group above the first process",
        ),
        pytest.param({"proc/meminfo": MEMINFO, "sys/fs/cgroup/memory.max": "9000000\n"}, 8192000, id="limit above RAM"),
        pytest.param({}, None, id="nothing can be read"),
        pytest.param(
            {"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, None, id="no limit is no memory"
        ),
    ],
)
def test_memory_bytes(tmp_path: Path, files: dict[str, str], expected: int | None) -> None:
    assert host.memory_bytes(write(tmp_path, files)) == expected


def test_ipv6(tmp_path: Path) -> None:
    assert not host.has_ipv6(tmp_path)
    assert host.has_ipv6(write(tmp_path, {"proc/net/if_inet6": ""}))


@pytest.mark.parametrize("mark", ["run/systemd/container", "run/.containerenv", ".dockerenv"])
def test_container(tmp_path: Path, mark: str) -> None:
    assert not host.is_container(tmp_path)
    assert host.is_container(write(tmp_path, {mark: ""}))


DPKG = """installed nginx 1.22.1-9
config-files mariadb-server 1:10.5
installed bash 5.2
installed python3-redis 4.3.4-1
"""
RPM = "installed redis 6.2.7-1.el9\ninstalled bash 5.1\n"


@pytest.mark.parametrize(
    ("family", "program", "listed", "expected"),
    [
        pytest.param("Debian", "dpkg-query", DPKG, {"nginx": "1.22.1-9", "python3-redis": "4.3.4-1"}, id="dpkg"),
        pytest.param("RedHat", "rpm", RPM, {"redis": "6.2.7-1.el9"}, id="rpm"),
        pytest.param("Debian", "dpkg-query", None, {}, id="no package manager"),
    ],
)
def test_packages(family: str, program: str, listed: str | None, expected: dict[str, str]) -> None:
    def call(command: Sequence[str]) -> str | None:
        assert command[0] == program
        return listed

    assert host.packages(family, host.PACKAGE_PATTERN, call) == expected


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        pytest.param("systemd 252 (252.38-1~deb12u1)\n+PAM +AUDIT\n", 252, id="debian 12"),
        pytest.param(None, None, id="not there"),
    ],
)
def test_systemd_version(printed: str | None, expected: int | None) -> None:
    assert host.systemd_version(lambda _command: printed) == expected


def test_node_is_asked_for_its_version(tmp_path: Path) -> None:
    program = tmp_path / "node"
    program.write_text("#!/bin/sh\necho v18.19.0\n")
    program.chmod(0o755)
    assert host.node(search=str(tmp_path)) == {"path": str(program), "version": "18.19.0"}


def test_node_that_does_not_run_is_no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "NODE_DIRECTORIES", ())
    program = tmp_path / "node"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    assert host.node(search=str(tmp_path)) is None


def test_output_of_a_missing_program_is_none() -> None:
    assert host.output(["/nonexistent/program"]) is None
    assert host.output(["sh", "-c", "echo $LC_ALL"]) == "C\n"


def test_describe_reads_this_host() -> None:
    described = host.describe()
    assert described["cpus"] == len(os.sched_getaffinity(0))
    assert described["os"] == host.os_release(Path("/etc/os-release").read_text())
    assert set(described) == {
        "os",
        "architecture",
        "package_architecture",
        "memory_bytes",
        "cpus",
        "container",
        "ipv6",
        "systemd_version",
        "packages",
        "node",
        "runtimes",
    }
