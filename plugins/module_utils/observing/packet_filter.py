# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table that the role firewall loads, as the kernel has it: nft's JSON, which all its versions write alike.

What is understood is what the role's templates write (roles/firewall/templates); all else is told as strange.
"""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable

from ansible_collections.cubeops.cubejs.plugins.module_utils import firewall
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import FirewallSeen

NFT = "/usr/sbin/nft"
FAMILY, TABLE = "inet", "cubeops"
COMMAND = (NFT, "--json", "list", "table", FAMILY, TABLE)
CALL_SECONDS = 20.0
MOST_STRANGE = 20
EVERYBODY = ("0.0.0.0/0", "::/0")

_PORT = {"payload": {"protocol": "tcp", "field": "dport"}}
_ACCEPT = {"accept": None}
_HOOK = {"type": "filter", "hook": "input", "prio": 0, "policy": "accept"}
# The chain `input` of firewall.nft.j2, without its counter.
_INPUT = (
    [{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lo"}}, _ACCEPT],
    [{"vmap": {"key": _PORT, "data": "@services"}}],
    [{"match": {"op": "==", "left": _PORT, "right": "@guarded"}}, {"reject": {"type": "tcp reset"}}],
)

# Status, output and what was said besides.
Run = Callable[[Sequence[str]], "tuple[int, str, str]"]


class PacketFilterError(Exception):
    """The kernel's rules cannot be asked for, or understood; the message says why."""


def run(command: Sequence[str]) -> tuple[int, str, str]:
    """Run nft. Raises FileNotFoundError without it, and PacketFilterError."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=CALL_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired as exc:
        raise PacketFilterError("nft did not end in time") from exc
    except PermissionError as exc:
        raise PacketFilterError(f"nft cannot be run: {exc.strerror}") from exc
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def read(call: Run = run) -> FirewallSeen:
    """Return the table. Raises PacketFilterError where nobody may know whether it is there."""
    try:
        status, printed, said = call(COMMAND)
    except FileNotFoundError:
        return FirewallSeen(loaded=False)  # what is needed to load it is not installed
    if status != 0:
        told = " ".join(said.split())
        if "No such file or directory" in told:
            return FirewallSeen(loaded=False)
        raise PacketFilterError(f"nft: {told[:200] or f'it ended with {status}'}")
    try:
        return parse(json.loads(printed)["nftables"])
    except (ValueError, LookupError, TypeError, AttributeError) as exc:
        raise PacketFilterError(f"what nft printed was not understood: {type(exc).__name__}") from exc


def parse(items: Iterable[Mapping[str, Any]]) -> FirewallSeen:
    """Return what nft listed. Raises ValueError, LookupError, TypeError or AttributeError for what it never lists."""
    table = _Table(items)
    return FirewallSeen(True, table.admitted(), tuple(table.strange[:MOST_STRANGE]))


class _Table:
    def __init__(self, items: Iterable[Mapping[str, Any]]) -> None:
        self.strange: list[str] = []
        self._headers: dict[str, Mapping[str, Any]] = {}
        self._rules: dict[str, list[Any]] = {}
        self._elements: dict[str, list[Any]] = {}
        for kind, body in (next(iter(item.items())) for item in items):
            if kind == "chain":
                self._headers[body["name"]] = body
            elif kind == "rule":
                counted = [each for each in body["expr"] if "counter" not in each]
                self._rules.setdefault(body["chain"], []).append(counted)
            elif kind in ("set", "map"):
                self._elements[body["name"]] = body.get("elem", [])

    def admitted(self) -> dict[str, tuple[str, ...]]:
        """Return port -> networks, and note what is strange."""
        self._judge_hooks()
        doors = dict(self._elements.get("services", []))
        guarded = self._elements.get("guarded", [])
        self.strange += [f"port {port} has clients and is open to all" for port in doors if port not in guarded]
        return {str(int(port)): firewall.written(self._networks(doors.get(port))) for port in guarded}

    def _judge_hooks(self) -> None:
        header = self._headers.get("input", {})
        if {name: header.get(name) for name in _HOOK} != _HOOK or self._rules.get("input", []) != list(_INPUT):
            self.strange.append("chain input is not as the role loads it")
        others = (name for name, each in self._headers.items() if "hook" in each and name != "input")
        self.strange += [f"chain {name} judges packets, and is none of the role's" for name in others]

    def _networks(self, verdict: Mapping[str, Any] | None) -> Iterator[firewall.Network]:
        if verdict is None:
            return
        chain = verdict.get("jump", {}).get("target", "")
        rules = self._rules.get(chain, []) if chain else [[verdict]]
        for rule in rules:
            if rule == [_ACCEPT]:
                yield from map(ipaddress.ip_network, EVERYBODY)
            elif len(rule) == 2 and rule[1] == _ACCEPT and _is_source(rule[0]):
                yield from _of(rule[0]["match"]["right"])
            else:
                self.strange.append(f"chain {chain or 'of a port'} has a rule that is none of the role's")


def _is_source(expression: Mapping[str, Any]) -> bool:
    match = expression.get("match", {})
    payload = match.get("left", {}).get("payload", {})
    return match.get("op") == "==" and payload.get("protocol") in ("ip", "ip6") and payload.get("field") == "saddr"


def _of(value: Any) -> Iterator[firewall.Network]:
    if isinstance(value, str):
        yield ipaddress.ip_network(value)
    elif "set" in value:
        for each in value["set"]:
            yield from _of(each)
    elif "range" in value:
        first, last = map(ipaddress.ip_address, value["range"])
        yield from ipaddress.summarize_address_range(first, last)
    else:
        yield ipaddress.ip_network(f"{value['prefix']['addr']}/{value['prefix']['len']}")
