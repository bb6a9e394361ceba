# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the HTML report carries besides its findings: its style, and the script that filters them.

Both stand in Python, since the page is one file that may be opened anywhere, and since a collection ships only Python
below module_utils. Every pair of colours meets WCAG AA in light and dark; tests/browser measures them.
"""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f4f5f8; --card: #ffffff; --text: #171b22; --muted: #525c69; --line: #dce0e7; --control: #77818e;
  --accent: #2d55c9; --shadow: 0 1px 2px rgb(20 27 40 / 7%);
  --fail: #b3261e; --fail-soft: #fde9e7; --unknown: #5f3da3; --unknown-soft: #efe8fb; --ok: #17673a;
  --ok-soft: #e0f4e7; --quiet: #4b5563; --quiet-soft: #e9ebef; --warning: #7a4b00; --warning-soft: #fdf0d2;
  --info: #1d4f91; --info-soft: #e3edfb; --solid-text: #ffffff; --solid-critical: #8a1022; --solid-fail: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1116; --card: #171b22; --text: #e7eaf0; --muted: #a4aebb; --line: #2a313c; --control: #74808e;
    --accent: #93b4ff; --shadow: none;
    --fail: #ff9d94; --fail-soft: #3a1a18; --unknown: #cbb3ff; --unknown-soft: #2a2142; --ok: #7fdca4;
    --ok-soft: #12301f; --quiet: #b6bfca; --quiet-soft: #262c36; --warning: #f4c56a; --warning-soft: #35290f;
    --info: #9cc4ff; --info-soft: #172a45; --solid-text: #ffffff; --solid-critical: #b3152f; --solid-fail: #b93a30;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 9rem; }
body {
  margin: 0; background: var(--page); color: var(--text); overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif;
}
h1, h2, h3, p, ul, dl, dd { margin: 0; padding: 0; }
code, .mono {
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875em;
}
a { color: var(--accent); }
[hidden] { display: none !important; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; z-index: 9; background: var(--card); padding: .5rem 1rem; }
.wrap { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
.top { padding: 2.25rem 0 1.25rem; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -.015em; }
.meta { color: var(--muted); margin-top: .4rem; font-size: .9375rem; }
.verdict {
  display: flex; gap: .9rem; align-items: flex-start; padding: 1rem 1.15rem; border-radius: .75rem;
  border: 1px solid currentcolor; background: var(--ok-soft); color: var(--ok);
}
.verdict svg { flex: none; width: 1.75rem; height: 1.75rem; }
.verdict strong { display: block; font-size: 1.125rem; line-height: 1.4; }
.verdict p { color: var(--text); }
.verdict.findings { background: var(--fail-soft); color: var(--fail); }
.verdict.could-not-look { background: var(--warning-soft); color: var(--warning); }
.notice { margin-top: .75rem; padding: .8rem 1.15rem; border-radius: .75rem; background: var(--warning-soft); }
.notice summary, .notice strong { color: var(--warning); font-weight: 600; }
.notice li { list-style: none; display: inline-block; margin: .25rem .9rem 0 0; }
.tiles { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: .75rem; margin: .75rem 0 1.5rem; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .8rem 1rem; }
.tile dt { color: var(--muted); font-size: .875rem; }
.tile dd.number { font-size: 1.75rem; line-height: 1.25; font-weight: 650; font-variant-numeric: tabular-nums; }
.tile dd.split { color: var(--muted); font-size: .8125rem; min-height: 1.25em; }
.tile.fail .number { color: var(--fail); } .tile.unknown .number { color: var(--unknown); }
.tile.pass .number { color: var(--ok); } .tile.none .number { color: var(--muted); }
#filters {
  position: sticky; top: 0; z-index: 2; background: var(--page); border-bottom: 1px solid var(--line);
  padding: .75rem 0; margin-bottom: 1.25rem;
}
.fields { display: grid; grid-template-columns: minmax(10rem, 2fr) repeat(4, minmax(0, 1fr)); gap: .6rem; }
.fields label { display: block; font-size: .8125rem; color: var(--muted); }
.fields input, .fields select, button {
  width: 100%; min-height: 2.5rem; padding: .35rem .6rem; font: inherit; color: var(--text); background: var(--card);
  border: 1px solid var(--control); border-radius: .5rem;
}
.fields input::placeholder { color: var(--muted); opacity: 1; }
.bar { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; margin-top: .6rem; }
.bar p { flex: 1 1 8rem; font-size: .9375rem; }
button { width: auto; cursor: pointer; font-size: .875rem; min-height: 2.25rem; }
button:hover, .fields select:hover, .fields input:hover { border-color: var(--text); }
.tenant { margin-bottom: 2rem; }
.tenant h2 { font-size: 1.25rem; line-height: 1.3; margin-bottom: .6rem; }
.host { margin-bottom: 1.25rem; }
.host > .title { display: flex; flex-wrap: wrap; gap: .1rem .75rem; align-items: baseline; margin-bottom: .4rem; }
h3 { font-size: 1rem; }
.counts { color: var(--muted); font-size: .875rem; }
.list { list-style: none; background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  box-shadow: var(--shadow); overflow: hidden; }
.finding {
  padding: .85rem 1.1rem; border-left: .25rem solid var(--quiet); content-visibility: auto;
  contain-intrinsic-size: auto 8rem;
}
.finding + .finding { border-top: 1px solid var(--line); }
.finding.fail { border-left-color: var(--fail); } .finding.fail.warning { border-left-color: var(--warning); }
.finding.fail.info { border-left-color: var(--info); } .finding.unknown { border-left-color: var(--unknown); }
.finding.pass { border-left-color: var(--ok); }
.badges { display: flex; flex-wrap: wrap; gap: .25rem .5rem; align-items: center; font-size: .8125rem; }
.badge {
  padding: .05rem .5rem; border-radius: 1rem; font-weight: 600; background: var(--quiet-soft); color: var(--quiet);
}
.fail .badge { background: var(--solid-fail); color: var(--solid-text); }
.fail.critical .badge { background: var(--solid-critical); }
.fail.warning .badge { background: var(--warning-soft); color: var(--warning); }
.fail.info .badge { background: var(--info-soft); color: var(--info); }
.unknown .badge { background: var(--unknown-soft); color: var(--unknown); }
.pass .badge { background: var(--ok-soft); color: var(--ok); }
.badge.new { background: var(--info-soft) !important; color: var(--info) !important; }
.rule { color: var(--muted); }
.message { margin-top: .3rem; font-weight: 550; }
.pass .message, .not_applicable .message, .waived .message { font-weight: 400; }
.subject { color: var(--muted); margin-top: .1rem; font-size: .875rem; }
.subject code { color: var(--text); font-size: 1em; }
.remedy { margin-top: .35rem; }
.remedy b { color: var(--accent); font-weight: 600; }
.finding details { margin-top: .4rem; }
summary { cursor: pointer; border-radius: .3rem; width: fit-content; padding: .15rem .3rem; margin-left: -.3rem; }
.finding summary { color: var(--muted); font-size: .875rem; }
.more { margin-top: .4rem; display: grid; gap: .5rem; }
.more dt { color: var(--muted); font-size: .8125rem; }
.more pre {
  margin: .2rem 0 0; padding: .4rem .6rem; border-radius: .4rem; background: var(--page); white-space: pre-wrap;
}
.rest { margin-top: .5rem; }
.rest > summary { color: var(--muted); font-size: .9375rem; margin-bottom: .4rem; margin-left: 0; }
.empty { padding: 3rem 1rem; text-align: center; color: var(--muted); }
footer { color: var(--muted); font-size: .875rem; padding: 1rem 0 3rem; }
@media (max-width: 60rem) {
  .fields { grid-template-columns: repeat(4, minmax(0, 1fr)); }
  .search { grid-column: 1 / -1; }
}
@media (max-width: 40rem) {
  .wrap { padding: 0 .9rem; }
  .top { padding: 1.5rem 0 1rem; }
  h1 { font-size: 1.4rem; }
  .tiles { grid-template-columns: repeat(6, minmax(0, 1fr)); gap: .5rem; }
  .tile { grid-column: span 2; padding: .6rem .75rem; }
  .tile.fail, .tile.unknown { grid-column: span 3; }
  .tile dd.number { font-size: 1.4rem; }
  .tile dd.split { min-height: 0; }
  #filters { position: static; }
  .bar p { flex-basis: 100%; }
  .bar button { flex: 1; }
  html { scroll-padding-top: 1rem; }
  .fields { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .fields input, .fields select, button { min-height: 2.75rem; }
  summary { padding: .5rem .3rem; }
}
@media print {
  #filters, .skip { display: none; }
  .finding { content-visibility: visible; break-inside: avoid; }
}
"""

