# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the quick start prints: tables and a line to copy."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cube import Cube, Query

STATUSES = ("pass", "fail", "unknown", "waived", "not_applicable")


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as aligned columns, numbers to the right; all rows have the first one's keys."""
    if not rows:
        return "(no rows)"
    titles = list(rows[0])
    cells = [[_text(row[title]) for title in titles] for row in rows]
    widths = [max(map(len, column)) for column in zip(titles, *cells)]
    right = [isinstance(rows[0][title], (int, float)) for title in titles]

    def line(texts: Sequence[str]) -> str:
        padded = (
            text.rjust(width) if to_right else text.ljust(width) for text, width, to_right in zip(texts, widths, right)
        )
        return "  ".join(padded).rstrip()

    return "\n".join([line(titles), line(["-" * width for width in widths]), *map(line, cells)])


def audited(report: Mapping[str, Any]) -> str:
    """Return the verdict of an audit's JSON report, and what is not as it should be."""
    totals = Counter(finding["status"] for finding in report["findings"])
    counted = ", ".join(f"{totals[status]} {status.replace('_', ' ')}" for status in STATUSES if totals[status])
    wrong = [
        f"  {finding['status']} ({finding['severity']}) {finding['subject']}: {finding['message']}. {finding['remedy']}"
        for finding in report["findings"]
        if finding["status"] in ("fail", "unknown")
    ]
    outcome = report["outcome"]
    verdict = "all green" if outcome["name"] == "ok" else outcome["name"].replace("-", " ")
    return "\n".join([f"Verdict: {verdict} at {outcome['fail_on']} or above ({counted}).", *wrong])


def curl_line(cube: Cube, authorization: Path, query: Query) -> str:
    """Return a command that asks the same; the token comes from a file, so that `ps` and a history cannot show it."""
    words = [
        "curl",
        "--get",
        "--resolve",
        f"{cube.server_name}:{cube.port}:{cube.address}",
        "--cacert",
        str(cube.authority),
        "--header",
        f"@{authorization}",
        "--data-urlencode",
        f"query={json.dumps(query, separators=(',', ':'))}",
        f"{cube.url}/load",
    ]
    return shlex.join(words)
