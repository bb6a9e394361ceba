"""The lookup, as a template calls it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.cubeops.cubejs.plugins.lookup.revealed import LookupModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import packing

INSTANCES = [{"name": "acme", "password": {"__secret__": "acme/redis_password/0"}}]
PLAN = {"hosts": {"one": {"redis": {"redis_instances": packing.pack(INSTANCES)}}}, "stated": packing.pack([])}


def look(term: Any, **variables: Any) -> Any:
    """Return what the lookup makes of a value."""
    known = {"inventory_hostname": "one", "cubejs_plan": PLAN, "cubejs_master_secret": "m" * 32, **variables}
    loader = DataLoader()
    (found,) = LookupModule(loader=loader, templar=Templar(loader=loader, variables=known)).run([term], known)
    return found


@pytest.mark.parametrize("term", [INSTANCES, packing.pack(INSTANCES)])
def test_secrets_stand_in_place_of_references(term: Any) -> None:
    (instance,) = packing.unpack(look(term))
    assert (instance["name"], len(instance["password"])) == ("acme", 40)


def test_what_is_no_list_is_not_packed() -> None:
    assert look({"password": None, "port": 1}) == {"password": None, "port": 1}


def test_a_secret_that_is_given_is_taken_from_the_definition() -> None:
    reference = "acme/redis_password/0"
    plan = {**PLAN, "stated": packing.pack([reference])}
    tenants = [{"name": "acme", "redis": {"password": "given-in-the-inventory"}}]
    found = look({"__secret__": reference}, cubejs_plan=plan, cubejs_tenants=tenants)
    assert found == "given-in-the-inventory"


def test_what_cannot_be_revealed() -> None:
    with pytest.raises(AnsibleError, match=r"revealed: acme/redis_password/0: cubejs_tenants has no tenant"):
        look(INSTANCES, cubejs_master_secret=None)