SCRIPT = """
(function () {
  "use strict";
  var form = document.getElementById("filters");
  var names = ["q", "tenant", "host", "severity", "status"];
  var fields = names.map(function (name) { return form.elements[name]; });
  var count = document.getElementById("count");
  var empty = document.getElementById("empty");
  var unfold = document.getElementById("unfold");
  var hosts = Array.from(document.querySelectorAll(".host")).map(function (element) {
    return {
      element: element,
      tenant: "=" + element.dataset.tenant,
      host: "=" + element.dataset.host,
      rest: element.querySelector(".rest"),
      findings: Array.from(element.querySelectorAll(".finding")).map(function (item) {
        return {
          element: item, status: item.dataset.status, severity: item.dataset.severity,
          folded: item.parentNode.parentNode.className === "rest", text: null
        };
      })
    };
  });
  var tenants = Array.from(document.querySelectorAll(".tenant"));
  var total = hosts.reduce(function (sum, host) { return sum + host.findings.length; }, 0);

  function text(finding, host) {
    if (finding.text === null) {
      finding.text = (host.tenant + " " + host.host + " " + finding.element.textContent).toLowerCase();
    }
    return finding.text;
  }
  function show(element, visible) {
    if (element.hidden === visible) { element.hidden = !visible; }
  }
  function wanted() {
    var values = {};
    names.forEach(function (name, index) { values[name] = fields[index].value; });
    values.words = values.q.toLowerCase().split(/\\s+/).filter(Boolean);
    return values;
  }
  function matches(finding, host, want) {
    return (!want.status || finding.status === want.status) &&
      (!want.severity || finding.severity === want.severity) &&
      want.words.every(function (word) { return text(finding, host).includes(word); });
  }
  function apply() {
    var want = wanted();
    var narrowed = Boolean(want.words.length || want.status || want.severity);
    var shown = 0;
    hosts.forEach(function (host) {
      var here = (!want.tenant || host.tenant === want.tenant) && (!want.host || host.host === want.host);
      var visible = 0;
      var folded = 0;
      if (here) {
        host.findings.forEach(function (finding) {
          var match = matches(finding, host, want);
          show(finding.element, match);
          visible += match;
          folded += match && finding.folded;
        });
      }
      show(host.element, visible > 0);
      if (host.rest) {
        show(host.rest, folded > 0);
        host.rest.open = narrowed && folded > 0;
      }
      shown += visible;
    });
    tenants.forEach(function (tenant) {
      show(tenant, Array.from(tenant.querySelectorAll(".host")).some(function (host) { return !host.hidden; }));
    });
    count.textContent = shown.toLocaleString("en") + " of " + total.toLocaleString("en") + " findings shown";
    show(empty, shown === 0);
    remember(want);
  }
  function remember(want) {
    var state = new URLSearchParams();
    names.forEach(function (name) { if (want[name]) { state.set(name, want[name]); } });
    var hash = state.toString();
    try {
      history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
    } catch (error) {
      /* a page without an address of its own keeps none */
    }
  }
  function recall() {
    if (!location.hash.includes("=")) { return; }
    var state = new URLSearchParams(location.hash.slice(1));
    names.forEach(function (name, index) {
      fields[index].value = state.get(name) || "";
      if (fields[index].selectedIndex === -1) { fields[index].value = ""; }
    });
  }

  var timer = 0;
  ["input", "change"].forEach(function (kind) {
    form.addEventListener(kind, function (event) {
      clearTimeout(timer);
      timer = setTimeout(apply, event.target.name === "q" ? 120 : 0);
    });
  });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(apply, 0); });
  window.addEventListener("hashchange", function () { recall(); apply(); });
  unfold.addEventListener("click", function () {
    var open = unfold.getAttribute("aria-pressed") !== "true";
    unfold.setAttribute("aria-pressed", String(open));
    document.querySelectorAll(".finding details").forEach(function (details) { details.open = open; });
  });
  document.addEventListener("keydown", function (event) {
    var inField = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !inField && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      fields[0].focus();
    }
  });
  form.hidden = false;
  recall();
  apply();
})();
"""
