"""A plan and hosts that are as it says; each test changes the hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import drift, environment, memory, secrets
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import FAIL, PASS, UNKNOWN, WARNING, Finding
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Fleet, Instance
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import GROUPS
from ansible_collections.cubeops.cubejs.plugins.module_utils.linking import link
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import (
    MysqlSeen,
    Passing,
    RedisSeen,
    Unknown,
    WebServer,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.plan import Plan
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings_table import TABLE
from ansible_collections.cubeops.cubejs.tests.unit.plugins.inventories import MASTER

KEY = b"key of the run"
SECRET = {row.target for row in TABLE if row.secret}
API, WORKER = "cubejs-api@acme-1.service", "cubejs-refresh-worker@acme.service"
MEMORY = 8 << 30


def site(name: str, *upstreams: str) -> WebServer:
    """Return a server of Nginx that passes all requests on."""
    passings = (Passing("/", upstreams),) if upstreams else ()
    return WebServer("/etc/nginx/cubejs/sites/acme.conf", (name,), ("443 ssl",), upstreams, passings, tls=True)


class Hosts:
    """A plan, and one host that is as it says."""

    def __init__(self, plan: Plan, tenant: Mapping[str, Any]) -> None:
        self.plan = plan
        self.vault = secrets.Vault.of([tenant], MASTER)
        self.compared = drift.Plan(plan.data, self.vault, KEY)
        (self.deployment,) = plan.data["hosts"]["one"]["cubejs"]["cubejs_deployments"]
        self.sized = environment.with_memory(self.deployment, self._share())
        self.host = seen.Observation(
            seen.FORMAT,
            "one",
            "m",
            0.0,
            privileged=True,
            memory_bytes=MEMORY,
            instances=tuple(self._instance(each) for each in plan.fleet.instances),
            web_servers=(site("cube.acme.example", "unix:/run/cubejs/acme-1/cube.sock"),),
            redis={"r": RedisSeen("", "node_redis", "127.0.0.1", 20001, 0, tls=False, maxclients=self.maxclients)},
            mysql={
                "m": MysqlSeen(
                    "",
                    "127.0.0.1",
                    3306,
                    "cube_acme",
                    schemas=("cube_acme",),
                    variables={"max_connections": str(plan.fleet.stores[0].max_connections)},
                )
            },
        )

    @property
    def maxclients(self) -> int:
        """Return what Redis is planned to take."""
        return self.plan.fleet.redis_servers[0].maxclients

    def _share(self) -> int:
        share = memory.planned_share(MEMORY, "cubejs", self.plan.data["hosts"]["one"])
        assert share
        return share

    def variables(self, name: str) -> dict[str, str]:
        """Return the planned variables of an instance."""
        (instance,) = [each for each in self.sized["instances"] if each["name"] == name]
        return environment.of_instance(self.vault.reveal(self.deployment), instance)

    def setting(self, name: str, text: str) -> seen.Setting:
        """Return a variable as it is seen."""
        value = seen.Value(None, secrets.fingerprint(KEY, text)) if name in SECRET else seen.Value(text)
        return seen.Setting(value, seen.ENVIRONMENT_FILE, "/opt/cubejs/acme.env")

    def _instance(self, planned: Instance) -> seen.Instance:
        (sized,) = [each for each in self.sized["instances"] if each["name"] == planned.name]
        texts = self.variables(planned.name)
        return seen.Instance(
            name=planned.unit,
            running=True,
            found_by=(),
            manager=seen.SYSTEMD,
            unit=seen.Unit(
                planned.unit,
                drop_ins=(
                    f"/etc/systemd/system/{planned.unit}.d/instance.conf",
                    "/usr/lib/systemd/system/service.d/10-timeout-abort.conf",
                ),
                state="active",
                enabled="enabled",
                restart="always",
                restart_seconds=float(planned.restart_seconds),
                timeout_stop_seconds=float(planned.stop_seconds),
                memory_max_bytes=sized["memory_bytes"],
            ),
            packages=seen.Packages(version="0.29.57"),
            settings={
                "CUBEOPS_RELEASE": seen.Setting(seen.Value("x"), seen.ENVIRONMENT_FILE),
                **{name: self.setting(name, text) for name, text in texts.items()},
            },
            listeners=(seen.Listener("unix", path=planned.socket or ""),),
            redis="r",
            storage="m",
        )

    def change(self, name: str, /, **changes: Any) -> None:
        """Change what is seen of an instance."""
        instances = tuple(replace(each, **changes) if each.name == name else each for each in self.host.instances)
        self.host = replace(self.host, instances=instances)

    def set(self, unit: str, **settings: seen.Setting | None) -> None:
        """Change the variables of an instance, or take them away."""
        (instance,) = [each for each in self.host.instances if each.name == unit]
        merged = {**instance.settings, **settings}
        self.change(unit, settings={name: value for name, value in merged.items() if value is not None})

    def fleet(self) -> Fleet:
        """Return the fleet."""
        return link(self.plan.fleet, {"one": self.host}, {})

    def wrong(self) -> list[Finding]:
        """Return what is not as planned."""
        return [each for each in drift.drift(self.fleet(), self.compared) if each.status != PASS]


@pytest.fixture
def hosts(make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]) -> Hosts:
    """Return hosts that are as planned."""
    tenant = make_tenant(environment={"CUBEJS_JWT_KEY": "hidden-jwt-key", "CUBEJS_APP": "hidden-app"})
    return Hosts(make_plan([tenant]), tenant)


def test_what_is_as_planned_passes(hosts: Hosts) -> None:
    found = list(drift.drift(hosts.fleet(), hosts.compared))
    assert [(each.rule, each.status, each.message) for each in found if each.status != PASS] == []
    # Nothing listens for other hosts, so no firewall is planned: tables have tests of their own.
    assert {each.rule for each in found} == set(drift.TITLES) - {drift.FIREWALL}
    settings = [each.message for each in found if each.rule == drift.SETTING]
    assert settings == [f"{len(hosts.variables(name))} variables, as planned" for name in ("acme-1", "acme")]


def from_file(text: str | None, layer: str = seen.ENVIRONMENT_FILE, path: str = "/opt/x.env") -> seen.Setting:
    """Return a variable that a file sets."""
    return seen.Setting(seen.Value(text, "" if text is not None else "another"), layer, path)


@pytest.mark.parametrize(
    ("name", "setting", "message", "remedy"),
    [
        pytest.param(
            "CUBEJS_DB_HOST",
            from_file("elsewhere"),
            "the plan has 'db.example', and /opt/x.env sets 'elsewhere'",
            "Run the site playbook",
            id="another value",
        ),
        pytest.param(
            "CUBEJS_DB_HOST", None, "the plan has 'db.example', and the process has none", "Run the site", id="gone"
        ),
        pytest.param(
            "CUBEJS_DB_PASS",
            from_file(None),
            "the plan has <masked>, and /opt/x.env sets <masked>",
            "Run the site playbook",
            id="another secret",
        ),
        pytest.param(
            "CUBEJS_DB_HOST",
            from_file("x", seen.DOTENV, "/srv/.env"),
            "/srv/.env sets 'x'",
            "Take it out of /srv/.env",
            id="from a .env",
        ),
        pytest.param(
            "CUBEJS_DB_HOST",
            from_file("x", seen.DROP_IN, f"/etc/systemd/system/{API}.d/override.conf"),
            "override.conf sets 'x'",
            "Take it out of /etc/systemd",
            id="from a drop-in",
        ),
        pytest.param(
            "CUBEJS_APP", from_file("seen"), "the plan has <masked>, and /opt/x.env sets 'seen'", "Run", id="of its own"
        ),
        pytest.param(
            "CUBEJS_DB_HOST",
            from_file("x", seen.PROCESS, ""),
            "what started the process sets 'x'",
            "Run the site playbook",
            id="from whoever started it",
        ),
    ],
)
def test_a_variable_that_differs(
    name: str, setting: seen.Setting | None, message: str, remedy: str, hosts: Hosts
) -> None:
    hosts.set(API, **{name: setting})
    (finding,) = hosts.wrong()
    assert (finding.rule, finding.subject, finding.tenant, finding.host) == (
        drift.SETTING,
        f"{API} {name}",
        "acme",
        "one",
    )
    assert message in finding.message
    assert finding.remedy.startswith(remedy)
    assert "hidden" not in finding.text()


def test_a_variable_that_nobody_planned_is_a_warning(hosts: Hosts) -> None:
    hosts.set(API, CUBEJS_DEV_MODE=from_file("true", seen.DOTENV, "/srv/.env"))
    (finding,) = hosts.wrong()
    assert (finding.severity, finding.message) == (WARNING, "the plan has none, and /srv/.env sets 'true'")
    assert finding.remedy.startswith("Take it out of /srv/.env")


def test_a_process_that_is_older_than_its_file_is_to_be_restarted(hosts: Hosts) -> None:
    old = seen.Value("old")
    hosts.set(API, CUBEJS_DB_HOST=seen.Setting(old, seen.PROCESS))
    hosts.change(API, differences=(seen.Difference("CUBEJS_DB_HOST", "/x.env", seen.Value("db.example"), old),))
    (finding,) = hosts.wrong()
    assert finding.remedy.startswith("Restart it: its files have the plan's value")


def test_secrets_need_the_key_of_the_run(hosts: Hosts) -> None:
    hosts.compared = replace(hosts.compared, key=None)
    assert {each.status for each in hosts.wrong()} == {UNKNOWN}
    assert any(each.subject == f"{API} CUBEJS_API_SECRET" for each in hosts.wrong())


def test_without_the_master_secret_settings_are_unknown(hosts: Hosts) -> None:
    hosts.compared = replace(hosts.compared, vault=secrets.Vault({}, None))
    assert [(each.rule, each.status) for each in hosts.wrong()] == [(drift.SETTING, UNKNOWN)] * 2


@pytest.mark.parametrize(
    ("changes", "rule", "status", "words"),
    [
        pytest.param(
            {"packages": seen.Packages("/n", "0.29.20")}, drift.VERSION, FAIL, "0.29.20 is installed", id="version"
        ),
        pytest.param({"packages": seen.Packages()}, drift.VERSION, UNKNOWN, "could not be read", id="no version"),
        pytest.param({"unit": None}, drift.UNIT, UNKNOWN, "could not be read", id="no unit"),
        pytest.param(
            {"listeners": (seen.Listener("tcp", "0.0.0.0", 4000),)}, drift.LISTENER, FAIL, "listens on 4000", id="port"
        ),
        pytest.param({"listeners": ()}, drift.LISTENER, UNKNOWN, "listens nowhere", id="no port"),
        pytest.param(
            {"unknown": (Unknown("process.environ", "denied", "Use become"),)},
            drift.SETTING,
            UNKNOWN,
            "could not be read: denied",
            id="variables unread",
        ),
    ],
)
def test_an_instance_that_differs(changes: dict[str, Any], rule: str, status: str, words: str, hosts: Hosts) -> None:
    hosts.change(API, **changes)
    (finding,) = hosts.wrong()
    assert (finding.rule, finding.status) == (rule, status)
    assert words in finding.message


@pytest.mark.parametrize(
    ("changes", "words", "remedy"),
    [
        pytest.param({"state": "failed"}, "state: the plan has active, the host failed", "Run", id="state"),
        pytest.param({"enabled": "disabled"}, "enabled: the plan has enabled", "Run", id="not enabled"),
        pytest.param({"restart": "no"}, "restart: the plan has always, the host no", "Run", id="restart"),
        pytest.param({"memory_max_bytes": None}, "memory_bytes: the plan has", "Run", id="no limit"),
        pytest.param({"drop_ins": ("/etc/x.conf",)}, "/etc/x.conf is a drop-in that", "Remove /etc/x", id="drop-in"),
        pytest.param({"restart": "no", "stale": True}, "restart", "Let systemd read its files anew", id="stale"),
    ],
)
def test_a_unit_that_differs(changes: dict[str, Any], words: str, remedy: str, hosts: Hosts) -> None:
    (unit,) = [each.unit for each in hosts.host.instances if each.name == API]
    assert unit
    hosts.change(API, unit=replace(unit, **changes))
    (finding,) = hosts.wrong()
    assert finding.rule == drift.UNIT
    assert words in finding.message
    assert finding.remedy.startswith(remedy)


def test_what_is_not_there_and_what_nobody_planned(hosts: Hosts) -> None:
    api, worker = hosts.host.instances
    hosts.host = replace(hosts.host, instances=(api, replace(worker, name="x.service", unit=seen.Unit("x.service"))))
    missing, strange = hosts.wrong()
    assert (missing.subject, missing.message) == (WORKER, "it is planned, and is not there")
    assert (strange.subject, strange.severity) == ("x.service", WARNING)


def test_of_a_process_that_is_down_settings_and_port_are_not_known(hosts: Hosts) -> None:
    hosts.change(API, running=False, listeners=())
    assert [(each.rule, each.status) for each in hosts.wrong()] == [
        (drift.SETTING, UNKNOWN),
        (drift.LISTENER, UNKNOWN),
    ]


@pytest.mark.parametrize(
    ("maxclients", "status", "words"),
    [
        pytest.param(64, FAIL, "it takes 64", id="fewer"),
        pytest.param(None, UNKNOWN, "could not be asked", id="not known"),
    ],
)
def test_redis_that_differs(maxclients: int | None, status: str, words: str, hosts: Hosts) -> None:
    hosts.host = replace(hosts.host, redis={"r": replace(hosts.host.redis["r"], maxclients=maxclients)})
    (finding,) = hosts.wrong()
    assert (finding.rule, finding.status, finding.subject) == (drift.REDIS, status, "cubejs-redis@acme.service")
    assert words in finding.message


@pytest.mark.parametrize("maxclients", [None, 64])
def test_a_redis_that_tenants_share_is_compared_once(
    maxclients: int | None, make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    tenant = make_tenant(redis={"shared": True})
    hosts = Hosts(make_plan([tenant]), tenant)
    if maxclients is not None:
        hosts.host = replace(hosts.host, redis={"r": replace(hosts.host.redis["r"], maxclients=maxclients)})
    found = drift.drift(hosts.fleet(), hosts.compared)
    told = [(each.tenant, each.subject, each.status) for each in found if each.rule == drift.REDIS]
    assert told == [("", "cubejs-redis@shared-by-tenants.service", FAIL if maxclients else PASS)]


def test_of_a_replicated_redis_clients_see_the_primary_only(
    make_plan: Callable[..., Plan], make_tenant: Callable[..., dict[str, Any]]
) -> None:
    tenant = make_tenant(redis={"sentinel": True, "host": "one"})
    groups = {name: ["one"] for name in GROUPS} | {"cubejs_redis": ["one", "two"]}
    hosts = Hosts(make_plan([tenant], groups=groups), tenant)
    found = drift.drift(hosts.fleet(), hosts.compared)
    assert [each.host for each in found if each.rule == drift.REDIS] == ["one"]


@pytest.mark.parametrize(
    ("changes", "subject", "status"),
    [
        pytest.param({"schemas": ("mysql",)}, "cube_acme", FAIL, id="no schema"),
        pytest.param({"variables": {"max_connections": "7"}}, "max_connections", FAIL, id="fewer connections"),
        pytest.param({"variables": {"max_connections": "9" * 5000}}, "max_connections", UNKNOWN, id="no number"),
        pytest.param({"variables": {}}, "max_connections", UNKNOWN, id="not known"),
    ],
)
def test_mysql_that_differs(changes: dict[str, Any], subject: str, status: str, hosts: Hosts) -> None:
    hosts.host = replace(hosts.host, mysql={"m": replace(hosts.host.mysql["m"], **changes)})
    (finding,) = hosts.wrong()
    assert (finding.rule, finding.status, finding.subject) == (drift.STORAGE, status, subject)
