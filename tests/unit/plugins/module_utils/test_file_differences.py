"""What people see of changed files."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_differences import differences, entrance_difference
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_layouts import Entrance
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import Ownership, WantedFile


def row(path: Path, wanted: WantedFile, ownership: Ownership) -> dict[str, str]:
    """Return the difference of one file."""
    return differences([wanted], [], lambda dest: path / dest, ownership)[0]


def test_a_new_file(tmp_path: Path, ownership: Ownership) -> None:
    assert row(tmp_path, WantedFile("a", b"text\n"), ownership) == {
        "before_header": f"{tmp_path}/a (absent)",
        "after_header": f"{tmp_path}/a (0644 root:root)",
        "before": "",
        "after": "text\n",
    }


def test_a_changed_mode(tmp_path: Path, ownership: Ownership) -> None:
    (tmp_path / "a").write_text("text")
    (tmp_path / "a").chmod(0o600)
    found = row(tmp_path, WantedFile("a", b"text"), ownership)
    assert (found["before"], found["after"]) == ("0600 root:root\n", "0644 root:root\n")


def test_a_secret_file(tmp_path: Path, ownership: Ownership) -> None:
    (tmp_path / "a").write_text("KEY=old\n")
    found = row(tmp_path, WantedFile("a", b"KEY=new\n", secret=True), ownership)
    assert (found["before"], found["after"]) == ("KEY=<masked>\n", "KEY=<masked, changed>\n")


def test_a_removed_file_may_have_been_secret(tmp_path: Path, ownership: Ownership) -> None:
    (tmp_path / "a").write_text("marked-secret")
    found = differences([], ["a"], lambda dest: tmp_path / dest, ownership)[0]
    assert (found["before"], found["after"]) == ("present\n", "absent\n")


@pytest.mark.parametrize(("kind", "before"), [("nothing", "absent"), ("file", "a file"), ("link", "a link to b")])
def test_an_entrance(tmp_path: Path, kind: str, before: str) -> None:
    path = tmp_path / "nginx.conf"
    if kind == "file":
        path.touch()
    elif kind == "link":
        path.symlink_to("b")
    found = entrance_difference(path, Entrance("nginx.conf", "set/nginx.conf", "nginx.conf.dist"))
    assert found["before"] == f"{before}\n"
    assert found["after"] == "a link to set/nginx.conf, what was there is kept as nginx.conf.dist\n"
