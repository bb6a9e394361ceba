"""Rules on what is answered through a proxy."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Answer, Unknown

RULES = ("proxy-production-mode", "proxy-web-sockets")
WANTED = {"CUBEJS_WEB_SOCKETS": "true"}
CLOSED = {
    "root": Answer(404), "playground_context": Answer(404), "meta_without_token": Answer(403),
    "meta_unsigned_token": Answer(403),
}  # fmt: skip
PAGE = Answer(200, "<!doctype html><html>")
UNREAD = (Unknown("process.environ", "denied"),)


def judged(seeing: Any, rule: str, proxy: dict[str, Any], **of: Any) -> Any:
    return seeing.judge(rule, seeing.served(seeing.web_server(), proxies=(seeing.proxy(**proxy),), **of))[0]


@pytest.mark.parametrize("rule", RULES)
def test_all_is_well(rule: str, seeing: Any) -> None:
    finding = judged(seeing, rule, {})
    assert (finding.status, finding.subject, finding.tenant) == ("pass", "cube.acme.example", "acme")


@pytest.mark.parametrize("rule", RULES)
def test_what_was_not_answered(rule: str, seeing: Any) -> None:
    assert judged(seeing, rule, {"reachable": False, "problem": "refused"}).status == "unknown"
    assert judged(seeing, rule, {"answers": {}, "websocket_status": None}).status == "unknown"
    assert [each.status for each in seeing.judge(rule, seeing.served(seeing.web_server()))] == ["unknown"]
    assert [each.status for each in seeing.judge(rule, seeing.served(kind="refresh_worker"))] == ["not_applicable"]


@pytest.mark.parametrize(
    ("answers", "own", "status"),
    [
        pytest.param({"root": Answer(200, "Cube.js server is running in production mode.")}, {}, "pass", id="banner"),
        pytest.param({"meta_without_token": Answer(200, '{"cubes":[]}')}, {}, "fail", id="no token asked for"),
        pytest.param({"meta_unsigned_token": Answer(200, '{"cubes":[]}')}, {}, "fail", id="an unsigned token"),
        pytest.param(
            {"root": PAGE, "playground_context": Answer(200), "meta_without_token": Answer(200, "{}")},
            {},
            "fail",
            id="development",
        ),
        pytest.param(
            {"playground_context": Answer(200), "meta_without_token": Answer(404)},
            {"playground_context": Answer(200)},
            "fail",
            id="an instance's Playground",
        ),
        pytest.param(
            {"playground_context": Answer(200)}, {"playground_context": Answer(200)}, "unknown", id="tokens asked for"
        ),
        pytest.param(
            {"root": PAGE, "playground_context": Answer(200)},
            {},
            "pass",
            id="a page of something else, as all instances say",
        ),
        pytest.param({"meta_without_token": PAGE}, {}, "unknown", id="a page of something else in the API's place"),
        pytest.param(
            {"meta_without_token": Answer(404), "meta_unsigned_token": Answer(404)},
            {},
            "unknown",
            id="the API is at another path",
        ),
    ],
)
def test_production(answers: dict[str, Answer], own: dict[str, Answer], status: str, seeing: Any) -> None:
    base = seeing.instance().seen.http
    http = type(base)(base.address, base.mode, {**base.answers, **own})
    finding = judged(seeing, "proxy-production-mode", {"answers": {**CLOSED, **answers}}, http=http)
    assert (finding.status, finding.severity) == (status, "critical")


def test_a_page_may_be_of_an_instance_that_was_not_seen(seeing: Any) -> None:
    proxy = seeing.proxy(answers={**CLOSED, "root": PAGE, "meta_without_token": PAGE})
    found = seeing.served(seeing.web_server(), proxies=(proxy,))
    found = type(found)(found.observations, {"two": "unreachable"}, found.instances)
    assert [each.status for each in seeing.judge("proxy-production-mode", found)] == ["fail"]


@pytest.mark.parametrize(
    ("status", "of", "found"),
    [
        pytest.param(101, {"environment": WANTED}, "pass", id="wanted, and through"),
        pytest.param(404, {"environment": WANTED}, "fail", id="wanted, and not through"),
        pytest.param(404, {}, "pass", id="not wanted, and not through"),
        pytest.param(101, {}, "fail", id="not wanted, and through"),
        pytest.param(404, {"environment": {"CUBEJS_WEB_SOCKETS": "false"}}, "pass", id="said not to be wanted"),
        pytest.param(404, {"project": Project("/p", mentions=("webSockets",))}, "pass", id="by code: they answer not"),
        pytest.param(
            404,
            {"environment": WANTED, "project": Project("/p", mentions=("webSocketsBasePath",))},
            "unknown",
            id="at another path",
        ),
        pytest.param(404, {"unknown": UNREAD, "http": None}, "unknown", id="settings that were not read"),
    ],
)
def test_web_sockets(status: int, of: dict[str, Any], found: str, seeing: Any) -> None:
    finding = judged(seeing, "proxy-web-sockets", {"websocket_status": status}, **of)
    assert (finding.status, finding.severity) == (found, "warning")


def test_web_sockets_of_a_name_that_is_nobody_s(seeing: Any) -> None:
    findings = seeing.judge("proxy-web-sockets", seeing.served(proxies=(seeing.proxy(),)))
    assert [(each.tenant, each.status) for each in findings] == [("acme", "unknown"), ("", "not_applicable")]
