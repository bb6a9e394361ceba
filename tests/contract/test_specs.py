"""A role's argument_specs are the source: defaults, secrets and the table of settings are held to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("redis", "mysql", "cubejs", "nginx", "firewall")


def options(role: str) -> dict[str, Any]:
    """Return the options of a role's main entry point."""
    return yaml.safe_load((ROOT / "roles" / role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"][
        "options"
    ]


def defaults(role: str) -> dict[str, Any]:
    """Return a role's defaults."""
    return yaml.safe_load((ROOT / "roles" / role / "defaults/main.yml").read_text()) or {}


def leaves(found: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every option with its full name."""
    for name, option in found.items():
        yield prefix + name, option
        yield from leaves(option.get("options", {}), f"{prefix}{name}.")


@pytest.mark.parametrize("role", ROLES)
def test_every_default_is_specified_and_has_the_same_value(role: str) -> None:
    specified = options(role)
    for name, value in defaults(role).items():
        assert name in specified, f"{name} is in defaults/main.yml but not in the spec"
        templated = isinstance(value, str) and "{{" in value
        if not templated:
            assert specified[name].get("default") == value, name


@pytest.mark.parametrize("role", ROLES)
def test_every_specified_default_is_set(role: str) -> None:
    missing = [name for name, option in options(role).items() if "default" in option and name not in defaults(role)]
    assert not missing


@pytest.mark.parametrize("role", ROLES)
def test_public_names_carry_the_role(role: str) -> None:
    assert not [name for name in options(role) if not name.startswith(f"{role}_")]


@pytest.mark.parametrize("role", ROLES)
def test_everything_is_described(role: str) -> None:
    assert not [name for name, option in leaves(options(role)) if not option.get("description")]


@pytest.mark.parametrize("role", ROLES)
def test_secrets_have_neither_type_nor_choices(role: str) -> None:
    """Ansible prints a value that does not fit its spec, whatever no_log says."""
    secret = [
        (name, option)
        for name, option in leaves(options(role))
        if name.split(".")[-1].rsplit("_", 1)[-1] in {"password", "secret"} or option.get("no_log")
    ]
    assert not [name for name, option in secret if option.get("type", "raw") != "raw" or "choices" in option]
