#!/usr/bin/env python3
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From nothing to a query over HTTPS: `make quickstart` runs this.

It boots one throw-away host, gives it the example shop's database, deploys playbooks/site.yml from
examples/one-host/inventory.yml, waits for the refresh worker, asks Cube through Nginx, and shows where the answer
came from. It only calls what a user calls too: the inventory, the playbooks, HTTPS. At the end the live stack is
judged by the production checklist. Run again, it changes nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[1:1] = [str(ROOT / "tests" / "lab"), str(ROOT / ".cache" / "collections")]

import lab  # noqa: E402  the checkout's own tools, which are not installed anywhere
import playbook  # noqa: E402
import yaml  # noqa: E402
from ansible_collections.cubeops.cubejs.plugins.module_utils import names  # noqa: E402
from ansible_collections.cubeops.cubejs.plugins.module_utils import secrets as tenant_secrets  # noqa: E402
from cube import Cube, CubeError, Query, sign  # noqa: E402
from report import audited, curl_line, table  # noqa: E402
from storage import Storage, StorageError  # noqa: E402

SCENARIO = "quickstart"
INVENTORY = ROOT / "examples" / "one-host" / "inventory.yml"
# What the shop's two rollups are when they are whole: one table a month for two years, and one more.
EXPECTED_TABLES = 25
PATIENCE_SECONDS = 300
TOKEN_SECONDS = 3600
QUESTION: Query = {
    "measures": ["LineItems.revenue", "LineItems.quantity", "LineItems.averagePrice"],
    "dimensions": ["Products.category"],
    "timeDimensions": [{"dimension": "Orders.createdAt", "dateRange": ["2024-11-01", "2024-12-31"]}],
    "order": {"LineItems.revenue": "desc"},
}


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


@dataclass
class Phases:
    """How long each phase took, in order."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def phase(self, title: str) -> Iterator[None]:
        """Announce a phase and take its time."""
        say(f"\n== {title}")
        started = time.monotonic()
        yield
        self.seconds[title] = time.monotonic() - started

    def report(self) -> str:
        """Return the times as a table."""
        rows = [{"phase": title, "seconds": f"{taken:.1f}"} for title, taken in self.seconds.items()]
        return table([*rows, {"phase": "all", "seconds": f"{sum(self.seconds.values()):.1f}"}])


@dataclass(frozen=True)
class State:
    """What the quick start keeps between runs: secrets, certificate authority, token, the playbooks' output."""

    folder: Path

    @classmethod
    def open(cls) -> State:
        """Return the state under $XDG_STATE_HOME, made for this user alone."""
        base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        folder = Path(base) / "cubeops" / "quickstart"
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        return cls(folder)

    def write(self, name: str, text: str) -> Path:
        """Write a file that only this user may read, from its first byte on."""
        path = self.folder / name
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            stream.write(text)
        return path

    @property
    def variables(self) -> Path:
        """Return the file of variables for the playbooks; its secrets are made once."""
        path = self.folder / "variables.yml"
        if not path.exists():
            authority = str(self.folder / "ca")
            values = {
                "vault_cubejs_master_secret": secrets.token_urlsafe(36),
                "vault_shop_password": secrets.token_urlsafe(24),
                "nginx_ca_directory": authority,
                "redis_ca_directory": authority,
            }
            self.write(path.name, yaml.safe_dump(values))
        return path

    @property
    def master_secret(self) -> str:
        """Return the secret that the deployment's others are derived from."""
        return str(yaml.safe_load(self.variables.read_text())["vault_cubejs_master_secret"])

    @property
    def authority(self) -> Path:
        """Return the certificate that the deployment's own authority signs with."""
        return self.folder / "ca" / "ca.crt"


@dataclass(frozen=True)
class Host:
    """The throw-away host."""

    folder: Path
    name: str
    address: str

    def storage(self, tenant: str) -> Storage:
        """Return a tenant's pre-aggregation storage."""
        return Storage(("ssh", "-F", str(self.folder / "ssh_config"), self.name), names.mysql_schema(tenant))


