"""Packages that npm installed on one host are those of all, and no other host ran it (decision 83)."""

from __future__ import annotations

from typing import Any

import pytest

HOSTS = ("cube1", "cube2", "cube3")
RUNTIMES = "/opt/cubejs/runtimes"
# Path, kind, mode, link; then what is in the files. Times are no part of it.
LISTED = f"cd {RUNTIMES} && find . -printf '%P %y %m %l\\n' | sort"
CONTENTS = f"cd {RUNTIMES} && find . -type f -print0 | sort -z | xargs -0 sha256sum"


def on_each(lab: Any, command: str) -> dict[str, str]:
    """Return what a command prints on each host."""
    return {host: str(lab.host(host).check_output(command)) for host in HOSTS}


def test_npm_was_brought_to_one_host_only(lab: Any) -> None:
    """The lab gives npm as an archive, which is unpacked where it is to run."""
    there = on_each(lab, "ls /opt/cubejs/npm 2>/dev/null | wc -l")
    assert sorted(there.values()) == ["0", "0", "1"], there


@pytest.mark.parametrize("command", [pytest.param(LISTED, id="files and modes"), pytest.param(CONTENTS, id="contents")])
def test_all_hosts_have_the_same_packages(lab: Any, command: str) -> None:
    found = on_each(lab, command)
    assert len(set(found.values())) == 1, {host: text[:2000] for host, text in found.items()}
    assert len(found[HOSTS[0]].splitlines()) > 10_000


def test_packages_are_roots_and_nothing_is_left_of_shipping_them(lab: Any) -> None:
    strange = on_each(lab, f"find {RUNTIMES} ! -user root -o ! -group root -o -perm /022 ! -type l | head -3")
    assert set(strange.values()) == {""}, strange
    assert set(on_each(lab, "ls -A /opt/cubejs/.staging").values()) == {""}
