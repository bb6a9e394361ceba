"""Rules on how a process answers: pass, fail, unknown, not applicable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Project
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Answer, Unknown

Verdicts = Callable[..., list[str]]
AWAY = Unknown("readyz", "it was not asked: Redis was not reached", "See why")


def asked(seeing: Any, **changes: Any) -> Any:
    """Return what a healthy process answers, with changes."""
    return replace(seeing.instance().seen.http, **changes)


@pytest.mark.parametrize(
    ("answers", "version", "status"),
    [
        pytest.param({"livez": 200, "readyz": 200}, "0.29.57", "pass", id="both"),
        pytest.param({"livez": 200, "readyz": 200}, "0.24.12", "pass", id="the first with them"),
        pytest.param({"livez": 200, "readyz": 500}, "0.29.57", "fail", id="not ready"),
        pytest.param({"livez": 500}, "0.29.57", "fail", id="not alive"),
        pytest.param({"livez": 200}, "0.29.57", "unknown", id="not asked, since Redis is away"),
        pytest.param({}, "0.24.11", "not_applicable", id="before them"),
        pytest.param({"livez": 404, "readyz": 404}, "0.20.10", "not_applicable", id="404 before them"),
        pytest.param({}, "", "unknown", id="version not known"),
    ],
)
def test_health(verdicts: Verdicts, seeing: Any, answers: dict[str, int], version: str, status: str) -> None:
    http = asked(seeing, answers={key: Answer(each) for key, each in answers.items()}, unknown=(AWAY,))
    assert verdicts("health-endpoints", seeing.instance(http=http, version=version)) == [status]


def test_why_readyz_was_not_asked_is_told(seeing: Any) -> None:
    http = asked(seeing, answers={"livez": Answer(200)}, unknown=(AWAY,))
    (finding,) = seeing.judge("health-endpoints", seeing.live(seeing.instance(http=http)))
    assert "Redis was not reached" in finding.message


@pytest.mark.parametrize(
    ("same", "status"),
    [(True, "pass"), (False, "fail"), (None, "unknown")],
    ids=["the same", "another one", "not waited for"],
)
def test_process(verdicts: Verdicts, seeing: Any, same: bool | None, status: str) -> None:
    assert verdicts("process-outlives-questions", seeing.instance(http=asked(seeing, same_process=same))) == [status]


@pytest.mark.parametrize(
    ("value", "answer", "version", "mentions", "status"),
    [
        pytest.param(None, 404, "0.29.57", (), "pass", id="off and off"),
        pytest.param("true", 101, "0.29.57", (), "pass", id="on and on"),
        pytest.param("TRUE", 101, "0.29.57", (), "pass", id="capitals"),
        pytest.param("TRUE", 101, "0.20.10", (), "fail", id="capitals are off in old versions"),
        pytest.param("true", 404, "0.29.57", (), "fail", id="on and not taken"),
        pytest.param("false", 101, "0.29.57", (), "fail", id="off and taken"),
        pytest.param(None, 101, "0.29.57", ("webSockets",), "pass", id="on by the project"),
        pytest.param(None, None, "0.29.57", (), "unknown", id="no answer"),
    ],
)
def test_web_sockets(
    verdicts: Verdicts,
    seeing: Any,
    value: str | None,
    answer: int | None,
    version: str,
    mentions: tuple[str, ...],
    status: str,
) -> None:
    http = asked(seeing, answers={"websocket": Answer(answer)} if answer else {})
    instance = seeing.instance(
        environment={"CUBEJS_WEB_SOCKETS": value},
        http=http,
        version=version,
        project=Project("/srv/acme", mentions=mentions),
    )
    assert verdicts("websockets-as-set", instance) == [status]


def test_web_sockets_are_in_doubt_with_the_process(verdicts: Verdicts, seeing: Any) -> None:
    unread = (Unknown("process.environ", "Permission denied"),)
    assert verdicts("websockets-as-set", seeing.instance(unknown=unread)) == ["unknown"]
