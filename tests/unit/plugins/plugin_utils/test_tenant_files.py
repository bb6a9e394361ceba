"""Tenants read from one file each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.template import Templar
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.tenant_files import Found, TenantFiles

SECRET = "MARKED5Wd8FhJk2QzXc"


def loader() -> DataLoader:
    """Return a loader that knows one vault password."""
    made = DataLoader()
    made.set_vault_secrets([("default", VaultSecret(b"pass"))])
    return made


def encrypted(text: str) -> str:
    """Return text that ansible-vault encrypted."""
    return VaultLib([("default", VaultSecret(b"pass"))]).encrypt(text).decode()


def read(folder: Path, **files: str) -> Found:
    """Return what is found in a folder with files, a double underscore standing for the dot."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return TenantFiles(loader()).of(".", folder)


def templated(found: Found, **variables: Any) -> list[dict[str, Any]]:
    """Return the definitions as a task would see them."""
    made: list[dict[str, Any]] = Templar(loader=loader(), variables=variables).template(found.definitions)
    return made


def test_tenants_are_those_of_the_files_in_their_names_order(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        beta__yml="number: 2",
        acme__yaml="{name: acme, number: 1}",
        corner__json='{"number": 3}',
        notes__md="x",
    )
    assert found.findings == []
    assert found.definitions == [
        {"name": "acme", "number": 1},
        {"name": "beta", "number": 2},
        {"name": "corner", "number": 3},
    ]


def test_values_are_templates_and_files_of_a_vault(tmp_path: Path) -> None:
    """A single value that a vault encrypted is opened by Ansible when it is used: tests/contract sees to that."""
    block = encrypted(SECRET).replace("\n", "\n  ")
    found = read(
        tmp_path,
        acme__yml="database: {password: '{{ vault_acme }}', zones: ['{{ 1 }}st', plain]}",
        beta__yml=f"api_secret: !vault |\n  {block}",
        corner__yml=encrypted(f"api_secret: {SECRET}"),
    )
    assert found.findings == []
    assert hasattr(found.definitions.pop(1)["api_secret"], "_ciphertext")
    acme, corner = templated(found, vault_acme="opened")
    assert acme["database"] == {"password": "opened", "zones": ["1st", "plain"]}
    assert corner["api_secret"] == SECRET


@pytest.mark.parametrize(
    ("files", "subject", "message"),
    [
        pytest.param({"acme__yml": "a: MARKED: b"}, "acme.yml", "it cannot be read (line 1)", id="no YAML"),
        pytest.param({"acme__yml": "- MARKED"}, "acme.yml", "it holds no dictionary", id="a list"),
        pytest.param({"acme__yml": ""}, "acme.yml", "it holds no dictionary", id="empty"),
        pytest.param({"acme__yml": "name: beta"}, "acme.yml", "its name is 'beta'", id="another's name"),
        pytest.param({"acme__yml": "name: 7"}, "acme.yml", "its name is no text", id="a number for a name"),
        pytest.param(
            {"acme__yml": "a: !unknown MARKED"}, "acme.yml", "it cannot be read", id="a tag that nobody knows"
        ),
    ],
)
def test_what_is_wrong_is_told_without_what_the_file_holds(
    files: dict[str, str], subject: str, message: str, tmp_path: Path
) -> None:
    (finding,) = read(tmp_path, **files).findings
    assert finding.subject == f"cubejs_tenants_dir/{subject}"
    assert finding.message.startswith(message)
    assert "MARKED" not in finding.text()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (finding,) = TenantFiles(loader()).of("nowhere", tmp_path).findings
    assert (finding.rule, finding.message) == ("path-exists", f"{tmp_path}/nowhere: No such file or directory")


@pytest.mark.parametrize("directory", [None, "", 7])
def test_no_folder_is_no_tenant(directory: Any, tmp_path: Path) -> None:
    assert TenantFiles(loader()).of(directory, tmp_path) == Found()


def test_a_folder_is_read_once(tmp_path: Path) -> None:
    files = TenantFiles(loader())
    first = files.of(".", tmp_path)
    (tmp_path / "acme.yml").write_text("number: 1")
    assert files.of(".", tmp_path) is first
