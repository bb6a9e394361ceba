"""Rules on HTTPS."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown

NAME = "cube.acme.example"
LATE = (Unknown("everything", "no answer in time", "wait"),)
RULES = ("https-answers", "https-redirect", "https-tls-version", "https-hsts")


@pytest.mark.parametrize("rule", RULES)
def test_all_is_well(rule: str, seeing: Any) -> None:
    findings = seeing.judge(rule, seeing.served(seeing.web_server(), proxies=(seeing.proxy(),)))
    assert {each.status for each in findings} == {"pass"}
    assert (findings[0].subject, findings[0].tenant, findings[0].host) == (NAME, "acme", "one")


@pytest.mark.parametrize("rule", RULES)
def test_a_question_that_did_not_end(rule: str, seeing: Any) -> None:
    unasked = {"reachable": False, "problem": "late", "redirect_status": None, "redirect_to": "", "unknown": LATE}
    (finding,) = seeing.judge(rule, seeing.served(seeing.web_server(), proxies=(seeing.proxy(**unasked),)))[:1]
    assert finding.status == "unknown"


@pytest.mark.parametrize("rule", RULES)
def test_a_tenant_without_an_api(rule: str, seeing: Any) -> None:
    findings = seeing.judge(rule, seeing.served(kind="refresh_worker"))
    assert {each.status for each in findings} == {"not_applicable"}


@pytest.mark.parametrize("rule", ["https-redirect", "https-tls-version", "https-hsts"])
def test_a_proxy_that_nobody_asked(rule: str, seeing: Any) -> None:
    finding = seeing.judge(rule, seeing.served(seeing.web_server()))[0]
    assert (finding.status, NAME in finding.message, "proxies" in finding.remedy) == ("unknown", True, True)


def test_a_name_that_is_nobody_s_is_judged_too(seeing: Any) -> None:
    findings = seeing.judge("https-answers", seeing.served(proxies=(seeing.proxy(reachable=False, problem="refused"),)))
    assert [(each.tenant, each.status) for each in findings] == [("acme", "unknown"), ("", "fail")]


@pytest.mark.parametrize(
    ("servers", "changes", "status", "said"),
    [
        pytest.param([{}], {}, "unknown", "no host asked", id="a site with TLS"),
        pytest.param([{"tls": False, "listens": ("80",)}], {}, "fail", "plain HTTP", id="the checklist's sample"),
        pytest.param([{}, {"tls": False, "listens": ()}], {}, "fail", "plain HTTP", id="beside TLS"),
        pytest.param(
            [{"tls": False, "listens": ("80",), "redirects_to": "https://$host$request_uri"}],
            {},
            "unknown",
            "no host asked",
            id="behind a load balancer",
        ),
        pytest.param([{"tls": False, "listens": ("127.0.0.1:8080",)}], {}, "unknown", "no host", id="behind another"),
        pytest.param([], {}, "unknown", "load balancer", id="none was seen"),
        pytest.param(
            [], {"unknown": (Unknown("web_servers", "denied", "become"),)}, "unknown", "denied", id="not read"
        ),
    ],
)
def test_what_files_tell_of_https(
    servers: list[dict[str, Any]], changes: dict[str, Any], status: str, said: str, seeing: Any
) -> None:
    found = seeing.served(*(seeing.web_server(**each) for each in servers), host_changes=changes)
    (finding,) = seeing.judge("https-answers", found)
    assert finding.status == status
    assert said in finding.message


@pytest.mark.parametrize(
    ("changes", "missing", "status"),
    [
        pytest.param({}, {}, "fail", id="its proxy does not know it"),
        pytest.param({"unknown": (Unknown("web_servers", "denied", "become"),)}, {}, "unknown", id="not read"),
        pytest.param({}, {"two": "unreachable"}, "unknown", id="its proxy was not looked at"),
    ],
)
def test_a_planned_proxy_that_does_not_serve(
    changes: dict[str, Any], missing: dict[str, str], status: str, seeing: Any, make_fleet: Any
) -> None:
    proxy = "two" if missing else "one"
    plan = make_fleet(groups={"cubejs_api": ["one"], "cubejs_redis": ["one"], "cubejs_nginx": [proxy]})
    (finding,) = seeing.judge("https-answers", seeing.served(host_changes=changes), plan)
    assert finding.status == status


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        pytest.param({"reachable": False, "problem": "no TLS: wrong version"}, "fail", "wrong version", id="no TLS"),
        pytest.param({"tls_version": "TLSv1.2"}, "pass", "TLSv1.2", id="TLS"),
    ],
)
def test_answers(changes: dict[str, Any], status: str, said: str, seeing: Any) -> None:
    (finding,) = seeing.judge("https-answers", seeing.served(seeing.web_server(), proxies=(seeing.proxy(**changes),)))
    assert (finding.status, finding.severity) == (status, "error")
    assert said in finding.message


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"redirect_to": "http://elsewhere.example/"}, "fail", id="to plain HTTP"),
        pytest.param(
            {"redirect_to": "", "redirect_status": 403, "http_answers_itself": True}, "fail", id="Cube answers"
        ),
        pytest.param({"redirect_to": "", "redirect_status": 502}, "fail", id="a proxy that would pass on"),
        pytest.param(
            {"redirect_to": "", "redirect_status": None, "unknown": (Unknown("redirect", "h:80: Connection refused"),)},
            "pass",
            id="nothing listens",
        ),
        pytest.param(
            {
                "redirect_to": "",
                "redirect_status": None,
                "unknown": (Unknown("redirect", "h:80: closed the connection without an answer"),),
            },
            "pass",
            id="hung up on",
        ),
        pytest.param(
            {"redirect_to": "", "redirect_status": None, "unknown": (Unknown("redirect", "h:80: no answer in time"),)},
            "unknown",
            id="silence",
        ),
        pytest.param({"redirect_to": "", "redirect_status": None}, "unknown", id="not asked"),
        pytest.param({"reachable": False}, "pass", id="to a port that does not answer is another rule's"),
    ],
)
def test_redirect(changes: dict[str, Any], status: str, seeing: Any) -> None:
    (finding,) = seeing.judge("https-redirect", seeing.served(seeing.web_server(), proxies=(seeing.proxy(**changes),)))
    assert finding.status == status


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"old_tls": True}, "fail", id="old ones are taken"),
        pytest.param({"tls_version": "TLSv1.1"}, "fail", id="an old one was agreed on"),
        pytest.param({"old_tls": None}, "unknown", id="who asked cannot speak old ones"),
        pytest.param({"tls_version": "TLSv1.2"}, "pass", id="1.2"),
    ],
)
def test_tls_as_it_answers(changes: dict[str, Any], status: str, seeing: Any) -> None:
    finding = seeing.judge("https-tls-version", seeing.served(proxies=(seeing.proxy(**changes),)))[-2]
    assert (finding.subject, finding.status) == (NAME, status)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"protocols": "TLSv1 TLSv1.2"}, "fail", id="an old one"),
        pytest.param({"protocols": ""}, "unknown", id="the version's default"),
        pytest.param({"protocols": "TLSv1.3"}, "pass", id="1.3"),
        pytest.param({"tls": False}, "not_applicable", id="no TLS"),
    ],
)
def test_tls_in_files(changes: dict[str, Any], status: str, seeing: Any) -> None:
    finding = seeing.judge("https-tls-version", seeing.served(seeing.web_server(**changes)))[-1]
    assert (finding.subject, finding.status) == (f"{NAME} in /etc/nginx/sites/acme.conf", status)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"hsts": "max-age=15552000; includeSubDomains"}, "pass", id="half a year"),
        pytest.param({"hsts": 'max-age="15551999"'}, "fail", id="less"),
        pytest.param({"hsts": ""}, "fail", id="none"),
        pytest.param({"hsts": "nonsense"}, "fail", id="no age"),
        pytest.param({"hsts": "", "answers": {}}, "unknown", id="nothing was answered"),
    ],
)
def test_hsts(changes: dict[str, Any], status: str, seeing: Any) -> None:
    (finding,) = seeing.judge("https-hsts", seeing.served(seeing.web_server(), proxies=(seeing.proxy(**changes),)))
    assert (finding.status, finding.severity) == (status, "warning")
