"""A tenant is removed, by name and with an export, and nothing else is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tenants import HOST, NUMBERS, Tenant, differing, is_about, of_others, planted, state_of, tenant_of, with_changes
from test_lifecycle import UMBRELLA

PLAYBOOK = "cubeops.cubejs.tenant_remove"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the numbers of tenants that are gone are put on record."""
    return tmp_path_factory.mktemp("record") / "retired.txt"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder for the tenants' files."""
    return tmp_path / "tenants"


@pytest.fixture(scope="module")
def umbrella(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    """Return the tenant that is removed, deployed."""
    arguments = with_changes(tmp_path_factory.mktemp("tenants"), umbrella=UMBRELLA)
    run = lab.converge(*arguments)
    assert run.status == 0, run.output
    return tenant_of(lab, "umbrella", 4)


def given(record: Path, **variables: str) -> tuple[str, ...]:
    """Return the variables as somebody gives them on the command line."""
    return ("--extra-vars", json.dumps({"cubejs_retired_file": str(record), **variables}))


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        pytest.param({}, "'' is no name of a tenant", id="nobody"),
        pytest.param({"tenant": "umbrella"}, "Confirm by the name: -e confirm=umbrella", id="not confirmed"),
        pytest.param({"tenant": "umbrella", "confirm": "acme"}, "'acme' is not 'umbrella'", id="another confirmed"),
        pytest.param({"tenant": "acme", "confirm": "acme", "host": "cube9"}, "none of the hosts", id="no such host"),
        pytest.param(
            {"tenant": "acme", "confirm": "acme", "host": HOST}, "acme is planned on cube1", id="planned there"
        ),
    ],
)
def test_what_was_not_meant_is_refused(
    lab: Any, umbrella: Tenant, record: Path, variables: Mapping[str, str], message: str
) -> None:
    run = lab.playbook(PLAYBOOK, *given(record, **variables))
    assert run.status != 0
    assert message in run.output, run.output
    assert not run.remote_calls
    assert umbrella.answers()


def test_check_mode_says_what_would_go(lab: Any, umbrella: Tenant, record: Path, folder: Path) -> None:
    before = state_of(lab)
    arguments = (*with_changes(folder, umbrella=UMBRELLA), *given(record, tenant="umbrella", confirm="umbrella"))
    run = lab.playbook(PLAYBOOK, "--check", *arguments)
    assert run.status == 0, run.output
    for what in ("unit cubejs-api@umbrella-1.service", "user cube-umbrella", "schema cube_umbrella", "project.tar.gz"):
        assert what in run.output, run.output
    assert differing(before, state_of(lab), lambda _key: False) == {}
    assert not record.exists()
    assert umbrella.answers()


def test_it_goes_and_nothing_else_does(lab: Any, umbrella: Tenant, record: Path, folder: Path) -> None:
    umbrella.host.check_output("rm -rf /var/backups/cubejs")
    tables = umbrella.storage.tables()
    before = state_of(lab)
    arguments = (*with_changes(folder, umbrella=UMBRELLA), *given(record, tenant="umbrella", confirm="umbrella"))
    run = lab.playbook(PLAYBOOK, *arguments)
    assert run.status == 0, run.output
    after = state_of(lab)
    assert differing(before, after, is_about("umbrella")) == {}
    assert [key for key in after if "umbrella" in key] == []
    host = umbrella.host
    everywhere = "find / -xdev -name '*umbrella*' -not -path '/proc/*' -not -path '/var/backups/cubejs/*'"
    left = host.check_output(f"{everywhere} -not -path '/var/log/*' -not -path '/sys/*' -not -path '/tmp/*'")
    assert left == ""
    assert "umbrella" not in host.check_output("systemctl list-units --all; systemctl list-unit-files; nginx -T 2>&1")
    assert record.read_text().startswith("4 umbrella ")
    assert max(run.remote_calls.values()) <= 6, run.remote_calls
    kept = host.check_output("find /var/backups/cubejs/umbrella-* -type f -printf '%m %u %f\\n' | sort").splitlines()
    names = ["cube_umbrella.sql.gz", "project.tar.gz", "umbrella-1.env", "umbrella.env"]
    assert kept == [f"600 root {name}" for name in names]
    assert host.check_output("stat -c '%a %U' /var/backups/cubejs/umbrella-*") == "700 root"
    text = host.check_output("cat /var/backups/cubejs/umbrella-*/*.env; zcat /var/backups/cubejs/umbrella-*/*.sql.gz")
    assert 'CUBEJS_DB_NAME="acme"' in text
    assert all(f"CREATE TABLE `{table}`" in text for table in tables), tables
    secrets = planted(lab, {**NUMBERS, "umbrella": 4})
    assert [secret for secret in secrets if secret in text or secret in run.output] == []


def test_a_second_time_there_is_nothing_left(lab: Any, umbrella: Tenant, record: Path) -> None:
    """It has left the inventory by now, too."""
    run = lab.playbook(PLAYBOOK, *given(record, tenant=umbrella.name, confirm=umbrella.name))
    assert run.status == 0, run.output
    assert not run.changed, run.output


def test_its_number_is_not_handed_out_again(lab: Any, umbrella: Tenant, record: Path, folder: Path) -> None:
    """Neither to itself, so that a definition that was forgotten does not bring it back, nor to another."""
    for name in (umbrella.name, "wayne"):
        run = lab.converge(*with_changes(folder, **{name: UMBRELLA}), *given(record))
        assert run.status != 0
        assert f"cubejs_tenants[{name}].number: 4 was that of a tenant that is gone" in run.output, run.output
        assert "5 is free" in run.output


def test_the_others_are_as_they_were(lab: Any, umbrella: Tenant, record: Path) -> None:
    run = lab.converge(*given(record))
    assert run.status == 0, run.output
    assert of_others(run) == set(), run.output
    assert umbrella.name not in run.output


def test_the_export_can_be_read(umbrella: Tenant) -> None:
    """As what it says it is."""
    packed = umbrella.host.check_output("base64 /var/backups/cubejs/umbrella-*/cube_umbrella.sql.gz")
    import base64

    assert gzip.decompress(base64.b64decode(packed)).startswith((b"/*", b"--"))
    listed = umbrella.host.check_output("tar -tzf /var/backups/cubejs/umbrella-*/project.tar.gz").splitlines()
    assert "project/schema/Orders.js" in listed
