"""Ask an instance on its socket: ask.py SOCKET PATH [TOKEN]; prints the status and the body."""

import http.client
import socket
import sys


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def connect(self):
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(sys.argv[1])


connection = Connection("localhost")
connection.request("GET", sys.argv[2], headers={"Authorization": sys.argv[3]} if len(sys.argv) > 3 else {})
answer = connection.getresponse()
print(answer.status)
print(answer.read().decode())
