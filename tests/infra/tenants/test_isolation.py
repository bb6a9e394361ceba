"""Tenants with the same schema and the same SQL, on one host, cannot reach each other's data."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import permutations
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import names
from cube import CubeError
from tenants import NUMBERS, Audited, Tenant

Tenants = dict[str, Tenant]
Look = Callable[..., Audited]

PAIRS = list(permutations(NUMBERS, 2))
FROM_ROLLUP = {
    "measures": ["Orders.count", "Orders.total"],
    "dimensions": ["Orders.status"],
    "order": {"Orders.status": "asc"},
}
# No rollup has this: it is asked of the source, and its answer kept in Redis.
FROM_SOURCE = {"measures": ["Orders.buyers"], "dimensions": ["Orders.status"], "order": {"Orders.status": "asc"}}
RULE = "redis-shared-by-tenants"


def numbers(rows: list[dict[str, Any]], *measures: str) -> list[list[str]]:
    """Return the rows as the source prints its own."""
    return [[row["Orders.status"], *(str(row[measure]) for measure in measures)] for row in rows]


def from_source(tenant: Tenant, limit: int = 10) -> list[list[str]]:
    """Return what a tenant's API says of the source."""
    return numbers(tenant.ask({**FROM_SOURCE, "limit": limit}), "Orders.buyers")


@pytest.mark.parametrize("name", NUMBERS)
def test_each_sees_its_own_rows(tenants: Tenants, name: str) -> None:
    tenant = tenants[name]
    rolled = numbers(tenant.ask(FROM_ROLLUP), "Orders.count", "Orders.total")
    assert rolled == tenant.source("COUNT(*), SUM(amount)")
    assert from_source(tenant) == tenant.source("COUNT(DISTINCT buyer)")


def test_their_rows_differ(tenants: Tenants) -> None:
    """Otherwise nothing here would prove anything."""
    assert len({str(tenant.source("COUNT(*)")) for tenant in tenants.values()}) == len(tenants)
    assert len({str(tenant.source("COUNT(DISTINCT buyer)")) for tenant in tenants.values()}) == len(tenants)


def test_each_sees_its_own_rows_at_the_same_moment_and_from_warm_caches(tenants: Tenants) -> None:
    expected = {name: tenant.source("COUNT(DISTINCT buyer)") for name, tenant in tenants.items()}

    def ask(name: str, limit: int) -> tuple[str, bool]:
        return name, from_source(tenants[name], limit) == expected[name]

    # New queries, then the same ones from the caches, all tenants side by side.
    asked = [(name, limit) for _warm in range(3) for limit in range(100, 104) for name in NUMBERS]
    with ThreadPoolExecutor(max_workers=2 * len(NUMBERS)) as pool:
        answers = list(pool.map(lambda each: ask(*each), asked))
    assert [name for name, right in answers if not right] == []


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_redis_password_is_refused_by_the_others_instance(tenants: Tenants, one: str, other: str) -> None:
    mine, theirs = tenants[one], tenants[other]
    assert "PONG" in mine.redis(f"AUTH {mine.redis_password}", "PING")
    said = theirs.redis("PING", f"AUTH {mine.redis_password}", "KEYS *")
    assert "WRONGPASS" in said
    assert said.count("NOAUTH") == 2, said


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_mysql_user_is_refused_by_the_others_schema(tenants: Tenants, one: str, other: str) -> None:
    mine, schema = tenants[one], names.mysql_schema(other)
    user, password = names.mysql_user(one), mine.storage_password
    status, seen = mine.mysql(user, password, "SHOW DATABASES")
    assert status == 0
    assert set(seen.split()) == {"information_schema", names.mysql_schema(one)}
    for sql in (
        f"SHOW TABLES IN {schema}",
        f"CREATE TABLE {schema}.t (a INT)",
        f"SELECT * FROM {other}.orders LIMIT 1",
    ):
        status, said = mine.mysql(user, password, sql)
        assert (status != 0, "denied" in said) == (True, True), said
    status, said = mine.mysql(names.mysql_user(other), password, "SELECT 1")
    assert status != 0
    assert "Access denied" in said


