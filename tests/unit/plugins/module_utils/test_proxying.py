"""Which proxies are whose."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import API, Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Listener
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import (
    Passing,
    ProxySeen,
    Unknown,
    WebServer,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.proxying import (
    is_loopback_listen,
    proxies_of,
    unread_nginx,
)

ACME, BETA = Listener("unix", path="/run/acme.sock"), Listener("tcp", "0.0.0.0", 4020)


def instance(tenant: str, host: str, *listeners: Listener, **settings: str) -> LiveInstance:
    values = {name: seen.Setting(seen.Value(value), seen.PROCESS) for name, value in settings.items()}
    return LiveInstance(
        tenant, API, host, seen.Instance(tenant, True, (), seen.SYSTEMD, listeners=listeners, settings=values)
    )


def server(*upstreams: str, names: tuple[str, ...] = (), **changes: Any) -> WebServer:
    """Return a server that passes on to each of these in a location of its own."""
    passings = tuple(Passing(f"/{end}", (end,)) for end in upstreams)
    return WebServer("/etc/nginx/nginx.conf", names, passings=passings, **changes)


def asked(name: str) -> ProxySeen:
    return ProxySeen(name, "192.0.2.1", 443, 80)


def live(*servers: WebServer, proxies: tuple[str, ...] = (), on: str = "one", others: Any = ()) -> Live:
    """Return acme on a socket of host "one", beta on a port of host "two", and servers on one of them."""
    found = {
        host: seen.Observation(
            seen.FORMAT, host, host, 0.0, True, (address,),
            web_servers=servers if host == on else (), proxies=tuple(map(asked, proxies)) if host == on else (),
        )
        for host, address in (("one", "192.0.2.1"), ("two", "192.0.2.2"))
    }  # fmt: skip
    return Live(found, instances=(instance("acme", "one", ACME), instance("beta", "two", BETA), *others))


def owners(found: Live, plan: Fleet | None = None) -> dict[str, list[str]]:
    """Return tenant -> the upstreams of its sites."""
    return {
        tenant: [end for site in serving.sites for passing in site.passings for end in passing.upstreams]
        for tenant, serving in proxies_of(plan or Fleet(), found).items()
        if serving.sites
    }


@pytest.mark.parametrize(
    ("upstream", "on", "tenant"),
    [
        pytest.param("unix:/run/acme.sock", "one", "acme", id="a socket"),
        pytest.param("unix:/var/run/acme.sock", "one", "acme", id="a socket through a link"),
        pytest.param("unix:/run/acme.sock", "two", None, id="the same path on another host"),
        pytest.param("127.0.0.1:4020", "two", "beta", id="a port of its host"),
        pytest.param("127.0.0.1:4020", "one", None, id="the same port of another host"),
        pytest.param("192.0.2.2:4020", "one", "beta", id="a port of another host"),
        pytest.param("two:4020", "one", "beta", id="by the host's name"),
        pytest.param("192.0.2.2", "one", None, id="port 80"),
        pytest.param("$backend", "one", None, id="chosen for each request"),
    ],
)
def test_an_upstream_leads_to_an_instance(upstream: str, on: str, tenant: str | None) -> None:
    assert owners(live(server(upstream), on=on)) == ({tenant: [upstream]} if tenant else {})


@pytest.mark.parametrize(
    ("other", "upstream"),
    [
        pytest.param(instance("gone", "one", PORT="/run/gone.sock"), "unix:/run/gone.sock", id="a socket"),
        pytest.param(instance("gone", "one", PORT="4444"), "127.0.0.1:4444", id="a port"),
        pytest.param(instance("gone", "one"), "127.0.0.1:4000", id="the port of those who set none"),
    ],
)
def test_an_instance_that_does_not_listen_is_known_by_its_settings(other: LiveInstance, upstream: str) -> None:
    assert owners(live(server(upstream), others=[other])) == {"gone": [upstream]}


def test_a_server_of_several_tenants_is_each_ones_in_part() -> None:
    found = live(server("unix:/run/acme.sock", "192.0.2.2:4020", "127.0.0.1:3000"))
    assert owners(found) == {"acme": ["unix:/run/acme.sock"], "beta": ["192.0.2.2:4020"]}


def test_the_plan_s_name_goes_before_where_it_leads(make_fleet: Any) -> None:
    plan = make_fleet()
    found = live(server("192.0.2.2:4020", names=("CUBE.acme.example",)))
    assert owners(found, plan) == {"acme": ["192.0.2.2:4020"]}
    (site,) = proxies_of(plan, live(server("192.0.2.2:4020", names=("cube.acme.example",))))["acme"].sites
    assert [each.tenant for each in site.instances] == ["beta"]


def test_servers_of_one_name_in_one_file_are_one_site() -> None:
    found = live(
        server("unix:/run/acme.sock", names=("a.example",)),
        server("unix:/run/acme.sock", names=("a.example",), tls=True),
        server("unix:/run/acme.sock", names=("b.example",)),
    )
    serving = proxies_of(Fleet(), found)["acme"]
    assert [(site.subject, len(site.servers), len(site.tls_servers)) for site in serving.sites] == [
        ("a.example in /etc/nginx/nginx.conf", 2, 1), ("b.example in /etc/nginx/nginx.conf", 1, 0),
    ]  # fmt: skip
    assert (serving.names, serving.hosts) == (("a.example", "b.example"), {"one"})


def test_where_else_a_site_leads() -> None:
    found = live(server("unix:/run/acme.sock", names=("a.example",)))
    passing = Passing("/", ("unix:/run/acme.sock", "127.0.0.1:9", "192.0.2.9:4000", "$x"))
    found = live(WebServer("/p", ("a.example",), passings=(passing,)))
    (site,) = proxies_of(Fleet(), found)["acme"].sites
    assert (site.dead_ends, site.strangers) == (("127.0.0.1:9",), ("192.0.2.9:4000", "$x"))


@pytest.mark.parametrize(
    ("names", "name", "tenant"),
    [
        pytest.param(("a.example",), "a.example", "acme", id="its name"),
        pytest.param(("a.example",), "A.example", "acme", id="in other letters"),
        pytest.param(("*.a.example",), "x.a.example", "acme", id="a wildcard"),
        pytest.param(("*.a.example",), "a.example", "", id="a wildcard does not hold its parent"),
        pytest.param((".a.example",), "a.example", "acme", id="a dot does"),
        pytest.param((".a.example",), "x.y.a.example", "acme", id="and all below"),
        pytest.param(("_",), "a.example", "", id="a server of no name"),
        pytest.param(("a.example",), "b.example", "", id="nobody's"),
    ],
)
def test_what_was_asked_is_found_by_name(names: tuple[str, ...], name: str, tenant: str) -> None:
    found = proxies_of(Fleet(), live(server("unix:/run/acme.sock", names=names), proxies=(name,)))
    assert {key for key, serving in found.items() if serving.asked} == {tenant}
    assert (found[tenant].asked[0].host, found[tenant].asked[0].seen.server_name) == ("one", name)


def test_what_was_asked_is_found_by_the_planned_name(make_fleet: Any) -> None:
    found = proxies_of(make_fleet(), live(proxies=("cube.acme.example",)))
    assert (len(found["acme"].asked), found["acme"].names) == (1, ("cube.acme.example",))


def test_every_tenant_that_was_seen_is_there() -> None:
    assert sorted(proxies_of(Fleet(), live())) == ["acme", "beta"]


@pytest.mark.parametrize(
    ("address", "port", "subject"),
    [
        ("a.example", 443, "a.example"), ("192.0.2.1", 443, "a.example at 192.0.2.1"),
        ("192.0.2.1", 8443, "a.example at 192.0.2.1, port 8443"),
    ],
)  # fmt: skip
def test_what_was_asked_has_a_name(address: str, port: int, subject: str) -> None:
    found = live()
    observation = found.observations["one"]
    proxy = ProxySeen("a.example", address, port, 80)
    changed = Live({"one": seen.Observation(**{**vars(observation), "proxies": (proxy,)})}, instances=found.instances)
    assert proxies_of(Fleet(), changed)[""].asked[0].subject == subject


@pytest.mark.parametrize(
    ("listen", "loopback"),
    [
        ("80", False), ("443 ssl", False), ("[::]:80", False), ("*:80", False), ("192.0.2.1:80", False),
        ("127.0.0.1:8080", True), ("localhost:80", True), ("[::1]:80", True), ("unix:/run/n.sock", True),
        ("127.0.0.1", True), ("web.example", False),
    ],
)  # fmt: skip
def test_listens(listen: str, loopback: bool) -> None:
    assert is_loopback_listen(listen) is loopback


def test_files_that_could_not_be_read() -> None:
    note = Unknown("web_servers", "denied")
    hosts = {
        host: seen.Observation(seen.FORMAT, host, host, 0.0, True, unknown=notes)
        for host, notes in (("one", (note,)), ("two", (Unknown("units", "denied"),)))
    }
    assert unread_nginx(Live(hosts)) == {"one": note}
