# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a caller wants to be observed, checked: all problems at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.probing import Wanted
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.https import ProxyAsked

KEY_DIGITS = 32
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
# Option -> the least and the most that it may be, in its own unit.
RANGES: Mapping[str, tuple[float, float]] = {
    "deadline_seconds": (1, 600),
    "settle_seconds": (0, 60),
    "journal_hours": (0.1, 720),
}
# Options of modules: how a host is looked at, and what is asked from it of others (doc_fragments/looking.py).
LOOK_OPTIONS: Mapping[str, Any] = {
    "deadline_seconds": {"type": "float", "default": 10.0},
    "settle_seconds": {"type": "float", "default": 3.0},
    "journal_hours": {"type": "float", "default": 24.0},
    "token_claims": {"type": "dict", "default": {}, "no_log": False},
}
OUTSIDE_OPTIONS: Mapping[str, Any] = {
    "proxies": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "server_name": {"type": "str", "required": True},
            "address": {"type": "str"},
            "https_port": {"type": "int", "default": 443},
            "http_port": {"type": "int", "default": 80},
            "ca_path": {"type": "path"},
            "ca_certificates": {"type": "str"},
        },
    },
    "reach": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"host": {"type": "str", "required": True}, "port": {"type": "int", "required": True}},
    },
}


class WishError(ValueError):
    """Options that cannot be followed; the message has every problem, one a line."""


def parse(options: Mapping[str, Any]) -> tuple[bytes, Wanted]:
    """Return the key of fingerprints, and what is wanted; raise WishError."""
    problems = list(_problems(options))
    if problems:
        raise WishError("\n".join(problems))
    key = options.get("fingerprint_key")
    wanted = Wanted(
        probes=frozenset(options["probes"]),
        deadline_seconds=options["deadline_seconds"],
        settle_seconds=options["settle_seconds"],
        journal_hours=options["journal_hours"],
        claims=dict(options["token_claims"]),
        proxies=tuple(_proxy(each) for each in options["proxies"]),
        reach=tuple((each["host"], each["port"]) for each in options["reach"]),
    )
    return (bytes.fromhex(key) if key else secrets.token_bytes(32)), wanted


def _problems(options: Mapping[str, Any]) -> Iterator[str]:
    key = options.get("fingerprint_key")
    if key is not None and not is_key(key):
        yield (
            f"fingerprint_key: <masked> is not at least {KEY_DIGITS} hexadecimal digits, two for each byte. Take a new "
            "one for every run, such as the output of `openssl rand -hex 32`"
        )
    for name, (least, most) in RANGES.items():
        if not least <= options[name] <= most:
            yield f"{name}: {options[name]} is not within {least} and {most}. Use a number within"
    if options["settle_seconds"] >= options["deadline_seconds"]:
        yield (
            f"settle_seconds: {options['settle_seconds']} leaves nothing of deadline_seconds "
            f"({options['deadline_seconds']}). Lower it, or raise deadline_seconds"
        )
    for at, each in enumerate(options["proxies"]):
        if each["ca_certificates"] is not None and _CERTIFICATE not in each["ca_certificates"]:
            yield f"proxies[{at}].ca_certificates: there is none in it. Give the text of a PEM file"
    ports = [(f"proxies[{at}].{name}", each[name]) for at, each in enumerate(options["proxies"]) for name in _PORTS]
    ports += [(f"reach[{at}].port", each["port"]) for at, each in enumerate(options["reach"])]
    for where, port in ports:
        if not 0 < port < 65536:
            yield f"{where}: {port} is no port. Write 1 to 65535"


_PORTS = ("https_port", "http_port")


def is_key(text: str) -> bool:
    """Return whether a text can be a key of fingerprints."""
    return len(text) >= KEY_DIGITS and len(text) % 2 == 0 and all(each in "0123456789abcdefABCDEF" for each in text)


def _proxy(given: Mapping[str, Any]) -> ProxyAsked:
    return ProxyAsked(
        server_name=given["server_name"],
        address=given["address"] or given["server_name"],
        https_port=given["https_port"],
        http_port=given["http_port"],
        ca_path=given["ca_path"],
        ca_certificates=given["ca_certificates"],
    )
