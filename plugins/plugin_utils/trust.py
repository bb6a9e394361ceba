# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which strings Ansible renders, said in one way for all supported versions of it."""

from __future__ import annotations

from typing import Any

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core before 2.19, where every string is a template unless it is marked as unsafe
    from ansible.utils.unsafe_proxy import wrap_var as as_data

    def trust_as_template(value: str) -> str:
        """Return a string that is rendered."""
        return value

else:

    def as_data(value: Any) -> Any:
        """Return a value that is never rendered, whatever it holds: here that is every value that is not trusted."""
        return value


__all__ = ["as_data", "trust_as_template"]
