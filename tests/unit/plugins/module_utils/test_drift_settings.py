"""Variables beside planned ones; whole processes are compared in the tests of drift."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils import secrets
from ansible_collections.cubeops.cubejs.plugins.module_utils.drift_settings import Planned, differing

PLANNED = Planned({"CUBEJS_DB_HOST": "a"}, key=b"k")


def process(*differences: seen.Difference, **values: str) -> seen.Instance:
    """Return a process with these variables, and files that have others."""
    settings = {name: seen.Setting(seen.Value(text), seen.UNIT, "/u") for name, text in values.items()}
    return seen.Instance(
        "x", running=True, found_by=(), manager=seen.SYSTEMD, settings=settings, differences=differences
    )


@pytest.mark.parametrize(
    ("values", "names"),
    [
        pytest.param({"CUBEJS_DB_HOST": "a"}, [], id="as planned"),
        pytest.param({"CUBEJS_DB_HOST": "b", "CUBEJS_X": "1"}, ["CUBEJS_DB_HOST", "CUBEJS_X"], id="sorted"),
        pytest.param({"CUBEJS_DB_HOST": "a", "LANG": "C", "CUBEOPS_UNIT": "1", "PATH": "/"}, [], id="none of Cube's"),
        pytest.param({"CUBEJS_DB_HOST": "a", "NODE_OPTIONS": "x"}, ["NODE_OPTIONS"], id="one that the table knows"),
    ],
)
def test_differing(values: dict[str, str], names: list[str]) -> None:
    assert [each.name for each in differing(PLANNED, process(**values))] == names


def test_values_with_secrets_are_not_told() -> None:
    planned = Planned({"CUBEJS_API_SECRET": "planted", "OWN": "planted"}, frozenset({"OWN"}), b"k")
    told = "".join(f"{each.message}{each.remedy}" for each in differing(planned, process()))
    assert "planted" not in told
    assert told.count("<masked>") == 2


OURS = "/opt/cubejs/tenants/acme/current/environment/acme-1.env"
TAKEN = seen.Value("a")


@pytest.mark.parametrize(
    ("difference", "message", "remedy"),
    [
        pytest.param(
            seen.Difference("CUBEJS_DB_HOST", OURS, seen.Value("b"), TAKEN),
            f"the plan and the process have 'a', and {OURS} sets 'b' for its next start",
            "Run the site playbook, which applies the plan", id="our file",
        ),
        pytest.param(
            seen.Difference("CUBEJS_DB_HOST", "/etc/own.env", seen.Value("b"), TAKEN),
            "the plan and the process have 'a', and /etc/own.env sets 'b' for its next start",
            "Take it out of /etc/own.env. Run the site playbook, which applies the plan", id="a file of somebody's",
        ),
        pytest.param(
            seen.Difference("CUBEJS_DB_HOST", OURS, None, TAKEN),
            f"the plan and the process have 'a', and {OURS} has none for its next start",
            "Run the site playbook, which applies the plan", id="taken out",
        ),
        pytest.param(
            seen.Difference("CUBEJS_X", "/etc/own.env", seen.Value("1"), None),
            "the plan and the process have none, and /etc/own.env sets '1' for its next start",
            "Take it out of /etc/own.env, or plan it in the tenant's environment", id="nobody planned it",
        ),
        pytest.param(seen.Difference("LANG", "/etc/own.env", seen.Value("C"), None), None, None, id="none of Cube's"),
        pytest.param(
            seen.Difference("CUBEJS_X", "/etc/own.env", None, seen.Value("1")), None, None, id="gone already"
        ),
    ],
)  # fmt: skip
def test_files_that_were_edited_are_told_before_they_are_taken(
    difference: seen.Difference, message: str | None, remedy: str | None
) -> None:
    found = [(each.message, each.remedy) for each in differing(PLANNED, process(difference, CUBEJS_DB_HOST="a"))]
    assert found == ([(message, remedy)] if message else [])


def test_an_edited_secret_is_told_and_not_shown() -> None:
    planned = Planned({"CUBEJS_API_SECRET": "planted"}, key=b"k")
    print_of = secrets.fingerprint(b"k", "planted")
    setting = seen.Setting(seen.Value(None, print_of), seen.ENVIRONMENT_FILE, OURS)
    edited = seen.Difference("CUBEJS_API_SECRET", OURS, seen.Value(None, "f00"), seen.Value(None, print_of))
    instance = replace(process(edited), settings={"CUBEJS_API_SECRET": setting})
    (found,) = differing(planned, instance)
    assert found.message == f"the plan and the process have <masked>, and {OURS} sets <masked> for its next start"