def test_a_grant_is_no_pattern(tenants: Tenants) -> None:
    """`_` stands for any character in a grant: one on cube_acme that is not escaped would open cubexacme, too."""
    acme = tenants["acme"]
    user, password = names.mysql_user("acme"), acme.storage_password
    open_it = "GRANT SELECT ON `cube_acme`.* TO cube_acme@'127.0.0.1'"
    acme.storage.ask("CREATE DATABASE cubexacme; CREATE TABLE cubexacme.t AS SELECT 1 AS a;")
    try:
        assert acme.mysql(user, password, "SELECT a FROM cubexacme.t")[0] != 0
        acme.storage.ask(f"{open_it};")
        assert acme.mysql(user, password, "SELECT a FROM cubexacme.t") == (0, "1\n"), "the trap is not there"
    finally:
        acme.storage.ask(f"{open_it.replace('GRANT', 'REVOKE').replace(' TO ', ' FROM ')}; DROP DATABASE cubexacme;")
    assert acme.mysql(user, password, "SELECT 1")[0] == 0


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_system_user_reads_nothing_of_the_others(tenants: Tenants, one: str, other: str) -> None:
    mine, theirs = tenants[one], tenants[other]
    as_me = f"runuser -u {mine.user} -- "
    own, foreign = (f"/opt/cubejs/tenants/{name}/current" for name in (one, other))
    assert mine.host.run(f"{as_me}cat {own}/project/schema/Orders.js").rc == 0
    places = [f"/opt/cubejs/tenants/{other}", f"/var/lib/cubejs-redis/{other}", f"/run/cubejs/{other}-1"]
    readable = f"{as_me}find {' '.join(places)} /etc/cubejs /etc/nginx/cubejs/certificates -type f -readable"
    found = mine.host.run(f"{readable} -o -type s -writable").stdout.split()
    assert [path for path in found if not path.endswith((".conf", ".crt", "check_config.py"))] == []
    assert mine.host.run(f"{as_me}cat {foreign}/environment/{other}-1.env").rc != 0
    pid = theirs.host.check_output(f"systemctl show --property=MainPID --value {shlex.quote(theirs.unit)}")
    assert theirs.host.run(f"cat /proc/{pid}/environ").rc == 0
    for name in ("environ", "cwd/index.js", "root/etc/passwd", "mem", "fd"):
        assert mine.host.run(f"{as_me}head -c 1 /proc/{pid}/{name}").rc != 0, name
    socket = f"/run/cubejs/{other}-1/cube.sock"
    connect = f"import socket; socket.socket(socket.AF_UNIX).connect('{socket}')"
    refused = mine.host.run(f"{as_me}python3 -c {shlex.quote(connect)}")
    assert "PermissionError" in refused.stderr, refused.stderr


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_token_is_refused_by_the_other(tenants: Tenants, one: str, other: str) -> None:
    with pytest.raises(CubeError, match="HTTP 403"):
        tenants[other].ask(FROM_ROLLUP, token=tenants[one].token)


# --- what happens otherwise ------------------------------------------------------------------------


@contextmanager
def on_acmes_redis(tenants: Tenants, index: int) -> Iterator[None]:
    """Put globex' API instance on acme's Redis, as somebody would who gave both one URL."""
    acme, globex = tenants["acme"], tenants["globex"]
    drop_in, variables = f"/etc/systemd/system/{globex.unit}.d/shared.conf", "/etc/cubejs/shared.env"
    url = f"CUBEJS_REDIS_URL=redis://127.0.0.1:{names.redis_port(acme.number)}/{index}"
    globex.host.check_output(
        f"umask 077; printf '%s\\n' {url} CUBEJS_REDIS_PASSWORD={acme.redis_password} > {variables};"
        f" printf '[Service]\\nEnvironmentFile=%s\\n' {variables} > {shlex.quote(drop_in)};"
        f" systemctl daemon-reload && systemctl restart {shlex.quote(globex.unit)}"
    )
    try:
        globex.wait_until_it_answers()
        yield
    finally:
        globex.host.check_output(
            f"rm {shlex.quote(drop_in)} {variables};"
            f" systemctl daemon-reload && systemctl restart {shlex.quote(globex.unit)}"
        )
        globex.wait_until_it_answers()


def leaks(tenants: Tenants, first_limit: int) -> list[str]:
    """Ask both tenants the same new queries, one after the other; return what globex was told that is acme's."""
    acme, globex = tenants["acme"], tenants["globex"]
    foreign, own = acme.source("COUNT(DISTINCT buyer)"), globex.source("COUNT(DISTINCT buyer)")
    told = []
    for limit in range(first_limit, first_limit + 8):
        assert from_source(acme, limit) == foreign
        told.append(from_source(globex, limit))
        time.sleep(0.5)
    assert all(rows in (foreign, own) for rows in told), told
    return [f"limit {first_limit + at}" for at, rows in enumerate(told) if rows == foreign]


def test_apart_nothing_leaks(tenants: Tenants) -> None:
    assert leaks(tenants, 200) == []


def test_on_one_keyspace_rows_leak_and_the_audit_says_so(tenants: Tenants, look: Look) -> None:
    with on_acmes_redis(tenants, 0):
        assert leaks(tenants, 300) != []
        audited = look()
    assert audited.status != 0
    assert audited.of("fail", rule=RULE, tenant="globex"), audited.output


def test_on_two_indexes_of_one_server_nothing_leaks(tenants: Tenants, look: Look) -> None:
    with on_acmes_redis(tenants, 2):
        assert leaks(tenants, 400) == []
        audited = look(cubejs_rules_only=[RULE])
    assert audited.of("fail", rule=RULE) == []
    assert audited.of("pass", rule=RULE, tenant="globex"), audited.output


def test_the_audit_finds_nothing_wrong(look: Look) -> None:
    audited = look()
    assert audited.of("fail", "unknown") == []
    assert audited.status == 0, audited.output
