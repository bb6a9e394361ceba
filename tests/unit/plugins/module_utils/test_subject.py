"""An instance as its environment describes it: with what it logs in to its servers."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.http import Address
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_url import RedisUrlError
from ansible_collections.cubeops.cubejs.plugins.module_utils.subject import SOURCE, STORAGE, Subject, SubjectError


def subject(version: str = "0.29.57", **environment: str) -> Subject:
    return Subject(version, environment)


@pytest.mark.parametrize(
    ("version", "environment", "uses"),
    [
        pytest.param("0.29.57", {"NODE_ENV": "production"}, True, id="production"),
        pytest.param("0.29.57", {}, False, id="development"),
        pytest.param("0.29.57", {"REDIS_URL": "redis://h"}, True, id="development with a URL"),
        pytest.param("0.32.9", {"NODE_ENV": "production"}, False, id="Cube Store from 0.32"),
        pytest.param("0.32.9", {"CUBEJS_REDIS_URL": "redis://h"}, True, id="a URL from 0.32"),
        pytest.param("0.32.9", {"CUBEJS_REDIS_USE_IOREDIS": "true"}, True, id="ioredis from 0.32"),
        pytest.param(
            "0.29.57", {"NODE_ENV": "production", "CUBEJS_CACHE_AND_QUEUE_DRIVER": "memory"}, False, id="memory"
        ),
        pytest.param("0.32.9", {"CUBEJS_CACHE_AND_QUEUE_DRIVER": "redis"}, True, id="said so"),
    ],
)
def test_whether_redis_is_used(version: str, environment: dict[str, str], uses: bool) -> None:
    assert subject(version, **environment).uses_redis is uses


def test_each_client_has_its_own_order_of_passwords() -> None:
    given = {"CUBEJS_REDIS_URL": "redis://u:in-url@h:7/3", "CUBEJS_REDIS_PASSWORD": "alone"}
    assert subject(**given).redis_login().password == "in-url"
    login = subject(**given, CUBEJS_REDIS_USE_IOREDIS="true").redis_login()
    assert (login.password, login.client, login.target.host, login.target.index) == ("alone", "ioredis", "h", 3)
    assert "in-url" not in repr(login.password)


def test_tls_and_its_own_authorities() -> None:
    assert subject(CUBEJS_REDIS_URL="redis://h").redis_login().tls is None
    by_url = subject(CUBEJS_REDIS_URL="rediss://h", NODE_EXTRA_CA_CERTS="/ca.pem").redis_login().tls
    assert by_url is not None
    assert by_url.ca_path == "/ca.pem"
    assert subject(CUBEJS_REDIS_URL="redis://h", CUBEJS_REDIS_TLS="true").redis_login().tls is not None


def test_a_url_that_would_be_misread_is_an_error() -> None:
    with pytest.raises(RedisUrlError):
        subject(CUBEJS_REDIS_URL="h:6379/1").redis_login()


def test_the_names_of_the_version_count() -> None:
    assert subject("0.26.0", CUBEJS_REDIS_URL="redis://new", REDIS_URL="redis://old").redis_login().target.host == "old"


def test_mysql_as_the_driver_reaches_it() -> None:
    given = {
        "CUBEJS_EXT_DB_TYPE": "mysql", "CUBEJS_EXT_DB_HOST": "store", "CUBEJS_EXT_DB_PORT": "3307",
        "CUBEJS_DB_TYPE": "mysql", "CUBEJS_DB_SOCKET_PATH": "/run/mysql.sock", "CUBEJS_DB_PASS": "hidden",
    }  # fmt: skip
    storage, source = subject(**given).mysql_endpoint(STORAGE), subject(**given).mysql_endpoint(SOURCE)
    assert storage is not None
    assert source is not None
    # The source's socket leaks into the storage's connection, which prefers it to the host.
    assert (storage.host, storage.port, storage.socket_path) == ("store", 3307, "/run/mysql.sock")
    assert (source.host, source.port, str(source)) == ("localhost", 3306, "@/run/mysql.sock")
    assert "hidden" not in repr(source)


def test_other_databases_are_no_mysql() -> None:
    assert subject(CUBEJS_DB_TYPE="postgres").mysql_endpoint(SOURCE) is None


@pytest.mark.parametrize("port", ["0", "70000", "x", "-1", "3306 ", "²", "3" * 10_000])
def test_a_port_that_is_none(port: str) -> None:
    with pytest.raises(SubjectError, match="the port of the storage is none"):
        subject(CUBEJS_EXT_DB_TYPE="mysql", CUBEJS_EXT_DB_PORT=port).mysql_endpoint(STORAGE)


@pytest.mark.parametrize(
    ("port", "address"),
    [
        pytest.param({}, Address(port=4000), id="default"),
        pytest.param({"PORT": "8080"}, Address(port=8080), id="port"),
        pytest.param({"PORT": "/run/c.sock"}, Address(socket_path="/run/c.sock"), id="socket"),
    ],
)
def test_where_it_listens(port: dict[str, str], address: Address) -> None:
    assert subject(**port).address == address
