# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on how Nginx passes requests on to Cube.js, as its files say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils import nginx_units
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import CRITICAL, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import API, REFRESH_WORKER, Fleet, Live, LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Passing
from ansible_collections.cubeops.cubejs.plugins.module_utils.proxying import Serving, Site, proxies_of
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import proxy_findings, verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.instance_settings import place, several
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.proxied import web_sockets_wanted
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.verdicts import MEBIBYTE, Verdict

# The default of the nginx role. Cube.js takes 50 MB, and queries with long lists of values grow into megabytes.
BODY_BYTES = 8 * MEBIBYTE
# A request waits 5 s for "Continue wait", and as long as the process is busy; Nginx' own default is 60 s.
READ_SECONDS = 60.0
# A WebSocket is silent as long as nothing changes.
WEB_SOCKET_SECONDS = 300.0
_DEFAULT_READ = "60s"
_DEFAULT_BODY = "1m"
_FORWARDED = ("host", "x-forwarded-for", "x-forwarded-proto")
_CHECKLIST = "Production Checklist: Nginx Sample Configuration"


class ProxyUpstreams(Rule):
    """A request that is passed on to another tenant's process is answered with that tenant's data."""

    id = "proxy-upstreams"
    title = "Nginx passes a tenant's requests on to all of its API instances, and to nothing else"
    sentences = ("nginx-server",)
    source = _CHECKLIST
    remedy = "List the addresses and sockets of the tenant's API instances in its upstream"
    across_hosts = True

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each site where it leads, and of each tenant which of its instances no site leads to."""
        yield from proxy_findings.of_sites(self, fleet, live, _leads_home)
        for tenant, serving in proxies_of(fleet, live).items():
            if serving.sites:
                reached = {id(each) for site in serving.sites for each in site.instances}
                apis = proxy_findings.apis_of(live, tenant)
                missing = [each for each in apis if id(each) not in reached]
                yield verdicts.found(self, tenant, _all_reached(missing, len(apis)), tenant=tenant)


class ProxyHttpVersion(Rule):
    """Nginx' default, HTTP/1.0, makes a connection for each request, and carries no WebSocket."""

    id = "proxy-http-version"
    title = "Nginx speaks HTTP/1.1 to Cube.js"
    severity = WARNING
    sentences = ("nginx-websocket",)
    source = _CHECKLIST
    remedy = "Set proxy_http_version 1.1"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each site the version of HTTP."""
        yield from proxy_findings.of_sites(self, fleet, live, _speaks)


class ProxyUpgrade(Rule):
    """A fixed `Connection: upgrade`, as in the checklist's sample, marks every request and so ends keep-alive."""

    id = "proxy-upgrade"
    title = "Nginx passes Upgrade on, and Connection by a map of it"
    severity = WARNING
    sentences = ("nginx-websocket",)
    source = "Nginx: WebSocket proxying"
    remedy = (
        'Set proxy_set_header Upgrade $http_upgrade, and Connection by map $http_upgrade { default upgrade; "" ""; }'
    )

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each site how it passes upgrades on."""
        yield from proxy_findings.of_sites(
            self, fleet, live, lambda serving, site: _upgrades(site, web_sockets_wanted(live, serving.tenant))
        )


class ProxyHeaders(Rule):
    """Cube.js, and a checkAuth of its project, know name, client and protocol of a request by these headers only."""

    id = "proxy-headers"
    title = "Nginx passes Host, X-Forwarded-For and X-Forwarded-Proto on"
    severity = WARNING
    sentences = ("nginx-server",)
    source = "Nginx: ngx_http_proxy_module, proxy_set_header"
    remedy = "Set proxy_set_header Host $host, X-Forwarded-For $remote_addr and X-Forwarded-Proto $scheme"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each site the headers that are not passed on."""
        yield from proxy_findings.of_sites(self, fleet, live, _forwards)


class ProxyBodySize(Rule):
    """Queries are posted: above Nginx' default of 1 MB they end as 413, in HTML, where Cube.js takes 50 MB."""

    id = "proxy-body-size"
    title = "Nginx takes requests of 8 MiB or more"
    severity = WARNING
    sentences = ("nginx-server",)
    source = "Source of @cubejs-backend/api-gateway 0.29.57 (bodyParser.json)"
    remedy = "Set client_max_body_size 8m"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each site the largest request that it takes."""
        yield from proxy_findings.of_sites(self, fleet, live, _takes_bodies)


class ProxyTimeouts(Rule):
    """A proxy that waits for less than Cube.js does ends queries as 504, and WebSockets on which nothing changes."""

    id = "proxy-timeouts"
    title = "Nginx waits 60 s for an answer, and 300 s on a WebSocket"
    severity = WARNING
    sentences = ("nginx-server",)
    source = "Source of @cubejs-backend/query-orchestrator 0.29.51 (continueWaitTimeout)"
    remedy = "Set proxy_read_timeout 120s, and 600s where WebSockets are passed on"

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield of each site how long it waits."""
        yield from proxy_findings.of_sites(
            self, fleet, live, lambda serving, site: _waits(site, web_sockets_wanted(live, serving.tenant))
        )


