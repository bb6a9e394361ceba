"""Sites of Nginx beside planned ones; a whole host that is as planned is in the tests of drift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.drift_proxies import drifted
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.linking import link
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Passing, Unknown, WebServer

NAME, PATH = "cube.acme.example", "/etc/nginx/cubejs/sites/acme.conf"
ONE, TWO, WORKER = (f"unix:/run/cubejs/{name}/cube.sock" for name in ("acme-1", "acme-2", "acme"))
OLD = "unix:/run/old.sock"


def server(*upstreams: str, name: str = NAME) -> WebServer:
    """Return a server that passes all requests on."""
    return WebServer(PATH, (name,), ("443 ssl",), upstreams, (Passing("/", upstreams),), tls=True)


@pytest.fixture
def fleet(make_fleet: Callable[..., Fleet], make_tenant: Callable[..., dict[str, Any]]) -> Fleet:
    """Return a plan of two API instances behind one proxy, on one host."""
    return make_fleet([make_tenant(api_instances=2)])


def observed(fleet: Fleet, *servers: WebServer, **changes: Any) -> Fleet:
    """Return the plan with what its host runs: the planned instances, and these servers."""
    instances = tuple(
        seen.Instance(
            each.unit, running=True, found_by=(), manager=seen.SYSTEMD,
            listeners=(seen.Listener("unix", path=each.socket or ""),),
        )
        for each in fleet.instances
    )  # fmt: skip
    host = seen.Observation(
        seen.FORMAT, "one", "m", 0.0, privileged=True, instances=instances, web_servers=servers, **changes
    )
    return link(fleet, {"one": host}, {})


@pytest.mark.parametrize(
    ("servers", "status", "words"),
    [
        pytest.param([server(ONE, TWO)], "pass", "as planned", id="all"),
        pytest.param([], "fail", "no server of Nginx", id="no site"),
        pytest.param([server(ONE, TWO, name="other.example")], "fail", "no server of Nginx", id="another name"),
        pytest.param(
            [server(ONE)], "fail", f"cubejs-api@acme-2.service on one, and {PATH} does not pass on to it",
            id="one left out",
        ),
        pytest.param([server(ONE, TWO.replace("/run", "/var/run"))], "pass", "as planned", id="another path to it"),
        pytest.param(
            [server(ONE, TWO, OLD)], "fail", f"{PATH} passes on to {OLD}, and the plan does not",
            id="an end where nothing is",
        ),
        pytest.param(
            [server(ONE, TWO, WORKER)], "fail", f"passes on to {WORKER}, and",
            id="the worker",
        ),
    ],
)  # fmt: skip
def test_sites(servers: list[WebServer], status: str, words: str, fleet: Fleet) -> None:
    found = observed(fleet, *servers)
    (finding,) = drifted(found, found.live or Live())
    assert (finding.status, finding.subject, finding.tenant, finding.host) == (status, NAME, "acme", "one")
    assert words in finding.message
    assert bool(finding.remedy) == (status == "fail")


def test_files_that_were_not_read_are_unknown(fleet: Fleet) -> None:
    found = observed(fleet, unknown=(Unknown("web_servers", "permission denied", "Run it with become"),))
    (finding,) = drifted(found, found.live or Live())
    assert (finding.status, finding.remedy) == ("unknown", "Run it with become")


def test_a_host_that_was_not_looked_at_is_named_by_another_rule(fleet: Fleet) -> None:
    assert not list(drifted(fleet, Live(missing={"one": "unreachable"})))


def test_a_site_in_capitals_is_the_same(fleet: Fleet) -> None:
    tenants = tuple(replace(each, server_name=NAME.upper()) for each in fleet.tenants)
    found = observed(replace(fleet, tenants=tenants), server(ONE, TWO))
    (finding,) = drifted(found, found.live or Live())
    assert finding.status == "pass"


def test_a_suspended_tenants_proxy_passes_nothing_on(fleet: Fleet) -> None:
    live = replace(observed(fleet).live or Live(), instances=(), resting=fleet.instances)
    assert list(drifted(fleet, live)) == []
