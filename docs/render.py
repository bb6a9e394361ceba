"""Render what is known elsewhere: READMEs from specs, the environment from its table, rules from their classes.

usage: render.py [--check]     (--check writes nothing and returns 1 when a page is out of date)
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils import drift, explaining
from ansible_collections.cubeops.cubejs.plugins.module_utils.checklist import SENTENCES, Sentence
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import forms
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.registry import RULES
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings import NEVER, Setting
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings_table import TABLE

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests" / "infra" / "faults"))  # the table of faults is the scenario's own
ROLES = ("redis", "mysql", "cubejs", "nginx", "firewall")
NOTE = "<!-- Rendered by `make docs`: change {source} instead. -->"


def markdown(text: str | Sequence[str]) -> str:
    """Return Ansible's documentation markup as Markdown on one line."""
    line = " ".join([text] if isinstance(text, str) else text)
    line = re.sub(r"[CVOE]\(([^)]*)\)", r"`\1`", line)
    line = re.sub(r"[BIM]\(([^)]*)\)", r"*\1*", line)
    return re.sub(r"\s+", " ", line).strip()


def cell(text: str) -> str:
    """Return text that can stand in a table's cell."""
    return text.replace("|", "\\|")


def default_of(option: Mapping[str, Any]) -> str:
    """Return an option's default, or that it must be given."""
    if option.get("required"):
        return "**required**"
    value = option.get("default")
    if value is None:
        return ""
    return f"`{yaml.safe_dump(value, default_flow_style=True, width=1000).strip().removesuffix('...').strip()}`"


def option_rows(options: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield a table row for each option, members of dicts and lists below their parent."""
    for name, option in options.items():
        kind = option.get("type", "")
        if option.get("elements"):
            kind = f"{kind} of {option['elements']}"
        text = markdown(option["description"])
        if option.get("choices"):
            text += " One of " + ", ".join(f"`{choice}`" for choice in option["choices"]) + "."
        yield f"| `{prefix}{name}` | {kind} | {cell(default_of(option))} | {cell(text)} |"
        if option.get("options"):
            yield from option_rows(option["options"], f"{prefix}{name}{'[]' if option.get('elements') else ''}.")


def role_page(role: str) -> str:
    """Return a role's README."""
    spec = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]
    example = (ROOT / "molecule" / role / "converge.yml").read_text().strip()
    description = "\n".join(f"- {markdown(line)}" for line in spec["description"])
    rows = "\n".join(option_rows(spec["options"]))
    return (
        f"{NOTE.format(source=f'roles/{role}/meta/argument_specs.yml')}\n\n"
        f"# cubeops.cubejs.{role}\n\n{markdown(spec['short_description'])}.\n\n{description}\n\n"
        f"## Alone\n\nThis very playbook is what the role's own test scenario runs (`make molecule-{role}`):\n\n"
        f"```yaml\n{example}\n```\n\n"
        f"## Variables\n\n| variable | type | default | meaning |\n|---|---|---|---|\n{rows}\n"
    )


def setting_row(row: Setting) -> str:
    """Return one row of the environment's table."""
    written = "never" if row.write == NEVER else (row.write or "all")
    text = row.doc + (f" Never written: {row.refused}." if row.refused else "")
    secret = "yes" if row.secret else ""
    return f"| `{row.target}` | {row.read or 'all'} | {written} | {row.type} | {secret} | {cell(text)} |"


def environment_page() -> str:
    """Return the page about Cube's environment by version."""
    rows = "\n".join(setting_row(row) for row in TABLE)
    return (
        f"{NOTE.format(source='plugins/module_utils/settings_table.py')}\n\n"
        "# Cube.js' environment by version\n\n"
        "Cube *reads* a variable in one range of releases, and this collection *writes* it in another: an old name is\n"
        "read for years after its successor exists. Both ranges are releases of Cube.js.\n\n"
        "| variable | read by | written for | type | secret | meaning |\n|---|---|---|---|---|---|\n"
        f"{rows}\n"
    )


def rule_section(rule: Rule) -> str:
    """Return all that there is to say of a rule."""
    facts = {
        "Severity": rule.severity,
        "Versions of Cube.js": f"`{rule.versions}`" if rule.versions else explaining.EVERY_VERSION,
        "Judges": explaining.judges(rule),
        "Across hosts": "unknown while a host of the tenant was not looked at" if rule.across_hosts else "",
        "Remedy": rule.remedy,
        "Source": rule.source,
        "Implements": "; ".join(
            f"[{each.section}](checklist.md): {each.text.rstrip('.')}" for each in explaining.sentences(rule)
        ),
    }
    told = "\n".join(f"- {name}: {fact}" for name, fact in facts.items() if fact)
    return f"## {rule.id}\n\n**{rule.title}.**\n\n" + "\n\n".join((*explaining.paragraphs(rule), told)) + "\n"


