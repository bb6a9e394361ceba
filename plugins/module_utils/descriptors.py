# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many files, sockets among them, a Cube.js process may have open at once."""

from __future__ import annotations

# A client keeps its connection for the next query: for each that waits for an answer, one more is counted.
PER_CLIENT = 2
# Log, event loop, listening sockets, files that are read at the moment, health probes: room, not a measured number.
OWN = 64
# Beyond this part of its limit a process is as good as at its end: the next burst of queries is refused.
FULL_PERCENT = 80


def need(redis: int, mysql: int, in_flight: int) -> int:
    """Return the open files that a process needs.

    redis, mysql: connections that its pools may open, all of them together. in_flight: queries at once, each of which
    is a connection of a client.
    """
    return redis + mysql + PER_CLIENT * in_flight + OWN
