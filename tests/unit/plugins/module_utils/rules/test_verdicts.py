"""Verdicts become findings."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules import verdicts
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.base import Rule


class Example(Rule):
    """A rule."""

    id = "example-rule"
    remedy = "Mend it"


@pytest.mark.parametrize(
    ("verdict", "status", "message", "remedy", "severity"),
    [
        pytest.param(verdicts.passes("well"), "pass", "well", "Mend it", "error", id="passes"),
        pytest.param(verdicts.fails("ill", severity="info"), "fail", "ill", "Mend it", "info", id="its own severity"),
        pytest.param(verdicts.fails("ill", "Do so"), "fail", "ill", "Do so", "error", id="its own remedy"),
        pytest.param(verdicts.not_applicable("none"), "not_applicable", "none", "Mend it", "error", id="nothing"),
        pytest.param(
            verdicts.unknown(Unknown("grants", "denied", "Ask")),
            "unknown",
            "it cannot be known: grants: denied",
            "Ask",
            "error",
            id="a note",
        ),
        pytest.param(
            verdicts.unknown("denied", "Ask"), "unknown", "it cannot be known: denied", "Ask", "error", id="a reason"
        ),
    ],
)
def test_findings(
    verdict: verdicts.Verdict, status: str, message: str, remedy: str, severity: str, seeing: Any
) -> None:
    finding = verdicts.of(Example(), seeing.instance(), verdict)
    assert (finding.status, finding.message, finding.remedy, finding.severity) == (status, message, remedy, severity)
    assert (finding.subject, finding.tenant, finding.host) == ("cubejs-api@acme-1.service", "acme", "one")


@pytest.mark.parametrize(("version", "found"), [("0.29.57", True), ("0.19.1", False), ("", None), ("nonsense", None)])
def test_versions(version: str, found: bool | None) -> None:
    assert verdicts.is_within(version, ">=0.20") is found


@pytest.mark.parametrize(
    ("what", "hidden"), [("process.environ", True), ("dotenv", True), ("project", False), ("dotenv.facts", False)]
)
def test_settings_that_were_not_read(what: str, hidden: bool, seeing: Any) -> None:
    found = verdicts.unread_settings(seeing.instance(unknown=(Unknown(what, "denied"),)))
    assert (found is not None) is hidden
