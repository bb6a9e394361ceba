# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on what a tenant's instances answer through their proxy."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import CRITICAL, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Answer
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.layering import DEVELOPMENT
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.cube_http import mode
from ansible_collections.cubeops.cubejs.plugins.module_utils.proxying import NOBODY, Asked, Serving
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import proxy_findings, verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.verdicts import Verdict

SWITCHED = 101
_SWITCH = "CUBEJS_WEB_SOCKETS"
_TOKENS = {"meta_without_token": "without a token", "meta_unsigned_token": "with a token that nobody signed"}
_PAGES = {"root": "the root page", "playground_context": "/playground/context"}
_DENIED = (401, 403)


class ProductionThroughProxy(Rule):
    """What counts is what the world is answered: a stray process in development mode behind one name is enough.

    The Playground hands out tokens and the schema's source to whoever asks.
    """

    id = "proxy-production-mode"
    title = "Through the proxy too, there is no Playground, and nobody gets in without a token"
    severity = CRITICAL
    sentences = ("no-playground", "api-only")
    source = "Production Checklist: Enable Production Mode"
    remedy = "Set NODE_ENV=production for every process behind the proxy, and pass on the API's path only"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each proxy what it lets through."""
        yield from proxy_findings.of_asked(self, fleet, live, lambda serving, asked: _is_closed(live, serving, asked))


class WebSocketThroughProxy(Rule):
    """Clients over WebSockets wait for ever where the proxy does not pass the upgrade on, and say nothing."""

    id = "proxy-web-sockets"
    title = "WebSockets get through the proxy where CUBEJS_WEB_SOCKETS is true, and only there"
    severity = WARNING
    sentences = ("nginx-websocket",)
    source = "cube-js/cube issue 6891"
    remedy = (
        "Pass Upgrade and Connection on in the proxy (web_sockets: true of the tenant), or unset CUBEJS_WEB_SOCKETS"
    )

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each proxy what an upgrade is answered."""
        yield from proxy_findings.of_asked(self, fleet, live, lambda serving, asked: _switches(live, serving, asked))


def web_sockets_wanted(live: Live, tenant: str) -> bool | None:
    """Return whether a tenant's API instances serve WebSockets; None where that cannot be known."""
    found = [_serves_web_sockets(instance) for instance in proxy_findings.apis_of(live, tenant)]
    if any(found):
        return True
    return None if None in found or not found else False


def _serves_web_sockets(instance: LiveInstance) -> bool | None:
    seen = instance.seen
    if seen.value(_SWITCH) is not None:
        return verdicts.is_true(instance, _SWITCH)
    in_code = seen.project is not None and "webSockets" in seen.project.mentions
    if not in_code and verdicts.unread_settings(instance) is None:
        return False
    answer = seen.http.answers.get("websocket") if seen.http else None
    return answer.status == SWITCHED if answer else None


def _switches(live: Live, serving: Serving, asked: Asked) -> Verdict:
    if serving.tenant == NOBODY:
        return verdicts.not_applicable("none of the instances that were seen is behind it")
    status, wanted = asked.seen.websocket_status, web_sockets_wanted(live, serving.tenant)
    if status is None:
        return verdicts.unknown(proxy_findings.why(asked, "websocket") or "an upgrade was not answered")
    if wanted is None:
        return verdicts.unknown(
            f"whether its instances serve WebSockets could not be read; an upgrade ends as {status}"
        )
    if wanted == (status == SWITCHED):
        return verdicts.passes(
            "an upgrade gets through" if wanted else f"there are none, and an upgrade ends as {status}"
        )
    if not wanted:
        return verdicts.fails(f"an upgrade gets through, and {_SWITCH} is not true: something else answers")
    projects = (instance.seen.project for instance in proxy_findings.apis_of(live, serving.tenant))
    if any(project and "webSocketsBasePath" in project.mentions for project in projects):
        return verdicts.unknown("its code chooses the path of WebSockets (webSocketsBasePath), and / was asked")
    return verdicts.fails(f"{_SWITCH} is true, and an upgrade ends as {status}")


def _is_closed(live: Live, serving: Serving, asked: Asked) -> Verdict:
    answers = asked.seen.answers
    for question, how in _TOKENS.items():
        if _lets_in(answers.get(question)):
            return verdicts.fails(f"/v1/meta is answered {how}")
    opened = [page for question, page in _PAGES.items() if _is_open(question, answers.get(question))]
    if opened and not _answer_otherwise(live, serving):
        denied = answers.get("meta_without_token")
        if denied is None or denied.status not in _DENIED:
            return verdicts.fails(f"{' and '.join(opened)} may be the Playground, which hands out tokens")
        return verdicts.unknown(
            f"{' and '.join(opened)} is answered, and a token is asked for: by the Playground of a project that checks "
            "tokens itself, or by something else",
            "Look at all instances behind it, and pass on the API's path only",
        )
    missing = [question for question in (*_PAGES, *_TOKENS) if question not in answers]
    if missing:
        return verdicts.unknown(proxy_findings.why(asked, missing[0]) or f"{missing[0]} was not answered")
    strange = [answers[question].status for question in _TOKENS if answers[question].status not in _DENIED]
    if strange:
        return verdicts.unknown(
            f"/v1/meta ends as {strange[0]}, which turns nobody away: the API may be at another path",
            "See where the project serves its API (basePath), and that it asks for a token there",
        )
    return verdicts.passes("the Playground is closed, and a token is asked for")


def _is_open(question: str, answer: Answer | None) -> bool:
    if question == "root":
        return mode(answer) == DEVELOPMENT
    return answer is not None and answer.status == 200


def _lets_in(answer: Answer | None) -> bool:
    # A page of something else that the proxy serves there begins as HTML does.
    return answer is not None and answer.status == 200 and not answer.text.lstrip().startswith("<")


def _answer_otherwise(live: Live, serving: Serving) -> bool:
    """Say whether pages are none of the tenant's instances': all were seen, and none of them has such a page."""
    apis = proxy_findings.apis_of(live, serving.tenant)
    if not apis or live.missing:
        return False
    for instance in apis:
        own = instance.seen.http.answers if instance.seen.http else {}
        if any(question not in own or _is_open(question, own[question]) for question in _PAGES):
            return False
    return True
