# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on HTTPS: that a tenant is served over it, and over nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import WebServer
from ansible_collections.cubeops.cubejs.plugins.module_utils.proxying import Asked, Serving, Site, is_loopback_listen
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import proxy_findings, verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.verdicts import DAY, Verdict

_CHECKLIST = "Production Checklist: Enable HTTPS"
_NEW = ("TLSv1.2", "TLSv1.3")
# Browsers forget it after this long; half a year is what scanners and preload lists take for meant.
HSTS_DAYS = 180
# What is said of a port on which nothing is served, by who asks (probes/http.py).
_NOTHING_SERVED = ("refused", "closed the connection without an answer")


class HttpsAnswers(Rule):
    """Cube.js does no TLS: without a proxy that does, tokens and rows cross the network in the clear.

    A tenant whose proxy was not seen may have one elsewhere, a load balancer or a CDN: that is not known, and not fine.
    """

    id = "https-answers"
    title = "Every tenant's API is served over HTTPS by a proxy"
    sentences = ("https", "tls-by-proxy")
    source = _CHECKLIST
    remedy = "Serve it through Nginx with TLS (the nginx role), or another proxy that does"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each proxy that was asked whether it speaks TLS, and of each tenant without one what is known."""
        yield from proxy_findings.of_asked(
            self, fleet, live, _answers, lambda serving: _not_asked(fleet, live, serving), silent=True
        )


class HttpsRedirect(Rule):
    """A client that comes by plain HTTP and is answered sends its token in the clear for ever after."""

    id = "https-redirect"
    title = "Plain HTTP leads to HTTPS, or nowhere"
    sentences = ("https",)
    source = _CHECKLIST
    remedy = "Answer plain HTTP with return 308 https://$host$request_uri, or do not listen for it"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each proxy what plain HTTP is answered."""
        yield from proxy_findings.of_asked(self, fleet, live, _redirects, silent=True)


class TlsVersion(Rule):
    """TLS 1.0 and 1.1 are broken and forbidden (RFC 8996); every client of Cube.js speaks TLS 1.2."""

    id = "https-tls-version"
    title = "TLS 1.2 and 1.3 are spoken, and nothing older"
    sentences = ("https",)
    source = "RFC 8996"
    remedy = "Set ssl_protocols TLSv1.2 TLSv1.3 in http, for all servers of the port"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each proxy, and of each site's files, the versions that are taken."""
        yield from proxy_findings.of_asked(self, fleet, live, _takes_new_only)
        yield from proxy_findings.of_sites(self, fleet, live, _says_new_only)


class Hsts(Rule):
    """Without Strict-Transport-Security, a browser's first request of every visit may be sent in the clear."""

    id = "https-hsts"
    title = "Strict-Transport-Security is sent, for half a year or more"
    severity = WARNING
    sentences = ("https",)
    source = "RFC 6797"
    remedy = 'Set add_header Strict-Transport-Security "max-age=63072000" always'

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each proxy what it says."""
        yield from proxy_findings.of_asked(self, fleet, live, _stays_secure)


def _answers(_serving: Serving, asked: Asked) -> Verdict:
    if asked.seen.reachable:
        return verdicts.passes(f"it speaks {asked.seen.tls_version or 'TLS'}")
    note = proxy_findings.why(asked, "everything")
    if note is not None:
        return verdicts.unknown(note)
    return verdicts.fails(f"it does not speak TLS: {asked.seen.problem or 'no answer'}")


def _not_asked(fleet: Fleet, live: Live, serving: Serving) -> Verdict:
    """Return what Nginx' files say of a tenant whose proxies nobody asked."""
    plain = [site.subject for site in serving.sites if any(_is_plain(server) for server in site.servers)]
    if plain:
        return verdicts.fails(
            f"Nginx passes plain HTTP on ({', '.join(plain)}), and nobody asked for anything with TLS before it",
            "Serve it with TLS; where a load balancer in front of it does, name that one for instance_info (proxies)",
        )
    if serving.sites:
        names = ", ".join(serving.names) or "its name"
        return verdicts.unknown(f"Nginx has a site for it, and no host asked for {names}", proxy_findings.ASK)
    planned = fleet.tenant(serving.tenant)
    hosts = planned.proxy_hosts if planned else ()
    hidden = proxy_findings.unread(live)
    if hosts and not hidden and all(host in live.observations for host in hosts):
        return verdicts.fails(f"Nginx on {', '.join(hosts)} is to serve it, and no server there leads to it")
    return hidden or verdicts.unknown(
        "no proxy that leads to it was seen; there may be one elsewhere, such as a load balancer", proxy_findings.ASK
    )


def _is_plain(server: WebServer) -> bool:
    if server.tls or server.redirects_to.startswith("https://"):
        return False
    return any(not is_loopback_listen(listen) for listen in server.listens or ("80",))


def _redirects(_serving: Serving, asked: Asked) -> Verdict:
    seen = asked.seen
    if seen.redirect_to.startswith("https://"):
        return verdicts.passes(f"it is sent to {seen.redirect_to}")
    if seen.redirect_to:
        return verdicts.fails(f"plain HTTP is sent to {seen.redirect_to}, which is no HTTPS")
    if seen.redirect_status is not None:
        does = "is answered" if seen.http_answers_itself else "is not redirected"
        return verdicts.fails(f"plain HTTP on port {seen.http_port} {does} ({seen.redirect_status})")
    note = proxy_findings.why(asked, "redirect")
    if note is None:
        return verdicts.unknown("plain HTTP was not asked")
    if any(said in note.reason for said in _NOTHING_SERVED):
        return verdicts.passes(f"nothing is served by plain HTTP on port {seen.http_port}")
    return verdicts.unknown(note)


def _takes_new_only(_serving: Serving, asked: Asked) -> Verdict:
    seen = asked.seen
    if seen.old_tls:
        return verdicts.fails("it takes TLS 1.1 or older")
    if seen.tls_version and seen.tls_version not in _NEW:
        return verdicts.fails(f"it speaks {seen.tls_version}")
    if seen.old_tls is None or not seen.tls_version:
        return verdicts.unknown(
            f"the host that asked ({asked.host}) cannot speak TLS 1.1 itself", "Ask from another host"
        )
    return verdicts.passes(f"it speaks {seen.tls_version}, and nothing older than TLS 1.2")


def _says_new_only(_serving: Serving, site: Site) -> Verdict:
    if not site.tls_servers:
        return verdicts.not_applicable("it speaks no TLS itself")
    said = [server.protocols for server in site.tls_servers]
    old = sorted({word for protocols in said for word in protocols.split() if word not in _NEW})
    if old:
        return verdicts.fails(f"ssl_protocols has {', '.join(old)}")
    if not all(said):
        return verdicts.unknown("ssl_protocols is not set, and its default has TLS 1.0 and 1.1 in older versions")
    return verdicts.passes(f"ssl_protocols is {said[0]}")


def _stays_secure(_serving: Serving, asked: Asked) -> Verdict:
    seen = asked.seen
    if not seen.hsts:
        if not seen.answers:
            return verdicts.unknown(proxy_findings.why(asked, "root") or "nothing was answered")
        return verdicts.fails("Strict-Transport-Security is not sent")
    match = re.search(r'max-age\s*=\s*"?([0-9]{1,12})', seen.hsts, re.IGNORECASE)
    days = int(match[1]) / DAY if match else 0.0
    return verdicts.passes(seen.hsts) if days >= HSTS_DAYS else verdicts.fails(f"it lasts {days:.0f} days: {seen.hsts}")
