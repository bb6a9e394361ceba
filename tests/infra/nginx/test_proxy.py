"""What reaches Cube.js of a request, and what comes back of an answer."""

from __future__ import annotations

import hashlib
import json
import secrets
import socket
import time
import uuid
import zlib
from collections import Counter

import pytest
from testinfra.host import Host
from web_clients import ACME, GLOBEX, OTHER_CA, Client, WebSocket

LOAD = "/cubejs-api/v1/load"


def test_requests_share_few_connections_to_the_instances(client: Client) -> None:
    seen = [client.get(LOAD).json for _request in range(40)]
    connections = Counter((answer["instance"], answer["connection"]) for answer in seen)
    assert {instance for instance, _number in connections} == {"acme-1", "acme-2"}
    assert len(connections) <= 8, connections  # two workers with two instances each, and one more each for the unlucky
    assert max(answer["request"] for answer in seen) > 5


def test_an_idle_connection_is_closed_before_node_would(bookworm: Client) -> None:
    for _request in range(10):
        bookworm.get(LOAD)
    time.sleep(4.5)
    assert bookworm.get(LOAD).json["request"] == 1


def test_a_url_of_8_kb_arrives(client: Client) -> None:
    path = f"{LOAD}?query={'x' * 8192}"
    assert client.get(path, headers={"Authorization": "e" * 2000}).json["path_length"] == len(path)


def test_a_body_of_5_mb_arrives_whole(client: Client) -> None:
    body = secrets.token_bytes(5 * 1024 * 1024)
    answer = client.send("POST", LOAD, body=body).json
    assert (answer["body_bytes"], answer["body_digest"]) == (len(body), hashlib.sha256(body).hexdigest())


def test_a_larger_one_is_refused_in_words_that_a_client_reads(client: Client) -> None:
    with client.tls(ACME) as connection:
        connection.sendall(f"POST {LOAD} HTTP/1.1\r\nHost: {ACME}\r\nContent-Length: 6291457\r\n\r\n".encode())
        head, _between, text = connection.recv(65536).partition(b"\r\n\r\n")
        text = text or connection.recv(65536)
    assert b" 413 " in head.splitlines()[0]
    assert json.loads(text) == {"error": "The request is larger than 6291456 bytes"}


def test_cube_learns_who_asked_and_how(client: Client) -> None:
    with client.tls(ACME) as connection:
        own_address = connection.getsockname()[0]
    spoofed = {"X-Forwarded-For": "198.51.100.6", "X-Real-IP": "198.51.100.6", "X-Forwarded-Proto": "http"}
    headers = client.get(LOAD, headers={**spoofed, "Forwarded": "for=198.51.100.6"}).json["headers"]
    assert (headers["X-Forwarded-For"], headers["X-Real-IP"]) == (own_address, own_address)
    assert (headers["X-Forwarded-Proto"], headers["X-Forwarded-Host"], headers["Host"]) == ("https", ACME, ACME)
    assert "Forwarded" not in headers


def test_the_token_arrives_and_a_request_keeps_its_id(client: Client) -> None:
    mine = str(uuid.uuid4())
    headers = client.get(LOAD, headers={"Authorization": "secret-token", "X-Request-Id": mine}).json["headers"]
    assert (headers["Authorization"], headers["X-Request-ID"]) == ("secret-token", mine)
    assert len(client.get(LOAD).json["headers"]["X-Request-ID"]) == 32


def test_what_framework_answers_is_not_told(client: Client) -> None:
    assert "x-powered-by" not in client.get(LOAD).headers


@pytest.mark.parametrize(
    "path",
    [
        "/", "/playground", "/playground/context", "/playground/db-schema", "/cubejs-system/v1/context", "/schema/v1",
        "/cubejs-api", "/cubejs-api/../playground/context", "/cubejs-api/%2e%2e/playground/context",
        "/globex/api/v1/meta",
        "//playground/context", "/readyz/", "/cubejs-apix/v1/load",
    ],
)  # fmt: skip
def test_what_is_not_the_api_is_closed(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status, answer.json) == (404, {"error": "Not found"})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/readyz", "/livez"])
def test_health_is_told_on_the_host_and_to_nobody_else(client: Client, proxy: Host, path: str) -> None:
    assert (client.get(path).status, client.get(path).json) == (404, {"error": "Not found"})
    resolve = f"--resolve {ACME}:443:127.0.0.1"
    assert json.loads(proxy.check_output(f"curl -sk {resolve} https://{ACME}{path}"))["path"] == path


