# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A proxy asked for one name as a browser asks: the redirect, the handshake, the certificate, and Cube behind it."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Optional

from ansible_collections.cubeops.cubejs.plugins.module_utils import x509
from ansible_collections.cubeops.cubejs.plugins.module_utils.health import META
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import ProxySeen, Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes import cube_http
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.http import Address, HttpError, Response, get
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline

REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class ProxyAsked:
    """A name, and where it is asked for.

    ca_path: a PEM file that is trusted instead of the system's CAs; ca_certificates: the text of one.
    """

    server_name: str
    address: str
    https_port: int = 443
    http_port: int = 80
    ca_path: Optional[str] = None
    ca_certificates: Optional[str] = None


def look(asked: ProxyAsked, redactor: Redactor, deadline: Deadline) -> ProxySeen:
    """Return what there is to see. Raises OutOfTimeError."""
    seen = ProxySeen(asked.server_name, asked.address, asked.https_port, asked.http_port)
    seen = _plain(seen, redactor, deadline)
    try:
        seen = _handshakes(seen, asked, deadline)
    except (OSError, ValueError) as exc:
        return replace(seen, problem=redactor.text(_told(exc)))
    return _behind(seen, redactor, deadline)


def _plain(seen: ProxySeen, redactor: Redactor, deadline: Deadline) -> ProxySeen:
    """Return it with what plain HTTP is answered."""
    address = Address(host=seen.address, port=seen.http_port)
    try:
        found = get(address, META, {"Host": seen.server_name}, deadline.left_for_call())
    except HttpError as exc:
        return replace(seen, unknown=(*seen.unknown, Unknown("redirect", redactor.text(str(exc)))))
    location = _header(found, "location")
    return replace(
        seen,
        redirect_status=found.status,
        redirect_to=redactor.text(location) if found.status in REDIRECTS else "",
        http_answers_itself=found.status not in REDIRECTS and found.status < 500,
    )


def _handshakes(seen: ProxySeen, asked: ProxyAsked, deadline: Deadline) -> ProxySeen:
    """Return it with what TLS shows: once trusting nobody unproved, once anybody, once with what is out of date."""
    trusted, problem = True, ""
    try:
        with _connect(asked, deadline, _context(asked)) as connection:
            version, der = connection.version() or "", connection.getpeercert(binary_form=True)
    except ssl.SSLCertVerificationError as exc:
        trusted, problem = False, exc.verify_message or str(exc)
        context = _context(asked)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with _connect(asked, deadline, context) as connection:
            version, der = connection.version() or "", connection.getpeercert(binary_form=True)
    try:
        certificate = x509.parse(der or b"")
    except x509.X509Error as exc:
        certificate = None
        seen = replace(seen, unknown=(*seen.unknown, Unknown("certificate", str(exc))))
    return replace(
        seen,
        reachable=True,
        tls_version=version,
        trusted=trusted,
        trust_problem=problem,
        certificate=certificate,
        old_tls=_takes_old(asked, deadline),
    )


def _context(asked: ProxyAsked) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=asked.ca_path, cadata=asked.ca_certificates)


def _connect(asked: ProxyAsked, deadline: Deadline, context: ssl.SSLContext) -> ssl.SSLSocket:
    seconds = deadline.left_for_call()
    plain = socket.create_connection((asked.address, asked.https_port), timeout=seconds)
    try:
        return context.wrap_socket(plain, server_hostname=asked.server_name)
    except BaseException:
        plain.close()
        raise


def _takes_old(asked: ProxyAsked, deadline: Deadline) -> bool | None:
    """Return whether TLS 1.1 or older is taken; None where this host's own library cannot speak it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        context.set_ciphers("ALL:@SECLEVEL=0")
        # Deprecated by Python as by everybody: it is what is looked for.
        context.options &= ~(ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1)
        _allow_old(context)
    except (ssl.SSLError, ValueError):
        return None
    try:
        with _connect(asked, deadline, context):
            return True
    except ssl.SSLError as exc:
        # Our own library's refusal says nothing of the server.
        return None if "NO_PROTOCOLS" in str(exc) or "UNSUPPORTED" in str(exc) else False
    except OSError:
        return False


def _allow_old(context: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1


def _behind(seen: ProxySeen, redactor: Redactor, deadline: Deadline) -> ProxySeen:
    """Return it with what Cube answers through it. The certificate is judged already, and not asked for again."""
    paths: dict[str, tuple[str, Mapping[str, str]]] = {
        "root": ("/", {}),
        "playground_context": ("/playground/context", {}),
        "meta_without_token": (META, {}),
        "meta_unsigned_token": (META, {"Authorization": cube_http.unsigned_token()}),
        "websocket": ("/", cube_http.upgrade_headers()),
    }
    headers: dict[str, str] = {}

    def fetch(_address: Address, path: str, extra: Mapping[str, str], seconds: float) -> Response:
        found = _get_over_tls(seen, path, extra, seconds)
        headers.setdefault("hsts", _header(found, "strict-transport-security"))
        return found

    address = Address(host=seen.address, port=seen.https_port)
    answers, unknown = cube_http.ask(address, paths, deadline, redactor, fetch)
    upgraded = answers.pop("websocket", None)
    return replace(
        seen,
        answers=answers,
        websocket_status=upgraded.status if upgraded else None,
        hsts=redactor.text(headers.get("hsts", "")),
        unknown=(*seen.unknown, *unknown),
    )


def _get_over_tls(seen: ProxySeen, path: str, headers: Mapping[str, str], seconds: float) -> Response:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    address = Address(host=seen.address, port=seen.https_port)
    return get(address, path, {"Host": seen.server_name, **headers}, seconds, (context, seen.server_name))


def _header(found: Response, name: str) -> str:
    return next((value for key, value in found.headers.items() if key.lower() == name), "")


def _told(exc: Exception) -> str:
    if isinstance(exc, socket.timeout):
        return "no answer in time"
    if isinstance(exc, ssl.SSLError):
        return f"no TLS: {exc.reason or exc}"
    return (exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)) or type(exc).__name__
