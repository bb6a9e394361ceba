# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report as one HTML page: nothing is fetched, it reads without a script, and a script adds filters."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import (
    FAIL,
    SEVERITIES,
    STATUSES,
    UNKNOWN,
    Finding,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.outcome import COULD_NOT_LOOK, FINDINGS, NEVER, OK
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.html_assets import SCRIPT, STYLE
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Group, Report, plural
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.wording import (
    ALL_HOSTS,
    IN_FULL,
    compared,
    counted,
    status_name,
    untold,
)

_VERDICTS = {OK: "Passed", FINDINGS: "Findings to act on", COULD_NOT_LOOK: "Not everything could be seen"}
_ICONS = {
    OK: '<path d="M7.5 12.5l3 3 6-6.5"/>',
    FINDINGS: '<path d="M12 7v6.5M12 16.9v.1"/>',
    COULD_NOT_LOOK: '<path d="M9.3 9.4a2.8 2.8 0 1 1 4 2.6c-.9.4-1.3 1-1.3 2M12 17v.1"/>',
}
# More missing hosts than these are folded.
MOST_UNFOLDED = 12


def render(report: Report) -> str:
    """Return the report as a page of its own, in UTF-8."""
    return "".join(
        [
            _head(report),
            '<a class="skip" href="#findings">Skip to the findings</a>\n<div class="wrap">\n<header class="top">\n',
            f"<h1>{escape(report.title)}</h1>\n{_meta(report)}</header>\n",
            '<section aria-label="Summary">\n',
            _verdict(report),
            _missing(report),
            _tiles(report),
            "</section>\n",
            _filters(report),
            '<main id="findings">\n',
            *_tenants(report),
            _empty(report),
            "</main>\n",
            f"<footer>Made by cubeops.cubejs {escape(report.collection_version)}.</footer>\n",
            f"</div>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        ]
    )


def _head(report: Report) -> str:
    # Only this very style and this very script: what a host says can be neither, whatever it contains.
    policy = (
        f"default-src 'none'; style-src '{_digest(STYLE)}'; script-src '{_digest(SCRIPT)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(_headline(report))} - {escape(report.title)}</title>\n"
        f"<style>{STYLE}</style>\n</head>\n<body>\n"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _meta(report: Report) -> str:
    looked = f"{plural(len(report.hosts), 'host')}, {plural(len(report.tenants), 'tenant')} looked at"
    when = report.timestamp.replace("T", " ").replace("Z", " UTC")
    more = f" &middot; {untold(report)}" if report.counted_only else ""
    return f'<p class="meta"><time datetime="{report.timestamp}">{when}</time> &middot; {looked}{more}</p>\n'


def _verdict(report: Report) -> str:
    name = report.outcome.name
    told = [f"{report.verdict()}."]
    if report.comparison:
        told.append(compared(report.comparison))
    paragraphs = "".join(f"<p>{escape(sentence)}</p>" for sentence in told)
    return (
        f'<div class="verdict {name}">'
        '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" '
        f'stroke-linejoin="round" aria-hidden="true"><circle cx="12" cy="12" r="10"/>{_ICONS[name]}</svg>'
        f"<div><strong>{_headline(report)}</strong>{paragraphs}</div></div>\n"
    )


def _headline(report: Report) -> str:
    return "For information" if report.fail_on == NEVER else _VERDICTS[report.outcome.name]


def _missing(report: Report) -> str:
    if not report.missing_hosts:
        return ""
    title = f"{plural(len(report.missing_hosts), 'host')} not looked at"
    listed = "".join(f"<li><code>{escape(host)}</code></li>" for host in report.missing_hosts)
    if len(report.missing_hosts) > MOST_UNFOLDED:
        return f'<details class="notice"><summary>{title}</summary><ul>{listed}</ul></details>\n'
    return f'<div class="notice"><strong>{title}</strong><ul>{listed}</ul></div>\n'


def _tiles(report: Report) -> str:
    return f'<dl class="tiles" aria-label="Totals">\n{"".join(_tile(report, status) for status in STATUSES)}</dl>\n'


def _tile(report: Report, status: str) -> str:
    number = report.by_status[status]
    split = ""
    if status in (FAIL, UNKNOWN):
        rows = ((report.totals[severity][status], severity) for severity in SEVERITIES)
        split = " &middot; ".join(f"{count:,} {severity}" for count, severity in rows if count)
    kind = f"{status} none" if not number else status
    return (
        f'<div class="tile {kind}"><dt>{_title(status)}</dt><dd class="number">{number:,}</dd>'
        f'<dd class="split">{split}</dd></div>\n'
    )


def _filters(report: Report) -> str:
    """Return the filters; they are hidden until the script that they need shows them."""
    tenants = _options("All tenants", sorted({group.tenant for group in report.groups}), "no tenant")
    hosts = _options("All hosts", sorted({group.host for group in report.groups}), "no host")
    severities = '<option value="">Any severity</option>' + "".join(
        f'<option value="{name}">{_title(name)}</option>' for name in SEVERITIES
    )
    statuses = '<option value="">Any status</option>' + "".join(
        f'<option value="{name}">{_title(name)}</option>' for name in STATUSES
    )
    return (
        '<form id="filters" role="search" aria-label="Filter the findings" autocomplete="off" hidden>\n'
        '<div class="fields">\n<div class="search"><label for="q">Search</label>'
        '<input id="q" name="q" type="search" placeholder="Words in any text (press /)" aria-keyshortcuts="/"></div>\n'
        f"{_select('tenant', tenants)}{_select('host', hosts)}{_select('severity', severities)}"
        f"{_select('status', statuses)}</div>\n"
        '<div class="bar"><p id="count" role="status"></p>'
        '<button type="button" id="unfold" aria-pressed="false">Unfold evidence</button>'
        '<button type="reset">Reset filters</button></div>\n</form>\n'
    )


def _select(name: str, options: str) -> str:
    return (
        f'<div><label for="{name}">{_title(name)}</label><select id="{name}" name="{name}">{options}</select></div>\n'
    )


def _options(everything: str, names: Iterable[str], nameless: str) -> str:
    """Return options whose values begin with `=`, which tells "" (the fleet, no host) from all."""
    listed = (f'<option value="={escape(name)}">{escape(name or f"({nameless})")}</option>' for name in names)
    return "".join([f'<option value="">{everything}</option>', *listed])


def _empty(report: Report) -> str:
    if not report.findings:
        return '<p class="empty" id="empty">There are no findings.</p>\n'
    return '<p class="empty" id="empty" hidden>No finding matches. Reset the filters to see all of them.</p>\n'


def _tenants(report: Report) -> Iterator[str]:
    for number, (tenant, groups) in enumerate(groupby(report.groups, key=lambda group: group.tenant)):
        title = escape(tenant) or "Fleet and hosts"
        yield f'<section class="tenant" aria-labelledby="t{number}">\n<h2 id="t{number}">{title}</h2>\n'
        for group in groups:
            yield from _host(report, group)
        yield "</section>\n"


def _host(report: Report, group: Group) -> Iterator[str]:
    shown = [finding for finding in group.findings if finding.status in IN_FULL]
    folded = group.findings[len(shown) :]
    counts = f'<p class="counts">{counted(group.totals)}</p>' if shown else ""
    yield (
        f'<div class="host" data-tenant="{escape(group.tenant)}" data-host="{escape(group.host)}"><div class="title">'
        f"<h3>{escape(group.host) or ALL_HOSTS.capitalize()}</h3>{counts}</div>\n"
    )
    if shown:
        yield from ('<ul class="list">\n', *(_finding(report, finding) for finding in shown), "</ul>\n")
    if folded:
        told = counted({**group.totals, **dict.fromkeys(IN_FULL, 0)})
        yield f'<details class="rest"><summary>{told}</summary><ul class="list">\n'
        yield from (_finding(report, finding) for finding in folded)
        yield "</ul></details>\n"
    yield "</div>\n"


def _finding(report: Report, finding: Finding) -> str:
    status, severity = finding.status, finding.severity
    new = '<span class="badge new">New</span>' if report.state(finding) == "new" else ""
    location = report.locations.get(finding.subject)
    at = f" &middot; {escape(str(location))}" if location else ""
    return (
        f'<li class="finding {status} {severity}" data-status="{status}" data-severity="{severity}">'
        f'<p class="badges"><span class="badge">{_title(status)}</span><span>{severity}</span>{new}'
        f'<span class="rule mono">{escape(finding.rule)}</span></p>'
        f'<p class="message">{escape(finding.message)}</p>'
        f'<p class="subject"><code>{escape(finding.subject)}</code>{at}</p>'
        f"{_act(finding)}{_more(report, finding)}</li>\n"
    )


def _act(finding: Finding) -> str:
    """Return what is to be done: what the waiver says, or the remedy; nothing where nothing is wrong."""
    if finding.waiver:
        return f'<p class="remedy"><b>Waived</b> {escape(finding.waiver)}</p>'
    if finding.remedy and finding.status in IN_FULL:
        return f'<p class="remedy"><b>Remedy</b> {escape(finding.remedy)}</p>'
    return ""


def _more(report: Report, finding: Finding) -> str:
    """Return what is folded: the rule and its reason, where it comes from, and what was seen."""
    told = (("Rule", report.titles.get(finding.rule)), ("Why", finding.why), ("Reference", finding.reference))
    parts = [f"<div><dt>{title}</dt><dd>{escape(text)}</dd></div>" for title, text in told if text]
    if finding.evidence:
        seen = "".join(f"<pre><code>{escape(item)}</code></pre>" for item in finding.evidence)
        parts.append(f"<div><dt>Evidence</dt><dd>{seen}</dd></div>")
    if not parts:
        return ""
    title = f"Why and evidence ({len(finding.evidence)})" if finding.evidence else "Why"
    return f'<details><summary>{title}</summary><dl class="more">{"".join(parts)}</dl></details>'


def _title(word: str) -> str:
    return status_name(word).capitalize()
