"""Findings on proxies, and on tenants without any."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import proxy_findings, verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule


class Example(Rule):
    """A rule."""

    id = "example-rule"
    remedy = "Mend it"


def fine(*_arguments: Any) -> verdicts.Verdict:
    return verdicts.passes("fine")


@pytest.mark.parametrize(
    ("proxy", "silent", "status"),
    [
        pytest.param({}, False, "pass", id="it answers"),
        pytest.param({"reachable": False, "problem": "refused"}, False, "unknown", id="it does not"),
        pytest.param({"reachable": False, "problem": "refused"}, True, "pass", id="silence says something"),
    ],
)
def test_proxies_that_were_asked(proxy: dict[str, Any], silent: bool, status: str, seeing: Any) -> None:
    live = seeing.served(seeing.web_server(), proxies=(seeing.proxy(**proxy),))
    found = list(proxy_findings.of_asked(Example(), Fleet(), live, fine, silent=silent))
    assert [(each.status, each.subject, each.tenant) for each in found] == [(status, "cube.acme.example", "acme")]


def test_tenants_whose_proxy_was_not_asked(seeing: Any) -> None:
    live = seeing.live(seeing.instance(), seeing.instance("w", "refresh_worker", tenant="beta"))
    found = list(proxy_findings.of_asked(Example(), Fleet(), live, fine))
    assert [(each.tenant, each.status) for each in found] == [("acme", "unknown"), ("beta", "not_applicable")]
    found = list(proxy_findings.of_asked(Example(), Fleet(), live, fine, fine))
    assert [(each.tenant, each.status) for each in found] == [("acme", "pass"), ("beta", "not_applicable")]


def test_sites(seeing: Any) -> None:
    found = list(proxy_findings.of_sites(Example(), Fleet(), seeing.served(seeing.web_server()), fine))
    assert [(each.status, each.host) for each in found] == [("pass", "one")]
    assert [each.status for each in proxy_findings.of_sites(Example(), Fleet(), seeing.served(), fine)] == ["unknown"]
