"""Fleets of any size that nobody runs, planned and as they would be seen: for measuring what judges them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils import environment, plan, secrets
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.fleet import Instance
from ansible_collections.cubeops.cubejs.plugins.module_utils.inventory import Inventory
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import (
    Answer,
    HttpSeen,
    Journal,
    MysqlSeen,
    Queue,
    RedisSeen,
    Tables,
    Unknown,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings_table import TABLE

ROOT = Path(__file__).resolve().parents[2]
MASTER = "kD93hfLw02mXoQz71RbVtYc5NgUe8sAi"
KEY = b"the key of this run"
NOW = 1_800_000_000.0
MEMORY = 64 << 30
# A tenant has so many instances, on two hosts, one of them with its refresh worker; and hosts come in pairs.
OF_TENANT = 20
ON_HOST = 50
SECRET = frozenset(row.target for row in TABLE if row.secret)
# Every so many instances one is wrong in each of these ways.
WRONG = 7


@dataclass(frozen=True)
class Generated:
    """A plan, and what hosts would return."""

    planned: plan.Plan
    observations: Mapping[str, seen.Observation]

    @property
    def instances(self) -> int:
        """Return how many instances were seen."""
        return sum(len(each.instances) for each in self.observations.values())


def generate(instances: int) -> Generated:
    """Return a fleet of about so many instances; about one in seven has something wrong with it."""
    tenants = max(1, instances // OF_TENANT)
    pairs = max(1, instances // ON_HOST // 2)
    hosts = [f"cube{number}" for number in range(1, pairs * 2 + 1)]
    definitions = [_definition(number, hosts, min(instances, OF_TENANT)) for number in range(tenants)]
    shared = {"cubejs_master_secret": MASTER, "inventory_dir": "/", "cubejs_host_memory_bytes": MEMORY}
    addresses = {host: f"10.0.{number // 250}.{number % 250 + 1}" for number, host in enumerate(hosts)}
    groups = ("cubejs_redis", "cubejs_mysql", "cubejs_api", "cubejs_refresh_worker", "cubejs_nginx")
    variables = {
        host: {**shared, "cubejs_tenants": definitions, "ansible_host": address} for host, address in addresses.items()
    }
    spec = yaml.safe_load((ROOT / "roles/cubejs/meta/argument_specs.yml").read_text())["argument_specs"]["main"]
    planned = plan.build(
        Inventory(dict.fromkeys(groups, hosts), variables),
        {"cubejs": spec["options"]},
        fingerprint_key=KEY,
        ca_directory="/ca",
        exists=lambda _path: True,
    )
    host_of = {host: _Host(host, address, planned, definitions) for host, address in addresses.items()}
    return Generated(planned, {host: each.observation() for host, each in host_of.items()})


def _definition(number: int, hosts: list[str], instances: int) -> dict[str, Any]:
    pair = number % (len(hosts) // 2) * 2
    name = "t" + "".join(chr(ord("a") + int(digit)) for digit in f"{number:03}")
    return {
        "name": name,
        "number": number + 1,
        "server_name": f"{name}.example",
        "project": {"path": "/p"},
        "hosts": hosts[pair : pair + 2],
        "api_instances": max(1, instances // 2),
        "database": {"type": "mysql", "host": "db.example", "name": name, "user": name, "password": f"{name}{MASTER}"},
    }


class _Host:
    """One host as its own plan says, now and then with something wrong."""

    def __init__(self, name: str, address: str, planned: plan.Plan, definitions: list[dict[str, Any]]) -> None:
        self._name = name
        self._address = address
        self._planned = planned
        self._vault = secrets.Vault.of(definitions, MASTER)
        self._deployments = {
            each["tenant"]: self._vault.reveal({**each, "instances": []}) | {"instances": each["instances"]}
            for each in planned.data["hosts"][name]["cubejs"]["cubejs_deployments"]
        }

    def observation(self) -> seen.Observation:
        """Return what would be seen of it."""
        fleet = self._planned.fleet
        here = fleet.instances_on(self._name)
        tenants = [tenant for tenant in fleet.tenants if any(each.tenant == tenant.name for each in here)]
        return seen.Observation(
            seen.FORMAT,
            self._name,
            f"machine-{self._name}",
            NOW,
            privileged=True,
            addresses=(self._address,),
            memory_bytes=MEMORY,
            instances=tuple(self._instance(each, number) for number, each in enumerate(here)),
            redis={tenant.name: self._redis(tenant.name) for tenant in tenants},
            mysql={tenant.name: self._mysql(tenant.name) for tenant in tenants},
        )

    def _instance(self, planned: Instance, number: int) -> seen.Instance:
        deployment = self._deployments[planned.tenant]
        (instance,) = [each for each in deployment["instances"] if each["name"] == planned.name]
        texts = environment.of_instance(deployment, instance)
        wrong = number % WRONG == 0
        if wrong:
            texts = {**texts, "CUBEJS_REDIS_POOL_MAX": "5", "CUBEJS_LOG_LEVEL": "verbose"}
        settings = {
            name: seen.Setting(
                self._value(name, text), seen.ENVIRONMENT_FILE, f"/opt/{planned.tenant}/{planned.name}.env"
            )
            for name, text in texts.items()
        }
        unknown = (
            (Unknown("dotenv", "Permission denied", "Run the task with become: true"),) if number % 29 == 0 else ()
        )
        return seen.Instance(
            name=planned.unit,
            running=True,
            found_by=(seen.BY_UNIT, seen.BY_PROCESS),
            manager=seen.SYSTEMD,
            process=seen.Process(
                1000 + number, 1, f"cube-{planned.tenant}", 900, ("node", "server"), "server", f"/opt/{planned.tenant}",
                "/usr/bin/node", NOW - 9999, "20.1.0", 65536, 65536, 40, 110 << 20, False, True, True,
            ),
            unit=seen.Unit(
                planned.unit, state="active", sub_state="running", enabled="enabled", restart="always",
                user=f"cube-{planned.tenant}", restart_seconds=5.0, start_limit_interval_seconds=0.0,
                start_limit_burst=5, restarts=1 if wrong else 0, timeout_stop_seconds=25.0,
                drop_ins=(f"/etc/systemd/system/{planned.unit}.d/instance.conf",),
            ),
            packages=seen.Packages(
                "/opt/runtime/node_modules", "0.29.57",
                {"@cubejs-backend/server": "0.29.57", "@cubejs-backend/mysql-driver": "0.29.33"},
                "^14 || >=16", "", ("package-lock.json",),
            ),
            project=seen.Project(f"/opt/{planned.tenant}", "cube.js", (), "schema", planned.tenant, 5, 2, 2, 2),
            settings=settings,
            listeners=(seen.Listener("unix", path=planned.socket or "", mode="0770", owner="root", group="www-data"),),
            redis=planned.tenant,
            storage=planned.tenant,
            prefix="STANDALONE",
            http=HttpSeen(planned.socket or "", "production", _ANSWERS, same_process=True, settled_seconds=3.0),
            journal=Journal(24.0, {"redis_error": 3} if wrong else {}),
            unknown=unknown,
        )  # fmt: skip

    def _value(self, name: str, text: str) -> seen.Value:
        return seen.Value(None, secrets.fingerprint(KEY, text)) if name in SECRET else seen.Value(text)

    def _redis(self, tenant: str) -> RedisSeen:
        (server,) = [each for each in self._planned.fleet.redis_servers if each.tenant == tenant]
        return RedisSeen(
            f"{server.host}:{server.port}/0", "node_redis", server.host, server.port, 0, tls=False, password_set=True,
            reachable=True, run_id=f"run-{tenant}", product="redis", version="7.0.15", role="master",
            cluster_enabled=False, stranger_refused=True, databases=16, maxclients=server.maxclients,
            connected_clients=40, blocked_clients=0, rejected_connections=0, used_memory_bytes=9 << 20,
            maxmemory_bytes=256 << 20, maxmemory_policy="noeviction", evicted_keys=0, db_keys=100,
            keys_command="usable", prefixes=("STANDALONE",), queues=(Queue("query", 0),), scanned_whole=True,
        )  # fmt: skip

    def _mysql(self, tenant: str) -> MysqlSeen:
        (planned,) = [each for each in self._planned.fleet.tenants if each.name == tenant]
        assert planned.storage is not None
        schema = planned.storage.schema
        return MysqlSeen(
            f"{planned.storage.server}:3306", "127.0.0.1", 3306, planned.storage.user, schema, reachable=True,
            identity=f"mysql-{planned.storage.server}", version="10.11.6-MariaDB", plugin="mysql_native_password",
            grants=(f"GRANT SELECT, INSERT, CREATE, DROP, INDEX ON `{schema}`.* TO `{schema}`@`localhost`",),
            variables={"max_connections": "500", "sql_mode": "STRICT_TRANS_TABLES", "max_allowed_packet": "67108864"},
            schemas=(schema,), tables={schema: Tables(schema, 12, 12, newest_at=NOW - 60, oldest_at=NOW - 9999)},
        )  # fmt: skip


_ANSWERS = {
    "root": Answer(200, "<h1>Cube.js server is running in production mode.</h1>"),
    "livez": Answer(200),
    "readyz": Answer(200),
    "websocket": Answer(404),
    "meta_signed_token": Answer(200),
    **{name: Answer(404) for name in ("playground_context", "playground_files")},
    **{name: Answer(403) for name in ("meta_without_token", "meta_bad_token", "meta_unsigned_token")},
}
