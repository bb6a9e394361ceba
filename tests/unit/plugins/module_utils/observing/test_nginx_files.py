"""Nginx' configuration from its files, this collection's own among them."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import pki
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import nginx_files
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.nginx_files import (
    NginxFilesError,
    read_web_servers,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree

MAIN = """
user www-data; # a comment with { and ;
events { worker_connections 512; }
http {
    proxy_read_timeout 75s;
    map $http_upgrade $connection_upgrade { default upgrade; '' ""; }
    upstream cube { server unix:/run/cubejs/acme-1/cube.sock; server 192.0.2.1:4000 backup; }
    include conf.d/*.conf;
    include /etc/nginx/none/*.conf;
}
"""
SITE = """
server { listen 80; server_name cube.acme.example; return 301 https://$host$request_uri; }
server {
    listen 443 ssl http2;
    server_name cube.acme.example "other name";
    ssl_certificate /etc/ssl/a.crt; ssl_certificate_key /etc/ssl/a.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    client_max_body_size 5m;
    location / {
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Connection $connection_upgrade;
        proxy_pass http://cube/;
    }
}
"""


def read(recording: Any) -> Any:
    return read_web_servers(Tree(str(recording.root)), Redactor(b"k"))


def pair(recording: Any, name: str = "a") -> None:
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    leaf = pki.issue(pki.new_ca(pki.new_key(), now), ["cube.acme.example"], now)
    recording.file(f"/etc/ssl/{name}.crt", leaf.certificate_pem())
    recording.file(f"/etc/ssl/{name}.key", pki.key_pem(leaf.key), 0o600)


def test_a_host_without_nginx(recording: Any) -> None:
    assert read(recording) == ()


def test_what_the_servers_do(recording: Any) -> None:
    recording.file("/etc/nginx/nginx.conf", MAIN)
    recording.file("/etc/nginx/conf.d/site.conf", SITE)
    pair(recording)
    plain, secure = read(recording)
    assert (plain.tls, plain.redirects_to, plain.upstreams) == (False, "https://$host$request_uri", ())
    assert (secure.tls, secure.names, secure.path) == (
        True, ("cube.acme.example", "other name"), "/etc/nginx/conf.d/site.conf",
    )  # fmt: skip
    assert secure.upstreams == ("unix:/run/cubejs/acme-1/cube.sock", "192.0.2.1:4000")
    (passing,) = secure.passings
    assert (passing.place, passing.upstreams) == ("/", secure.upstreams)
    assert (passing.http_version, passing.body_size, passing.read_timeout) == ("1.1", "5m", "75s")
    assert passing.headers == {"host": "$host", "connection": "$connection_upgrade"}
    assert passing.upgrade_map
    assert secure.protocols == "TLSv1.2 TLSv1.3"
    assert secure.key_matches is True
    assert secure.certificate is not None
    assert secure.certificate.names == ("cube.acme.example",)
    assert not secure.unknown


def test_a_key_of_another_certificate(recording: Any) -> None:
    recording.file("/etc/nginx/nginx.conf", MAIN)
    recording.file("/etc/nginx/conf.d/site.conf", SITE)
    pair(recording)
    certificate = (recording.root / "etc/ssl/a.crt").read_bytes()
    pair(recording)
    recording.file("/etc/ssl/a.crt", certificate)
    assert read(recording)[1].key_matches is False


def test_files_are_named_from_where_the_configuration_is(recording: Any) -> None:
    pair(recording)
    recording.file("/etc/nginx/nginx.conf", MAIN)
    recording.file("/etc/nginx/conf.d/a.conf", SITE.replace("/etc/ssl/", "../ssl/"))
    secure = read(recording)[1]
    assert secure.certificate is not None
    assert secure.key_matches


def test_a_certificate_that_cannot_be_read_is_unknown(recording: Any) -> None:
    recording.file("/etc/nginx/nginx.conf", MAIN)
    recording.file("/etc/nginx/conf.d/site.conf", SITE)
    seen = read(recording)[1]
    assert (seen.certificate, seen.key_matches) == (None, None)
    assert [each.what for each in seen.unknown] == ["certificate"]
    pair(recording)
    recording.file("/etc/ssl/a.key", "nonsense")
    assert [each.what for each in read(recording)[1].unknown] == ["key_matches"]


@pytest.mark.parametrize(
    ("target", "end"),
    [
        pytest.param("http://127.0.0.1:4000", "127.0.0.1:4000", id="address"),
        pytest.param("http://unix:/run/c.sock:/x", "unix:/run/c.sock", id="socket with a path"),
        pytest.param("http://[::1]:4000/", "[::1]:4000", id="IPv6"),
        pytest.param("http://${name}_x/", "${name}_x", id="variable"),
    ],
)
def test_where_requests_go(recording: Any, target: str, end: str) -> None:
    recording.file("/etc/nginx/nginx.conf", f"http {{ server {{ location / {{ proxy_pass {target}; }} }} }}")
    assert read(recording)[0].upstreams == (end,)


def test_the_sample_of_the_checklist_sends_upgrade_always(recording: Any) -> None:
    recording.file(
        "/etc/nginx/nginx.conf",
        'http { server { location / { proxy_pass http://h:4000/; proxy_set_header Connection "upgrade"; } } }',
    )
    (seen,) = read(recording)[0].passings
    assert (seen.headers["connection"], seen.upgrade_map, seen.http_version) == ("upgrade", False, "")


def test_places_that_pass_on_otherwise(recording: Any) -> None:
    """What one location says is not another's, and an inner one has what the outer says."""
    recording.file(
        "/etc/nginx/nginx.conf",
        """
        http { server {
            client_max_body_size 2m;
            location / { proxy_pass http://127.0.0.1:3000; }
            location ^~ /cubejs-api/ {
                proxy_read_timeout 90s;
                proxy_set_header Host $host;
                location ~ ^/cubejs-api/v1/ { proxy_pass http://127.0.0.1:4000; }
            }
            location @socket { proxy_pass http://127.0.0.1:4000; proxy_read_timeout 1h; proxy_set_header Upgrade u; }
        } }
        """,
    )
    (server,) = read(recording)
    assert server.upstreams == ("127.0.0.1:3000", "127.0.0.1:4000")
    assert [(each.place, each.read_timeout, each.body_size, each.headers) for each in server.passings] == [
        ("/", "", "2m", {}),
        ("~ ^/cubejs-api/v1/", "90s", "2m", {"host": "$host"}),
        ("@socket", "1h", "2m", {"upgrade": "u"}),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("}", "a block ends that did not begin", id="a brace too many"),
        pytest.param("include nginx.conf;", "more files are included", id="a file that includes itself"),
    ],
)
def test_files_that_nginx_would_refuse(recording: Any, text: str, said: str) -> None:
    recording.file("/etc/nginx/nginx.conf", text)
    with pytest.raises(NginxFilesError, match=said):
        read(recording)


@pytest.mark.parametrize("text", ['"' * 300_001, "http {" * 100_000, "a\\" * 300_000, "${" * 300_000], ids=range(4))
def test_hostile_files_cost_little(recording: Any, text: str) -> None:
    recording.file("/etc/nginx/nginx.conf", text)
    began = time.process_time()
    read(recording)
    assert time.process_time() - began < 5


def test_the_roles_own_templates_use_what_is_understood() -> None:
    """A word of the role's templates that this reader does not know would make its findings wrong."""
    root = Path(nginx_files.__file__).resolve().parents[3]
    text = "".join(path.read_text() for path in (root / "roles/nginx/templates").glob("*.j2"))
    for word in ("proxy_http_version", "proxy_set_header", "proxy_read_timeout", "client_max_body_size"):
        assert word in text
