"""Tell what rules are about: the text of docs/rules.md and of `-m cubeops.cubejs.checklist -a explain=...`.

usage: explain.py RULE [RULE ...]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ansible_collections.cubeops.cubejs.plugins.module_utils.explaining import UnknownRuleError, explain, titles


def main(arguments: Sequence[str] | None = None) -> int:
    """Print each rule; without any, their ids and titles. Return 1 for a rule that there is not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", nargs="*", metavar="RULE")
    rules = parser.parse_args(arguments).rules
    try:
        print("\n\n".join(map(explain, rules)) if rules else "\n".join(map(" ".join, sorted(titles().items()))))
    except UnknownRuleError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
