"""The repository checked against itself: layout, mirrors, names, hosts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests import run

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("redis", "mysql", "cubejs", "nginx", "firewall")
TASK_FILES = ("main", "install", "configure", "service", "health")
# `variables` has no task; `prepare` is what must stand before the packages; `certificates`, `layout` and `releases` are
# imported twice; `wave` is taken for each wave of tenants; `begin` is for a playbook with other work to do meanwhile.
MORE_TASK_FILES = {
    "redis": {"prepare"},
    "mysql": {"prepare"},
    "nginx": {"prepare", "certificates"},
    "firewall": set(),
    "cubejs": {"begin", "projects", "releases", "shipped", "wave"},
}
PLUGIN_FOLDERS = ("module_utils", "modules", "action", "filter", "lookup", "callback", "plugin_utils")


def tracked(*patterns: str) -> list[Path]:
    """Return the files that git has, or would add, as paths."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def has_code(path: Path) -> bool:
    """Say whether a plugin file is more than a documentation stub of an action plugin."""
    return path.name != "__init__.py" and re.search(r"^(def|class) ", path.read_text(), re.MULTILINE) is not None


SOURCES = [path for path in tracked(*(f"plugins/{folder}/**.py" for folder in PLUGIN_FOLDERS)) if has_code(path)]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "plugins")))
def test_every_source_has_its_test(source: Path) -> None:
    mirror = ROOT / "tests/unit" / source.relative_to(ROOT).with_name(f"test_{source.name}")
    assert mirror.exists(), f"write {mirror.relative_to(ROOT)}"


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_the_same_task_files(role: str) -> None:
    found = {path.stem for path in (ROOT / "roles" / role / "tasks").glob("*.yml")}
    assert found == {*TASK_FILES, "variables"} | MORE_TASK_FILES[role]


@pytest.mark.parametrize("role", ROLES)
def test_main_is_a_table_of_contents(role: str) -> None:
    tasks = yaml.safe_load((ROOT / "roles" / role / "tasks" / "main.yml").read_text())
    install, *others = tasks
    assert install["ansible.builtin.include_tasks"]["file"] == "install.yml", "a play may have done it for all roles"
    imported = [task["ansible.builtin.import_tasks"] for task in others]
    assert imported == [f"{name}.yml" for name in TASK_FILES[2:]], "main.yml imports the three others, in order"


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_a_scenario_of_its_own_and_tests(role: str) -> None:
    assert (ROOT / "molecule" / role / "molecule.yml").exists()
    assert list((ROOT / "tests" / "infra" / role).glob("test_*.py"))


SCENARIOS = sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_has_tests(scenario: str) -> None:
    assert list((ROOT / "tests" / "infra" / scenario).glob("test_*.py")), f"write tests/infra/{scenario}/test_*.py"


@pytest.mark.parametrize("path", tracked("**/package-lock.json"), ids=lambda path: str(path.relative_to(ROOT)))
def test_lockfiles_hold_no_registry_addresses(path: Path) -> None:
    packages = json.loads(path.read_text())["packages"]
    assert packages
    assert not [name for name, entry in packages.items() if "resolved" in entry and "://" in entry["resolved"]]


def package_hosts() -> set[str]:
    """Return the hosts from which this machine's package clients fetch, and the clients' own defaults."""
    texts = [path.read_text() for path in Path("/etc/apt").glob("sources.list*") if path.is_file()]
    texts += [path.read_text() for path in Path("/etc/apt/sources.list.d").glob("*.sources")]
    hosts = set(re.findall(r"^(?:URIs:|deb\b.*?)\s*https?://([^/\s]+)", "\n".join(texts), re.MULTILINE))
    return hosts | {
        ".".join(("registry", "npmjs", "org")),
        ".".join(("pypi", "org")),
        ".".join(("deb", "debian", "org")),
    }


def test_no_package_registry_is_named() -> None:
    pattern = re.compile("|".join(re.escape(host) for host in sorted(package_hosts())))
    found = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix not in {".png", ".gz"} and pattern.search(path.read_text(errors="replace"))
    ]
    assert not found, f"use what the machine is set up with: {found}"


def test_yaml_holds_no_version_conditions() -> None:
    """Versions and arithmetic belong to Python: an `is version(` in a role or playbook is a rule in hiding."""
    pattern = re.compile(r"\bis\s+(not\s+)?version\(|\|\s*version\(")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked("roles/**", "playbooks/**")
        if path.suffix in {".yml", ".j2"}
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found


def test_readme_is_short_and_names_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) < 150
    assert "make quickstart" in readme
    assert "make test" in readme


def test_continuous_integration_runs_the_readmes_command() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text().splitlines()


@pytest.mark.parametrize("path", tracked("docs/decisions/*.md"), ids=lambda path: path.stem)
def test_decisions_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 40


def test_changelog_fragments_are_valid() -> None:
    done = subprocess.run(
        [str(ROOT / ".venv/bin/antsibull-changelog"), "lint"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("scenario", sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml")))
def test_the_tests_of_every_scenario_are_found_as_molecule_looks_for_them(scenario: str, tmp_path: Path) -> None:
    """From the scenario's own folder, and with no search path that a developer's shell may have set."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--collect-only",
            "-q",
            "-p",
            "no:cacheprovider",
            f"../../tests/infra/{scenario}",
        ],
        cwd=ROOT / "molecule" / scenario,
        env={**environment, "LAB_SCENARIO": scenario, "LAB_DIRECTORY": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "::test_" in done.stdout


def test_the_summary_of_all_tests_repeats_what_names_a_failure() -> None:
    log = (
        "TASK [Deploy] ***\nfatal: [cube1]: FAILED! => {}\nE   ModuleNotFoundError: No module named 'conftest'\n"
        "ERROR ../../tests/infra/foreign/test_foreign.py\nFAILED tests/x/test_y.py::test_z[1] - assert 1\n"
        "ERROR    Verifier tests failed\n"
    )
    wanted = ["fatal: [cube1]", "E   ModuleNotFound", "ERROR ../../tests/infra/foreign", "FAILED tests/x/test_y.py"]
    assert [reason[: len(start)] for reason, start in zip(run.reasons(log), wanted)] == wanted
    assert len(run.reasons(log)) == len(wanted)
    assert run.reasons("E   assert 0\n" * 100) == ["E   assert 0"] * run.EXPLAINED_SHOWN
    assert run.reasons("E   assert 0\n\n" * 100) == ["E   assert 0"] * run.REASONS_SHOWN
