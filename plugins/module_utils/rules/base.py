# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every rule has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator
from typing import Callable, ClassVar, TypeVar

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import ERROR, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet

Item = TypeVar("Item")


class Rule(ABC):
    """One check over a fleet, planned or observed. A subclass's docstring is its documentation: what, and why.

    id: kebab-case words, stable for ever. title: the rule in a line. severity: of its findings.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    severity: ClassVar[str] = ERROR

    @abstractmethod
    def check(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield what is wrong."""

    def found(
        self, subject: str, message: str, remedy: str, *, tenant: str = "", host: str = "", severity: str | None = None
    ) -> Finding:
        """Return a finding of this rule."""
        return Finding(self.id, subject, message, remedy, severity or self.severity, tenant=tenant, host=host)


def repeated(items: Iterable[Item], key: Callable[[Item], Hashable]) -> Iterator[tuple[Hashable, list[Item]]]:
    """Yield each key that more than one item has, and those items; None and "" are no keys."""
    groups: dict[Hashable, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return ((shared, members) for shared, members in groups.items() if shared not in (None, "") and len(members) > 1)
