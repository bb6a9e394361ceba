"""The mysql_configuration filter."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.filter import mysql_configuration as plugin

VARIABLES = {
    "mysql_distribution": "mariadb",
    "mysql_port": 3306,
    "mysql_bind_addresses": ["127.0.0.1"],
    "mysql_memory_bytes": 2**30,
    "mysql_max_connections": 65,
    "mysql_dedicated": False,
    "mysql_databases": [],
    "mysql_users": [],
    "mysql_settings": {},
}
HOST = {"memory_bytes": None, "packages": {}}


def test_settings_with_their_reasons() -> None:
    settings = plugin.FilterModule().filters()["mysql_configuration"](VARIABLES, HOST)
    assert settings[0] == {"name": "port", "value": "3306", "reason": "Where its clients look for it."}


def test_refusals_are_filter_errors() -> None:
    with pytest.raises(AnsibleFilterError, match=r"(?s)this cannot work:\nmysql_port: 0 is no port"):
        plugin.mysql_configuration({**VARIABLES, "mysql_port": 0}, HOST)


def test_its_options_are_documented() -> None:
    documented = yaml.safe_load(plugin.DOCUMENTATION)["options"]
    assert set(documented) == {"variables", "host", "candidate"}