def _leads_home(serving: Serving, site: Site) -> Verdict:
    others = sorted({each.tenant for each in site.instances if each.tenant != serving.tenant})
    if others:
        return verdicts.fails(f"it leads to instances of {', '.join(others[:5])}", severity=CRITICAL)
    workers = [each.name for each in site.instances if each.kind == REFRESH_WORKER]
    if workers:
        return verdicts.fails(f"it leads to {', '.join(workers)}, a refresh worker", severity=WARNING)
    if site.dead_ends:
        return verdicts.fails(f"no Cube.js listens at {', '.join(site.dead_ends[:5])}", severity=WARNING)
    if site.strangers:
        return verdicts.unknown(
            f"{', '.join(site.strangers[:5])} is on no host that was looked at", "Look at all hosts of the tenant"
        )
    return verdicts.passes(f"it leads to {_named(site.instances)}")


def _all_reached(missing: list[LiveInstance], count: int) -> Verdict:
    if missing:
        return verdicts.fails(f"no site leads to {_named(missing)}", severity=WARNING)
    return verdicts.passes(f"a site leads to each of its {count} API instances")


def _named(instances: Iterable[LiveInstance]) -> str:
    return several(place(each) for each in instances if each.kind == API)


def _location(passing: Passing) -> str:
    return f"location {passing.place}" if passing.place else "a location"


def _speaks(_serving: Serving, site: Site) -> Verdict:
    old = [each for each in site.passings if each.http_version not in ("1.1", "2")]
    if old:
        said = old[0].http_version or "not set, which means 1.0"
        return verdicts.fails(f"in {_location(old[0])} proxy_http_version is {said}")
    return verdicts.passes("it does")


def _ordinary(site: Site) -> list[Passing]:
    """Return the places through which requests go that are no upgrades: all, where one place takes both."""
    return [each for each in site.passings if "upgrade" not in each.headers] or list(site.passings)


def _upgrades(site: Site, wanted: bool | None) -> Verdict:
    upgrading = [each for each in site.passings if "upgrade" in each.headers]
    if not upgrading:
        if wanted is None:
            return verdicts.unknown("whether its instances serve WebSockets could not be read")
        return (
            verdicts.fails("no location passes Upgrade on")
            if wanted
            else verdicts.not_applicable("its instances serve no WebSockets")
        )
    apart = len(upgrading) < len(site.passings)
    for passing in upgrading:
        connection = passing.headers.get("connection", "")
        if not connection:
            return verdicts.fails(f"{_location(passing)} passes Upgrade on without Connection")
        if not passing.upgrade_map and "$" not in connection and not apart:
            return verdicts.fails(f'in {_location(passing)} every request is sent with "Connection: {connection}"')
    return verdicts.passes("by a map" if upgrading[0].upgrade_map else "in a location of its own")


def _forwards(_serving: Serving, site: Site) -> Verdict:
    for passing in site.passings:
        missing = [name for name in _FORWARDED if not passing.headers.get(name)]
        if passing.headers.get("host", "").startswith("$proxy_host"):
            missing.append("host")
        if missing:
            return verdicts.fails(f"{_location(passing)} does not pass on {', '.join(missing)}")
    return verdicts.passes("it does")


def _takes_bodies(_serving: Serving, site: Site) -> Verdict:
    sizes = {
        each.body_size or _DEFAULT_BODY: nginx_units.size(each.body_size or _DEFAULT_BODY) for each in _ordinary(site)
    }
    for text, size in sizes.items():
        if size is not None and 0 < size < BODY_BYTES:
            return verdicts.fails(f"client_max_body_size is {text}")
    strange = [text for text, size in sizes.items() if size is None]
    if strange:
        return verdicts.unknown(f"client_max_body_size {strange[0]} is not understood")
    return verdicts.passes(f"client_max_body_size is {', '.join(sizes)}")


def _waits(site: Site, web_sockets: bool | None) -> Verdict:
    limits = [(each, READ_SECONDS) for each in _ordinary(site)]
    if web_sockets:
        limits += [(each, WEB_SOCKET_SECONDS) for each in site.passings if "upgrade" in each.headers]
    for passing, least in limits:
        text = passing.read_timeout or _DEFAULT_READ
        found = nginx_units.seconds(text)
        if found is None:
            return verdicts.unknown(f"proxy_read_timeout {text} is not understood")
        if found < least:
            what = "an answer" if least == READ_SECONDS else "a WebSocket"
            return verdicts.fails(f"{_location(passing)} waits {text} for {what}, and {least:.0f} s is the least")
    return verdicts.passes(", ".join(dict.fromkeys(each.read_timeout or _DEFAULT_READ for each, _least in limits)))
