"""Requests per second of Cube itself and of Nginx before it, asked by wrk on the host, over loopback only."""

from __future__ import annotations

import json
import re
import shlex
import statistics
import sys
import time
from urllib.parse import quote

from lab_hosts import ROOT, BenchError, Hosts

sys.path[1:1] = [str(ROOT / ".cache" / "collections"), str(ROOT / "examples" / "quickstart")]

from ansible_collections.cubeops.cubejs.plugins.module_utils import names, secrets  # noqa: E402
from cube import sign  # noqa: E402

CONNECTIONS = 32
SECONDS = 8
SERVER_NAME = "cube.acme.example"
QUERY = {
    "measures": ["Orders.count"],
    "timeDimensions": [{"dimension": "Orders.createdAt", "granularity": "month"}],
    "limit": 50,
}
PATIENCE_SECONDS = 240


class Load:
    """wrk on the host: bounded in connections and time, against 127.0.0.1."""

    def __init__(self, hosts: Hosts) -> None:
        """Install wrk and let the host find the server's name at itself."""
        self.hosts = hosts
        hosts.ssh(
            "cube1",
            "set -e; export DEBIAN_FRONTEND=noninteractive\n"
            "command -v wrk >/dev/null || apt-get install -y -qq --no-install-recommends wrk curl >/dev/null\n"
            f"grep -q {SERVER_NAME} /etc/hosts || echo 127.0.0.1 {SERVER_NAME} >> /etc/hosts\n",
        )
        master = (hosts.state / "variables.yml").read_text().split("bench_secret: ")[1].split()[0]
        self.token = sign(secrets.derive(master, secrets.FOR_API, "acme", 0), 3600)

    def cached_query(self) -> str:
        """Return the path of a query, once Cube answers it from its cache."""
        path = f"/cubejs-api/v1/load?query={quote(json.dumps(QUERY))}"
        url = shlex.quote(f"http://127.0.0.1:{names.api_port(1, 1)}{path}")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self.hosts.ssh("cube1", f"curl -sS -H 'Authorization: {self.token}' {url}")
            if '"data":' in answer:
                return path
            if time.monotonic() > deadline:
                raise BenchError(f"no answer to the query after {PATIENCE_SECONDS} s: {answer[:400]}")
            time.sleep(2)

    def per_second(self, url: str) -> float:
        """Return the requests per second that were answered with 2xx; raise BenchError for any other answer."""
        script = f"wrk -t1 -c{CONNECTIONS} -d{SECONDS}s -H 'Authorization: {self.token}' {shlex.quote(url)}"
        printed = self.hosts.ssh("cube1", script)
        found = re.search(r"Requests/sec:\s+([\d.]+)", printed)
        if not found or "Non-2xx" in printed:
            raise BenchError(f"{url}\n{printed}")
        return float(found[1])

    def pairs(self, path: str, count: int) -> tuple[float, float]:
        """Return the medians of requests per second through Nginx and of one Cube process, measured in turn."""
        urls = (f"https://{SERVER_NAME}{path}", f"http://127.0.0.1:{names.api_port(1, 1)}{path}")
        seen: tuple[list[float], list[float]] = ([], [])
        for number in range(count):
            for which in (0, 1) if number % 2 == 0 else (1, 0):
                seen[which].append(self.per_second(urls[which]))
        return statistics.median(seen[0]), statistics.median(seen[1])
