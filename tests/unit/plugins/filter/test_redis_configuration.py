"""The filter redis_configuration."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.filter import redis_configuration as plugin
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing

INSTANCE = {"name": "acme", "port": 20001, "password": "Zy8gT4kqP0vBn3Lw"}


def test_it_is_there_under_its_name_with_its_documented_options() -> None:
    function = plugin.FilterModule().filters()["redis_configuration"]
    documented = yaml.safe_load(plugin.DOCUMENTATION)
    assert documented["name"] == "redis_configuration"
    assert set(documented["options"]) == {"instances", "open_files", "host_name", "memory_bytes", "host_memory_bytes"}
    resolved = function([INSTANCE], open_files=1024 * 64, host_name="host1", host_memory_bytes=2**32)
    assert packing.unpack(resolved["files"])[0]["certificate"]["name"] == "redis-acme-host1"
    assert resolved["certificates"] == []


def test_problems_become_ansibles_own_error() -> None:
    with pytest.raises(AnsibleFilterError, match=r"(?s)these settings are refused:.*port.*memory of this host"):
        plugin.redis_configuration([{**INSTANCE, "port": 0}], open_files=65536, host_name="host1")


def test_numbers_may_be_texts_as_the_command_line_and_older_ansible_give_them() -> None:
    texts = {"open_files": "65536", "memory_bytes": "1073741824"}
    numbers = {"open_files": 65536, "memory_bytes": 1073741824}
    found = [plugin.redis_configuration([INSTANCE], host_name="host1", **values) for values in (texts, numbers)]
    assert found[0] == found[1]


def test_instances_may_be_packed() -> None:
    options = {"open_files": 65536, "host_name": "host1", "memory_bytes": 2**30}
    found = [plugin.redis_configuration(each, **options) for each in ([INSTANCE], packing.pack([INSTANCE]))]
    assert found[0] == found[1]
