# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a rule says and why, for people: the same text in reports, in docs/rules.md and on the command line."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from ansible_collections.cubeops.cubejs.plugins.module_utils import drift
from ansible_collections.cubeops.cubejs.plugins.module_utils.checklist import BY_ID, Sentence
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import forms
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.registry import RULES
from ansible_collections.cubeops.cubejs.plugins.module_utils.schema import nearest

EVERY_VERSION = "all"


class UnknownRuleError(ValueError):
    """A rule that there is not; the message names the nearest."""


def titles() -> Mapping[str, str]:
    """Return id -> title of everything that findings may come from."""
    return {**forms.INVENTORY, **forms.WAIVERS, **drift.TITLES, **{rule.id: rule.title for rule in RULES}}


def why(rule: Rule) -> str:
    """Return what a rule is about and why, in one line."""
    return " ".join(paragraphs(rule))


def paragraphs(rule: Rule) -> tuple[str, ...]:
    """Return what a rule is about and why, paragraph by paragraph."""
    text = inspect.cleandoc(type(rule).__doc__ or "")
    return tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def judges(rule: Rule) -> str:
    """Return what a rule judges, as words."""
    return " and ".join(name for name, yes in (("plan", rule.judges_plan), ("hosts", rule.judges_hosts)) if yes)


def sentences(rule: Rule) -> tuple[Sentence, ...]:
    """Return the sentences of the checklist that a rule implements."""
    return tuple(BY_ID[each] for each in rule.sentences)


def explain(name: str) -> str:
    """Return all that there is to say of a rule, as lines; raise UnknownRuleError for one that there is not."""
    rule = next((each for each in RULES if each.id == name), None)
    if rule is not None:
        return "\n".join(_lines(rule))
    known = titles()
    if name in known:
        return f"{name}\n  {known[name]}.\n\n  {_kind(name)}; docs/reports.md tells more."
    close = nearest(name, known)
    meant = f" Did you mean {close}?" if close else ""
    raise UnknownRuleError(f"there is no rule {name[:60]!r}.{meant} The rules are: {', '.join(sorted(known))}")


def _kind(name: str) -> str:
    if name in drift.TITLES:
        return "Compares what was seen with the plan"
    return "Judges waivers" if name in forms.WAIVERS else "Judges the form of the inventory"


def _lines(rule: Rule) -> list[str]:
    facts = {
        "Severity": rule.severity,
        "Versions of Cube.js": rule.versions or EVERY_VERSION,
        "Judges": judges(rule),
        "Across hosts": "yes: unknown while a host of the tenant was not looked at" if rule.across_hosts else "",
        "Remedy": rule.remedy,
        "Source": rule.source,
    }
    asked = [f"  Implements: {each.reference}: {each.text}" for each in sentences(rule)]
    return [
        rule.id,
        f"  {rule.title}.",
        "",
        *(f"  {part}" for part in paragraphs(rule)),
        "",
        *(f"  {name}: {fact}" for name, fact in facts.items() if fact),
        *asked,
    ]
