# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the templates of Nginx print, and what is refused before a host is touched."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.nginx import (
    NEWEST,
    NginxError,
    Settings,
    hash_sizes,
    layout,
    open_files,
    parse_version,
    upstream_problem,
)

SETTINGS = Settings(
    version="1.22.1-9+deb12u3", ipv6=True, http_port=80, https_port=443, http2=True, worker_connections=4096
)
ACME = {"name": "acme", "server_name": "cube.acme.example", "upstreams": ["unix:/run/cubejs/acme-1/cube.sock"]}
GLOBEX = {"name": "globex", "server_name": "cube.globex.example", "upstreams": ["192.0.2.7:10020"]}


def made(*servers: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return layout(servers, dataclasses.replace(SETTINGS, **settings))


@pytest.mark.parametrize(
    ("version", "listen", "directive", "reject", "own_limits"),
    [
        pytest.param("1.18.0-6.1+deb11u5", "443 ssl http2", False, False, True, id="Debian 11"),
        pytest.param("1.18.0-6ubuntu14.4", "443 ssl http2", False, False, True, id="Ubuntu 22.04"),
        pytest.param("2:1.20.1-16.el9_4.1", "443 ssl http2", False, True, False, id="EL 9, with an epoch"),
        pytest.param("1.22.1-9+deb12u3", "443 ssl http2", False, True, False, id="Debian 12"),
        pytest.param("1.25.0", "443 ssl http2", False, True, False, id="the last without the directive"),
        pytest.param("1.25.1", "443 ssl", True, True, False, id="the first with it"),
        pytest.param("1.26.3-3+deb13u1", "443 ssl", True, True, False, id="Debian 13"),
        pytest.param(None, "443 ssl", True, True, False, id="not installed yet"),
    ],
)
def test_the_syntax_is_the_version_s(
    version: str | None, listen: str, directive: bool, reject: bool, own_limits: bool
) -> None:
    found = made(ACME, version=version)
    assert (found["https_listen"], found["http2_directive"]) == ([listen, listen.replace("443", "[::]:443")], directive)
    assert (found["reject_handshake"], found["http2_own_limits"]) == (reject, own_limits)


@pytest.mark.parametrize("version", ["1.18.0", "1.26.3"])
def test_without_http2_nothing_of_it_is_written(version: str) -> None:
    found = made(ACME, version=version, http2=False)
    assert (found["https_listen"][0], found["http2_directive"], found["http2_own_limits"]) == ("443 ssl", False, False)


def test_without_ipv6_only_one_address_is_listened_on() -> None:
    assert made(ACME, ipv6=False)["http_listen"] == ["80"]


def test_defaults_are_filled_in() -> None:
    assert made(ACME)["servers"] == [
        {
            **ACME,
            "web_sockets": False,
            "base_path": "/cubejs-api",
            "directives": "",
            "maintenance": False,
            "certificate": {"source": "own_ca", "certificate_path": None, "key_path": None},
        }
    ]


def test_certificates_are_asked_for_by_the_name_that_no_other_deployment_has() -> None:
    provided = {"source": "provided", "certificate_path": "a.crt", "key_path": "a.key"}
    assert made(ACME, {**GLOBEX, "certificate": provided})["certificates"] == [
        {"name": "cube.acme.example", "names": ["cube.acme.example"]},
        {
            "name": "cube.globex.example",
            "names": ["cube.globex.example"],
            "certificate_path": "a.crt",
            "key_path": "a.key",
        },
    ]


def test_behind_a_load_balancer_there_is_no_tls() -> None:
    found = made(ACME, trusted_proxies=("192.0.2.0/24",), health_clients=("::1",), https_port=8443)
    assert (found["terminates_tls"], found["certificates"], found["tls_servers"]) == (False, [], [])
    assert found["health_clients"] == ["::1", "192.0.2.0/24"]
    assert found["public_port"] == ""


@pytest.mark.parametrize(("port", "shown"), [pytest.param(443, "", id="usual"), pytest.param(8443, ":8443", id="own")])
def test_redirects_name_an_unusual_port(port: int, shown: str) -> None:
    assert made(ACME, https_port=port)["public_port"] == shown


@pytest.mark.parametrize(
    ("names", "bucket", "size"),
    [
        pytest.param([], 256, 512, id="none"),
        pytest.param(["a.example"], 256, 512, id="one, short"),
        pytest.param(["cube.acme.example"], 512, 512, id="one"),
        pytest.param(["x" * 253], 4096, 512, id="the longest there can be"),
        pytest.param([f"cube.t{n:03}.example" for n in range(300)], 512, 1024, id="300"),
        pytest.param([f"cube.t{n:05}.example" for n in range(10000)], 512, 32768, id="10000"),
    ],
)
def test_hash_tables_grow_with_the_names(names: list[str], bucket: int, size: int) -> None:
    assert hash_sizes(names) == {"bucket_size": bucket, "max_size": size}


def nginx_finds_a_table(names: list[str]) -> bool:
    """Look for a table as Nginx does (ngx_hash_init): a number of buckets in which none overflows."""
    sizes = hash_sizes(names)
    elements = {name: 8 + (len(name) + 2 + 7) // 8 * 8 for name in names}
    keys = {}
    for name in names:
        key = 0
        for byte in name.encode():
            key = (key * 31 + byte) & 0xFFFFFFFFFFFFFFFF
        keys[name] = key
    room = sizes["bucket_size"] - 8
    for buckets in range(max(1, len(names) // (room // 16)), sizes["max_size"] + 1):
        filled = [0] * buckets
        for name in names:
            filled[keys[name] % buckets] += elements[name]
        if max(filled) <= room:
            return True
    return False


@pytest.mark.parametrize("count", [1, 2, 50, 300, 1000])
def test_nginx_finds_a_place_for_every_name(count: int) -> None:
    assert nginx_finds_a_table([f"cube.tenant{number}.analytics.example" for number in range(count)])


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        pytest.param("1.22.1-9+deb12u3", (1, 22, 1), id="Debian"),
        pytest.param("2:1.20.1-16.el9", (1, 20, 1), id="epoch"),
        pytest.param("garbage", NEWEST, id="unreadable"),
        pytest.param(None, NEWEST, id="none"),
    ],
)
def test_package_versions(version: str | None, numbers: tuple[int, int, int]) -> None:
    assert parse_version(version) == numbers


def test_a_worker_may_open_two_files_for_each_connection() -> None:
    assert open_files(4096) == 8704


@pytest.mark.parametrize(
    ("upstream", "problem"),
    [
        pytest.param("unix:/run/cubejs/acme-1/cube.sock", None, id="socket"),
        pytest.param("192.0.2.1:10010", None, id="IPv4"),
        pytest.param("[2001:db8::1]:10010", None, id="IPv6"),
        pytest.param("api-1.internal:10010", None, id="name"),
        pytest.param("2001:db8::1:10010", "brackets", id="IPv6 without brackets"),
        pytest.param("192.0.2.1", "write unix:", id="no port"),
        pytest.param("192.0.2.1:0", "write unix:", id="port 0"),
        pytest.param("192.0.2.1:65536", "write unix:", id="port too high"),
        pytest.param("unix:run/cube.sock", "write unix:", id="relative socket"),
        pytest.param("unix:/run/a b.sock", "write unix:", id="blank in the path"),
        pytest.param("unix:/" + "a" * 107, "longer than the 107 bytes", id="socket path too long"),
        pytest.param("a;b:80", "letters, digits", id="a directive smuggled in"),
        pytest.param("http://a.example:80", "letters, digits", id="URL"),
    ],
)
def test_upstreams(upstream: str, problem: str | None) -> None:
    found = upstream_problem(upstream)
    assert found is None if problem is None else problem in str(found)


@pytest.mark.parametrize(
    ("servers", "settings", "message"),
    [
        pytest.param([{**ACME, "name": "A b"}], {}, r"nginx_servers\[0\]\.name: 'A b'", id="name"),
        pytest.param([{**ACME, "server_name": "a;b"}], {}, r"nginx_servers\[0\]\.server_name: 'a;b'", id="server name"),
        pytest.param([{**ACME, "upstreams": []}], {}, r"upstreams: there is none", id="no upstream"),
        pytest.param([{**ACME, "upstreams": ["x"]}], {}, r"upstreams: 'x': write unix:", id="upstream"),
        pytest.param([{**ACME, "upstreams": ACME["upstreams"] * 2}], {}, "written twice", id="upstream twice"),
        pytest.param([{**ACME, "base_path": "/api/"}], {}, r"base_path: '/api/'", id="base path"),
        pytest.param([{**ACME, "base_path": "/a;b"}], {}, r"base_path: '/a;b'", id="base path with a directive"),
        pytest.param([{**ACME, "certificate": {"source": "provided"}}], {}, "needs certificate_path", id="no files"),
        pytest.param(
            [ACME, {**GLOBEX, "name": "acme"}], {}, r"\[1\]\.name: 'acme' is nginx_servers\[0\]'s", id="twice"
        ),
        pytest.param(
            [ACME, {**GLOBEX, "server_name": "CUBE.acme.example"}], {}, r"\[1\]\.server_name: .* too", id="in capitals"
        ),
        pytest.param([ACME], {"http_port": 0}, "nginx_http_port: 0 is no port", id="port"),
        pytest.param([ACME], {"http_port": 443}, "443 is nginx_http_port too", id="ports equal"),
        pytest.param([ACME], {"worker_connections": 1}, "nginx_worker_connections: 1", id="connections"),
        pytest.param([ACME], {"trusted_proxies": ("lb",)}, "trusted_proxies: 'lb' is no IP", id="proxy by name"),
        pytest.param([ACME], {"health_clients": ("10.0.0.1/8",)}, "nginx_health_clients: '10.0.0.1/8'", id="host bits"),
        pytest.param([{**ACME, "name": ""}], {"http_port": 0}, "(?s)nginx_http_port.*name: ''", id="all at once"),
    ],
)
def test_what_cannot_be_served_is_refused(
    servers: list[dict[str, Any]], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(NginxError, match=message):
        made(*servers, **settings)


def test_servers_that_are_not_written_count_for_the_table_and_for_what_collides() -> None:
    long = {**GLOBEX, "server_name": f"{'g' * 60}.{'g' * 60}.{'g' * 60}.example"}
    settings = Settings(None, True, 80, 443, True, 4096)
    alone, together = layout([ACME], settings), layout([ACME], settings, [long])
    assert [server["name"] for server in together["servers"]] == ["acme"]
    assert together["names_hash"]["bucket_size"] > alone["names_hash"]["bucket_size"]
    with pytest.raises(NginxError, match="is nginx_servers"):
        layout([ACME], settings, [{**GLOBEX, "server_name": ACME["server_name"]}])
