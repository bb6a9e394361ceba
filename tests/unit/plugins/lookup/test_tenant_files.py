"""The lookup, as a template calls it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.cubeops.cubejs.plugins.lookup.tenant_files import LookupModule


def look(tmp_path: Path, *terms: str | None, **variables: str) -> list[dict[str, object]]:
    """Return what the lookup finds."""
    variables["inventory_dir"] = str(tmp_path)
    loader = DataLoader()
    return LookupModule(loader=loader, templar=Templar(loader=loader, variables=variables)).run(terms, variables)


def test_tenants_are_templated(tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants/acme.yml").write_text("api_secret: '{{ vault_acme }}'")
    assert look(tmp_path, "tenants", vault_acme="opened") == [{"name": "acme", "api_secret": "opened"}]


@pytest.mark.parametrize("terms", [(), (None,)])
def test_without_a_folder_there_is_none(terms: tuple[None, ...], tmp_path: Path) -> None:
    assert look(tmp_path, *terms) == []


def test_a_wrong_file_fails(tmp_path: Path) -> None:
    (tmp_path / "acme.yml").write_text("[]")
    with pytest.raises(AnsibleError, match=r"cubejs_tenants_dir/acme.yml: it holds no dictionary"):
        look(tmp_path, ".")
