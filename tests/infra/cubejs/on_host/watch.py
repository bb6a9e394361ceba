"""Ask sockets until a file appears, and print for each round who answered: watch.py STOP_FILE SOCKET..."""

import http.client
import socket
import sys
import time
from pathlib import Path


def answers(path):
    """Return whether an instance serves its root page."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    try:
        client.connect(path)
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = http.client.HTTPResponse(client)
        answer.begin()
        return answer.status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()


deadline = time.monotonic() + 600
while not Path(sys.argv[1]).exists() and time.monotonic() < deadline:
    print("".join("1" if answers(path) else "0" for path in sys.argv[2:]), flush=True)
    time.sleep(0.2)
