"""What rules on a live Redis have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import PASS, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_links import Link
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_view import Server, View
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import of_redis
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule

MEMORY = {"CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory"}


class Links(of_redis.LinkRule):
    """Passes."""

    id = "links"
    title = "Links"

    def judged(self, link: Link, _fleet: Fleet) -> Finding:
        """Return a pass."""
        return self.of(link.instance, PASS, "judged")


class Tenants(of_redis.TenantRule):
    """Passes."""

    id = "tenants"
    title = "Tenants"

    def judged(self, tenant: str, links: Sequence[Link], _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return a pass."""
        return self.on(tenant, PASS, f"{len(links)} judged", evidence=(link.label for link in links))


class Servers(of_redis.ServerRule):
    """Passes."""

    id = "servers"
    title = "Servers"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return a pass."""
        return self.on(server, PASS, "judged")


class Databases(of_redis.DatabaseRule):
    """Passes."""

    id = "databases"
    title = "Databases"

    def judged(self, server: Server, _seen: View, _fleet: Fleet, _live: Live) -> Finding:
        """Return a pass."""
        return self.on(server, PASS, "judged")


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        pytest.param(
            Links(), [("a", "pass"), ("b", "not_applicable"), ("c", "unknown"), ("d", "pass")], id="instances"
        ),
        pytest.param(Tenants(), [("redis", "pass")], id="tenants"),
        pytest.param(
            Servers(), [("one:6401", "pass"), ("redis", "not_applicable"), ("redis", "unknown")], id="servers"
        ),
        pytest.param(
            Databases(),
            [("one:6401/0", "pass"), ("one:6401/3", "pass"), ("redis", "not_applicable"), ("redis", "unknown")],
            id="databases",
        ),
    ],
)
def test_who_is_judged(rule: Rule, found: list[tuple[str, str]], redises: Any) -> None:
    pairs = [
        redises.process("a"), redises.process("b", redis=None, environment=MEMORY),
        redises.process("c", redis=None, settings={}), redises.process("d", redis=redises.redis(index=3)),
    ]  # fmt: skip
    said = list(rule.observed(Fleet(), redises.reach(*pairs)))
    assert sorted((each.subject, each.status) for each in said) == sorted(found)
    assert {each.tenant for each in said} == {"acme"}


def test_a_tenant_is_judged_by_its_processes_that_may_use_redis(redises: Any) -> None:
    pairs = [redises.process("a"), redises.process("b", environment=MEMORY), redises.process("c", settings={})]
    (said,) = Tenants().observed(Fleet(), redises.reach(*pairs))
    assert said.evidence == ("one/a", "one/c")


@pytest.mark.parametrize(
    ("count", "text"),
    [pytest.param(2, "0, 1", id="few"), pytest.param(7, "0, 1, 2, 3, 4 and 2 more", id="many")],
)
def test_lists_are_short(count: int, text: str) -> None:
    assert of_redis.listed(str(number) for number in range(count)) == text
