# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a Cube.js process answers where it listens, or through its proxy: its mode, its playground, who is let in.

Nothing here makes a process open its Redis: that is what /readyz does, which is asked only where Redis was reached,
since a process ends with the first error of Redis.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils import versions
from ansible_collections.cubeops.cubejs.plugins.module_utils.health import META, PRODUCTION, token
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import Answer, Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.layering import DEVELOPMENT
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.layering import PRODUCTION as PRODUCTION_MODE
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes import http
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline, OutOfTimeError

TEXT_CHARACTERS = 200
# The development server's page and its first request (DevServer.js).
PLAYGROUND = ("playground", "<!doctype html")
READY = "/readyz"
LIVE = "/livez"

Get = Callable[..., http.Response]


@dataclass(frozen=True)
class Asked:
    """One instance as it is asked: where, its version, and with what it signs tokens (None where that is unknown)."""

    address: http.Address
    version: str
    secret: str | None = field(default=None, repr=False)
    claims: Mapping[str, object] = field(default_factory=dict)


def unsigned_token() -> str:
    """Return a JWT with the algorithm `none`, which has no signature."""
    parts = ({"alg": "none", "typ": "JWT"}, {"audit": True})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return f"{'.'.join(encoded)}."


def questions(asked: Asked) -> dict[str, tuple[str, Mapping[str, str]]]:
    """Return question -> path and headers, without those that a process may die of."""
    found: dict[str, tuple[str, Mapping[str, str]]] = {
        "root": ("/", {}),
        "playground_context": ("/playground/context", {}),
        "playground_files": ("/playground/files", {}),
        "system_context": ("/cubejs-system/v1/context", {}),
        "meta_without_token": (META, {}),
        "meta_bad_token": (META, {"Authorization": "not.a.token"}),
        "meta_unsigned_token": (META, {"Authorization": unsigned_token()}),
        "websocket": ("/", upgrade_headers()),
    }
    if asked.secret:
        found["meta_signed_token"] = (META, {"Authorization": token(asked.secret, asked.claims)})
    if asked.version and versions.has_health_endpoints(asked.version):
        found["livez"] = (LIVE, {})
    return found


def upgrade_headers() -> dict[str, str]:
    """Return the headers that ask for a WebSocket."""
    key = base64.b64encode(os.urandom(16)).decode()
    return {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}


def ask(
    address: http.Address, paths: Mapping[str, tuple[str, Mapping[str, str]]], deadline: Deadline, redactor: Redactor,
    get: Get = http.get,
) -> tuple[dict[str, Answer], list[Unknown]]:  # fmt: skip
    """Return question -> answer, and what was not answered; after the first two silences nothing more is asked."""
    answers: dict[str, Answer] = {}
    unknown: list[Unknown] = []
    for name, (path, headers) in paths.items():
        if len(unknown) > 1 and not answers:
            unknown.append(Unknown(name, "it was not asked: nothing was answered before"))
            continue
        try:
            found = get(address, path, headers, deadline.left_for_call())
        except (http.HttpError, OutOfTimeError) as exc:
            unknown.append(Unknown(name, redactor.text(f"{path} of {exc}")))
            continue
        answers[name] = Answer(found.status, _text(name, found, redactor))
    return answers, unknown


def _text(name: str, found: http.Response, redactor: Redactor) -> str:
    # The playground gives tokens away, and so may a page of development.
    told = "" if name.startswith(("playground", "system", "meta_signed")) and found.status == 200 else found.body
    return redactor.text(told, TEXT_CHARACTERS)


def mode(answer: Answer | None) -> str:
    """Return production or development, as the root page says; "" where it says neither."""
    if answer is None or answer.status != 200:
        return ""
    if PRODUCTION in answer.text:
        return PRODUCTION_MODE
    lowered = answer.text.lower()
    return DEVELOPMENT if any(word in lowered for word in PLAYGROUND) else ""
