"""What a fault is: how it is made on a running stack, how it is mended, and what the audit must find."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

# A rule, and the tenant that its finding is of, or the host where that is whom it concerns.
Found = tuple[str, str]


class Unit(NamedTuple):
    """An instance of the scenario: its host, its unit, its tenant, and where it listens ("" for nowhere)."""

    host: str
    name: str
    tenant: str
    listens: str


ACME_FRONT = Unit("front", "cubejs-api@acme-1", "acme", "/run/cubejs/acme-1/cube.sock")
ACME_BACK = Unit("back", "cubejs-api@acme-1", "acme", "10010")
ACME_WORKER = Unit("front", "cubejs-refresh-worker@acme", "acme", "/run/cubejs/acme/cube.sock")
GLOBEX_API = Unit("front", "cubejs-api@globex-1", "globex", "/run/cubejs/globex-1/cube.sock")
GLOBEX_WORKER = Unit("front", "cubejs-refresh-worker@globex", "globex", "/run/cubejs/globex/cube.sock")


@dataclass(frozen=True)
class Fault:
    """One thing that is broken.

    what: in words, for people. finds: rules that must fail, of `tenant` (or of the host, where that is whom they
    concern). also: what must fail of others. unknown: what cannot be known any more.
    breaks, mends: commands on the host; `restarts` are started again after both. then: a command after the one, and
    clears: after the other. passes: it is mended before anybody looks, and seen by what it left behind; it starts what
    it breaks itself.
    """

    what: str
    finds: tuple[str, ...]
    tenant: str
    host: str
    breaks: str
    mends: str
    also: tuple[Found, ...] = ()
    unknown: tuple[Found, ...] = ()
    restarts: tuple[Unit, ...] = ()
    then: str = ""
    passes: bool = False
    clears: str = ""

    @property
    def found(self) -> set[Found]:
        """Return what must be found to fail."""
        return {*((rule, self.tenant) for rule in self.finds), *self.also}

    @property
    def tenants(self) -> set[str]:
        """Return whom it concerns."""
        return {self.tenant, *(whom for _rule, whom in self.also)}


def by_settings(
    what: str,
    unit: Unit,
    finds: tuple[str, ...],
    settings: Mapping[str, str] | None = None,
    *,
    unset: tuple[str, ...] = (),
    service: tuple[str, ...] = (),
    restarts: bool = True,
    also: tuple[Found, ...] = (),
) -> Fault:
    """Return a fault that a drop-in makes: settings over the instance's own, variables unset, lines of [Service].

    @front@ and @db@ in a value are the addresses of those hosts. Without a restart systemd reads the drop-in only.
    """
    name = re.sub(r"[^a-z0-9]+", "-", what.lower())[:60]
    folder, file = f"/run/systemd/system/{unit.name}.service.d", f"/run/faults/{unit.name}.{name}.env"
    lines = ["[Service]", f"EnvironmentFile={file}", *(f"UnsetEnvironment={name}" for name in unset), *service]
    values = [f"{name}={value}" for name, value in (settings or {}).items()]
    breaks = [
        f"mkdir -p {folder} /run/faults",
        f"printf '%s\\n' {shlex.join(values or ['#'])} >{file}",
        *(f'sed -i "s/@{host}@/{address_of(host)}/" {file}' for host in ("front", "db")),
        f"chmod 0600 {file}",
        f"printf '%s\\n' {shlex.join(lines)} >{folder}/zz-{name}.conf",
        "systemctl daemon-reload",
    ]
    mends = [f"rm {folder}/zz-{name}.conf {file}", "systemctl daemon-reload"]
    return Fault(
        what, finds, unit.tenant, unit.host, all_of(*breaks), all_of(*mends),
        also=also, restarts=(unit,) if restarts else (),
    )  # fmt: skip


def all_of(*commands: str) -> str:
    """Return commands as one, which ends at the first that fails."""
    return " && ".join(commands)


def address_of(host: str) -> str:
    """Return a word of the shell that is a host's address."""
    return f"$(getent hosts {host} | awk '{{ print $1; exit }}')"


def started(units: Iterable[Unit]) -> str:
    """Return a command that starts units again, and ends once they listen."""
    wanted = list(dict.fromkeys(units))
    return all_of(f"systemctl restart {shlex.join(unit.name for unit in wanted)}", *map(listening, wanted))


def listening(unit: Unit) -> str:
    """Return a command that ends once a unit listens."""
    is_there = f"ss -Hltn sport = :{unit.listens} | grep -q ." if unit.listens.isdigit() else f"test -S {unit.listens}"
    return until(is_there)


def restarted(unit: Unit) -> str:
    """Return a command that ends once systemd has started a unit again by itself."""
    return until(f"test $(systemctl show -p NRestarts --value {unit.name}) -gt 0")


