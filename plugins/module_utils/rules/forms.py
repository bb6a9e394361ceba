# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Findings on the form of an inventory, and on waivers: what is checked before any rule has a fleet to judge."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.cubeops.cubejs.plugins.module_utils.waivers import EXPIRED_RULE, UNUSED_RULE

# Id -> what is right. They come from schema.py, checks.py, definitions.py and the reading of variables and files.
INVENTORY: Mapping[str, str] = {
    "unknown-key": "Every key is one that there is",
    "value-required": "What is required is set",
    "value-type": "Every value is of its type",
    "value-choice": "Every value is one of those allowed",
    "value-range": "Every number is within what can work",
    "variable-defined": "Every variable can be templated",
    "path-exists": "Files and folders on the controller exist",
    "version-series": "A series of versions is two numbers in quotes",
    "client-address": "Further clients of the firewall are IP addresses or networks",
    "project-source": "Every tenant's project has one source, and a git one its version",
    "tenant-differs-between-hosts": "All hosts see the same definition of a tenant",
    "one-refresh-worker": "Every tenant has one refresh worker",
    "redis-shared-key": "A tenant sets nothing of a Redis that it shares",
    "tenant-file": "Every file of a tenant can be read, and has the tenant's name",
}
WAIVERS: Mapping[str, str] = {
    EXPIRED_RULE: "No waiver has expired",
    UNUSED_RULE: "Every waiver is needed",
}
