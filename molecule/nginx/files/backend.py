"""What stands for Cube.js behind Nginx: says what arrived, and over which connection.

The argument is a TCP port, or the name of an instance that listens on its Unix socket.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import socket
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

INSTANCE = sys.argv[1]
ADDRESS: str | tuple[str, int] = (
    ("127.0.0.1", int(INSTANCE)) if INSTANCE.isdigit() else f"/run/cubejs/{INSTANCE}/cube.sock"
)
CONNECTIONS = itertools.count(1)


class Handler(BaseHTTPRequestHandler):
    """One connection of the proxy."""

    protocol_version = "HTTP/1.1"
    timeout = 5  # as Node.js closes idle connections

    def setup(self) -> None:
        """Give the connection a number."""
        super().setup()
        self.connection_number = next(CONNECTIONS)
        self.requests_here = 0

    def address_string(self) -> str:
        """Return who is asked: a client on a Unix socket has no address."""
        return INSTANCE

    def log_message(self, *_arguments: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        """Say what arrived, or fail as the query asks for."""
        self.requests_here += 1
        url = urlsplit(self.path)
        wanted = {key: values[0] for key, values in parse_qs(url.query).items()}
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self.web_socket()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(float(wanted.get("seconds", 0)))
        if wanted.get("only_fails") == INSTANCE:
            self.close_connection = True
            return
        status = 503 if wanted.get("only_busy") == INSTANCE else 200
        self.answer(
            status,
            {
                "instance": INSTANCE,
                "connection": self.connection_number,
                "request": self.requests_here,
                "method": self.command,
                "path_length": len(self.path),
                "path": url.path,
                "body_bytes": len(body),
                "body_digest": hashlib.sha256(body).hexdigest(),
                "headers": dict(self.headers),
                "filler": "x" * int(wanted.get("bytes", 0)),
            },
        )

    do_POST = do_GET  # noqa: N815  the name is the library's

    def answer(self, status: int, document: dict[str, object]) -> None:
        """Send a document as Express does."""
        text = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("X-Powered-By", "Express")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def web_socket(self) -> None:
        """Agree to the upgrade and send every short text frame back, as RFC 6455 says."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        accepted = hashlib.sha1(key.encode()).digest()  # noqa: S324  RFC 6455 says SHA-1
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(accepted).decode())
        self.end_headers()
        self.connection.settimeout(None)
        self.close_connection = True
        while True:
            start = self.rfile.read(2)
            if len(start) < 2 or start[0] & 0x0F == 8:
                return
            mask, masked = self.rfile.read(4), self.rfile.read(start[1] & 0x7F)
            text = bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked))
            self.wfile.write(bytes([0x81, len(text)]) + text)


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A thread for each connection."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    address_family = socket.AF_INET if isinstance(ADDRESS, tuple) else socket.AF_UNIX


Server(ADDRESS, Handler).serve_forever()
