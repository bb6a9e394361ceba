"""What the quick start prints."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from cube import Cube
from report import audited, curl_line, table


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        pytest.param([], "(no rows)", id="nothing"),
        pytest.param(
            [{"a": "x", "revenue": 1234.5}, {"a": "longer", "revenue": 7.0}],
            "a        revenue\n------  --------\nx       1,234.50\nlonger      7.00",
            id="numbers to the right",
        ),
        pytest.param([{"n": 1234567}], "        n\n---------\n1,234,567", id="whole numbers"),
    ],
)
def test_table(rows: list[dict[str, object]], text: str) -> None:
    assert table(rows) == text


def test_the_curl_line_survives_a_shell_and_holds_no_token() -> None:
    cube = Cube("cube.acme.example", "10.89.0.2", Path("/home/a b/ca.crt"))
    words = shlex.split(curl_line(cube, Path("/home/a b/authorization"), {"measures": ["A.b"]}))
    assert words == [
        *["curl", "--get", "--resolve", "cube.acme.example:443:10.89.0.2", "--cacert", "/home/a b/ca.crt"],
        *["--header", "@/home/a b/authorization", "--data-urlencode", 'query={"measures":["A.b"]}'],
        "https://cube.acme.example/cubejs-api/v1/load",
    ]


def finding(status: str) -> dict[str, str]:
    return {"status": status, "severity": "error", "subject": "acme", "message": "It is so", "remedy": "Mend it"}


@pytest.mark.parametrize(
    ("outcome", "statuses", "expected"),
    [
        pytest.param("ok", ["pass", "pass"], ["Verdict: all green at error or above (2 pass)."], id="green"),
        pytest.param(
            "could-not-look",
            ["pass", "unknown", "not_applicable"],
            [
                "Verdict: could not look at error or above (1 pass, 1 unknown, 1 not applicable).",
                "  unknown (error) acme: It is so. Mend it",
            ],
            id="not all was seen",
        ),
    ],
)
def test_verdict_of_an_audit(outcome: str, statuses: list[str], expected: list[str]) -> None:
    report = {"outcome": {"name": outcome, "fail_on": "error"}, "findings": [finding(each) for each in statuses]}
    assert audited(report).splitlines() == expected
