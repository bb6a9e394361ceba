"""Rules on Nginx' files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils import nginx
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Listener
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.nginx_files import read_web_servers
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree

ROLE = Path(__file__).resolve().parents[5] / "roles/nginx"
RULES = (
    "proxy-upstreams", "proxy-http-version", "proxy-upgrade", "proxy-headers", "proxy-body-size", "proxy-timeouts",
)  # fmt: skip
SOCKET = "unix:/run/cubejs/acme-1/cube.sock"
WANTED = {"environment": {"CUBEJS_WEB_SOCKETS": "true"}}
HEADERS = {"host": "$host", "x-forwarded-for": "$remote_addr", "x-forwarded-proto": "$scheme"}
UPGRADE = {**HEADERS, "upgrade": "$http_upgrade", "connection": "$connection_upgrade"}
SAMPLE = {**HEADERS, "upgrade": "$http_upgrade", "connection": "upgrade"}


def judged(seeing: Any, rule: str, *passings: Any, **instance: Any) -> Any:
    return seeing.judge(rule, seeing.served(seeing.web_server(*passings), **instance))[0]


def upgrading(seeing: Any, **changes: Any) -> Any:
    return seeing.passing(
        **{"place": "@ws", "headers": UPGRADE, "upgrade_map": True, "read_timeout": "600s", **changes}
    )


@pytest.mark.parametrize("rule", RULES)
def test_all_is_well(rule: str, seeing: Any) -> None:
    finding = judged(seeing, rule, seeing.passing(), upgrading(seeing), **WANTED)
    assert (finding.status, finding.tenant, finding.host) == ("pass", "acme", "one")
    assert finding.subject == "cube.acme.example in /etc/nginx/sites/acme.conf"


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("make", "status"),
    [
        pytest.param(lambda seeing: seeing.served(), "unknown", id="no proxy"),
        pytest.param(
            lambda seeing: seeing.served(host_changes={"unknown": (Unknown("web_servers", "denied"),)}),
            "unknown",
            id="files that were not read",
        ),
        pytest.param(lambda seeing: seeing.served(kind="refresh_worker"), "not_applicable", id="no API"),
    ],
)
def test_without_a_site(rule: str, make: Callable[..., Any], status: str, seeing: Any) -> None:
    assert [each.status for each in seeing.judge(rule, make(seeing))] == [status]


@pytest.mark.parametrize("rule", RULES)
def test_a_proxy_that_is_no_nginx(rule: str, seeing: Any, make_fleet: Callable[..., Any]) -> None:
    found = seeing.served(proxies=(seeing.proxy(),))
    assert [each.status for each in seeing.judge(rule, found, make_fleet())] == ["not_applicable"]


@pytest.mark.parametrize(("version", "status"), [("1.1", "pass"), ("2", "pass"), ("1.0", "fail"), ("", "fail")])
def test_http_version(version: str, status: str, seeing: Any) -> None:
    finding = judged(seeing, "proxy-http-version", seeing.passing(), seeing.passing(place="/x/", http_version=version))
    assert (finding.status, "location /x/" in finding.message) == (status, status == "fail")


@pytest.mark.parametrize(
    ("passings", "instance", "status"),
    [
        pytest.param([{}], {}, "not_applicable", id="none wanted, none passed on"),
        pytest.param([{}], WANTED, "fail", id="wanted, and not passed on"),
        pytest.param(
            [{}], {"unknown": (Unknown("process.environ", "denied"),), "http": None}, "unknown", id="who knows"
        ),
        pytest.param([{"headers": UPGRADE, "upgrade_map": True}], {}, "pass", id="one place for both, by a map"),
        pytest.param([{"headers": SAMPLE}], WANTED, "fail", id="the checklist's sample"),
        pytest.param([{"headers": SAMPLE}], {}, "fail", id="the checklist's sample without WebSockets"),
        pytest.param([{}, {"headers": SAMPLE, "place": "/ws"}], WANTED, "pass", id="a location of their own"),
        pytest.param([{}, {"headers": {**HEADERS, "upgrade": "x"}}], WANTED, "fail", id="no Connection"),
        pytest.param([{"headers": {**UPGRADE, "connection": "$http_connection"}}], {}, "pass", id="as the client says"),
    ],
)
def test_upgrade(passings: list[dict[str, Any]], instance: dict[str, Any], status: str, seeing: Any) -> None:
    made = [seeing.passing(**each) for each in passings]
    assert judged(seeing, "proxy-upgrade", *made, **instance).status == status


@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        pytest.param(HEADERS, "pass", "", id="all"),
        pytest.param({}, "fail", "host, x-forwarded-for, x-forwarded-proto", id="none"),
        pytest.param({**HEADERS, "host": "$proxy_host"}, "fail", "host", id="the upstream's own name"),
        pytest.param({**HEADERS, "x-forwarded-proto": ""}, "fail", "x-forwarded-proto", id="emptied"),
    ],
)
def test_headers(headers: dict[str, str], status: str, said: str, seeing: Any) -> None:
    finding = judged(seeing, "proxy-headers", seeing.passing(headers=headers))
    assert finding.status == status
    assert said in finding.message


@pytest.mark.parametrize(
    ("size", "status"),
    [("8m", "pass"), ("50M", "pass"), ("0", "pass"), ("8388607", "fail"), ("", "fail"), ("much", "unknown")],
)
def test_body_size(size: str, status: str, seeing: Any) -> None:
    assert judged(seeing, "proxy-body-size", seeing.passing(body_size=size)).status == status


@pytest.mark.parametrize(
    ("ordinary", "web_socket", "instance", "status"),
    [
        pytest.param("60s", "600s", WANTED, "pass", id="both wait"),
        pytest.param("", "600s", WANTED, "pass", id="the default"),
        pytest.param("59", "600s", WANTED, "fail", id="too short for a request"),
        pytest.param("60s", "5m", WANTED, "pass", id="just enough for a WebSocket"),
        pytest.param("60s", "299s", WANTED, "fail", id="too short for a WebSocket"),
        pytest.param("60s", "", {}, "pass", id="WebSockets that nobody wants"),
        pytest.param("$t", "600s", WANTED, "unknown", id="not understood"),
    ],
)
def test_timeouts(ordinary: str, web_socket: str, instance: dict[str, Any], status: str, seeing: Any) -> None:
    made = (seeing.passing(read_timeout=ordinary), upgrading(seeing, read_timeout=web_socket))
    assert judged(seeing, "proxy-timeouts", *made, **instance).status == status


def test_one_place_for_both_waits_as_long_as_a_web_socket(seeing: Any) -> None:
    both = upgrading(seeing, place="/", read_timeout="60s")
    assert judged(seeing, "proxy-timeouts", both, **WANTED).status == "fail"
    assert judged(seeing, "proxy-timeouts", both).status == "pass"


def upstreams(seeing: Any, *others: Any, ends: tuple[str, ...] = (SOCKET,), plan: Any = None) -> list[Any]:
    first = seeing.served(seeing.web_server(seeing.passing(upstreams=ends)))
    host = first.observations["one"]
    found: list[Any] = seeing.judge("proxy-upstreams", seeing.live(*first.instances, *others, hosts=(host,)), plan)
    return found


@pytest.mark.parametrize(
    ("ends", "status", "severity", "said"),
    [
        pytest.param((SOCKET,), "pass", "error", "acme-1", id="home"),
        pytest.param((SOCKET, "127.0.0.1:4020"), "fail", "critical", "beta", id="another tenant's"),
        pytest.param((SOCKET, "127.0.0.1:4030"), "fail", "warning", "refresh worker", id="the worker"),
        pytest.param((SOCKET, "127.0.0.1:4099"), "fail", "warning", "127.0.0.1:4099", id="nothing"),
        pytest.param((SOCKET, "192.0.2.9:4000"), "unknown", "error", "192.0.2.9", id="a host that was not seen"),
    ],
)
def test_where_a_site_leads(ends: tuple[str, ...], status: str, severity: str, said: str, seeing: Any) -> None:
    others = (
        seeing.instance("b", tenant="beta", listeners=(Listener("tcp", "0.0.0.0", 4020),)),
        seeing.instance("w", "refresh_worker", listeners=(Listener("tcp", "0.0.0.0", 4030),)),
    )
    finding = next(each for each in upstreams(seeing, *others, ends=ends) if each.host and each.tenant == "acme")
    assert (finding.status, finding.severity) == (status, severity)
    assert said in finding.message


def test_an_instance_of_a_host_that_was_not_seen_may_be_left_out(seeing: Any) -> None:
    found = replace(seeing.served(seeing.web_server()), missing={"two": "unreachable"})
    assert {each.status for each in seeing.judge("proxy-upstreams", found)} == {"unknown"}


def test_an_instance_to_which_nothing_leads(seeing: Any) -> None:
    other = seeing.instance("acme-2", listeners=(Listener("unix", path="/run/other.sock"),))
    assert [(each.subject, each.status) for each in upstreams(seeing, other)][-1] == ("acme", "fail")
    assert [(each.subject, each.status) for each in upstreams(seeing)][-1] == ("acme", "pass")


def rendered(recording: Any, *, web_sockets: bool, load_balancer: bool) -> Any:
    """Return the servers of the nginx role's own files, with its defaults, for acme on its socket."""
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text().replace("{{", "").replace("}}", ""))
    server = {"name": "acme", "server_name": "cube.acme.example", "upstreams": [SOCKET], "web_sockets": web_sockets}
    settings = nginx.Settings(
        version="1.22.1", ipv6=True, http_port=80, https_port=443, http2=True, worker_connections=4096,
        trusted_proxies=("192.0.2.0/24",) if load_balancer else (),
    )  # fmt: skip
    layout = nginx.layout([server], settings)
    values = {
        **defaults,
        "nginx_behind_load_balancer": {"trusted_proxies": ["192.0.2.0/24"]},
        "__nginx_layout": layout,
        "__nginx_os": {"user": "www-data", "modules": "modules-enabled/*.conf"},
        "item": layout["servers"][0],
        "ansible_managed": "managed",
    }
    recording.file("/etc/nginx/mime.types", "types { application/json json; }")
    # As Ansible's template module sets it up.
    environment = jinja2.Environment(trim_blocks=True, keep_trailing_newline=True, autoescape=False)
    environment.filters["comment"] = "# {}".format
    for name in ("http", "tls", "server", "proxy", "site", "nginx"):
        text = environment.from_string((ROLE / f"templates/{name}.conf.j2").read_text()).render(values)
        place = {"site": "cubejs/sites/acme.conf", "nginx": "nginx.conf"}.get(name, f"cubejs/{name}.conf")
        recording.file(f"/etc/nginx/{place}", text)
    return read_web_servers(Tree(str(recording.root)), Redactor(b"k"))


@pytest.mark.parametrize("load_balancer", [False, True])
@pytest.mark.parametrize("web_sockets", [False, True])
def test_the_role_s_own_files_are_as_they_should_be(
    web_sockets: bool, load_balancer: bool, recording: Any, seeing: Any
) -> None:
    environment = {"CUBEJS_WEB_SOCKETS": "true"} if web_sockets else {}
    servers = rendered(recording, web_sockets=web_sockets, load_balancer=load_balancer)
    found = seeing.served(*servers, environment=environment)
    for rule in (*RULES, "https-tls-version"):
        statuses = [each.status for each in seeing.judge(rule, found) if each.host]
        exempt = (rule == "proxy-upgrade" and not web_sockets) or (rule == "https-tls-version" and load_balancer)
        assert (rule, statuses) == (rule, ["not_applicable" if exempt else "pass"])
    assert "plain HTTP" not in seeing.judge("https-answers", found)[0].message
