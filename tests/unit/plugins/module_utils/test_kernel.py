"""Kernel settings: what is enough, what is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import kernel
from ansible_collections.cubeops.cubejs.plugins.module_utils.kernel import REDIS, KernelSetting, unmet, write

OVERCOMMIT, BACKLOG, PAGES = REDIS


@pytest.mark.parametrize(
    ("setting", "found", "met"),
    [
        pytest.param(OVERCOMMIT, "1", True, id="equal"),
        pytest.param(OVERCOMMIT, "0", False, id="other"),
        pytest.param(OVERCOMMIT, "2", False, id="more is not as good"),
        pytest.param(BACKLOG, "511", True, id="at least: equal"),
        pytest.param(BACKLOG, "4096", True, id="at least: more"),
        pytest.param(BACKLOG, "128", False, id="at least: less"),
        pytest.param(PAGES, "always [madvise] never", True, id="choice"),
        pytest.param(PAGES, "[always] madvise never", False, id="another choice"),
        pytest.param(PAGES, "always madvise [never]", True, id="a stricter choice"),
    ],
)
def test_what_is_enough(setting: KernelSetting, found: str, met: bool) -> None:
    assert setting.is_met_by(found) is met


def test_what_is_missing_is_written_once(tmp_path: Path) -> None:
    for path, text in {OVERCOMMIT.path: "0\n", BACKLOG.path: "4096\n"}.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
    missing = unmet(REDIS, tmp_path)
    assert missing == {f"/{OVERCOMMIT.path}": ("0", "1")}
    write(missing, tmp_path)
    assert unmet(REDIS, tmp_path) == {}
    assert (tmp_path / BACKLOG.path).read_text() == "4096\n"


def test_a_kernel_that_does_not_take_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        kernel.write({"/proc/sys/none": ("0", "1")}, tmp_path)
