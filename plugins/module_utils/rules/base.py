# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every rule has in common."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from functools import cached_property
from typing import Any, Callable, ClassVar, TypeVar

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import ERROR, FAIL, Finding, of_fields
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Live, LiveInstance

Item = TypeVar("Item")


class Rule:
    """One check over a fleet, planned or observed. A subclass's docstring is its documentation: what, and why.

    id: kebab-case words, stable for ever. title: the rule in a line, as it should be. severity: of its findings.
    versions: the releases of Cube.js to which it applies, "" all. sentences: of the production checklist that it
    implements, by the ids of checklist.py. source: where the rule or its numbers come from. remedy: what to do, where
    a finding does not know better. across_hosts: what it says of a tenant depends on all hosts of the tenant, so that
    it cannot pass while one of them was not looked at. across_tenants: the same, of all hosts there are.

    A rule that judges an inventory overrides planned(), one that judges live hosts observed(), many do both. planned()
    yields what is wrong. observed() yields one finding for each subject, whether it passes, fails, cannot be known
    (unknown) or has nothing to be judged by (not_applicable): what was looked at is told, too.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    severity: ClassVar[str] = ERROR
    versions: ClassVar[str] = ""
    sentences: ClassVar[tuple[str, ...]] = ()
    source: ClassVar[str] = ""
    remedy: ClassVar[str] = ""
    across_hosts: ClassVar[bool] = False
    across_tenants: ClassVar[bool] = False

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield what is wrong with the plan."""
        yield from ()

    def observed(self, fleet: Fleet, live: Live) -> Iterator[Finding]:
        """Yield what was seen on live hosts, a finding for each subject. fleet: the plan, empty without one."""
        yield from ()

    @property
    def judges_plan(self) -> bool:
        """Return whether an inventory alone can be judged."""
        return type(self).planned is not Rule.planned

    @property
    def judges_hosts(self) -> bool:
        """Return whether live hosts can be judged."""
        return type(self).observed is not Rule.observed

    def found(
        self,
        subject: str,
        message: str,
        remedy: str = "",
        *,
        tenant: str = "",
        host: str = "",
        severity: str | None = None,
        status: str = FAIL,
        evidence: Iterable[str] = (),
    ) -> Finding:
        """Return a finding of this rule: failed, unless status says otherwise."""
        fields = self._fields.copy()
        fields["subject"], fields["message"], fields["status"] = subject, message, status
        fields["tenant"], fields["host"] = tenant, host
        if remedy:
            fields["remedy"] = remedy
        if severity:
            fields["severity"] = severity
        if evidence:
            fields["evidence"] = tuple(evidence)
        return of_fields(fields)

    def of(
        self,
        instance: LiveInstance,
        status: str,
        message: str,
        remedy: str = "",
        *,
        evidence: Iterable[str] = (),
        severity: str | None = None,
    ) -> Finding:
        """Return what is said of one live instance."""
        return self.found(
            instance.seen.name,
            message,
            remedy,
            tenant=instance.tenant,
            host=instance.host,
            severity=severity,
            status=status,
            evidence=evidence,
        )

    @cached_property
    def _fields(self) -> dict[str, Any]:
        """Return a finding's fields as far as they are the same for all findings of the rule."""
        return vars(Finding(self.id, "", "", self.remedy, self.severity, reference=self.source)).copy()


def repeated(items: Iterable[Item], key: Callable[[Item], Hashable]) -> Iterator[tuple[Hashable, list[Item]]]:
    """Yield each key that more than one item has, and those items; None and "" are no keys."""
    groups: dict[Hashable, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return ((shared, members) for shared, members in groups.items() if shared not in (None, "") and len(members) > 1)
