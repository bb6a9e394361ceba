"""Whether ports can be reached."""

from __future__ import annotations

import socket

from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.network import reach
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline


def test_open_and_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert reach("127.0.0.1", port, Deadline.within(5)).state == "open"
    assert reach("127.0.0.1", port, Deadline.within(5)).state == "refused"


def test_silence_is_a_filter() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        # A full queue drops what comes, as a firewall does.
        fillers = [socket.socket() for _unused in range(3)]
        for each in fillers:
            each.setblocking(False)
            each.connect_ex(listening.getsockname())
        assert reach("127.0.0.1", listening.getsockname()[1], Deadline.within(0.5)).state == "filtered"
        for each in fillers:
            each.close()


def test_what_cannot_be_told() -> None:
    name = reach("no-such-host.invalid", 80, Deadline.within(5))
    assert (name.state, bool(name.problem)) == ("unknown", True)
    assert reach("a" * 300, 80, Deadline.within(5)).state == "unknown"
    late = reach("127.0.0.1", 80, Deadline.within(0))
    assert (late.state, late.problem) == ("unknown", "the time for this host is over")
