# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates, held to a verifier that is not ours."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Callable

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import pki
from ansible_collections.cubeops.cubejs.plugins.module_utils.pki import Pair, PkiError
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa, x25519
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

NOW = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.timezone.utc)
NAMES = ["cube.acme.example", "192.0.2.1"]


def days(count: float) -> datetime.timedelta:
    return datetime.timedelta(days=count)


@pytest.fixture(scope="module", name="ca")
def a_ca() -> Pair:
    return pki.new_ca(pki.new_key(), NOW)


@pytest.fixture(scope="module", name="leaf")
def a_leaf(ca: Pair) -> Pair:
    return pki.issue(ca, NAMES, NOW)


def verify(ca: Pair, leaf: Pair, name: str, when: datetime.datetime) -> None:
    """Verify as a client does, with a verifier that is not ours."""
    policy = PolicyBuilder().store(Store([ca.certificate])).time(when)
    policy.build_server_verifier(x509.DNSName(name)).verify(leaf.certificate, [])


def test_a_leaf_is_accepted_by_a_strict_client(ca: Pair, leaf: Pair) -> None:
    verify(ca, leaf, "cube.acme.example", NOW)
    verify(ca, leaf, "cube.acme.example", NOW - pki.BACKDATE)


@pytest.mark.parametrize(
    ("name", "when"),
    [
        pytest.param("cube.globex.example", NOW, id="another name"),
        pytest.param("cube.acme.example", NOW + days(398), id="after its end"),
        pytest.param("cube.acme.example", NOW - days(1), id="before its beginning"),
    ],
)
def test_a_leaf_is_refused_for(ca: Pair, leaf: Pair, name: str, when: datetime.datetime) -> None:
    with pytest.raises(VerificationError):
        verify(ca, leaf, name, when)


def test_a_leaf_cannot_sign_another(ca: Pair, leaf: Pair) -> None:
    forged = pki.issue(leaf, ["cube.acme.example"], NOW)
    policy = PolicyBuilder().store(Store([ca.certificate])).time(NOW)
    verifier = policy.build_server_verifier(x509.DNSName("cube.acme.example"))
    with pytest.raises(VerificationError):
        verifier.verify(forged.certificate, [leaf.certificate])


def test_a_leaf_never_outlives_its_ca() -> None:
    short = pki.new_ca(pki.new_key(), NOW, days=100)
    assert pki.issue(short, NAMES, NOW).certificate.not_valid_after_utc == short.certificate.not_valid_after_utc


def test_a_name_longer_than_a_common_name_may_be_still_verifies(ca: Pair) -> None:
    name = ".".join(["a" * 60, "b" * 60, "example"])
    verify(ca, pki.issue(ca, [name], NOW), name, NOW)


def test_a_ca_made_again_from_its_key_still_signed_the_old_leaves(ca: Pair, leaf: Pair) -> None:
    again = pki.new_ca(ca.key, NOW + days(10))
    verify(again, leaf, "cube.acme.example", NOW + days(10))
    assert again.certificate.subject == ca.certificate.subject


def test_two_cas_have_different_names(ca: Pair) -> None:
    assert pki.new_ca(pki.new_key(), NOW).certificate.subject != ca.certificate.subject


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        pytest.param("Cube.Acme.Example.", "cube.acme.example", id="case and root dot"),
        pytest.param("*.acme.example", "*.acme.example", id="wildcard"),
        pytest.param("redis_1", "redis_1", id="underscore, as host names in private networks have"),
        pytest.param("2001:DB8::0:1", "2001:db8::1", id="IPv6"),
        pytest.param("192.0.2.1", "192.0.2.1", id="IPv4"),
    ],
)
def test_names_have_one_spelling(given: str, wanted: str) -> None:
    assert pki.normalise_name(given) == wanted


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="empty"),
        pytest.param("a..example", id="empty label"),
        pytest.param("*.example", id="wildcard over a whole top level"),
        pytest.param("a.*.example", id="wildcard elsewhere"),
        pytest.param("caf*.acme.example", id="partial wildcard"),
        pytest.param("café.example", id="not in its xn-- form"),
        pytest.param("https://acme.example", id="URL"),
        pytest.param("-acme.example", id="leading hyphen"),
        pytest.param("a" * 64 + ".example", id="label too long"),
        pytest.param("acme.example\n", id="newline"),
        pytest.param(".".join(["a" * 50] * 6), id="name too long"),
        pytest.param("fe80::1%eth0", id="address with a zone"),
    ],
)
def test_what_no_certificate_can_carry_is_refused(name: str) -> None:
    with pytest.raises(PkiError, match="neither a DNS name nor an IP address"):
        pki.normalise_name(name)


def other_ca() -> Pair:
    return pki.new_ca(pki.new_key(), NOW)


def with_another_key(leaf: Pair) -> Pair:
    return dataclasses.replace(leaf, key=pki.new_key())


def of_another_ca(_leaf: Pair) -> Pair:
    return pki.issue(other_ca(), NAMES, NOW)


def as_it_is(leaf: Pair) -> Pair:
    return leaf


