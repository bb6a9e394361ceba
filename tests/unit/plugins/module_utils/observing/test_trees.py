"""Trees read without trust."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree, group_name, user_name


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return a tree with a file outside of it, and links that try to leave it."""
    (tmp_path / "outside").write_text("outside")
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/a").write_text("inside")
    (root / "etc/up").symlink_to("../../../../outside")
    (root / "etc/absolute").symlink_to("/etc/a")
    (root / "folder").symlink_to("/etc")
    (root / "loop").symlink_to("loop")
    return Tree(str(root))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        pytest.param("/etc/a", "/etc/a", id="a file"),
        pytest.param("/etc/absolute", "/etc/a", id="an absolute link stays within"),
        pytest.param("/folder/a", "/etc/a", id="a link to a folder"),
        pytest.param("/folder/../etc/./a", "/etc/a", id="dots after a link are where it leads"),
        pytest.param("/../../etc/a", "/etc/a", id="above the root is the root"),
        pytest.param("/etc/up", "/outside", id="a link out of it ends at its root"),
        pytest.param("/none/b", "/none/b", id="what is not there"),
    ],
)
def test_paths_never_leave(tree: Tree, path: str, found: str) -> None:
    assert tree.resolve(path) == found


def test_a_file_outside_is_not_read(tree: Tree) -> None:
    with pytest.raises(FileNotFoundError):
        tree.read("/etc/up")
    assert tree.read("/folder/absolute") == b"inside"


def test_what_is_refused(tree: Tree) -> None:
    os.mkfifo(f"{tree.root}/pipe")
    Path(f"{tree.root}/big").write_bytes(b"x" * 11)
    for path, code in (("/loop", errno.ELOOP), ("/pipe", errno.EINVAL), ("/etc", errno.EINVAL), ("/big", errno.EFBIG)):
        with pytest.raises(OSError, match=r".") as caught:
            tree.read(path, 10)
        assert caught.value.errno == code, path


def test_a_file_that_a_link_to_nowhere_takes_out_is_empty() -> None:
    assert Tree("/").read("/dev/null") == b""
    with pytest.raises(OSError, match="no regular file"):
        Tree("/").read("/dev/zero")


def test_facts_and_kinds(tree: Tree) -> None:
    Path(f"{tree.root}/etc/a").chmod(0o640)
    facts = tree.facts("/etc/absolute")
    assert (facts.mode, facts.owner, facts.group) == ("0640", user_name(os.getuid()), group_name(os.getgid()))
    assert (tree.is_file("/etc/a"), tree.is_directory("/folder"), tree.exists("/none")) == (True, True, False)
    assert (tree.is_file("/etc"), tree.is_directory("/etc/a"), tree.exists("/loop")) == (False, False, False)
    assert tree.names("/folder") == ["a", "absolute", "up"]


def test_numbers_without_a_name() -> None:
    assert (user_name(4_000_000_000), group_name(4_000_000_000)) == ("4000000000", "4000000000")