def test_a_deployment_may_have_another_path_and_a_wildcard_name(client: Client) -> None:
    answer = client.get("/globex/api/v1/meta", GLOBEX, context=client.context(OTHER_CA))
    assert (answer.json["instance"], answer.json["path"]) == ("10020", "/globex/api/v1/meta")
    assert client.get("/cubejs-api/v1/meta", GLOBEX, context=client.context(OTHER_CA)).status == 404


def test_large_answers_are_compressed_for_who_can_read_that(client: Client) -> None:
    zipped = client.get(f"{LOAD}?bytes=100000", headers={"Accept-Encoding": "gzip"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert len(zipped.body) < 5000
    assert len(json.loads(zlib.decompress(zipped.body, 31))["filler"]) == 100000
    assert "content-encoding" not in client.get(f"{LOAD}?bytes=100000").headers


@pytest.mark.parametrize("path", ["/", "/cubejs-api/v1/anything"])
def test_web_sockets_are_passed_on(client: Client, path: str) -> None:
    with client.tls(ACME) as connection:
        opened = WebSocket.open(connection, path, ACME)
        assert opened.status == 101, opened.headers
        assert [opened.echo(b"one"), opened.echo(b"two")] == [b"one", b"two"]


def test_web_sockets_are_refused_where_the_deployment_has_none(client: Client) -> None:
    with client.tls(GLOBEX, client.context(OTHER_CA)) as connection:
        assert WebSocket.open(connection, "/", GLOBEX).status == 404
    with client.tls(GLOBEX, client.context(OTHER_CA)) as connection:
        assert WebSocket.open(connection, "/globex/api/v1/meta", GLOBEX).status == 200


def test_a_get_is_asked_of_another_instance_when_one_is_gone_or_on_its_way_out(client: Client) -> None:
    for trouble in ("only_fails", "only_busy"):
        answers = [client.get(f"{LOAD}?{trouble}=acme-1") for _request in range(6)]
        assert {(answer.status, answer.json["instance"]) for answer in answers} == {(200, "acme-2")}
        time.sleep(2.1)  # until the instance is trusted again


def test_a_post_that_was_sent_is_not_sent_twice(client: Client) -> None:
    time.sleep(2.1)  # until the instance is trusted again, by each worker
    for _request in range(20):
        answer = client.send("POST", f"{LOAD}?only_fails=acme-1", body=b"{}")
        if answer.status != 200:
            break
    assert (answer.status, answer.json) == (502, {"error": "Cube.js cannot be reached, try again"})


def test_a_restarting_deployment_is_an_error_that_clients_understand_and_then_works(
    bookworm: Client, bookworm_host: Host
) -> None:
    bookworm_host.run_test("systemctl stop backend@acme-1 backend@acme-2")
    try:
        down = bookworm.get(LOAD)
        assert (down.status, down.headers["content-type"]) == (502, "application/json")
        assert down.json == {"error": "Cube.js cannot be reached, try again"}
        assert bookworm.get("/globex/api/v1/meta", GLOBEX, context=bookworm.context(OTHER_CA)).status == 200
    finally:
        bookworm_host.run_test("systemctl start backend@acme-1 backend@acme-2")
    deadline = time.monotonic() + 20
    while bookworm.get(LOAD).status != 200:
        assert time.monotonic() < deadline, "the instances are up, the proxy does not notice"
        time.sleep(0.2)


def test_an_instance_that_leaves_is_not_missed(bookworm: Client, bookworm_host: Host) -> None:
    time.sleep(2.1)  # until both are trusted again
    bookworm_host.run_test("systemctl stop backend@acme-1")
    try:
        assert {bookworm.get(LOAD).json["instance"] for _request in range(10)} == {"acme-2"}
    finally:
        bookworm_host.run_test("systemctl start backend@acme-1")


def test_a_client_that_says_nothing_is_not_waited_for(bookworm: Client) -> None:
    with socket.create_connection((bookworm.address, 80), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        started = time.monotonic()
        assert connection.recv(4096) == b""
        assert 10 < time.monotonic() - started < 20