class QuickStart:
    """The phases, and what they hand on to each other."""

    def __init__(self) -> None:
        """Read the inventory that everything below follows."""
        self.state = State.open()
        self.phases = Phases()
        self.folder = lab.scenario(SCENARIO)
        self.log = self.state.write("ansible.log", "")
        [self.tenant] = yaml.safe_load(INVENTORY.read_text())["all"]["vars"]["cubejs_tenants"]

    def play(self, path: str, **variables: object) -> int:
        """Run a playbook on the host; return how many tasks changed something."""
        inventories = ["--inventory", str(INVENTORY), "--inventory", str(self.folder / "hosts.yml")]
        extra = ["--extra-vars", f"@{self.state.variables}", "--extra-vars", json.dumps(variables)]
        arguments = [*inventories, *extra, str(ROOT / path)]
        return playbook.run(arguments, lab.ansible_environment(SCENARIO), self.log, lambda text: say(f"  {text}"))

    def boot(self) -> int:
        """Boot the host."""
        lab.image("bookworm")
        return self.play("molecule/shared/create.yml")

    def host(self) -> Host:
        """Return the host, where it was booted."""
        [(name, variables)] = yaml.safe_load((self.folder / "hosts.yml").read_text())["all"]["hosts"].items()
        return Host(self.folder, name, variables["ansible_host"])

    def wait_for_rollups(self, storage: Storage) -> dict[str, int]:
        """Return the storage's tables and their rows, once all are there and have stopped growing."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        before: dict[str, int] = {}
        while True:
            rows = storage.rows()
            if len(rows) >= EXPECTED_TABLES and rows == before:
                return rows
            if rows != before or not rows:
                say(f"  {len(rows):2} of {EXPECTED_TABLES} tables, {sum(rows.values()):6} rows in {storage.schema}")
            if time.monotonic() > deadline:
                raise CubeError(
                    f"after {PATIENCE_SECONDS} s the refresh worker has built {len(rows)} of {EXPECTED_TABLES} tables. "
                    f"Read its log: {shlex.join([*storage.shell, 'journalctl', '-n', '50', '-u', self.worker_unit])}"
                )
            before = rows
            time.sleep(2)

    @property
    def worker_unit(self) -> str:
        """Return the refresh worker's systemd unit."""
        return names.refresh_worker_unit(names.refresh_worker_instance(self.tenant["name"]))

    def token(self) -> str:
        """Return a token for the tenant's API, and keep it for the curl line."""
        secret = tenant_secrets.derive(self.state.master_secret, tenant_secrets.FOR_API, self.tenant["name"], 0)
        token = sign(secret, TOKEN_SECONDS)
        self.state.write("authorization", f"Authorization: {token}\n")
        return token

    def ask(self, cube: Cube, storage: Storage) -> None:
        """Send the query; print its answer and the proof of where it came from."""
        # A limit that was not asked for before: no cache can answer, so MySQL has to.
        question = {**QUESTION, "limit": 100 + secrets.randbelow(9900)}
        with storage.listening() as statements:
            answer = cube.load(question, self.token())
        read = statements.reading(storage.schema)
        say(table(answer["data"]))
        if not (answer.get("external") and read):
            raise CubeError(
                f"the answer did not come from the pre-aggregations: external is {answer.get('external')!r}, "
                f"tables read from {storage.schema}: {read or 'none'}"
            )
        say(f"Served from external pre-aggregations (external: true, last refreshed {answer['lastRefreshTime']}).")
        say("MySQL's own log of the statements it ran meanwhile reads from:")
        for name in read:
            say(f"  {storage.schema}.{name}")

    def audit(self) -> None:
        """Judge the live stack by the production checklist; print the verdict, and where the page lies."""
        reports = {"cubejs_report_formats": ["json", "html"], "cubejs_report_directory": str(self.state.folder)}
        written = self.state.folder / "cubejs-audit.json"
        written.unlink(missing_ok=True)
        try:
            self.play("playbooks/audit.yml", **reports)
        finally:
            if written.exists():
                say(audited(json.loads(written.read_text())))
                say(f"All of it, as a page: {written.with_suffix('.html')}")

    def run(self) -> None:
        """Run all phases."""
        with self.phases.phase("Boot a host"):
            changed = self.boot()
        with self.phases.phase("Fill the shop's database, which stands for yours"):
            changed += self.play("examples/shop/source.yml")
        with self.phases.phase("Deploy Redis, MySQL, Cube.js and Nginx"):
            changed += self.play("playbooks/site.yml")
        host = self.host()
        storage = host.storage(self.tenant["name"])
        with self.phases.phase("Wait until the refresh worker has built the pre-aggregations"):
            self.wait_for_rollups(storage)
        cube = Cube(self.tenant["server_name"], host.address, self.state.authority)
        with self.phases.phase("Ask: revenue of November and December 2024"):
            self.ask(cube, storage)
        with self.phases.phase("Audit: every item of the production checklist"):
            self.audit()
        self.report(cube, changed)

    def report(self, cube: Cube, changed: int) -> None:
        """Print what there is now and how to use it."""
        say(f"\n{self.phases.report()}")
        say("Nothing was changed: all of it stood already." if not changed else f"{changed} tasks changed something.")
        say(f"\nURL: {cube.url} at {cube.address}")
        say(f"Try it yourself (the token in that file is valid for {TOKEN_SECONDS // 60} minutes):\n")
        say(curl_line(cube, self.state.folder / "authorization", QUESTION))
        say(f"\nThe host: ssh -F {self.folder / 'ssh_config'} {self.host().name}   Remove everything: make clean")


def main() -> int:
    """Run the quick start; say in one place what went wrong."""
    try:
        QuickStart().run()
    except (playbook.PlaybookError, CubeError, StorageError) as exc:
        say(f"\nquickstart: {exc}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
