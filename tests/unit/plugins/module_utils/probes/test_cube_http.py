"""What a Cube.js process answers, with servers that answer as Cube does, and that misbehave."""

from __future__ import annotations

import base64
import json
import socket
import time
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Answer
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.cube_http import (
    Asked,
    ask,
    mode,
    questions,
    unsigned_token,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.http import Address
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline

PRODUCTION = "<html><body>Cube.js server is running in production mode. <a>Learn more</a></body></html>"


def answering(answers: dict[str, str], log: list[str]) -> Any:
    """Return a server that answers by path."""

    def talk(client: socket.socket) -> None:
        request = client.recv(65536).decode()
        if not request:
            return  # the test is over
        log.append(request)
        path = request.split(" ")[1]
        body = answers.get(path, "404 nothing")
        status, _blank, text = body.partition(" ")
        client.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        client.close()

    return talk


def asked(servers: Any, talk: Any, seconds: float = 5.0) -> Any:
    address = Address(port=servers.tcp(talk).port)
    paths = questions(Asked(address, "0.29.57", "s" * 32, {"tenant": "a"}))
    return ask(address, paths, Deadline.within(seconds), Redactor(b"k"))


def test_every_question_and_never_readyz(servers: Any) -> None:
    log: list[str] = []
    answers = {"/": f"200 {PRODUCTION}", "/cubejs-api/v1/meta": '403 {"error": "Invalid token"}'}
    found, unknown = asked(servers, answering(answers, log))
    assert not unknown
    assert {name: answer.status for name, answer in found.items()} == {
        "root": 200, "playground_context": 404, "playground_files": 404, "system_context": 404,
        "meta_without_token": 403, "meta_bad_token": 403, "meta_unsigned_token": 403, "meta_signed_token": 403,
        "livez": 404, "websocket": 200,
    }  # fmt: skip
    assert found["meta_bad_token"].text == '{"error": "Invalid token"}'
    assert not [request for request in log if "readyz" in request]
    assert all(request.startswith("GET ") for request in log)


def test_what_gives_tokens_away_is_not_told(servers: Any) -> None:
    answers = {"/playground/context": '200 {"cubejsToken": "planted"}', "/cubejs-api/v1/meta": "200 planted-schema"}
    found, _unknown = asked(servers, answering(answers, []))
    assert (found["playground_context"].status, found["playground_context"].text) == (200, "")
    assert found["meta_signed_token"].text == ""


@pytest.mark.parametrize(
    ("version", "secret", "left_out"),
    [
        pytest.param("0.24.11", "s", {"livez"}, id="before health checks"),
        pytest.param("0.29.57", None, {"meta_signed_token"}, id="no secret to sign with"),
        pytest.param("0.29.57", "", {"meta_signed_token"}, id="an empty secret"),
        pytest.param("", "s", {"livez"}, id="no version"),
    ],
)
def test_what_is_not_asked(version: str, secret: str | None, left_out: set[str]) -> None:
    everything = set(questions(Asked(Address(), "0.29.57", "s")))
    assert everything - set(questions(Asked(Address(), version, secret))) == left_out


def test_the_unsigned_token() -> None:
    head, _claims, signature = unsigned_token().split(".")
    assert json.loads(base64.urlsafe_b64decode(f"{head}==")) == {"alg": "none", "typ": "JWT"}
    assert signature == ""


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        pytest.param(Answer(200, PRODUCTION), "production", id="production"),
        pytest.param(Answer(200, "<!doctype html><title>Cube.js Playground</title>"), "development", id="playground"),
        pytest.param(Answer(200, "hello"), "", id="something else"),
        pytest.param(Answer(404, PRODUCTION), "", id="not found"),
        pytest.param(None, "", id="no answer"),
    ],
)
def test_the_mode_by_the_root_page(answer: Answer | None, found: str) -> None:
    assert mode(answer) == found


def saying(data: bytes, wait: float = 0.0) -> Any:
    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(data)
        time.sleep(wait)
        client.close()

    return talk


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        pytest.param(saying(b"", 5), "no answer in time", id="hangs"),
        pytest.param(saying(b"HTTP/1.1 200 OK\r\nContent-Le"), "", id="half an answer"),
        pytest.param(saying(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2**20), "does not speak HTTP", id="a line of 1 MB"),
        pytest.param(saying(bytes(range(256))), "does not speak HTTP", id="binary"),
        pytest.param(saying(b""), "closed the connection", id="hangs up"),
    ],
)
def test_malformed_answers(servers: Any, talk: Any, said: str) -> None:
    began = time.monotonic()
    found, unknown = asked(servers, talk, seconds=0.8)
    assert len(found) + len(unknown) == 10
    assert time.monotonic() - began < 2
    if said:
        assert not found
        assert said in unknown[0].reason
        assert "was not asked" in unknown[-1].reason


def test_hostile_texts_are_one_short_line(servers: Any) -> None:
    found, _unknown = asked(servers, answering({"/": f"200 {'<script>' * 100}\x1b\n"}, []))
    assert len(found["root"].text) == 203


@pytest.mark.parametrize(("seconds", "answered"), [(1.0, False), (5.0, True)])
def test_a_late_answer_is_waited_for_where_there_is_more_time(servers: Any, seconds: float, answered: bool) -> None:
    """A question has 0.4 of all the time: 0.4 s and 2 s here."""
    answer = answering({"/": f"200 {PRODUCTION}"}, [])

    def talk(client: socket.socket) -> None:
        if client.recv(16, socket.MSG_PEEK).startswith(b"GET / "):
            time.sleep(0.7)
        answer(client)

    found, unknown = asked(servers, talk, seconds)
    assert ("root" in found) is answered
    assert bool(unknown) is not answered
