"""ansible-galaxy accepts the collection, and what it carries is what a user needs."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def galaxy(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run ansible-galaxy collection in a home of its own."""
    return subprocess.run(
        [str(ROOT / ".venv/bin/ansible-galaxy"), "collection", *arguments],
        cwd=cwd,
        env={**os.environ, "ANSIBLE_HOME": str(cwd / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the collection once."""
    folder = tmp_path_factory.mktemp("build")
    done = galaxy("build", str(ROOT), "--output-path", str(folder), cwd=folder)
    assert done.returncode == 0, done.stdout
    return next(folder.glob("cubeops-cubejs-*.tar.gz"))


def test_it_installs(archive: Path, tmp_path: Path) -> None:
    done = galaxy("install", str(archive), "-p", str(tmp_path / "installed"), cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "installed/ansible_collections/cubeops/cubejs/playbooks/site.yml").exists()


def test_it_carries_no_state_of_the_checkout(archive: Path) -> None:
    with tarfile.open(archive) as opened:
        names = opened.getnames()
    assert not [name for name in names if name.split("/")[0] in {".cache", ".venv", ".git", ".ansible"}]
    assert [name for name in names if name.startswith("roles/cubejs/files/runtimes/")]
