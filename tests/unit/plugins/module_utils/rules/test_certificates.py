"""Rules on certificates."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.certificates import covers

DAY = 86400
ASKED = ("certificate-trusted", "certificate-names", "certificate-expiry")
ON_DISK = ("certificate-names", "certificate-expiry", "certificate-key")
DENIED = (Unknown("certificate", "denied", "become"),)


def asked(seeing: Any, rule: str, **changes: Any) -> Any:
    return seeing.judge(rule, seeing.served(seeing.web_server(), proxies=(seeing.proxy(**changes),)))[0]


def on_disk(seeing: Any, rule: str, **changes: Any) -> Any:
    return seeing.judge(rule, seeing.served(seeing.web_server(**changes)))[-1]


@pytest.mark.parametrize("rule", sorted({*ASKED, *ON_DISK}))
def test_all_is_well(rule: str, seeing: Any) -> None:
    findings = seeing.judge(rule, seeing.served(seeing.web_server(), proxies=(seeing.proxy(),)))
    assert {each.status for each in findings} == {"pass"}
    assert len(findings) == (rule in ASKED) + (rule in ON_DISK)


@pytest.mark.parametrize("rule", ASKED)
def test_what_was_not_seen(rule: str, seeing: Any) -> None:
    assert asked(seeing, rule, reachable=False, problem="refused").status == "unknown"
    assert asked(seeing, rule, certificate=None, trusted=None).status == "unknown"
    assert seeing.judge(rule, seeing.served(seeing.web_server()))[0].status == "unknown"


@pytest.mark.parametrize("rule", ON_DISK)
def test_what_was_not_read(rule: str, seeing: Any) -> None:
    finding = on_disk(seeing, rule, certificate=None, key_matches=None, unknown=DENIED)
    assert finding.status == "unknown"
    assert on_disk(seeing, rule, tls=False).status == "not_applicable"
    assert seeing.judge(rule, seeing.served())[-1].status == "unknown"


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        pytest.param({"trusted": False, "trust_problem": "unable to get local issuer"}, "fail", "issuer", id="chain"),
        pytest.param({"trusted": False}, "fail", "it is not", id="no reason"),
        pytest.param({"certificate": None}, "pass", "could not be read", id="trusted, and not understood here"),
    ],
)
def test_trust(changes: dict[str, Any], status: str, said: str, seeing: Any) -> None:
    finding = asked(seeing, "certificate-trusted", **changes)
    assert finding.status == status
    assert said in finding.message


@pytest.mark.parametrize(
    ("names", "wanted", "covered"),
    [
        pytest.param(("a.example",), "a.example", True, id="itself"),
        pytest.param(("A.example",), "a.EXAMPLE", True, id="in other letters"),
        pytest.param(("*.example",), "a.example", True, id="a wildcard"),
        pytest.param(("*.example",), "b.a.example", False, id="a wildcard is one label"),
        pytest.param(("*.a.example",), "a.example", False, id="not the parent"),
        pytest.param(("*.a.example",), "*.a.example", True, id="a wildcard that is wanted"),
        pytest.param(("192.0.2.1",), "192.0.2.1", True, id="an address"),
        pytest.param((), "a", False, id="no name"),
    ],
)
def test_names(names: tuple[str, ...], wanted: str, covered: bool) -> None:
    assert covers(names, wanted) is covered


def test_a_certificate_for_another_name(seeing: Any) -> None:
    other = seeing.certificate(names=("other.example",))
    assert asked(seeing, "certificate-names", certificate=other).status == "fail"
    finding = on_disk(seeing, "certificate-names", certificate=other)
    assert (finding.status, "other.example" in finding.message) == ("fail", True)


@pytest.mark.parametrize(
    ("names", "held", "status"),
    [
        pytest.param(("_",), ("a.example",), "not_applicable", id="no name"),
        pytest.param(("~^a",), ("a.example",), "not_applicable", id="a pattern"),
        pytest.param((".a.example",), ("*.a.example",), "pass", id="a name and all below"),
        pytest.param(("*.a.example",), ("a.example",), "fail", id="a wildcard"),
    ],
)
def test_names_of_a_site(names: tuple[str, ...], held: tuple[str, ...], status: str, seeing: Any) -> None:
    finding = on_disk(seeing, "certificate-names", names=names, certificate=seeing.certificate(names=held))
    assert finding.status == status


@pytest.mark.parametrize(
    ("days", "status", "severity"),
    [
        pytest.param(-1, "fail", "error", id="expired"),
        pytest.param(0.5, "fail", "warning", id="today"),
        pytest.param(20.9, "fail", "warning", id="soon"),
        pytest.param(21, "pass", "error", id="three weeks"),
    ],
)
def test_expiry(days: float, status: str, severity: str, seeing: Any) -> None:
    certificate = seeing.certificate(not_after=seeing.now + days * DAY)
    for finding in (
        asked(seeing, "certificate-expiry", certificate=certificate),
        on_disk(seeing, "certificate-expiry", certificate=certificate),
    ):
        assert (finding.status, finding.severity) == (status, severity)


def test_a_certificate_of_tomorrow(seeing: Any) -> None:
    finding = asked(seeing, "certificate-expiry", certificate=seeing.certificate(not_before=seeing.now + DAY))
    assert (finding.status, finding.severity, "clocks" in finding.remedy) == ("fail", "error", True)


def test_what_expired_counts_though_another_was_not_read(seeing: Any) -> None:
    servers = [
        seeing.web_server(certificate=None, unknown=DENIED),
        seeing.web_server(certificate=seeing.certificate(not_after=seeing.now - DAY)),
    ]
    assert seeing.judge("certificate-expiry", seeing.served(*servers))[-1].status == "fail"


def test_a_key_of_another_certificate(seeing: Any) -> None:
    finding = on_disk(seeing, "certificate-key", key_matches=False)
    assert (finding.status, "/etc/a.key" in finding.message) == ("fail", True)
