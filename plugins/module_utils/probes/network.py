# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a port can be reached from this host: connected to and hung up, without a word."""

from __future__ import annotations

import socket

from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Reach
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline, OutOfTimeError

OPEN, REFUSED, FILTERED, UNKNOWN = "open", "refused", "filtered", "unknown"
CONNECT_SECONDS = 3.0


def reach(host: str, port: int, deadline: Deadline) -> Reach:
    """Return open, refused (nothing listens, or a firewall says no), filtered (silence), or unknown with its reason."""
    try:
        seconds = deadline.left(CONNECT_SECONDS)
    except OutOfTimeError as exc:
        return Reach(host, port, UNKNOWN, str(exc))
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except ConnectionRefusedError:
        return Reach(host, port, REFUSED)
    except socket.timeout:
        return Reach(host, port, FILTERED)
    except (OSError, UnicodeError) as exc:
        told = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        return Reach(host, port, UNKNOWN, told[:300])
    return Reach(host, port, OPEN)
