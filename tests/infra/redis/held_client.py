"""A client that stays connected and says what became of it. Runs on a test host.

usage: held_client.py PORT [CA_FILE]     (the password is the first line of standard input)

Logs in once, pings every 20 ms on that one connection until standard input ends, and prints how many answers it got and
the first thing that was no answer.
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import sys


def connect(port: int, ca: str | None) -> socket.socket:
    """Return the connection, with TLS when there is a CA to trust."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=5)
    return ssl.create_default_context(cafile=ca).wrap_socket(plain, server_hostname="127.0.0.1") if ca else plain


def ask(client: socket.socket, *words: str) -> str:
    """Return the first line of the reply to a command."""
    parts = [f"${len(word)}\r\n{word}\r\n" for word in words]
    client.sendall(f"*{len(words)}\r\n{''.join(parts)}".encode())
    return client.recv(1024).decode().strip()


def main() -> None:
    """Hold the connection."""
    password = sys.stdin.readline().strip()
    client = connect(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
    assert ask(client, "AUTH", password) == "+OK"
    print("connected", flush=True)
    answers, trouble = 0, None
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        try:
            reply = ask(client, "PING")
        except OSError as exc:
            reply = str(exc)
        if reply != "+PONG":
            trouble = reply or "closed"
            break
        answers += 1
    print(json.dumps({"answers": answers, "trouble": trouble}))


if __name__ == "__main__":
    main()
