# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Templates that are the name of a variable and nothing else, answered without compiling them.

Ansible compiles every template that it is handed, the same one again, too: 1.05 ms for "{{ vault_acme }}" (ansible-core
2.19; 0.012 ms where its value is handed over instead). Each tenant's passwords are written so, and are asked for by the
plan on each host and by the tasks that put them in. ansible-core before 2.19 had a way around Jinja for these itself.
"""

from __future__ import annotations

import re
from typing import Any

try:
    from ansible.template import is_trusted_as_template
except ImportError:  # ansible-core before 2.19, where every string is a template unless it is marked as unsafe

    def is_trusted_as_template(value: object) -> bool:
        """Say whether a string is rendered."""
        return not hasattr(value, "__UNSAFE__")


_NAME = re.compile(r"\{\{-?\s*([A-Za-z_][A-Za-z0-9_]*)\s*-?\}\}")
# What Jinja reads as values, whatever variables are called so.
_VALUES = frozenset(("true", "false", "none", "True", "False", "None"))
_LONGEST_CHAIN = 20


def held(templar: Any, value: Any) -> Any:
    """Return what the variable holds that a template names, which may be another template; anything else as it is.

    A name that stands for nothing is left for Ansible to complain of, and so are variables that name each other.
    """
    found = value
    for _step in range(_LONGEST_CHAIN):
        match = _NAME.fullmatch(found) if isinstance(found, str) and is_trusted_as_template(found) else None
        name = match.group(1) if match else None
        if name is None or name in _VALUES or name not in templar.available_variables:
            return found
        found = templar.available_variables[name]
    return value
