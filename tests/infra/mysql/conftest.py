"""What the tests of the mysql scenario share."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import testinfra

HOSTS = ("bookworm", "bullseye", "trixie", "shared")
ACME = ("cube_acme", "plantedAcme8fQ2xR7mLpTz")
GLOBEX = ("cube_globex", "plantedGlobex5hVb9KdWn3Yc")


@dataclass(frozen=True)
class Mysql:
    """A host's server, as clients and its administrator see it."""

    host: testinfra.host.Host
    address: str

    def root(self, sql: str) -> str:
        """Run SQL as root over the socket and return what it prints."""
        done = self.host.run("mariadb --batch --skip-column-names --execute %s", sql)
        assert done.rc == 0, done.stderr
        return done.stdout.strip()

    def client(self, login: tuple[str, str], sql: str, address: str | None = None, database: str = "") -> str:
        """Run SQL over TCP as a client and return what it prints, errors included."""
        done = self.host.run(
            "MYSQL_PWD=%s mariadb --no-defaults --host=%s --user=%s --batch --skip-column-names --execute %s %s 2>&1",
            login[1],
            address or self.address,
            login[0],
            sql,
            database,
        )
        return done.stdout.strip()

    def variable(self, name: str) -> str:
        """Return a global variable."""
        return self.root(f"SELECT @@GLOBAL.{name}")

    @property
    def pid(self) -> int:
        """Return the server's process."""
        return int(self.host.check_output("systemctl show --property=MainPID --value mariadb"))

    @property
    def config(self) -> str:
        """Return the configuration that the role wrote."""
        return self.host.file("/etc/mysql/mariadb.conf.d/60-cubejs.cnf").content_string


def mysql_on(lab, name: str) -> Mysql:
    """Return the server of a host."""
    host = lab.host(name)
    return Mysql(host, host.check_output("hostname -I").split()[0])


@pytest.fixture(params=HOSTS)
def mysql(request: pytest.FixtureRequest, lab) -> Mysql:
    """Return the server of every host in turn."""
    return mysql_on(lab, request.param)


@pytest.fixture
def bookworm(lab) -> Mysql:
    """Return the server of one host, for tests that change it."""
    return mysql_on(lab, "bookworm")


@pytest.fixture
def mended(lab):
    """Bring the host back to what its inventory says after a test that changes it."""
    yield
    run = lab.converge("--limit", "bookworm")
    assert run.status == 0, run.output
