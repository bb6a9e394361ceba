# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation, held to the action."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.cubeops.cubejs.plugins.action.certificates import ARGUMENT_SPEC, report
from ansible_collections.cubeops.cubejs.plugins.module_utils.pki_store import Kept, Result
from ansible_collections.cubeops.cubejs.plugins.modules import certificates


def shape(options: dict[str, Any], suboptions: str) -> dict[str, Any]:
    """Return what documentation and argument specification have to agree on."""
    return {
        name: {
            "type": option["type"],
            "required": option.get("required", False),
            "default": option.get("default"),
            "options": shape(option.get(suboptions, {}), suboptions),
        }
        for name, option in options.items()
    }


def test_the_documentation_is_that_of_the_action() -> None:
    documented = yaml.safe_load(certificates.DOCUMENTATION)["options"]
    assert shape(documented, "suboptions") == shape(ARGUMENT_SPEC, "options")


def test_the_documented_result_is_the_action_s() -> None:
    documented = yaml.safe_load(certificates.RETURN)
    kept = Kept("a", "", Path("a.crt"), Path("a.key"), datetime.datetime.now(datetime.timezone.utc))
    result = report(Result((kept,)))
    assert set(documented) == set(result) - {"changed", "warnings"}
    assert set(documented["certificates"]["contains"]) == set(result["certificates"]["a"])