def rules_page() -> str:
    """Return the page of all rules."""
    ordered = sorted(RULES, key=lambda rule: rule.id)
    rows = "\n".join(
        f"| [{rule.id}](#{rule.id}) | {rule.severity} | {explaining.judges(rule)} | {cell(rule.title)} |"
        for rule in ordered
    )
    others = "\n".join(
        f"| `{name}` | {cell(title)} |"
        for table in (forms.INVENTORY, drift.TITLES, forms.WAIVERS)
        for name, title in table.items()
    )
    return (
        f"{NOTE.format(source='the classes in plugins/module_utils/rules/')}\n\n# Rules\n\n"
        "What each rule says, and why; `make explain RULE=<id>` tells the same. A rule judges the plan of an\n"
        "inventory, live hosts, or both. [reports.md](reports.md) says how findings count,\n"
        "[checklist.md](checklist.md) which rules implement which sentence of the production checklist.\n\n"
        f"| rule | severity | judges | when all is well |\n|---|---|---|---|\n{rows}\n\n"
        "Findings come, too, of the form of the inventory, of what is not as planned, and of waivers:\n\n"
        f"| id | when all is well |\n|---|---|\n{others}\n\n" + "\n".join(map(rule_section, ordered))
    )


def sentence_row(sentence: Sentence) -> str:
    """Return one sentence, and what implements it."""
    rules = [f"[{rule.id}](rules.md#{rule.id})" for rule in RULES if sentence.id in rule.sentences]
    told = f"nothing to check: {sentence.informative}" if sentence.informative else ", ".join(sorted(rules))
    return f"| {cell(sentence.text)} | {cell(told)} |"


def checklist_page() -> str:
    """Return the page that traces the checklist to rules."""
    sections = dict.fromkeys(sentence.section for sentence in SENTENCES)
    tables = "\n".join(
        f"## {section}\n\n| sentence | rules |\n|---|---|\n"
        + "\n".join(sentence_row(each) for each in SENTENCES if each.section == section)
        + "\n"
        for section in sections
    )
    return (
        f"{NOTE.format(source='plugins/module_utils/checklist.py, or the sentences that a rule names,')}\n\n"
        "# The production checklist, sentence by sentence\n\n"
        "Every sentence of Cube.js' production checklist (releases 0.19 and 0.20), in words of our own, and the rules\n"
        f"that hold a fleet to it.\n\n{tables}"
    )


def rule_link(rule: str) -> str:
    """Return a rule's id as a link to what there is to say of it."""
    return f"[{rule}](rules.md#{rule})"


def faults_page() -> str:
    """Return the page of the faults by which rules are proved."""
    faults = [fault for faults in importlib.import_module("faults").ROUNDS for fault in faults]
    not_live: Mapping[str, str] = importlib.import_module("not_live").NOT_LIVE
    seen: dict[str, list[tuple[str, set[str]]]] = {}
    for fault in faults:
        for rule, how in (
            *((rule, "") for rule, _whom in fault.found),
            *((rule, "?") for rule, _whom in fault.unknown),
        ):
            whom = {whom or "all" for each, whom in (*fault.found, *fault.unknown) if each == rule}
            seen.setdefault(rule, []).append((f"{fault.what}{' (unknown)' if how else ''}", whom))
    rows = "\n".join(
        f"| {rule_link(rule)} | {cell('; '.join(dict.fromkeys(what for what, _whom in by)))} | "
        f"{', '.join(sorted(set().union(*(whom for _what, whom in by))))} |"
        for rule, by in sorted(seen.items())
    )
    others = "\n".join(f"| {rule_link(rule)} | {cell(reason)} |" for rule, reason in sorted(not_live.items()))
    return (
        f"{NOTE.format(source='the faults in tests/infra/faults/')}\n\n# Rules proved by faults\n\n"
        "A stack on three hosts is broken, looked at by the audit, and mended (`make molecule-faults`). The audit\n"
        "must find exactly what is broken, and nothing before and after. Where a fault is one that keeps something\n"
        "from being seen, the rule must say so: unknown, and never that all is well.\n\n"
        f"| rule | seen to fail when | of tenant or host |\n|---|---|---|\n{rows}\n\n"
        "## Rules without a fault\n\n"
        "Each rule is in one of the two tables; a contract test holds them to that.\n\n"
        f"| rule | why no fault here shows it, and what proves it |\n|---|---|\n{others}\n"
    )


def pages() -> dict[Path, str]:
    """Return every rendered page by its path."""
    return {
        **{ROOT / "roles" / role / "README.md": role_page(role) for role in ROLES},
        ROOT / "docs" / "environment.md": environment_page(),
        ROOT / "docs" / "rules.md": rules_page(),
        ROOT / "docs" / "checklist.md": checklist_page(),
        ROOT / "docs" / "faults.md": faults_page(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or say which are out of date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args(arguments).check
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{'out of date' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.write_text(pages()[path])
    if check and stale:
        print("run `make docs`")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
