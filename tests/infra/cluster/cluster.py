"""The cluster's hosts as their administrators see them, its tenants as their clients do, and faults of whole hosts."""

from __future__ import annotations

import itertools
import json
import math
import os
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils import names, secrets
from cube import Cube, CubeError, sign

ROOT = Path(__file__).resolve().parents[3]
DATA = ("cube1", "cube2")
HOSTS = (*DATA, "cube3")
SPARE = "cube4"
NUMBERS = {"acme": 1, "bazaar": 2}
TENANTS = tuple(NUMBERS)
LIMIT_SECONDS = 60.0
CLIENTS = 3


@dataclass(frozen=True)
class Cluster:
    """The hosts of the scenario, as their administrator sees them."""

    lab: Any
    addresses: dict[str, str]
    master: str

    def secret(self, tenant: str, purpose: str) -> str:
        """Return a secret as the deployment derives it."""
        return secrets.derive(self.master, purpose, tenant, 0)

    def cube(self, tenant: str, host: str) -> tuple[Cube, str]:
        """Return a tenant's API behind the Nginx of a host, and a token for it."""
        ca = self.lab.folder / "ca" / "ca.crt"
        token = sign(self.secret(tenant, secrets.FOR_API), 3600)
        return Cube(f"cube.{tenant}.example", self.addresses[host], ca), token

    def redis(self, host: str, tenant: str, *words: str) -> str:
        """Return what a tenant's Redis on a host replies; a reason when it does not."""
        socket = f"/run/cubejs-redis/{tenant}/redis.sock"
        login = f"REDISCLI_AUTH={self.secret(tenant, secrets.FOR_REDIS)} "
        done = self.lab.host(host).run(login + shlex.join(["redis-cli", "-s", socket, *words]))
        return str(done.stdout or done.stderr).strip()

    def replication(self, host: str, tenant: str) -> dict[str, str]:
        """Return what INFO says of it, role first of all."""
        lines = self.redis(host, tenant, "INFO", "replication").splitlines()
        return dict(line.strip().split(":", 1) for line in lines if ":" in line)

    def sentinel(self, host: str, *words: str) -> str:
        """Return what the Sentinel of a host replies."""
        command = ["redis-cli", "-p", str(names.SENTINEL_PORT), "SENTINEL", *words]
        return str(self.lab.host(host).check_output(shlex.join(command))).strip()

    def primary(self, host: str, tenant: str) -> str:
        """Return the host that the Sentinel of a host takes for a tenant's primary."""
        address = self.sentinel(host, "get-master-addr-by-name", tenant).splitlines()[0]
        return {where: name for name, where in self.addresses.items()}[address]

    def processes(self) -> dict[str, str]:
        """Return process ids of all that must not be touched: unit on host -> MainPID."""
        found = {}
        for host in HOSTS:
            shown = self.lab.host(host).check_output(
                "systemctl show --property=Id,MainPID 'cubejs-*' mariadb.service nginx.service"
            )
            for block in shown.split("\n\n"):
                fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
                if fields.get("MainPID", "0") != "0":
                    found[f"{host} {fields['Id']}"] = fields["MainPID"]
        return found

    def answers(self, tenant: str, host: str) -> bool:
        """Say whether a tenant's API answers by a host's Nginx, with a query that no cache holds."""
        cube, token = self.cube(tenant, host)
        try:
            return "data" in cube.load(fresh_query(milliseconds()), token, 30)
        except CubeError:
            return False


def milliseconds() -> int:
    """Return the time, so that no number is had twice where fewer than a thousand a second are used."""
    return time.time_ns() // 1_000_000


def fresh_query(number: int) -> dict[str, Any]:
    """Return a query that no cache holds, as long as the number is a new one."""
    condition = {"member": "Orders.count", "operator": "gt", "values": [str(number)]}
    return {"measures": ["Orders.count"], "filters": [condition]}


def awaited(condition: Callable[[], Any], what: str, seconds: float = LIMIT_SECONDS) -> Any:
    """Return what a condition gives once it holds."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)


def is_whole(cluster: Cluster, tenant: str) -> str:
    """Return a tenant's primary when all Sentinels agree on it and its replica follows it; "" otherwise."""
    said = {cluster.primary(host, tenant) for host in HOSTS}
    if len(said) != 1:
        return ""
    [primary] = said
    [replica] = set(DATA) - said
    follows = cluster.replication(replica, tenant)
    leads = cluster.replication(primary, tenant)
    linked = follows.get("role") == "slave" and follows.get("master_link_status") == "up"
    return primary if linked and leads.get("role") == "master" and leads.get("connected_slaves") == "1" else ""


