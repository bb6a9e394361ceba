"""Names of deployments that were found."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils import telling_names


def instance(unit: str = "", directory: str = "", user: str = "", app: str = "", pm2: str = "") -> seen.Instance:
    """Return a process that has these names."""
    process = seen.Process(1, 1, user, 1, (), "", directory, "")
    settings = {"CUBEJS_APP": seen.Setting(seen.Value(app), seen.UNIT)} if app else {}
    return seen.Instance(
        name=unit or f"pm2:{pm2}",
        running=True,
        found_by=(),
        manager=seen.PM2 if pm2 else seen.SYSTEMD,
        process=process,
        unit=seen.Unit(unit) if unit else None,
        settings=settings,
    )


@pytest.mark.parametrize(
    ("instances", "name"),
    [
        pytest.param([instance("cube.service", "/srv/shop", "acme", app="sales")], "sales", id="CUBEJS_APP"),
        pytest.param([instance("cubejs-api@acme-1.service", "/srv/shop")], "acme", id="template unit"),
        pytest.param([instance("shop-api.service"), instance("shop-worker.service")], "shop", id="what units share"),
        pytest.param([instance("big_shop.service")], "big-shop", id="several words"),
        pytest.param([instance(pm2="shop-api")], "shop", id="pm2"),
        pytest.param([instance("a-api.service", "/srv/x"), instance("b.service", "/srv/x")], "x", id="units differ"),
        pytest.param([instance("cube.service", "/srv/shop/releases/20260101120000")], "shop", id="folder of a release"),
        pytest.param([instance("cube.service", "/srv/shop/current")], "shop", id="link to a release"),
        pytest.param([instance("cube.service", "/opt/app/8f3861cdeadbeef", "acme")], "acme", id="user"),
        pytest.param([instance("cube.service", "/home/node/app", "root")], "cube", id="nothing tells"),
        pytest.param([instance()], "deployment", id="not even a unit"),
        pytest.param([instance(app="a b\n<x>")], "a-b-x", id="unfit characters"),
        pytest.param([instance(app="x" * 200)], "x" * 40, id="too long"),
    ],
)
def test_the_most_telling(instances: list[seen.Instance], name: str) -> None:
    assert telling_names.unique([("one", each) for each in instances], ()) == name


@pytest.mark.parametrize(
    ("hosts", "taken", "name"),
    [
        pytest.param(["one"], {"sales"}, "shop", id="the next best"),
        pytest.param(["one"], {"sales", "shop", "acme"}, "sales-one", id="with the host"),
        pytest.param(["one", "two"], {"sales", "shop", "acme"}, "sales-2", id="on several hosts"),
        pytest.param(["one"], {"sales", "shop", "acme", "sales-one", "sales-2"}, "sales-3", id="numbered"),
    ],
)
def test_a_name_belongs_to_one(hosts: list[str], taken: set[str], name: str) -> None:
    each = instance("cube.service", "/srv/shop", "acme", app="sales")
    assert telling_names.unique([(host, each) for host in hosts], taken) == name
