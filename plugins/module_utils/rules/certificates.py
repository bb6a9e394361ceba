# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on the certificates with which proxies serve tenants: as they answer, and as the files are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import PASS, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Certificate
from ansible_collections.cubeops.cubejs.plugins.module_utils.proxying import Asked, Serving, Site
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import proxy_findings, verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.verdicts import DAY, Verdict

# Three weeks are two of holidays and one to act; ACME clients renew after two thirds, 30 days before the end.
WARNING_DAYS = 21


class CertificateTrusted(Rule):
    """Clients of Cube.js refuse a certificate whose chain, name or dates do not hold; those that do not are fooled."""

    id = "certificate-trusted"
    title = "The certificate is trusted, with its whole chain"
    sentences = ("https",)
    source = "RFC 5280"
    remedy = (
        "Serve the certificate with its intermediates (fullchain.pem); name a private CA's file as ca_path of proxies"
    )

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each proxy whether who asked trusts it."""
        yield from proxy_findings.of_asked(self, fleet, live, _is_trusted)


class CertificateNames(Rule):
    """A browser takes a certificate for the names that stand in it and for no others."""

    id = "certificate-names"
    title = "The certificate is for the name that it serves"
    sentences = ("https",)
    source = "RFC 6125"
    remedy = "Get a certificate with that name among its subjectAltNames"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each proxy, and of each site's files, whether the name is in the certificate."""
        yield from proxy_findings.of_asked(self, fleet, live, _names_what_was_asked)
        yield from proxy_findings.of_sites(self, fleet, live, _names_the_site)


class CertificateExpiry(Rule):
    """From one second to the next nobody is served any more; a renewal that failed is seen weeks before.

    What is served and what stands in the file are both looked at: a renewed file that Nginx has not read yet is fine on
    disk only.
    """

    id = "certificate-expiry"
    title = "The certificate is valid for three weeks or more"
    sentences = ("https",)
    source = "RFC 5280"
    remedy = "Renew it, see why the renewal did not, and reload the proxy"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each proxy, and of each site's files, how long the certificate is valid."""
        yield from proxy_findings.of_asked(
            self, fleet, live, lambda _serving, asked: _is_valid([asked.seen.certificate], _now(live, asked.host))
        )
        yield from proxy_findings.of_sites(self, fleet, live, lambda _serving, site: _is_valid_on_disk(live, site))


class CertificateKey(Rule):
    """With the key of another certificate Nginx does not start again: the next reload or reboot ends all tenants."""

    id = "certificate-key"
    title = "The key on disk is that of the certificate on disk"
    sentences = ("https",)
    source = "Nginx: ngx_http_ssl_module, ssl_certificate_key"
    remedy = "Put certificate and key of one another into place together"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each site whether its key fits."""
        yield from proxy_findings.of_sites(self, fleet, live, _fits)


def _now(live: Live, host: str) -> float:
    return live.observations[host].taken_at


def _is_trusted(_serving: Serving, asked: Asked) -> Verdict:
    seen = asked.seen
    if seen.trusted is None:
        return verdicts.unknown(proxy_findings.why(asked, "certificate") or "the certificate was not looked at")
    issuer = f"issued by {seen.certificate.issuer}" if seen.certificate else "its issuer could not be read"
    return verdicts.passes(issuer) if seen.trusted else verdicts.fails(seen.trust_problem or "it is not", "", issuer)


def covers(names: Iterable[str], wanted: str) -> bool:
    """Say whether a certificate for these names is one for a wanted name; `*` stands for the first label only."""
    parent = wanted.lower().partition(".")[2]
    held = {name.lower() for name in names}
    return wanted.lower() in held or (bool(parent) and f"*.{parent}" in held)


def _names_what_was_asked(_serving: Serving, asked: Asked) -> Verdict:
    certificate = asked.seen.certificate
    if certificate is None:
        return verdicts.unknown(proxy_findings.why(asked, "certificate") or "the certificate was not looked at")
    return _is_for([certificate], [asked.seen.server_name])


def _names_the_site(_serving: Serving, site: Site) -> Verdict:
    if not site.tls_servers:
        return verdicts.not_applicable("it speaks no TLS itself")
    if site.name == "_" or site.name.startswith("~") or site.name.endswith(".*"):
        return verdicts.not_applicable("it has no name of its own")
    certificates = [server.certificate for server in site.tls_servers]
    if None in certificates:
        return _unread(site)
    wanted = f"*{site.name}" if site.name.startswith(".") else site.name
    return _is_for([each for each in certificates if each], [wanted])


def _is_for(certificates: Iterable[Certificate], wanted: Iterable[str]) -> Verdict:
    for certificate in certificates:
        missing = [name for name in wanted if not covers(certificate.names, name)]
        if missing:
            held = ", ".join(certificate.names[:5]) or "no name at all"
            return verdicts.fails(f"{', '.join(missing)} is not in it: it is for {held}")
    return verdicts.passes(f"it is for {', '.join(wanted)}")


def _is_valid(certificates: Iterable[Certificate | None], now: float) -> Verdict:
    found = [each for each in certificates if each is not None]
    if not found:
        return verdicts.unknown("the certificate could not be read")
    first = min(found, key=lambda each: each.not_after)
    days = (first.not_after - now) / DAY
    later = max(each.not_before for each in found)
    if days < 0:
        return verdicts.fails(f"it expired {-days:.0f} days ago")
    if later > now:
        return verdicts.fails(
            f"it is not valid for another {(later - now) / DAY:.1f} days", "Compare the hosts' clocks"
        )
    if days < WARNING_DAYS:
        return verdicts.fails(f"it expires in {days:.0f} days", severity=WARNING)
    return verdicts.passes(f"it expires in {days:.0f} days")


def _is_valid_on_disk(live: Live, site: Site) -> Verdict:
    if not site.tls_servers:
        return verdicts.not_applicable("it speaks no TLS itself")
    certificates = [server.certificate for server in site.tls_servers]
    verdict = _is_valid(certificates, _now(live, site.host))
    return _unread(site) if None in certificates and verdict.status == PASS else verdict


def _fits(_serving: Serving, site: Site) -> Verdict:
    if not site.tls_servers:
        return verdicts.not_applicable("it speaks no TLS itself")
    wrong = [server for server in site.tls_servers if server.key_matches is False]
    if wrong:
        return verdicts.fails(f"{wrong[0].key_path} is not the key of {wrong[0].certificate_path}")
    if all(server.key_matches for server in site.tls_servers):
        return verdicts.passes(f"{site.tls_servers[0].key_path} is")
    return _unread(site)


def _unread(site: Site) -> Verdict:
    notes = [note for server in site.tls_servers for note in server.unknown]
    return verdicts.unknown(notes[0] if notes else "its certificate is chosen for each connection")