class Load:
    """Several clients that ask a tenant's API, by one Nginx after the other, until they are stopped.

    Every query is a new one to the cache. One client that waits for an answer keeps no other from asking.
    """

    def __init__(self, cluster: Cluster, tenant: str, hosts: Sequence[str]) -> None:
        self._ways = [cluster.cube(tenant, host) for host in hosts]
        self._numbers = itertools.count(milliseconds())
        self._ended = threading.Event()
        self._clients = [threading.Thread(target=self._ask, daemon=True) for _client in range(CLIENTS)]
        self.answers: list[tuple[float, str, float]] = []  # when it was asked, why it failed, seconds

    def _ask(self) -> None:
        while not self._ended.wait(0.1 * CLIENTS):
            number = next(self._numbers)
            cube, token = self._ways[number % len(self._ways)]
            asked, why = time.monotonic(), ""
            try:
                if "data" not in cube.load(fresh_query(number), token, 30):
                    why = "no data"
            except (OSError, RuntimeError) as exc:
                why = str(exc)
            self.answers.append((asked, why, time.monotonic() - asked))

    def start(self) -> None:
        """Begin."""
        for client in self._clients:
            client.start()

    def end(self) -> None:
        """Stop, and wait for the last answers."""
        self._ended.set()
        for client in self._clients:
            client.join(120)

    @property
    def failed(self) -> list[str]:
        """Return why requests failed."""
        return [why for _when, why, _seconds in self.answers if why]

    def succeeds(self, times: int, since: float = 0.0) -> bool:
        """Say whether the last so many requests were answered, all of them sent after a moment."""
        return len([1 for when, why, _took in self.answers[-times:] if not why and when > since]) == times

    def figures(self, since: float, until: float = math.inf) -> dict[str, Any]:
        """Return what is to be told of the requests that were under way or sent between two moments."""
        seen = [(when, why, took) for when, why, took in self.answers if when + took > since and when < until]
        return {
            "requests": len(seen),
            "failed": sum(bool(why) for _when, why, _took in seen),
            "last_failure_after_seconds": round(
                max((when - since for when, why, _took in seen if why), default=0.0), 1
            ),
            "slowest_seconds": round(max((took for _when, _why, took in seen), default=0.0), 1),
            "slower_than_2_seconds": sum(took > 2 for _when, _why, took in seen),
            "reasons": sorted({why[:160] for _when, why, _took in seen if why}),
        }


@contextmanager
def loading(cluster: Cluster, tenant: str, hosts: Sequence[str] = DATA) -> Iterator[Load]:
    """Give a load that runs and that has been answered twenty times."""
    load = Load(cluster, tenant, hosts)
    load.start()
    try:
        awaited(lambda: load.succeeds(20), "the load is answered")
        yield load
    finally:
        load.end()


@dataclass(frozen=True)
class Audited:
    """A run of the audit."""

    status: int
    output: str
    findings: Sequence[Mapping[str, str]]

    def of(self, *statuses: str, grave: bool = False) -> set[tuple[str, str, str]]:
        """Return (rule, tenant, host) of the findings of these statuses; of grave ones, those at error or above."""
        return {
            (each["rule"], each["tenant"], each["host"])
            for each in self.findings
            if each["status"] in statuses and (not grave or _is_grave(each))
        }

    @property
    def grave(self) -> list[str]:
        """Return what is wrong or not known at error or above, a line each: all that a failed test needs to show."""
        return [
            f"{each['status']} {each['rule']} {each['tenant']} {each['host']} {each['subject']}: {each['message']}"
            for each in self.findings
            if each["status"] in ("fail", "unknown") and _is_grave(each)
        ]


def _is_grave(finding: Mapping[str, str]) -> bool:
    return finding["severity"] in ("error", "critical")


def audit(lab: Any, folder: Path, **variables: Any) -> Audited:
    """Run the audit and return what it reports; a host that is not there is waited for as briefly as can be."""
    wanted = {"cubejs_report_formats": ["json"], "cubejs_report_directory": str(folder), **variables}
    direct = {"ANSIBLE_SSH_ARGS": "-o ControlMaster=no -o ControlPath=none -o ConnectTimeout=5", "ANSIBLE_TIMEOUT": "5"}
    run = lab.playbook("cubeops.cubejs.audit", "--extra-vars", json.dumps(wanted), environment=direct)
    written = folder / "cubejs-audit.json"
    assert written.exists(), run.output
    return Audited(run.status, run.output, json.loads(written.read_text())["findings"])


class Machine:
    """A host as its data centre sees it: its cable can be pulled, and its power cut."""

    def __init__(self, host: str) -> None:
        self._name = f"{os.environ['LAB_SCENARIO']}-{host}"
        self._root = [] if os.geteuid() == 0 else ["sudo", "--preserve-env"]

    def stop(self) -> None:
        """Shut it down, as one who asks for a reboot does: its services are stopped first."""
        self._run("podman", "stop", "--time", "60", self._name)

    def boot(self) -> None:
        """Start it again."""
        self._run("podman", "start", self._name)

    def destroy(self) -> None:
        """Lose it with its disk, without a word."""
        self._run("podman", "rm", "--force", "--time", "0", self._name)

    def _run(self, *command: str) -> str:
        done = subprocess.run([*self._root, *command], check=True, text=True, stdout=subprocess.PIPE)
        return done.stdout.strip()

    def _ip(self, *words: str) -> str:
        process = self._run("podman", "inspect", "--format", "{{.State.Pid}}", self._name)
        return self._run("nsenter", "--target", process, "--net", "ip", *words)

    @contextmanager
    def unplugged(self) -> Iterator[None]:
        """Cut the host off, whose processes go on, unreached; afterwards it has the network that it had."""
        way = self._ip("route", "show", "default").split()
        self._ip("link", "set", "eth0", "down")
        try:
            yield
        finally:
            self._ip("link", "set", "eth0", "up")
            self._ip("route", "replace", *way)
