# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small client of Cube's REST API: signs a token, asks over verified HTTPS, waits as long as Cube asks for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

Query = dict[str, Any]


class CubeError(RuntimeError):
    """Cube or its proxy did not answer as it should; the message says what came instead."""


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def sign(secret: str, seconds: int, now: float | None = None) -> str:
    """Return a JSON Web Token, signed with HS256, that a tenant's API accepts for some seconds."""
    expires = int(time.time() if now is None else now) + seconds
    header = _base64url(b'{"alg":"HS256","typ":"JWT"}')
    signed = header + b"." + _base64url(json.dumps({"exp": expires}).encode())
    return (signed + b"." + _base64url(hmac.new(secret.encode(), signed, hashlib.sha256).digest())).decode()


class _ConnectionTo(http.client.HTTPSConnection):
    """HTTPS to a server name at a given address, as curl's --resolve does it."""

    def __init__(self, server_name: str, port: int, address: str, context: ssl.SSLContext) -> None:
        super().__init__(server_name, port, timeout=60, context=context)
        self._address = address
        self._tls = context

    def connect(self) -> None:
        """Connect to the address; verify the certificate against the name."""
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


@dataclass(frozen=True)
class Cube:
    """One tenant's API behind its proxy; authority: the CA certificate that must have signed the proxy's."""

    server_name: str
    address: str
    authority: Path
    port: int = 443

    @property
    def url(self) -> str:
        """Return where the API is."""
        port = "" if self.port == 443 else f":{self.port}"
        return f"https://{self.server_name}{port}/cubejs-api/v1"

    def load(self, query: Query, token: str, patience_seconds: float = 120) -> dict[str, Any]:
        """Return the answer to a query; raise CubeError when there is none in time.

        Cube answers a query that takes longer than five seconds with "Continue wait": it wants to be asked again.
        """
        deadline = time.monotonic() + patience_seconds
        while True:
            answer = self._get(f"/cubejs-api/v1/load?query={quote(json.dumps(query))}", token)
            if answer.get("error") != "Continue wait":
                return answer
            if time.monotonic() > deadline:
                raise CubeError(f"{self.url}: Cube still asked to wait after {patience_seconds:.0f} s")

    def _get(self, path: str, token: str) -> dict[str, Any]:
        context = ssl.create_default_context(cafile=str(self.authority))
        connection = _ConnectionTo(self.server_name, self.port, self.address, context)
        try:
            connection.request("GET", path, headers={"Authorization": token})
            response = connection.getresponse()
            body = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as exc:
            raise CubeError(f"{self.url} at {self.address}: {exc}") from exc
        finally:
            connection.close()
        if response.status != 200:
            raise CubeError(f"{self.url}: HTTP {response.status}: {body[:500]}")
        try:
            answer = json.loads(body)
        except ValueError as exc:
            raise CubeError(f"{self.url}: not JSON: {body[:500]}") from exc
        if not isinstance(answer, dict):
            raise CubeError(f"{self.url}: not an object: {body[:500]}")
        return answer
