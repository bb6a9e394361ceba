"""The host's half of cube_releases, on a store in a temporary folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cubeops.cubejs.plugins.module_utils import archives
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_staging import Staging
from ansible_collections.cubeops.cubejs.plugins.module_utils.release_store import Store
from ansible_collections.cubeops.cubejs.plugins.module_utils.releases import Plan, pack_job
from ansible_collections.cubeops.cubejs.plugins.modules import cube_release_store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    found = Store(tmp_path / "cubejs")
    monkeypatch.setattr(cube_release_store, "Store", lambda: found)
    return found


def run(capsys: pytest.CaptureFixture[str], check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
    with patch_module_args({**arguments, "_ansible_check_mode": check_mode}), pytest.raises(SystemExit):
        cube_release_store.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_looking_changes_nothing(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, phase="look", users={"acme": "root"}, node="/no/node")
    assert result["found"] == {
        "node": None,
        "begun": [],
        "current": [],
        "staged": [],
        "runtimes": [],
        "npm": [],
        "users": ["root"],
    }
    assert not result["changed"]
    assert set(yaml.safe_load(cube_release_store.RETURN)["found"]["sample"]) == set(result["found"])
    assert not store.root.exists()


def test_staging_lays_out_what_npm_installs(
    store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cube_release_store, "Staging", Staging)
    archive = tmp_path / "archive.tgz"
    archives.pack(archive, {}, {"runtimes/r1/package.json": b"{}", "runtimes/r1/package-lock.json": b"{}"})
    job = pack_job(Plan(runtimes=("r1",)), [])
    assert run(capsys, check_mode=True, phase="stage", archive=str(archive), job=job)["changed"]
    assert not store.root.exists()
    assert run(capsys, phase="stage", archive=str(archive), job=job)["changed"]
    assert (store.staged_runtime("r1") / "package.json").exists()
    result = run(capsys, phase="adopt", runtimes=["r1"])
    assert result["failed"]
    assert "npm left no node_modules" in result["msg"]


def test_what_was_shipped_broken_is_said(store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "archive.tgz").write_bytes(b"")
    result = run(capsys, phase="stage", archive=str(tmp_path / "archive.tgz"), job=pack_job(Plan(), []))
    assert result["failed"]
    assert "archive.tgz cannot be unpacked" in result["msg"]
    assert store.releases() == {}
