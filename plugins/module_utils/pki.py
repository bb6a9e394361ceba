# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small certificate authority: keys, certificates and what can be wrong with them; no files, no clock.

Controller only: `cryptography` is not expected on target hosts.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import ipaddress
import re
import traceback
from collections.abc import Iterable, Sequence
from typing import Union

IMPORT_ERROR = ""
try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError:
    # Sanity and target hosts import this file without the library; the action plugin reports it.
    IMPORT_ERROR = traceback.format_exc()
else:
    PrivateKey = Union[ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey]

CA_DAYS = 3650
# Devices of Apple refuse server certificates that live longer than 825 days, whoever signed them; public ones 398.
LEAF_DAYS = 397
RENEW_DAYS = 30
# A host whose clock is a little late must accept a certificate issued a moment ago.
BACKDATE = datetime.timedelta(hours=1)
# RFC 5280, ub-common-name.
COMMON_NAME_MAX = 64
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


class PkiError(Exception):
    """Something about keys, certificates or names that a person has to put right."""


@dataclasses.dataclass(frozen=True)
class Pair:
    """A private key and the certificate over its public half, with the certificates that follow it in its file."""

    key: PrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    def certificate_pem(self) -> bytes:
        """Return the certificate, then its chain, as servers send them."""
        pems = (each.public_bytes(serialization.Encoding.PEM) for each in (self.certificate, *self.chain))
        return b"".join(pems)


def normalise_name(name: str) -> str:
    """Return a DNS name (lower case, a wildcard only as its whole first label) or IP address in its one spelling.

    Raises PkiError for what no certificate can carry.
    """
    with contextlib.suppress(ValueError):
        if "%" not in name:  # a zone means something on one host only
            return str(ipaddress.ip_address(name))
    labels = name.lower().rstrip(".").split(".")
    checked = labels[1:] if labels[0] == "*" and len(labels) > 2 else labels
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in checked):
        raise PkiError(
            f"'{name}' is neither a DNS name nor an IP address: letters, digits and hyphens, dots between labels, "
            "a wildcard only as the whole first label, international names in their xn-- form"
        )
    return ".".join(labels)


def load_key(pem: bytes) -> PrivateKey:
    """Return the unencrypted private key in this PEM text."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError as exc:
        raise PkiError("the key is encrypted: nothing can type its password when a server starts") from exc
    except ValueError as exc:
        raise PkiError("it holds no private key in PEM form") from exc
    known = (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)
    if not isinstance(key, known):
        raise PkiError("the key is neither ECDSA, RSA nor EdDSA")
    return key


def load_certificates(pem: bytes) -> list[x509.Certificate]:
    """Return the certificates in this PEM text, in its order: the server's own is the first."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as exc:
        raise PkiError("it holds no certificate in PEM form") from exc


def names_of(certificate: x509.Certificate) -> set[str]:
    """Return the DNS names and addresses the certificate is for; the common name does not count (RFC 9525)."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    addresses = {str(each) for each in names.get_values_for_type(x509.IPAddress)}
    return addresses | {each.lower() for each in names.get_values_for_type(x509.DNSName)}


def matches(key: PrivateKey, certificate: x509.Certificate) -> bool:
    """Return whether the certificate was made over this key's public half."""
    return _public_bytes(key.public_key()) == _public_bytes(certificate.public_key())


