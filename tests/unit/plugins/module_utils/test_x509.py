"""Certificates in DER form, made by the real library."""

from __future__ import annotations

import datetime
import ipaddress

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.x509 import X509Error, parse, parse_pem
from cryptography import x509 as made
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KEY = ec.generate_private_key(ec.SECP256R1())
BEGIN = datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)


def certificate(end: datetime.datetime, issuer: str = "ca", subject: str = "me", names: int = 2) -> made.Certificate:
    def name(text: str) -> made.Name:
        return made.Name([made.NameAttribute(NameOID.COMMON_NAME, text)])

    builder = made.CertificateBuilder(name(issuer), name(subject), KEY.public_key(), 7, BEGIN, end)
    if names:
        alternative = [made.DNSName("*.Acme.example"), made.IPAddress(ipaddress.ip_address("2001:db8::1"))]
        builder = builder.add_extension(made.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(made.SubjectAlternativeName(alternative), critical=False)
    return builder.sign(KEY, hashes.SHA256())


@pytest.mark.parametrize("year", [2030, 2049, 2050, 2120])
def test_dates_on_both_sides_of_their_notations(year: int) -> None:
    end = BEGIN.replace(year=year)
    found = parse(certificate(end).public_bytes(serialization.Encoding.DER))
    assert (found.not_before, found.not_after) == (BEGIN.timestamp(), end.timestamp())


def test_names_and_who_signed() -> None:
    pem = certificate(BEGIN.replace(year=2030)).public_bytes(serialization.Encoding.PEM).decode()
    found = parse_pem(f"some text\n{pem}{pem}")
    assert found.names == ("*.acme.example", "2001:db8::1")
    assert (found.issuer, found.subject, found.self_signed) == ("ca", "me", False)
    alone = certificate(BEGIN.replace(year=2030), "me", names=0).public_bytes(serialization.Encoding.DER)
    assert (parse(alone).names, parse(alone).self_signed) == ((), True)


def test_hostile_names_are_one_line() -> None:
    found = parse(certificate(BEGIN.replace(year=2030), "a\n<b>").public_bytes(serialization.Encoding.DER))
    assert found.issuer == "a <b>"


DER = certificate(BEGIN.replace(year=2030)).public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x30\x82\xff\xff", id="cut off"),
        pytest.param(b"\x30\x84\xff\xff\xff\xff", id="a length of 4 GB"),
        pytest.param(b"\x30\x80\x00\x00", id="no length"),
        pytest.param(b"\x30" * 70_000, id="too large"),
        pytest.param(b"\x30\x00", id="empty"),
        pytest.param(b"HTTP/1.1 200 OK", id="something else"),
    ],
)
def test_what_is_no_certificate(der: bytes) -> None:
    with pytest.raises(X509Error):
        parse(der)


def test_no_cut_of_a_real_one_is_anything_but_an_error() -> None:
    for length in range(len(DER)):
        with pytest.raises(X509Error):
            parse(DER[:length])
    for at in range(len(DER)):
        broken = DER[:at] + bytes((DER[at] ^ 0xFF,)) + DER[at + 1 :]
        try:
            parse(broken)
        except X509Error:
            continue


@pytest.mark.parametrize(
    "text", ["", "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE----------BEGIN CERTIFICATE-----"]
)
def test_what_is_no_pem(text: str) -> None:
    with pytest.raises(X509Error, match="no certificate in PEM form"):
        parse_pem(text)
    with pytest.raises(X509Error, match=r"cannot be decoded|no certificate"):
        parse_pem("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----")
