"""Rules on whom a process lets in: pass, fail, unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Answer, Unknown

Verdicts = Callable[..., list[str]]
SECRET = "CUBEJS_PLAYGROUND_AUTH_SECRET"
ENVIRON = Unknown("process.environ", "Permission denied")


def answering(seeing: Any, answers: Mapping[str, int | None], **changes: Any) -> Any:
    """Return an instance that answers so; None is no answer."""
    http = seeing.instance().seen.http
    found = {**http.answers, **{key: Answer(status) for key, status in answers.items() if status}}
    kept = {key: each for key, each in found.items() if answers.get(key, 1) is not None}
    return seeing.instance(http=replace(http, answers=kept), **changes)


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        pytest.param({}, "pass", id="404"),
        pytest.param({"playground_context": 401, "playground_files": 403}, "pass", id="refused"),
        pytest.param({"playground_context": 200}, "fail", id="context open"),
        pytest.param({"playground_files": 200}, "fail", id="files open"),
        pytest.param({"playground_context": None, "playground_files": 200}, "fail", id="one open, one silent"),
        pytest.param({"playground_context": None}, "unknown", id="one silent"),
        pytest.param({"playground_files": 500}, "unknown", id="an error is no refusal"),
        pytest.param({"playground_files": 302}, "unknown", id="led elsewhere"),
    ],
)
def test_playground(verdicts: Verdicts, seeing: Any, answers: dict[str, int | None], status: str) -> None:
    assert verdicts("playground-closed", answering(seeing, answers)) == [status]


@pytest.mark.parametrize(
    ("rule", "question"),
    [
        ("token-required", "meta_without_token"),
        ("bad-token-refused", "meta_bad_token"),
        ("unsigned-token-refused", "meta_unsigned_token"),
    ],
)
@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(403, "pass", id="refused"),
        pytest.param(401, "pass", id="refused by the project"),
        pytest.param(200, "fail", id="let in"),
        pytest.param(404, "unknown", id="served elsewhere"),
        pytest.param(500, "unknown", id="broken"),
        pytest.param(None, "unknown", id="silent"),
    ],
)
def test_tokens(verdicts: Verdicts, seeing: Any, rule: str, question: str, answer: int | None, status: str) -> None:
    assert verdicts(rule, answering(seeing, {question: answer})) == [status]


@pytest.mark.parametrize(
    ("value", "answers", "changes", "status", "severity"),
    [
        pytest.param(None, {}, {}, "pass", "warning", id="not set"),
        pytest.param({"problems": ("it is empty",)}, {}, {}, "pass", "warning", id="empty is off"),
        pytest.param({}, {"system_context": 403}, {}, "fail", "warning", id="set"),
        pytest.param({"problems": ("it is a sample",)}, {}, {}, "fail", "error", id="set and weak"),
        pytest.param(None, {"system_context": 200}, {}, "fail", "critical", id="open"),
        pytest.param(None, {"system_context": None}, {"unknown": (ENVIRON,)}, "unknown", "warning", id="nothing known"),
        pytest.param(None, {"system_context": 404}, {"unknown": (ENVIRON,)}, "pass", "warning", id="no routes"),
    ],
)  # fmt: skip
def test_playground_secret(
    seeing: Any,
    value: dict[str, Any] | None,
    answers: dict[str, int | None],
    changes: dict[str, Any],
    status: str,
    severity: str,
) -> None:
    instance = answering(seeing, answers, **changes)
    if value is not None:
        settings = {**instance.seen.settings, SECRET: seeing.setting(None, fingerprint="f", **value)}
        instance = replace(instance, seen=replace(instance.seen, settings=settings))
    (finding,) = seeing.judge("playground-secret-unset", seeing.live(instance))
    assert (finding.status, finding.severity) == (status, severity)


@pytest.mark.parametrize(
    ("environment", "password", "changes", "status"),
    [
        pytest.param({}, False, {}, "not_applicable", id="no port"),
        pytest.param({"CUBEJS_SQL_PORT": "false", "CUBEJS_PG_SQL_PORT": "0"}, False, {}, "not_applicable", id="off"),
        pytest.param({"CUBEJS_SQL_PORT": "3307"}, False, {}, "fail", id="open"),
        pytest.param({"CUBEJS_SQL_PORT": "3307", "CUBEJS_SQL_USER": "u"}, False, {}, "fail", id="user only"),
        pytest.param({"CUBEJS_SQL_PORT": "3307"}, True, {}, "fail", id="password only"),
        pytest.param({"CUBEJS_SQL_PORT": "3307", "CUBEJS_SQL_USER": "u"}, True, {}, "pass", id="both"),
        pytest.param({"CUBEJS_PG_SQL_PORT": "5432"}, False, {}, "not_applicable", id="not read yet"),
        pytest.param({"CUBEJS_PG_SQL_PORT": "5432"}, False, {"version": "0.31.69"}, "fail", id="PostgreSQL"),
        pytest.param({"CUBEJS_PG_SQL_PORT": "5432"}, False, {"version": ""}, "fail", id="version not known"),
        pytest.param({}, False, {"unknown": (ENVIRON,)}, "unknown", id="process not read"),
        pytest.param(
            {"CUBEJS_SQL_PORT": "3307"}, False, {"unknown": (ENVIRON,)}, "unknown", id="open, process not read"
        ),
    ],
)
def test_sql_api(
    verdicts: Verdicts,
    seeing: Any,
    environment: dict[str, Any],
    password: bool,
    changes: dict[str, Any],
    status: str,
) -> None:
    instance = seeing.instance(environment=environment, **changes)
    if password:
        settings = {**instance.seen.settings, "CUBEJS_SQL_PASSWORD": seeing.setting(None, fingerprint="f")}
        instance = replace(instance, seen=replace(instance.seen, settings=settings))
    assert verdicts("sql-api-login", instance) == [status]
