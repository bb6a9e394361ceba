# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules on numbers that are handed out once."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule


class NumberNotRetired(Rule):
    """Ports and database indexes derive from a number: whoever still has those of a tenant that is gone gets another's.

    That is a client that was never told, a firewall's rule, or a keyspace that was left.
    """

    id = "tenant-number-retired"
    title = "No tenant has the number of one that is gone"

    def planned(self, fleet: Fleet) -> Iterator[Finding]:
        """Yield tenants with a retired number."""
        free = fleet.next_number
        another = f"Use another number; {free} is free. " if free else ""
        for tenant in fleet.tenants:
            if tenant.number in fleet.retired_numbers:
                yield self.found(
                    f"{tenant.subject}.number",
                    f"{tenant.number} was that of a tenant that is gone (cubejs_retired_numbers, cubejs_retired.txt)",
                    f"{another}To hand it out again, take it off that list",
                    tenant=tenant.name,
                )
