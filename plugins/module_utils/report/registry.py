# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every format of report, explicitly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils.report import (
    console,
    html,
    json_report,
    junit,
    markdown,
    prometheus,
    sarif,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.report.model import Report, ReportError
from ansible_collections.cubeops.cubejs.plugins.module_utils.schema import nearest


@dataclass(frozen=True)
class Format:
    """One format: its name, how the name of its file ends, and what renders it."""

    name: str
    suffix: str
    render: Callable[[Report], str]


FORMATS: tuple[Format, ...] = (
    Format("console", ".txt", console.render),
    Format("json", ".json", json_report.render),
    Format("junit", ".junit.xml", junit.render),
    Format("sarif", ".sarif", sarif.render),
    Format("markdown", ".md", markdown.render),
    Format("prometheus", ".prom", prometheus.render),
    Format("html", ".html", html.render),
)


def chosen(names: Iterable[str]) -> tuple[Format, ...]:
    """Return the formats of these names, in their order. Raises ReportError, which names all that there are not."""
    known = {one.name: one for one in FORMATS}
    names = list(dict.fromkeys(names))
    unknown = [name for name in names if name not in known]
    if unknown:
        close = (
            f"{name!r}{f' (is {nearest(name, known)} meant?)' if nearest(name, known) else ''}" for name in unknown
        )
        raise ReportError(f"no format of report: {', '.join(close)}; there are: {', '.join(known)}")
    return tuple(known[name] for name in names)
