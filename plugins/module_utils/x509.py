# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Dates and names of a certificate in DER form (RFC 5280), with the standard library alone.

A target host has no `cryptography`, and Python's ssl tells nothing of a certificate that it does not trust. Nothing is
verified here: that is the handshake's work.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from typing import NamedTuple

from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Certificate

MAX_BYTES = 64 * 1024
MAX_NAMES = 1000
SEQUENCE, SET, OID, BIT_STRING, OCTETS = 0x30, 0x31, 0x06, 0x03, 0x04
UTC_TIME, GENERALIZED_TIME, VERSION, EXTENSIONS = 0x17, 0x18, 0xA0, 0xA3
DNS_NAME, IP_ADDRESS = 0x82, 0x87
COMMON_NAME, ORGANIZATION = bytes((0x55, 0x04, 0x03)), bytes((0x55, 0x04, 0x0A))
ALTERNATIVE_NAMES = bytes((0x55, 0x1D, 0x11))


class X509Error(ValueError):
    """The bytes are no certificate."""


class _Element(NamedTuple):
    tag: int
    content: bytes


def parse(der: bytes) -> Certificate:
    """Return what a certificate says; raise X509Error for what is none."""
    if len(der) > MAX_BYTES:
        raise X509Error(f"it is larger than {MAX_BYTES} bytes")
    try:
        outer = _first(der)
        fields = list(_elements(_first(outer.content).content))
        if fields[0].tag == VERSION:
            fields = fields[1:]
        # serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, extensions
        issuer, validity, subject = fields[2], fields[3], fields[4]
        begin, end = (_time(each) for each in list(_elements(validity.content))[:2])
        names = [name for field in fields if field.tag == EXTENSIONS for name in _names(field)]
        return Certificate(
            names=tuple(names[:MAX_NAMES]),
            not_before=begin,
            not_after=end,
            issuer=_shown(issuer),
            subject=_shown(subject),
            self_signed=issuer.content == subject.content,
        )
    except (IndexError, ValueError) as exc:
        raise X509Error("it is no certificate in DER form") from exc


def parse_pem(text: str) -> Certificate:
    """Return what the first certificate in a PEM file says; raise X509Error where there is none."""
    begin, end = text.find("-----BEGIN CERTIFICATE-----"), text.find("-----END CERTIFICATE-----")
    if not 0 <= begin < end:
        raise X509Error("it holds no certificate in PEM form")
    try:
        der = ssl.PEM_cert_to_DER_cert(text[begin : end + len("-----END CERTIFICATE-----")])
    except ValueError as exc:
        raise X509Error("its certificate cannot be decoded") from exc
    return parse(der)


def _first(data: bytes) -> _Element:
    for element in _elements(data):
        return element
    raise X509Error("an element is empty")


def _elements(data: bytes) -> Iterator[_Element]:
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            count = length & 0x7F
            if not 0 < count <= 4:
                raise X509Error("a length cannot be read")
            length = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + length > len(data):
            raise X509Error("it is cut off")
        yield _Element(tag, data[at : at + length])
        at += length


def _time(element: _Element) -> float:
    text = element.content.decode("ascii")
    if element.tag == UTC_TIME:
        # RFC 5280, 4.1.2.5.1: two digits up to 49 are of this century.
        text = ("20" if int(text[:2]) < 50 else "19") + text
    elif element.tag != GENERALIZED_TIME:
        raise X509Error("a date is none")
    found = datetime.datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    return found.timestamp()


def _names(extensions: _Element) -> Iterator[str]:
    for extension in _elements(_first(extensions.content).content):
        parts = list(_elements(extension.content))
        if parts[0].content != ALTERNATIVE_NAMES:
            continue
        for name in _elements(_first(parts[-1].content).content):
            if name.tag == DNS_NAME:
                yield name.content.decode("ascii", "backslashreplace").lower()
            elif name.tag == IP_ADDRESS and len(name.content) in (4, 16):
                yield str(ipaddress.ip_address(name.content))


def _shown(name: _Element) -> str:
    """Return the common name of a distinguished name, or its organization."""
    found = {}
    for part in _elements(name.content):
        for pair in _elements(part.content):
            oid, value = list(_elements(pair.content))[:2]
            found[oid.content] = value.content.decode("utf-8", "backslashreplace")
    shown = found.get(COMMON_NAME) or found.get(ORGANIZATION, "")
    return "".join(character if character.isprintable() else " " for character in shown[:200])
