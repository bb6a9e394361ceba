"""Rules on production mode, in layers: pass, fail, unknown, not applicable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import observation as seen
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Answer, HttpSeen, Unknown

Verdicts = Callable[..., list[str]]
ENVIRON = Unknown("process.environ", "Permission denied", "Run the task with become: true")
UNREAD_DOTENV = Unknown("dotenv", "/srv/acme/.env: Permission denied")


def dotenv(**values: str) -> tuple[seen.Layer, ...]:
    """Return a .env in the working directory."""
    return (seen.Layer(seen.DOTENV, "/srv/acme/.env", {key: seen.Value(text) for key, text in values.items()}),)


def pending(name: str, on_disk: str | None) -> tuple[seen.Difference, ...]:
    """Return a variable that a file sets otherwise than the process has it."""
    value = None if on_disk is None else seen.Value(on_disk)
    return (seen.Difference(name, "/etc/cubejs/acme.env", value, None),)


@pytest.mark.parametrize(
    ("environment", "changes", "status"),
    [
        pytest.param({}, {}, "pass", id="production"),
        pytest.param({"NODE_ENV": "Production"}, {}, "fail", id="not exactly"),
        pytest.param({"NODE_ENV": ""}, {}, "fail", id="empty"),
        pytest.param({"NODE_ENV": None}, {}, "fail", id="not set"),
        pytest.param({}, {"unknown": (ENVIRON,)}, "unknown", id="process not read"),
        pytest.param({"NODE_ENV": "dev"}, {"unknown": (ENVIRON,)}, "fail", id="wrong in the files, process not read"),
        pytest.param({"NODE_ENV": None}, {"unknown": (UNREAD_DOTENV,)}, "unknown", id="a .env could set it"),
        pytest.param({}, {"unknown": (UNREAD_DOTENV,)}, "pass", id="a .env cannot change it"),
        pytest.param({}, {"layers": dotenv(NODE_ENV="development")}, "fail", id="a stray .env"),
        pytest.param({}, {"layers": dotenv(NODE_ENV="production")}, "pass", id="a .env that agrees"),
        pytest.param({}, {"differences": pending("NODE_ENV", "test")}, "fail", id="otherwise with the next start"),
        pytest.param({}, {"differences": pending("NODE_ENV", None)}, "pass", id="gone from disk"),
        pytest.param({}, {"running": False, "process": None, "http": None}, "pass", id="stopped, files are right"),
    ],
)
def test_node_env(
    verdicts: Verdicts, seeing: Any, environment: dict[str, Any], changes: dict[str, Any], status: str
) -> None:
    assert verdicts("node-env-production", seeing.instance(environment=environment, **changes)) == [status]


@pytest.mark.parametrize(
    ("environment", "changes", "version", "status", "severity"),
    [
        pytest.param({}, {}, "0.29.57", "pass", "critical", id="not set"),
        pytest.param({"CUBEJS_DEV_MODE": "FALSE"}, {}, "0.29.57", "pass", "critical", id="false"),
        pytest.param({"CUBEJS_DEV_MODE": "true"}, {}, "0.29.57", "fail", "critical", id="on"),
        pytest.param({"CUBEJS_DEV_MODE": "1"}, {}, "0.29.57", "fail", "critical", id="refused"),
        pytest.param({"CUBEJS_DEV_MODE": "true"}, {}, "", "fail", "critical", id="on, version not known"),
        pytest.param({"CUBEJS_DEV_MODE": "true"}, {}, "0.23.11", "not_applicable", "critical", id="before it was read"),
        pytest.param({}, {"layers": dotenv(CUBEJS_DEV_MODE="true")}, "0.29.57", "fail", "error", id="a stray .env"),
        pytest.param({}, {"layers": dotenv(CUBEJS_DEV_MODE="false")}, "0.29.57", "pass", "critical", id="a fine .env"),
        pytest.param(
            {},
            {"differences": pending("CUBEJS_DEV_MODE", "true")},
            "0.29.57",
            "fail",
            "error",
            id="with the next start",
        ),
        pytest.param({}, {"unknown": (ENVIRON,)}, "0.29.57", "unknown", "critical", id="process not read"),
        pytest.param({}, {"unknown": (UNREAD_DOTENV,)}, "0.29.57", "unknown", "critical", id=".env not read"),
    ],
)
def test_development_mode(
    seeing: Any, environment: dict[str, Any], changes: dict[str, Any], version: str, status: str, severity: str
) -> None:
    instance = seeing.instance(environment=environment, version=version, **changes)
    (finding,) = seeing.judge("development-mode-off", seeing.live(instance))
    assert (finding.status, finding.severity) == (status, severity)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({}, "pass", id="production"),
        pytest.param({"mode": "development"}, "fail", id="playground"),
        pytest.param({"mode": "", "answers": {"root": Answer(302)}}, "unknown", id="a page of the project"),
        pytest.param({"mode": "", "answers": {}, "unknown": (Unknown("root", "late"),)}, "unknown", id="no answer"),
    ],
)  # fmt: skip
def test_root_page(verdicts: Verdicts, seeing: Any, changes: dict[str, Any], status: str) -> None:
    http = replace(seeing.instance().seen.http, **changes)
    assert verdicts("root-page-production", seeing.instance(http=http)) == [status]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"http": None, "running": False}, "not running", id="stopped"),
        pytest.param({"http": None}, "not asked", id="nobody asked"),
        pytest.param({"http": None, "unknown": (Unknown("live", "in a container"),)}, "in a container", id="elsewhere"),
        pytest.param(
            {"http": HttpSeen("/run/a.sock", unknown=(Unknown("root", "/ of /run/a.sock: refused"),))},
            "refused",
            id="refused",
        ),
    ],
)
def test_silence_says_why(seeing: Any, changes: dict[str, Any], told: str) -> None:
    (finding,) = seeing.judge("root-page-production", seeing.live(seeing.instance(**changes)))
    assert finding.status == "unknown"
    assert told in finding.message
    assert finding.remedy
