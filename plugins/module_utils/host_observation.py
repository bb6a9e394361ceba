# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One host observed: everything passive first, then everything live under one deadline. Nothing is changed."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils import host
from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import CLOCK, Clock
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import FORMAT, Observation
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import FirewallSeen, Unknown, WebServer
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import nginx_files, packet_filter, probing
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.host_reading import (
    BECOME,
    Places,
    Reading,
    read_host,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.processes import Proc
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.trees import Tree
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes import journal, side_by_side

MACHINE_ID = "/etc/machine-id"
# Reading takes milliseconds; a file system that does not answer (a server of NFS that is away) would take for ever.
PASSIVE_SECONDS = 60.0
HANGING = "Look for a file system that does not answer"


@dataclass(frozen=True)
class Outside:
    """What is not a file: time, and the programs that are run.

    now: seconds since the epoch. passive_seconds: after which a file system that hangs is given up.
    """

    passive_seconds: float = PASSIVE_SECONDS
    now: Callable[[], float] = time.time
    clock: Clock = CLOCK
    journal_lines: journal.Lines = journal.read_lines
    nft: packet_filter.Run = packet_filter.run


def observe(
    key: bytes, wanted: probing.Wanted, places: Places | None = None, outside: Outside = Outside()
) -> Observation:
    """Return the observation of this host; key: for fingerprints of secrets, the same on all hosts of a run."""
    places = places or Places()
    redactor = Redactor(key)
    tree = Tree(places.root)
    unknown: list[Unknown] = []
    reading, web_servers, firewall = _passive(places, redactor, unknown, outside)
    tools = probing.Tools(redactor, Proc(places.proc), outside.clock, outside.now, outside.journal_lines)
    live = probing.look(reading.found, wanted, tools)
    root = Path(places.root)
    return Observation(
        format=FORMAT,
        host=socket.gethostname(),
        machine=_machine(tree, redactor, unknown),
        taken_at=outside.now(),
        privileged=os.geteuid() == 0,
        addresses=reading.addresses,
        memory_bytes=host.memory_bytes(root),
        cpus=len(os.sched_getaffinity(0)),
        container=host.is_container(root),
        listening=reading.listening,
        instances=live.instances,
        redis=live.redis,
        mysql=live.mysql,
        web_servers=web_servers,
        proxies=live.proxies,
        reach=live.reach,
        firewall=firewall,
        unknown=(*unknown, *reading.unknown, *live.unknown),
    )


def _passive(
    places: Places, redactor: Redactor, unknown: list[Unknown], outside: Outside
) -> tuple[Reading, tuple[WebServer, ...], FirewallSeen | None]:
    results: side_by_side.Results = {}
    tree = Tree(places.root)
    side_by_side.start(
        {
            "host": lambda: read_host(places, redactor),
            "web": lambda: _web_servers(tree, redactor, unknown),
            "firewall": lambda: _firewall(redactor, unknown, outside.nft),
        },
        results,
    )
    seconds = outside.passive_seconds
    deadline = side_by_side.Deadline.within(seconds)
    reading = Reading((), (), (), ())
    web_servers: tuple[WebServer, ...] = ()
    firewall: FirewallSeen | None = None
    try:
        reading = side_by_side.result(results["host"], deadline)
    except side_by_side.OutOfTimeError:
        unknown.append(Unknown("instances", f"reading files did not end in {seconds:g} s", HANGING))
    try:
        web_servers = side_by_side.result(results["web"], deadline)
    except side_by_side.OutOfTimeError:
        unknown.append(Unknown("web_servers", f"reading files did not end in {seconds:g} s", HANGING))
    try:
        firewall = side_by_side.result(results["firewall"], deadline)
    except side_by_side.OutOfTimeError:
        unknown.append(Unknown("firewall", f"nft did not end in {seconds:g} s", ""))
    return reading, web_servers, firewall


def _firewall(redactor: Redactor, unknown: list[Unknown], call: packet_filter.Run) -> FirewallSeen | None:
    try:
        return packet_filter.read(call)
    except packet_filter.PacketFilterError as exc:
        unknown.append(Unknown("firewall", redactor.text(str(exc)), BECOME))
        return None


def _machine(tree: Tree, redactor: Redactor, unknown: list[Unknown]) -> str:
    try:
        return redactor.fingerprint(tree.text(MACHINE_ID, 4096).strip())
    except OSError as exc:
        unknown.append(Unknown("machine", f"{MACHINE_ID}: {exc.strerror}", ""))
        return ""


def _web_servers(tree: Tree, redactor: Redactor, unknown: list[Unknown]) -> tuple[WebServer, ...]:
    try:
        return nginx_files.read_web_servers(tree, redactor)
    except (OSError, nginx_files.NginxFilesError, RecursionError) as exc:
        told = f"{exc.filename}: {exc.strerror}" if isinstance(exc, OSError) else str(exc)
        unknown.append(Unknown("web_servers", redactor.text(told), BECOME))
        return ()
