"""Which variables a version reads."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import setting_names
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings_table import TABLE


@pytest.mark.parametrize(
    ("name", "version", "message", "remedy"),
    [
        pytest.param("CUBEJS_REDIS_URL", "0.26.103", "(read: >=0.27)", "Remove it", id="too new a name"),
        pytest.param("CUBEJS_REDIS_URL", "0.27.0", None, None, id="its first version"),
        pytest.param("REDIS_URL", "0.29.57", None, None, id="an old name that is still read"),
        pytest.param("CUBEJS_SQL_PORT", "0.35.0", "does not read it", "Remove it", id="removed"),
        pytest.param("CUBEJS_LOG_LEVLE", "0.29.57", "not known", "CUBEJS_LOG_LEVEL", id="misspelt"),
        pytest.param("CUBEJS_SOMETHING_ELSE", "0.29.57", None, None, id="nothing like it"),
        pytest.param("CUBEJS_DB_BQ_PROJEKT_ID", "0.29.57", None, None, id="a driver's own"),
        pytest.param("LOG_LEVLE", "0.29.57", None, None, id="not Cube's"),
        pytest.param("CUBEJS_" + "X" * 1_000_000, "0.29.57", None, None, id="a megabyte"),
    ],
)
def test_problem(name: str, version: str, message: str | None, remedy: str | None) -> None:
    found = setting_names.problem(name, version)
    if message is None or remedy is None:
        assert found is None
    else:
        assert found is not None
        assert message in found.message
        assert remedy in found.remedy


def test_every_row_is_found_by_its_variable() -> None:
    assert {row for rows in setting_names.ROWS.values() for row in rows} == set(TABLE)