def until(condition: str, seconds: int = 90) -> str:
    """Return a command that ends once another succeeds, or fails when the time is over."""
    return f"timeout {seconds} sh -c {shlex.quote(f'until {condition}; do sleep 0.2; done')}"


# Of a host; what processes logged before is gone. Entries go by their age in whole seconds, hence the second between.
CLEAR_JOURNAL = "journalctl --quiet --rotate && sleep 1 && journalctl --quiet --vacuum-time=1s"


def asked(unit: Unit, path: str) -> str:
    """Return a command that asks an instance with a token of its own; whatever it answers is well."""
    port = unit.listens.isdigit()
    family, place = ("AF_INET", ("127.0.0.1", int(unit.listens))) if port else ("AF_UNIX", unit.listens)
    code = f"""
import base64, hashlib, hmac, http.client, socket, subprocess

def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")

shown = subprocess.run(["systemctl", "show", "-p", "MainPID", "--value", {unit.name!r}], capture_output=True, text=True)
environ = open(f"/proc/{{shown.stdout.strip()}}/environ").read().split("\\0")
secret = next(each.partition("=")[2] for each in environ if each.startswith("CUBEJS_API_SECRET="))
signed = encoded(b'{{"alg": "HS256", "typ": "JWT"}}') + b"." + encoded(b'{{"exp": 4000000000}}')
token = signed + b"." + encoded(hmac.new(secret.encode(), signed, hashlib.sha256).digest())
connection = http.client.HTTPConnection("localhost")
connection.sock = socket.socket(socket.{family})
connection.sock.connect({place!r})
connection.request("GET", {path!r}, headers={{"Authorization": token.decode()}})
print(connection.getresponse().read().decode())
"""
    return f"python3 -c {shlex.quote(code)}"


def redis(tenant: str, *words: str) -> str:
    """Return a command that asks a tenant's Redis as its administrator; the word >PASSWORD gives the tenant's."""
    secret = f"$(sed -n 's/^requirepass //p' /etc/cubejs/redis/{tenant}.secret | tr -d '\"')"
    asked = shlex.join(words).replace("'>PASSWORD'", f'">{secret}"')
    return f"REDISCLI_AUTH={secret} redis-cli -s /run/cubejs-redis/{tenant}/redis.sock {asked}"


def on_redis(what: str, finds: tuple[str, ...], breaks: tuple[str, ...], mends: tuple[str, ...], tenant: str) -> Fault:
    """Return a fault that a command to a tenant's Redis makes."""
    return Fault(what, finds, tenant, "front", redis(tenant, *breaks), redis(tenant, *mends))


def as_before(name: str, tenant: str) -> str:
    """Return a command that gives a setting of a tenant's Redis the value that it has on disk."""
    value = f"$(sed -n 's/^{name} //p' /etc/cubejs/redis/{tenant}.conf)"
    return redis(tenant, "CONFIG", "SET", name, "@").removesuffix("@") + f'"{value}"'


def on_mysql(what: str, finds: tuple[str, ...], breaks: str, mends: str, tenant: str) -> Fault:
    """Return a fault that SQL makes."""
    return Fault(what, finds, tenant, "db", f"mariadb -e {shlex.quote(breaks)}", f"mariadb -e {shlex.quote(mends)}")


def as_user(statement: str, user: str) -> str:
    """Return SQL that runs a statement that ends with an account, on the account of that name wherever it is from.

    @ stands for the account where the statement does not end with it.
    """
    before, _account, after = statement.partition("@")
    account = (
        f"SELECT CONCAT({before!r}, QUOTE(user), '@', QUOTE(host), {after!r}) FROM mysql.user WHERE user = '{user}'"
    )
    return f"SET @statement = ({account} LIMIT 1); EXECUTE IMMEDIATE @statement"


def on_nginx(what: str, finds: tuple[str, ...], edit: str, tenant: str, *, file: str = "") -> Fault:
    """Return a fault that an edit (of sed) of a file of Nginx makes; the file is kept beside it meanwhile.

    A file that is not the tenant's own concerns the other one, too.
    """
    path = f"/etc/nginx/cubejs/{file or f'sites/{tenant}.conf'}"
    kept = f"/run/faults/{tenant}.{path.rpartition('/')[2]}"
    breaks = all_of(
        "mkdir -p /run/faults",
        f"(test -e {kept} || cp -a {path} {kept})",
        f"sed -i {shlex.quote(edit)} {path}",
        "nginx -s reload",
    )
    mends = all_of(f"(! test -e {kept} || mv {kept} {path})", "nginx -s reload")
    other = {"acme": "globex", "globex": "acme"}[tenant]
    also = tuple((rule, other) for rule in finds) if file else ()
    return Fault(what, finds, tenant, "front", breaks, mends, also=also)
