"""The filter that reveals secrets."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.filter.reveal import FilterModule, reveal

TENANTS = [{"name": "acme", "api_secret": "given"}]


def test_references_become_secrets() -> None:
    data = [{"secret": {"__secret__": "acme/api_secret/0"}, "port": 20001}]
    assert reveal(data, TENANTS) == [{"secret": "given", "port": 20001}]


def test_what_cannot_be_revealed_says_what_to_set() -> None:
    with pytest.raises(AnsibleFilterError, match="cubejs_master_secret"):
        reveal({"__secret__": "acme/redis_password/0"}, TENANTS, None)


def test_a_master_secret_derives() -> None:
    assert len(reveal({"__secret__": "acme/redis_password/0"}, TENANTS, "master")) == 40


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"reveal": reveal}
