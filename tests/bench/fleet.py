"""An inventory of many tenants on some hosts, written for a benchmark; suspended tenants stand in for running ones.

A suspended tenant has everything but the processes of Cube.js: its Redis runs, its schema, user, releases, units, proxy
and certificate are kept up to date like those of any other.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab_hosts import ROOT

GROUPS = ("cubejs_redis", "cubejs_mysql", "cubejs_api", "cubejs_refresh_worker", "cubejs_nginx")
HOSTS = ("cube1", "cube2", "cube3", "cube4")


@dataclass(frozen=True)
class Fleet:
    """An inventory in a folder: one file a tenant, as docs/tenants.md has it for many."""

    folder: Path

    @property
    def inventory(self) -> Path:
        """Return the file that says which host runs what."""
        return self.folder / "inventory.yml"

    def write(self, tenants: int, hosts: int = 1) -> None:
        """Write the inventory of so many tenants on so many hosts; each host has one of every product."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        document: dict[str, Any] = {
            "all": {
                "hosts": {host: {} for host in HOSTS},
                "vars": {
                    "cubejs_version": "0.29.57",
                    "lab_capabilities": ["NET_ADMIN"],  # with several hosts there is a firewall
                    "cubejs_master_secret": "{{ bench_secret }}",
                    "cubejs_tenants_dir": "tenants",
                    "nginx_ca_directory": "{{ bench_state }}/ca",
                    "redis_ca_directory": "{{ bench_state }}/ca",
                },
            },
            **{group: {"hosts": {host: {} for host in HOSTS[:hosts]}} for group in GROUPS},
        }
        # JSON is YAML.
        self.inventory.write_text(json.dumps(document, indent=1))
        shutil.rmtree(self.folder / "tenants", ignore_errors=True)
        (self.folder / "tenants").mkdir()
        for number in range(1, tenants + 1):
            (self.folder / "tenants" / f"t{number:03d}.json").write_text(json.dumps(self._tenant(number)))

    @staticmethod
    def _tenant(number: int) -> dict[str, Any]:
        database = {"type": "mysql", "host": "db.example", "name": "shop", "user": "cube"}
        return {
            "number": number,
            "server_name": f"t{number:03d}.example",
            "project": {"path": str(ROOT / "examples" / "shop" / "cube")},
            "suspended": True,
            "database": {**database, "password": "{{ bench_secret }}"},
        }