def new_key() -> PrivateKey:
    """Return a new ECDSA P-256 key: a handshake costs a fraction of RSA's, every client since 2014 knows it."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: PrivateKey) -> bytes:
    """Return the key as unencrypted PKCS 8."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def new_ca(key: PrivateKey, now: datetime.datetime, days: int = CA_DAYS) -> Pair:
    """Return a CA over this key.

    Its name derives from the key, so that two deployments' authorities are told apart in a trust store, and a CA
    certificate lost while its key was kept is made anew without cutting off the leaves.
    """
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    subject = _common_name(f"cubeops.cubejs CA {identifier.digest.hex()[:16]}")
    usage = dict.fromkeys(_KEY_USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
    builder = (
        _builder(subject, subject, key, now, now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
    )
    return Pair(key, builder.sign(key, _digest(key)))


def issue(authority: Pair, names: Sequence[str], now: datetime.datetime, days: int = LEAF_DAYS) -> Pair:
    """Return a server certificate for these names with a new key; it never outlives its CA."""
    if not names:
        raise PkiError("a certificate needs at least one name")
    key = new_key()
    issuer = authority.certificate
    subject = _common_name(names[0]) if len(names[0]) <= COMMON_NAME_MAX else x509.Name([])
    end = min(now + datetime.timedelta(days=days), issuer.not_valid_after_utc)
    usage = dict.fromkeys(_KEY_USAGES, False) | {"digital_signature": True}
    builder = (
        _builder(subject, issuer.subject, key, now, end, authority.key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([_general_name(each) for each in names]),
            critical=not subject.rdns,
        )
    )
    return Pair(key, builder.sign(authority.key, _digest(authority.key)))


def ca_problem(authority: Pair, now: datetime.datetime) -> str | None:
    """Return why this pair cannot sign certificates now, or None."""
    certificate = authority.certificate
    if not matches(authority.key, certificate):
        return "its key and its certificate do not belong together"
    try:
        is_ca = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_ca = False
    if not is_ca:
        return "its certificate is not one of a CA"
    if certificate.not_valid_after_utc <= now:
        return f"it expired on {_day(certificate.not_valid_after_utc)}"
    return None


def renewal_reason(
    leaf: Pair, authority: Pair, names: Iterable[str], now: datetime.datetime, renew_days: int
) -> str | None:
    """Return why the leaf has to be issued anew, or None when it can stay."""
    certificate = leaf.certificate
    if not matches(leaf.key, certificate):
        return "its key does not match it"
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return "another CA signed it"
    if names_of(certificate) != set(names):
        return "its names changed"
    # What the CA's own end cuts short cannot be made longer: it is renewed with the CA, not on every run.
    end = certificate.not_valid_after_utc
    if end - now < datetime.timedelta(days=renew_days) and end < authority.certificate.not_valid_after_utc:
        return f"it expires on {_day(end)}"
    return None


def provided_problems(pair: Pair, names: Iterable[str], now: datetime.datetime) -> list[str]:
    """Return what makes a certificate from elsewhere unfit to serve these names now: every problem, not the first."""
    certificate = pair.certificate
    problems = []
    if not matches(pair.key, certificate):
        problems.append("the key does not belong to the first certificate in the file (the server's own comes first)")
    missing = sorted(name for name in names if not _covers(names_of(certificate), name))
    if missing:
        held = ", ".join(sorted(names_of(certificate))) or "no name at all"
        problems.append(f"the certificate is not for {', '.join(missing)} (it is for {held})")
    if certificate.not_valid_after_utc <= now:
        problems.append(f"the certificate expired on {_day(certificate.not_valid_after_utc)}")
    if certificate.not_valid_before_utc > now:
        problems.append(f"the certificate is not valid before {_day(certificate.not_valid_before_utc)}")
    for issued, issuer in zip((certificate, *pair.chain), pair.chain):
        if issued.issuer != issuer.subject:
            problems.append("the chain is out of order: each certificate must be followed by the one that signed it")
            break
    return problems


_KEY_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: PrivateKey,
    now: datetime.datetime,
    end: datetime.datetime,
    signer: PrivateKey | None = None,
) -> x509.CertificateBuilder:
    public = key.public_key()
    signer_public = (signer or key).public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer_public), critical=False)
    )


def _covers(held: set[str], name: str) -> bool:
    """Return whether one of the names held is this one; a wildcard stands for exactly one label (RFC 9525)."""
    return name in held or ("." in name and f"*.{name.split('.', 1)[1]}" in held)


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _digest(key: PrivateKey) -> hashes.SHA256 | None:
    return None if isinstance(key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)) else hashes.SHA256()


def _public_bytes(key: object) -> bytes:
    encoded: bytes = key.public_bytes(  # type: ignore[attr-defined]  # every public key type has it; their union does not
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


def _day(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%d")
