"""Reports to render: a small one of every kind of finding, hostile ones, and large ones."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import baseline, waivers
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    CRITICAL,
    ERROR,
    FAIL,
    INFO,
    NOT_APPLICABLE,
    PASS,
    SEVERITIES,
    STATUSES,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Location, Report

WHEN = datetime(2031, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
REDIS = "Production Checklist: Set up Redis"

POOL = Finding(
    "redis-pool-size",
    "cubejs_tenants[acme].redis.pool_max",
    "the pool has 1 connection, a process needs 25 for 50 queries in flight",
    "Write pool_max: 25, or leave it out",
    tenant="acme",
    host="cube1",
    evidence=("CUBEJS_REDIS_POOL_MAX=1 in /proc/4711/environ", "connected clients now: 1"),
    reference=f"{REDIS} Pool",
    why="A query that gets no connection in time ends with TimeoutError: ResourceRequest timed out.",
)
SHARED = Finding(
    "redis-shared-by-tenant",
    "cubejs_tenants[acme].redis",
    "cube1 and cube2 use two Redis servers (run_id 3f1c… and 90ab…)",
    "Give both the same Redis",
    severity=CRITICAL,
    tenant="acme",
    evidence=("cube1: 192.0.2.10:20001, index 0", "cube2: 192.0.2.11:20001, index 0"),
    reference=REDIS,
    why="Two queues: one pre-aggregation is built twice, and the later build may drop the table of the earlier one.",
)
CERTIFICATE = Finding(
    "https-certificate-expiry",
    "cubejs_tenants[globex].server_name",
    "the certificate of cube.globex.example ends in 12 days",
    "Renew it: ansible-playbook cubeops.cubejs.site",
    severity=WARNING,
    tenant="globex",
    host="proxy1",
    evidence=("notAfter=2031-05-18T07:00:00Z",),
    reference="Production Checklist: Enable HTTPS",
)
MAXCLIENTS = Finding(
    "redis-has-room",
    "redis_maxclients",
    "CONFIG GET is not permitted: what the server allows is not known",
    "Let the audit's user run CONFIG GET: ACL SETUSER audit +config|get",
    status=UNKNOWN,
    tenant="globex",
    host="redis1",
    evidence=("NOPERM this user has no permissions to run the 'config|get' command",),
)
TIMEZONE = Finding(
    "host-clock", "host", "the clock is 3 s off", "Run a time service", severity=INFO, host="cube2", reference="Hosts"
)
MODE = Finding(
    "production-mode",
    "cubejs_tenants[acme].environment",
    "NODE_ENV is production in the unit, the environment file and the process; no token and alg:none are refused",
    "",
    status=PASS,
    tenant="acme",
    host="cube1",
    evidence=("GET /cubejs-api/v1/meta without a token: 403",),
    reference="Production Checklist: Enable Production Mode",
)
FRESHNESS = Finding(
    "pre-aggregation-age",
    "cubejs_tenants[acme].max_age",
    "no age is declared",
    "",
    status=NOT_APPLICABLE,
    tenant="acme",
)
SWAP = Finding("host-swap", "host", "the host swaps", "Give it memory", severity=ERROR, tenant="globex", host="cube2")

WAIVERS: list[dict[str, Any]] = [
    {
        "rule": "host-swap",
        "subject": "host",
        "reason": "replaced in June",
        "owner": "ops@",
        "expires": date(2031, 6, 30),
    }
]
FINDINGS = waivers.apply(
    waivers.parse(WAIVERS), [MODE, TIMEZONE, POOL, SHARED, CERTIFICATE, MAXCLIENTS, FRESHNESS, SWAP], WHEN.date()
)
LOCATIONS = {POOL.subject: Location("inventory/group_vars/all.yml", 12)}
TITLES = {POOL.rule: "Pools hold the queries in flight", SHARED.rule: "A tenant has one Redis"}

HOSTILE = {
    "newlines": "one\ntwo\r\nthree\x0bfour\x85five\u2028six",
    "quotes": "\"double\" 'single' `back`",
    "html": "</li></script></style><script>alert(1)</script><img src=x onerror=alert(2)>",
    "attribute": '" onmouseover="alert(1)" x="',
    "cdata": "]]> <![CDATA[ ]]> --> <!-- <?xml?> &lt; &amp;amp; &#0;",
    "terminal": "\x1b[2J\x1b]0;title\x07\x08\x9b31m\x7f",
    "nul": "a\x00b",
    "surrogates": "\ud800 half \udfff",
    "not characters": "\ufffe\uffff",
    "directions": "\u202egnp.exe\u2066\u200f\u200b",
    "markdown": "a | b \\| **c** [x](javascript:alert(1)) ![i](http://evil.example/p.png) <b> # @user ~~~ $x$",
    "address": "https://evil.example/ www.evil.example mail@evil.example",
    "prometheus": '\\ \\n " } 1\ncubejs_checklist_outcome{outcome="ok"} 1',
    "workflow": "::error file=x::pwned\n::stop-commands::x",
    "jinja": "{{ lookup('pipe', 'id') }} {% raw %} ${HOME} $(id) %s %(x)s {0}",
    "emoji": "😀 é 漢字",
    "long": "x" * (1 << 20),
    "long and hostile": "<&\"'|\\\n\x1b\ud800" * (1 << 17),
}


def report(**changes: Any) -> Report:
    """Return the report of every kind of finding, with changes."""
    given: dict[str, Any] = {
        "findings": FINDINGS,
        "generated_at": WHEN,
        "collection_version": "1.2.3",
        "hosts": ("cube1", "cube2", "proxy1", "redis1"),
        "tenants": ("acme", "globex"),
        "missing_hosts": ("cube3",),
        "locations": LOCATIONS,
        "titles": TITLES,
    }
    return Report(**{**given, **changes})


def compared(**changes: Any) -> Report:
    """Return the report beside an earlier one: the pool was bad before, the version was, and is no more."""
    old = Finding("version-works", "cubejs_version", "0.36.0 has no Redis", "Use 0.35", host="cube1")
    gone = Finding("unit-restarts", "unit", "it never restarts", "Restart=always", host="cube3")
    comparison = baseline.compare(FINDINGS, [POOL, old, gone], ("cube3",))
    return report(comparison=comparison, **changes)


def hostile(value: str) -> Report:
    """Return a report in which every text is the value."""
    statuses = [*STATUSES, FAIL]
    findings = [
        Finding(value, value, value, value, status=status, tenant=value, host=value, evidence=(value,) * 30)
        for status in statuses
    ]
    findings = [
        Finding.from_dict({**one.as_dict(), "reference": value, "why": value, "waiver": value}) for one in findings
    ]
    return report(
        findings=tuple(findings),
        title=value,
        collection_version=value,
        hosts=(value,),
        tenants=(value,),
        missing_hosts=(value,),
        comparison=baseline.compare(findings, [POOL, findings[0]]),
        locations={value: Location(value, 3)},
        titles={value: value},
    )


def generated(count: int, tenants: int = 50, hosts: int = 20) -> Report:
    """Return a report of `count` findings over tenants and hosts; every fifth fails, is unknown or is waived."""
    findings = tuple(
        Finding(
            f"rule-{number % 60}",
            f"cubejs_tenants[tenant{number % tenants}].setting{number}",
            f"the value {number} is not what {number % 7} processes need",
            f"Write {number + 1}",
            severity=SEVERITIES[number % 4],
            status=STATUSES[number // 5 % 3] if number % 5 == 0 else PASS,
            tenant=f"tenant{number % tenants}",
            host=f"host{number % hosts}",
            evidence=(f"value={number}", f"processes={number % 7}"),
            reference=REDIS,
            why="What is too small makes queries wait.",
        )
        for number in range(count)
    )
    names = tuple(f"tenant{number}" for number in range(tenants))
    return report(findings=findings, tenants=names, hosts=tuple(f"host{number}" for number in range(hosts)))