@pytest.mark.parametrize(
    ("mend", "names", "later", "reason"),
    [
        pytest.param(as_it_is, NAMES, days(0), None, id="new"),
        pytest.param(as_it_is, NAMES[::-1], days(0), None, id="names in another order"),
        pytest.param(as_it_is, NAMES, days(367), None, id="30 days left"),
        pytest.param(as_it_is, NAMES, days(367.01), "it expires on 2027-02-16", id="less than 30 days"),
        pytest.param(as_it_is, NAMES[:1], days(0), "its names changed", id="a name gone"),
        pytest.param(as_it_is, [*NAMES, "a.example"], days(0), "its names changed", id="a name more"),
        pytest.param(with_another_key, NAMES, days(0), "its key does not match it", id="another key"),
        pytest.param(of_another_ca, NAMES, days(0), "another CA signed it", id="another CA"),
    ],
)
def test_a_leaf_is_renewed_when(
    ca: Pair, leaf: Pair, mend: Callable[[Pair], Pair], names: list[str], later: datetime.timedelta, reason: str | None
) -> None:
    assert pki.renewal_reason(mend(leaf), ca, names, NOW + later, renew_days=30) == reason


def test_a_leaf_that_ends_with_its_ca_is_not_renewed_on_every_run() -> None:
    short = pki.new_ca(pki.new_key(), NOW, days=10)
    leaf = pki.issue(short, NAMES, NOW)
    assert pki.renewal_reason(leaf, short, NAMES, NOW, renew_days=30) is None


def test_a_sound_ca_has_no_problem(ca: Pair) -> None:
    assert pki.ca_problem(ca, NOW) is None


@pytest.mark.parametrize(
    ("make", "later", "problem"),
    [
        pytest.param(lambda ca: dataclasses.replace(ca, key=pki.new_key()), 0, "do not belong together", id="key"),
        pytest.param(lambda ca: pki.issue(ca, NAMES, NOW), 0, "not one of a CA", id="a leaf"),
        pytest.param(lambda ca: ca, pki.CA_DAYS, "it expired on 2036-01-13", id="expired"),
    ],
)
def test_a_ca_cannot_sign_when(ca: Pair, make: Callable[[Pair], Pair], later: int, problem: str) -> None:
    assert problem in str(pki.ca_problem(make(ca), NOW + days(later)))


@pytest.mark.parametrize(
    ("names", "when", "problems"),
    [
        pytest.param(["cube.acme.example"], NOW, [], id="fit"),
        pytest.param(["a.wild.example"], NOW, [], id="wildcard"),
        pytest.param(["a.b.wild.example"], NOW, ["not for a.b.wild.example"], id="a wildcard is one label"),
        pytest.param(["wild.example"], NOW, ["not for wild.example"], id="a wildcard is a label"),
        pytest.param(["b.example", "a.example"], NOW, ["not for a.example, b.example (it is for *.wild"], id="names"),
        pytest.param(["cube.acme.example"], NOW - days(9), ["not valid before 2026-01-15"], id="not yet"),
        pytest.param(["a.example"], NOW + days(400), ["not for a.example", "expired on 2027-02-16"], id="all at once"),
    ],
)
def test_a_provided_certificate_is_held_to(
    ca: Pair, names: list[str], when: datetime.datetime, problems: list[str]
) -> None:
    provided = pki.issue(ca, ["cube.acme.example", "*.wild.example"], NOW)
    found = pki.provided_problems(provided, names, when)
    assert len(found) == len(problems)
    assert all(part in text for part, text in zip(problems, found))


def test_a_provided_key_must_belong_to_the_first_certificate(ca: Pair, leaf: Pair) -> None:
    swapped = Pair(leaf.key, ca.certificate, (leaf.certificate,))
    found = pki.provided_problems(swapped, [], NOW)
    assert any("server's own comes first" in problem for problem in found)


def test_a_provided_chain_must_be_in_order(ca: Pair, leaf: Pair) -> None:
    assert pki.provided_problems(dataclasses.replace(leaf, chain=(ca.certificate,)), NAMES, NOW) == []
    wrong = dataclasses.replace(leaf, chain=(other_ca().certificate, ca.certificate))
    assert "out of order" in pki.provided_problems(wrong, NAMES, NOW)[0]


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(rsa.generate_private_key(65537, 2048), id="RSA"),
        pytest.param(ed25519.Ed25519PrivateKey.generate(), id="EdDSA"),
        pytest.param(pki.new_key(), id="ECDSA"),
    ],
)
def test_a_company_may_put_its_own_ca_in_place(key: pki.PrivateKey) -> None:
    ca = pki.new_ca(pki.load_key(pki.key_pem(key)), NOW)
    leaf = pki.issue(ca, NAMES, NOW)
    assert pki.renewal_reason(leaf, ca, NAMES, NOW, 30) is None


def encrypted() -> bytes:
    algorithm = serialization.BestAvailableEncryption(b"secret")
    return pki.new_key().private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, algorithm)


def of_no_use() -> bytes:
    return x25519.X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    ("pem", "message"),
    [
        pytest.param(b"", "no private key", id="empty"),
        pytest.param(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key", id="garbage"),
        pytest.param(encrypted(), "the key is encrypted", id="encrypted"),
        pytest.param(of_no_use(), "neither ECDSA, RSA nor EdDSA", id="a kind TLS cannot sign with"),
    ],
)
def test_a_key_is_refused(pem: bytes, message: str) -> None:
    with pytest.raises(PkiError, match=message):
        pki.load_key(pem)


def test_certificates_keep_their_order(ca: Pair, leaf: Pair) -> None:
    chained = dataclasses.replace(leaf, chain=(ca.certificate,))
    assert pki.load_certificates(chained.certificate_pem()) == [leaf.certificate, ca.certificate]
    with pytest.raises(PkiError, match="no certificate"):
        pki.load_certificates(b"not a certificate")
