"""The tenant `acme` on its host, looked at and asked."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import testinfra
from ansible_collections.cubeops.cubejs.plugins.module_utils.health import token

HOST = "cube1"
WORKER, FIRST, SECOND = (
    "cubejs-refresh-worker@acme.service",
    "cubejs-api@acme-1.service",
    "cubejs-api@acme-2.service",
)
UNITS = (WORKER, FIRST, SECOND)
TENANT = "/opt/cubejs/tenants/acme"
API_SECRET = "plantedApi9Lm4TbQx7ZkWd2HsVn6RcGj8Fy"
ON_HOST = Path(__file__).parent / "on_host"


@dataclass
class Tenant:
    """The tenant `acme` on its host."""

    host: testinfra.host.Host
    ssh_config: Path

    def show(self, unit: str, name: str) -> str:
        """Return a property of a unit."""
        return self.host.check_output("systemctl show --property=%s --value %s", name, unit)

    def pid(self, unit: str) -> int:
        """Return a unit's process, 0 when there is none."""
        return int(self.show(unit, "MainPID"))

    def pids(self) -> dict[str, int]:
        """Return unit -> process."""
        return {unit: self.pid(unit) for unit in UNITS}

    def environ(self, unit: str) -> dict[str, str]:
        """Return what a unit's process was started with."""
        text = self.host.check_output("tr '\\0' '\\n' < /proc/%s/environ", str(self.pid(unit)))
        return dict(line.split("=", 1) for line in text.splitlines())

    def script(self, name: str, *arguments: str, check: bool = True) -> str:
        """Run a script of on_host/ there and return what it prints."""
        return self.start_script(name, *arguments, check=check)()

    def start_script(self, name: str, *arguments: str, check: bool = True) -> Callable[[], str]:
        """Start a script of on_host/; the function returned waits for it and returns what it printed."""
        command = ["ssh", "-F", str(self.ssh_config), HOST, shlex.join(["python3", "-", *arguments])]
        with (ON_HOST / name).open() as source:
            process = subprocess.Popen(
                command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )

        def wait() -> str:
            output, _unused = process.communicate()
            assert process.returncode == 0 or not check, output
            return output

        return wait

    def ask(self, instance: str, path: str, bearer: str | None = None) -> tuple[int, str]:
        """Return status and body of an instance's answer; (0, reason) when it does not answer."""
        arguments = [f"/run/cubejs/{instance}/cube.sock", path, *([bearer] if bearer else [])]
        output = self.script("ask.py", *arguments, check=False)
        status, _unused, body = output.partition("\n")
        return (int(status), body) if status.isdigit() else (0, output)

    def load(self, instance: str, question: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        """Send a query; the function returned waits for its answer."""
        path = f"/cubejs-api/v1/load?query={json.dumps(question, separators=(',', ':'))}"
        socket = f"/run/cubejs/{instance}/cube.sock"
        wait = self.start_script("ask.py", socket, path, token(API_SECRET, {}))

        def answer() -> dict[str, Any]:
            status, _unused, body = wait().partition("\n")
            found = {"status": int(status), **json.loads(body)}
            # Cube's way of saying that it needs more than five seconds.
            return self.load(instance, question)() if found.get("error") == "Continue wait" else found

        return answer

    def is_ready(self, instance: str) -> bool:
        """Return whether an instance says that it is ready."""
        return self.ask(instance, "/readyz")[0] == 200

    def all_ready(self) -> bool:
        """Return whether all three instances say so."""
        return all(self.is_ready(instance) for instance in ("acme", "acme-1", "acme-2"))

    def current(self) -> str:
        """Return the release that runs."""
        return self.host.check_output("readlink %s/current", TENANT).rpartition("/")[2]

    def releases(self) -> list[str]:
        """Return the releases on disk."""
        return self.host.check_output("ls %s/releases", TENANT).split()

    def state(self) -> str:
        """Return everything that a run leaves below the tenant's directory and for systemd, but times."""
        return self.host.check_output(
            "find /opt/cubejs/tenants /etc/systemd/system /etc/sysusers.d -printf '%p %m %u %g %l\\n' | sort; "
            "cat /etc/systemd/system/cubejs* /etc/systemd/system/cubejs*.d/*; ls -A /opt/cubejs/.staging"
        )


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)
