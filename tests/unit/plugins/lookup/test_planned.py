"""The lookup, as a template calls it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.cubeops.cubejs.plugins.lookup.planned import LookupModule

REDIS = {"redis_instances": [{"name": "acme", "password": {"__secret__": "acme/redis_password/0"}}]}
PLAN = {"hosts": {"one": {"redis": REDIS}}, "stated": []}


def look(*terms: str, **variables: Any) -> Any:
    """Return what the lookup finds for host one."""
    known = {"inventory_hostname": "one", "cubejs_plan": PLAN, "cubejs_master_secret": "m" * 32, **variables}
    loader = DataLoader()
    (found,) = LookupModule(loader=loader, templar=Templar(loader=loader, variables=known)).run(terms, known)
    return found


def test_secrets_stand_in_place_of_references() -> None:
    (instance,) = look("redis", "redis_instances")
    assert (instance["name"], len(instance["password"])) == ("acme", 40)


def test_the_plan_itself_keeps_its_references() -> None:
    look("redis", "redis_instances")
    assert "__secret__" in str(PLAN)


@pytest.mark.parametrize("terms", [("redis", "redis_port"), ("nginx", "nginx_servers")])
def test_what_the_plan_does_not_have(terms: tuple[str, str]) -> None:
    with pytest.raises(AnsibleError, match=r"the plan has no .* for this host"):
        look(*terms)


def test_what_cannot_be_revealed() -> None:
    with pytest.raises(AnsibleError, match=r"planned: acme/redis_password/0: cubejs_tenants has no tenant"):
        look("redis", "redis_instances", cubejs_master_secret=None)
