"""Reports as files."""

from __future__ import annotations

import stat
from datetime import datetime, timezone
from pathlib import Path

import pytest
import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils.report import registry
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Report
from ansible_collections.cubeops.cubejs.plugins.plugin_utils import report_files

REPORT = Report((), datetime(2030, 1, 2, tzinfo=timezone.utc), "1")
FORMATS = registry.chosen(["json", "prometheus"])


def mode(path: Path) -> str:
    """Return a file's permissions."""
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_each_format_is_a_file_for_its_owner(tmp_path: Path) -> None:
    written = report_files.write(REPORT, FORMATS, str(tmp_path / "a/b"), "audit", 0o600)
    assert written == {"json": f"{tmp_path}/a/b/audit.json", "prometheus": f"{tmp_path}/a/b/audit.prom"}
    assert sorted(path.name for path in (tmp_path / "a/b").iterdir()) == ["audit.json", "audit.prom"]
    assert {mode(Path(path)) for path in written.values()} == {"0o600"}
    assert mode(tmp_path / "a/b") == "0o700"


def test_an_earlier_report_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "audit.json").write_text("old")
    report_files.write(REPORT, FORMATS, str(tmp_path), "audit", 0o644)
    assert "old" not in (tmp_path / "audit.json").read_text()
    assert mode(tmp_path / "audit.json") == "0o644"


@pytest.mark.parametrize(
    "directory",
    [pytest.param("file", id="a file stands there"), pytest.param("file/inner", id="a file stands above it")],
)
def test_what_cannot_be_written_is_named(directory: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(report_files.ReportFileError, match=r"the json report cannot be written to .*/audit\.json: "):
        report_files.write(REPORT, FORMATS, str(tmp_path / directory), "audit", 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_in_a_reports_place_stays(tmp_path: Path) -> None:
    (tmp_path / "audit.json").mkdir()
    with pytest.raises(report_files.ReportFileError, match="Is a directory"):
        report_files.write(REPORT, FORMATS, str(tmp_path), "audit", 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["audit.json"], "no temporary file is left"


def test_the_version_of_the_collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = report_files.COLLECTION / "galaxy.yml"
    assert report_files.collection_version() == yaml.safe_load(checkout.read_text())["version"]
    monkeypatch.setattr(report_files, "COLLECTION", tmp_path)
    assert report_files.collection_version() == ""
    (tmp_path / "MANIFEST.json").write_text('{"collection_info": {"version": "2.3.4"}}')
    assert report_files.collection_version() == "2.3.4"
