"""Deployments turned into releases, with real files."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.environment import from_file
from ansible_collections.cubeops.cubejs.plugins.module_utils.releases import Found, Platform, plan
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.release_building import Builder, BuildingError

ROLE = Path(__file__).resolve().parents[4] / "roles/cubejs"


def builder(tmp_path: Path, node: str | None = "18.20.4") -> Builder:
    """Return a builder with what the role ships."""
    return Builder(
        platform=Platform(18, "x86_64", "debian-12"),
        node=node,
        shipped=ROLE / "files/runtimes",
        index=ROLE / "files/index.js",
        checkouts=tmp_path / "checkouts",
    )


def deployment(tmp_path: Path, tenant: str = "acme", **changes: Any) -> dict[str, Any]:
    """Return a deployment whose project has one file."""
    (tmp_path / "project/schema").mkdir(parents=True, exist_ok=True)
    (tmp_path / "project/schema/Orders.js").write_text("cube(`Orders`)")
    made: dict[str, Any] = {
        "tenant": tenant,
        "user": f"cube-{tenant}",
        "version": "0.29.57",
        "project": {"path": str(tmp_path / "project")},
        "drivers": ["@cubejs-backend/mysql-driver"],
        "install_scripts": False,
        "settings": {"node_env": "production"},
        "environment": {},
        "ca_certificates": [],
        "start": {"command": ["../node_modules/.bin/cubejs-server", "server"], "own_index": False},
        "instances": [{"name": f"{tenant}-1", "heap_mb": 500, "settings": {"port": 10010}}],
    }
    return {**made, **changes}


def test_tenants_of_one_project_share_files_and_packages(tmp_path: Path) -> None:
    built = builder(tmp_path).build([deployment(tmp_path), deployment(tmp_path, "bazaar")])
    assert [release.tenant for release in built.releases] == ["acme", "bazaar"]
    assert (len(built.runtimes), len(built.trees)) == (1, 1)
    assert built.releases[0].id != built.releases[1].id


def test_a_project_from_git_is_where_it_was_checked_out(tmp_path: Path) -> None:
    (tmp_path / "checkouts/acme").mkdir(parents=True)
    (tmp_path / "checkouts/acme/cube.js").write_text("module.exports = {}")
    built = builder(tmp_path).build([deployment(tmp_path, project={"path": None, "git": "https://git.example/a.git"})])
    folder, tree = next(iter(built.trees.values()))
    assert folder == tmp_path / "checkouts/acme"
    assert tree.has("cube.js")


def test_private_cas_go_along(tmp_path: Path) -> None:
    (tmp_path / "a.crt").write_text("A\n")
    (tmp_path / "b.crt").write_text("B\n")
    certificates = [str(tmp_path / "a.crt"), str(tmp_path / "b.crt")]
    (made,) = builder(tmp_path).build([deployment(tmp_path, ca_certificates=certificates)]).releases
    assert made.files["ca.crt"] == "A\nB\n"


def test_a_ca_that_the_run_would_make_first_changes_the_release_that_check_mode_foretells(tmp_path: Path) -> None:
    missing, other = tmp_path / "ca.crt", deployment(tmp_path, "other")
    wanted = deployment(tmp_path, ca_certificates=[str(missing)])
    foretold = {
        made.tenant: made.id for made in replace(builder(tmp_path), check_mode=True).build([wanted, other]).releases
    }
    missing.write_text("PEM")
    made = {made.tenant: made.id for made in builder(tmp_path).build([wanted, other]).releases}
    assert foretold["acme"] != made["acme"]
    assert foretold["other"] == made["other"]


@pytest.mark.parametrize(
    ("own", "start"),
    [pytest.param(True, "index.js", id="the project's own"), pytest.param(False, "../index.js", id="ours")],
)
def test_old_releases_start_an_index(tmp_path: Path, own: bool, start: str) -> None:
    made = deployment(tmp_path, version="0.20.10", start={"command": ["../index.js"], "own_index": True})
    if own:
        (tmp_path / "project/index.js").write_text("own")
    (release,) = builder(tmp_path).build([made]).releases
    assert from_file(release.files["environment/acme-1.env"])["CUBEOPS_START"] == start


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    made = deployment(tmp_path)
    (tmp_path / "project/.env").write_text("CUBEJS_DEV_MODE=true")
    assert builder(tmp_path).build([made]).excluded == {"acme": [".env"]}


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    made = [
        deployment(tmp_path, "one", project={"path": str(tmp_path / "none")}),
        deployment(tmp_path, "two", version="0.25.1"),
        deployment(tmp_path, "three", drivers=["@cubejs-backend/postgres-driver"]),
        deployment(tmp_path, "four", ca_certificates=[str(tmp_path / "no.crt")]),
        deployment(tmp_path, "five", environment={"A": "hidden\nB=1"}),
        deployment(tmp_path, "six"),
    ]
    with pytest.raises(BuildingError) as caught:
        builder(tmp_path, node="8.1.0").build(made)
    lines = str(caught.value).splitlines()
    for tenant, words in {
        "one": "is no directory on the controller",
        "two": "none are shipped",
        "three": "does not install @cubejs-backend/postgres-driver",
        "four": "No such file",
        "five": "A: a line break",
        "six": "Cube 0.29.57 needs Node 12.0.0 or newer",
    }.items():
        assert any(line.startswith(f"tenant {tenant}: ") and words in line for line in lines), (tenant, lines)
    assert "hidden" not in str(caught.value)


def test_the_archive_holds_what_is_missing_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "npm.tgz").write_bytes(b"npm")
    (tmp_path / "bundle.crt").write_bytes(b"PEM")
    built = builder(tmp_path).build([deployment(tmp_path), deployment(tmp_path, "bazaar")])
    wanted = [release.as_wanted() for release in built.releases]
    runtime = next(iter(built.runtimes))
    archive = tmp_path / "archive.tgz"
    built.pack(archive, plan(wanted, Found(), "n1"), {"n1": tmp_path / "npm.tgz"}, str(tmp_path / "bundle.crt"))
    with tarfile.open(archive) as opened:
        names = opened.getnames()
        stream = opened.extractfile(f"runtimes/{runtime}/package.json")
        assert stream is not None
        assert json.load(stream)["version"] == "0.29.57"
    project = built.releases[0].project
    assert set(names) == {
        f"projects/{project}",
        f"projects/{project}/schema/Orders.js",
        "npm/n1.tgz",
        "ca-bundle.crt",
        f"runtimes/{runtime}/package.json",
        f"runtimes/{runtime}/package-lock.json",
    }
    there = Found(runtimes=frozenset([runtime]))
    built.pack(archive, plan(wanted, there, "n1"), {"n1": tmp_path / "npm.tgz"}, str(tmp_path / "bundle.crt"))
    with tarfile.open(archive) as opened:
        assert {name.split("/")[0] for name in opened.getnames()} == {"projects"}
