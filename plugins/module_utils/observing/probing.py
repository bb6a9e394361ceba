# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The live half of an observation: services and instances asked side by side, under one deadline for the host.

Instances with the same login share one look at its server. An instance's own /readyz is asked after its Redis was
reached with its own settings, and never otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.cubeops.cubejs.plugins.module_utils.clock import CLOCK, Clock
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import SYSTEMD, Instance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import (
    HttpSeen,
    Journal,
    MysqlSeen,
    ProxySeen,
    Reach,
    RedisSeen,
    Unknown,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.instance_reading import Found
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.logins import (
    Links,
    Logins,
    listening_at,
    subject_of,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.processes import Proc
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes import (
    cube_http,
    https,
    journal,
    mysql_look,
    network,
    redis_look,
    side_by_side,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.http import Address
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql import MysqlUnknownError
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.side_by_side import Deadline, OutOfTimeError
from ansible_collections.cubeops.cubejs.plugins.module_utils.subject import Subject

HTTP, REDIS, MYSQL, JOURNAL = "http", "redis", "mysql", "journal"
PROBES = (HTTP, REDIS, MYSQL, JOURNAL)
READY = "readyz"
OUT_OF_TIME = "Raise deadline_seconds, or see why it does not answer"


@dataclass(frozen=True)
class Wanted:
    """What is asked. settle_seconds: how long after /readyz a process must still be the same."""

    probes: frozenset[str] = frozenset(PROBES)
    deadline_seconds: float = 10.0
    settle_seconds: float = 3.0
    journal_hours: float = 24.0
    claims: Mapping[str, object] = field(default_factory=dict)
    proxies: tuple[https.ProxyAsked, ...] = ()
    reach: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Live:
    """What was seen live."""

    instances: tuple[Instance, ...]
    redis: Mapping[str, RedisSeen]
    mysql: Mapping[str, MysqlSeen]
    proxies: tuple[ProxySeen, ...]
    reach: tuple[Reach, ...]
    unknown: tuple[Unknown, ...]


@dataclass(frozen=True)
class Tools:
    """How the outside is asked; tests put small servers and fakes here."""

    redactor: Redactor
    proc: Proc
    clock: Clock = CLOCK
    now: Callable[[], float] = time.time
    journal_lines: journal.Lines = journal.read_lines


def look(found: Sequence[Found], wanted: Wanted, tools: Tools) -> Live:
    """Return everything live; what does not come within the deadline is in somebody's `unknown`."""
    return _Round(found, wanted, tools).run()


class _Round:
    def __init__(self, found: Sequence[Found], wanted: Wanted, tools: Tools) -> None:
        self._found = found
        self._wanted = wanted
        self._tools = tools
        self._deadline = Deadline.within(wanted.deadline_seconds)
        asked = {"ask_redis": REDIS in wanted.probes, "ask_mysql": MYSQL in wanted.probes}
        self._logins = Logins(tools.redactor, wanted.claims, **asked)
        self._results: side_by_side.Results = {}
        self._unknown: list[Unknown] = []

    def run(self) -> Live:
        links = {each.instance.name: self._logins.links_of(each) for each in self._found}
        self._begin(links)
        redis = {key: self._redis_seen(key) for key in self._logins.redis} | self._logins.refused
        mysql = {key: self._mysql_seen(key) for key in self._logins.mysql}
        journals = self._journals()
        instances = [self._instance(each, links[each.instance.name], journals) for each in self._found]
        proxies = tuple(self._proxy(number, each) for number, each in enumerate(self._wanted.proxies))
        reach = tuple(self._reached(number, each) for number, each in enumerate(self._wanted.reach))
        return Live(tuple(instances), redis, mysql, proxies, reach, tuple(self._unknown))

    def _begin(self, links: Mapping[str, Links]) -> None:
        """Start everything: what others wait for comes first."""
        jobs: dict[str, side_by_side.Job] = {}
        redactor, deadline = self._tools.redactor, self._deadline
        for key, login in self._logins.redis.items():
            jobs[f"redis {key}"] = _Bound(redis_look.look, login, redactor, deadline, self._tools.now)
        units = [each.instance.unit.name for each in self._found if each.instance.unit]
        if JOURNAL in self._wanted.probes and units:
            hours = self._wanted.journal_hours
            jobs["journal"] = _Bound(journal.look, units, deadline, self._tools.now(), hours, self._tools.journal_lines)
        for key, (endpoint, schemas) in self._logins.mysql.items():
            jobs[f"mysql {key}"] = _Bound(mysql_look.look, endpoint, sorted(schemas), redactor, deadline)
        for number, asked in enumerate(self._wanted.proxies):
            jobs[f"proxy {number}"] = _Bound(https.look, asked, redactor, deadline)
        for number, (host, port) in enumerate(self._wanted.reach):
            jobs[f"reach {number}"] = _Bound(network.reach, host, port, deadline)
        if HTTP in self._wanted.probes:
            for each in self._found:
                if each.instance.running and each.environment and each.same_network:
                    name = each.instance.name
                    jobs[f"http {name}"] = _Bound(self._ask, each, links[name].redis)
        side_by_side.start(jobs, self._results, max(side_by_side.WORKERS, len(self._found) * 2))

    def _ask(self, found: Found, redis_key: str) -> HttpSeen:
        """Ask one instance, at last for /readyz."""
        subject = subject_of(found, self._wanted.claims)
        address = listening_at(found.instance, subject)
        asked = cube_http.Asked(
            address, found.instance.packages.version, subject.value("api_secret"), self._wanted.claims
        )
        questions = cube_http.questions(asked)
        answers, unknown = cube_http.ask(address, questions, self._deadline, self._tools.redactor)
        seen = HttpSeen(
            address=str(address), mode=cube_http.mode(answers.get("root")), answers=answers, unknown=tuple(unknown)
        )
        return self._settled(found, subject, redis_key, seen, address)

    def _settled(self, found: Found, subject: Subject, redis_key: str, seen: HttpSeen, address: Address) -> HttpSeen:
        """Return it with what /readyz answers where it may be asked, and whether the process outlived the questions."""
        answers, unknown = dict(seen.answers), list(seen.unknown)
        if "livez" in cube_http.questions(cube_http.Asked(address, found.instance.packages.version)):
            reason = self._why_not_ready(subject, redis_key)
            if reason:
                unknown.append(Unknown(READY, reason, "See why this host does not reach Redis as the instance would"))
            else:
                path: dict[str, tuple[str, Mapping[str, str]]] = {READY: (cube_http.READY, {})}
                answered, silent = cube_http.ask(address, path, self._deadline, self._tools.redactor)
                answers.update(answered)
                unknown += silent
        left = self._deadline.at - self._deadline.clock.monotonic()
        if left <= self._wanted.settle_seconds:
            unknown.append(Unknown("same_process", "there was no time left to wait", OUT_OF_TIME))
            return replace(seen, answers=answers, unknown=tuple(unknown))
        self._tools.clock.sleep(self._wanted.settle_seconds)
        same = self._tools.proc.since_boot(found.pid) == found.since_boot
        return replace(
            seen,
            answers=answers,
            same_process=same,
            settled_seconds=self._wanted.settle_seconds,
            unknown=tuple(unknown),
        )

    def _why_not_ready(self, subject: Subject, redis_key: str) -> str:
        """Return why /readyz must not be asked; "" where it may be."""
        if not subject.uses_redis:
            return ""
        future = self._results.get(f"redis {redis_key}")
        if future is None:
            return "it was not asked: Redis was not, and /readyz ends a process whose Redis is away"
        try:
            reached = bool(side_by_side.result(future, self._deadline).reachable)
        # Whatever keeps Redis from being seen keeps /readyz from being asked.
        except Exception:
            reached = False
        return "" if reached else "it was not asked: Redis was not reached, and /readyz would end the process"

    def _result(self, name: str) -> Any:
        return side_by_side.result(self._results[name], self._deadline)

    def _redis_seen(self, key: str) -> RedisSeen:
        login = self._logins.redis[key]
        try:
            seen: RedisSeen = self._result(f"redis {key}")
        except Exception as exc:
            target = login.target
            asked = f"{target.host}:{target.port}/{target.index}"
            return RedisSeen(
                asked, login.client, target.host, target.port, target.index, tls=login.tls is not None,
                problem=self._said(exc), reason=_reason(exc), unknown=(self._note("everything", exc),),
            )  # fmt: skip
        return seen

    def _mysql_seen(self, key: str) -> MysqlSeen:
        endpoint = self._logins.mysql[key][0]
        try:
            seen: MysqlSeen = self._result(f"mysql {key}")
        except Exception as exc:
            return MysqlSeen(
                self._tools.redactor.text(str(endpoint)), endpoint.host, endpoint.port, endpoint.user,
                endpoint.database or "", endpoint.socket_path or "", endpoint.tls,
                problem=self._said(exc), reason=_reason(exc), unknown=(self._note("everything", exc),),
            )  # fmt: skip
        return seen

    def _journals(self) -> Mapping[str, Journal]:
        if "journal" not in self._results:
            return {}
        try:
            found: Mapping[str, Journal] = self._result("journal")
        except Exception as exc:
            self._unknown.append(self._note("journal", exc))
            return {}
        return found

    def _instance(self, found: Found, links: Links, journals: Mapping[str, Journal]) -> Instance:
        unknown = [*found.instance.unknown, *links.unknown]
        http: HttpSeen | None = None
        name = f"http {found.instance.name}"
        if name in self._results:
            try:
                http = self._result(name)
            except Exception as exc:
                unknown.append(self._note(HTTP, exc))
        unit = found.instance.unit
        seen = journals.get(unit.name) if unit else None
        if JOURNAL in self._wanted.probes and found.instance.manager != SYSTEMD:
            remedy = "Read the log of whatever started it"
            unknown.append(Unknown(JOURNAL, "no unit of this systemd started it: its log is elsewhere", remedy))
        return replace(
            found.instance,
            redis=links.redis,
            storage=links.storage,
            source=links.source,
            http=http,
            journal=seen,
            unknown=tuple(unknown),
        )

    def _proxy(self, number: int, asked: https.ProxyAsked) -> ProxySeen:
        try:
            seen: ProxySeen = self._result(f"proxy {number}")
        except Exception as exc:
            return ProxySeen(
                asked.server_name, asked.address, asked.https_port, asked.http_port,
                problem=self._said(exc), unknown=(self._note("everything", exc),),
            )  # fmt: skip
        return seen

    def _reached(self, number: int, asked: tuple[str, int]) -> Reach:
        try:
            seen: Reach = self._result(f"reach {number}")
        except Exception as exc:
            return Reach(*asked, network.UNKNOWN, self._said(exc))
        return seen

    def _said(self, exc: Exception) -> str:
        return self._tools.redactor.text(str(exc) or type(exc).__name__)

    def _note(self, what: str, exc: Exception) -> Unknown:
        remedy = OUT_OF_TIME if isinstance(exc, OutOfTimeError) else ""
        return Unknown(what, self._said(exc), remedy)


@dataclass(frozen=True)
class _Bound:
    """A call with its arguments. Not functools.partial, whose representation would hold them."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "arguments", arguments)

    def __call__(self) -> Any:
        return self.function(*self.arguments)


def _reason(exc: Exception) -> str:
    if isinstance(exc, OutOfTimeError):
        return "timeout"
    return "no_client" if isinstance(exc, MysqlUnknownError) else "error"
