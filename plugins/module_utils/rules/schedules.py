# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the schemas of a deployment ask for: pre-aggregations, where they lie, and whether they are scheduled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import LiveInstance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import known

EXTERNAL, SCHEDULED = "CUBEJS_EXTERNAL_DEFAULT", "CUBEJS_SCHEDULED_REFRESH_DEFAULT"
# The defaults turned to true; the variables came with 0.27 (shared 0.28.55 and 0.30.69).
TRUE_BY_DEFAULT = ">=0.30"
READS_DEFAULTS = ">=0.27"
# A project with it brings its schema as code.
FROM_CODE = "repositoryFactory"


def default_of(instance: LiveInstance, name: str) -> bool:
    """Return what holds of a pre-aggregation that does not say it: external, or scheduled. The version is known."""
    text = (instance.seen.value(name) or "").lower()
    if text and versions.within(instance.version, READS_DEFAULTS):
        return text in ("true", "1")
    return versions.within(instance.version, TRUE_BY_DEFAULT)


def projects(instances: Iterable[LiveInstance]) -> Iterator[tuple[LiveInstance, Project]]:
    """Yield instances whose schema could be read, in files, with their projects."""
    for instance in instances:
        project = instance.seen.project
        if project and project.schema_digest and FROM_CODE not in project.mentions:
            yield instance, project


def is_scheduled(instances: Iterable[LiveInstance]) -> Optional[bool]:
    """Return whether a deployment's schema asks for scheduled refreshes; None where no schema could be read."""
    verdicts = [
        bool(project.pre_aggregations if default_of(instance, SCHEDULED) else project.scheduled_refresh)
        for instance, project in projects(instances)
        if not known.gap(instance)
    ]
    return any(verdicts) if verdicts else None
