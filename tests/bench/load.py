"""Requests to the deployed stack: one that proves it works, and as many as it takes per second.

Requests per second are asked by wrk on the host, over loopback only, of Cube itself and of Nginx before it.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
import time
from pathlib import Path
from urllib.parse import quote

from lab_hosts import ROOT, BenchError, Hosts

sys.path[1:1] = [str(ROOT / ".cache" / "collections"), str(ROOT / "examples" / "quickstart")]

from ansible_collections.cubeops.cubejs.plugins.module_utils import names  # noqa: E402  run as a script
from cube import Cube, CubeError, sign  # noqa: E402  as above

CONNECTIONS = 32
SECONDS = 8
SERVER_NAME = "cube.acme.example"
QUERY = {
    "measures": ["Orders.count"],
    "timeDimensions": [{"dimension": "Orders.createdAt", "granularity": "month"}],
    "limit": 50,
}
PATIENCE_SECONDS = 240
# What the shop's two rollups are when they are whole: one table a month for two years, and one more.
EXPECTED_TABLES = 25
TOKEN_SECONDS = 7200


def prove(hosts: Hosts, authority: Path, secret: str) -> None:
    """Ask the stack through Nginx, certificate verified, until it answers with rows; raise BenchError otherwise."""
    cube = Cube(SERVER_NAME, hosts.address("cube1"), authority)
    try:
        answer = cube.load(QUERY, sign(secret, TOKEN_SECONDS), PATIENCE_SECONDS)
    except CubeError as exc:
        raise BenchError(f"the deployed stack: {exc}") from exc
    if not answer.get("data"):
        raise BenchError(f"the deployed stack answers without rows: {str(answer)[:400]}")


class Load:
    """wrk on the host: bounded in connections and time, against 127.0.0.1."""

    def __init__(self, hosts: Hosts) -> None:
        """Install wrk and let the host find the server's name at itself."""
        self.hosts = hosts
        hosts.ssh(
            "cube1",
            "set -e; export DEBIAN_FRONTEND=noninteractive\n"
            "command -v wrk >/dev/null || { apt-get update -qq; "
            "apt-get install -y -qq --no-install-recommends wrk curl >/dev/null; }\n"
            f"grep -q {SERVER_NAME} /etc/hosts || echo 127.0.0.1 {SERVER_NAME} >> /etc/hosts\n",
        )
        self._settle()
        self.token = sign(hosts.api_secret, TOKEN_SECONDS)

    def _settle(self) -> None:
        """Wait until the refresh worker has built everything: it would take from the cores that are measured."""
        schema = names.mysql_schema("acme")
        script = f"mariadb -N -e \"SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{schema}'\""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while int(self.hosts.ssh("cube1", script)) < EXPECTED_TABLES:
            if time.monotonic() > deadline:
                raise BenchError(f"the refresh worker has not built all tables in {PATIENCE_SECONDS} s")
            time.sleep(2)

    def itself(self, path: str, instance: int = 1) -> str:
        """Return the URL of a path at an API instance, past Nginx."""
        return f"http://127.0.0.1:{names.api_port(1, instance)}{path}"

    def through_nginx(self, path: str) -> str:
        """Return the URL of a path behind Nginx, with the port: wrk asks /etc/services for it, which may be missing."""
        return f"https://{SERVER_NAME}:443{path}"

    def cached_query(self, instances: int) -> str:
        """Return the path of a query, once each API instance answers it from its cache."""
        path = f"/cubejs-api/v1/load?query={quote(json.dumps(QUERY))}"
        for instance in range(1, instances + 1):
            self._warm(shlex.quote(self.itself(path, instance)))
        return path

    def _warm(self, url: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self.hosts.ssh("cube1", f"curl -sS -H 'Authorization: {self.token}' {url}")
            if '"data":' in answer:
                return
            if time.monotonic() > deadline:
                raise BenchError(f"no answer to the query after {PATIENCE_SECONDS} s: {answer[:400]}")
            time.sleep(2)

    def per_second(self, url: str) -> float:
        """Return the requests per second that were answered with 2xx; raise BenchError for any other."""
        wrk = f"wrk -t1 -c{CONNECTIONS} -d{SECONDS}s --timeout {SECONDS}s"
        script = f"{wrk} -H 'Authorization: {self.token}' {shlex.quote(url)}"
        printed = self.hosts.ssh("cube1", script)
        found = re.search(r"Requests/sec:\s+([\d.]+)", printed)
        if not found or "Non-2xx" in printed or "Socket errors" in printed:
            raise BenchError(f"{url}\n{printed}")
        return float(found[1])
