# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which servers the instances of a host log in to: each login once, however many instances have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils import redis_url
from ansible_collections.cubeops.cubejs.plugins.module_utils import subject as subjects
from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import Instance
from ansible_collections.cubeops.cubejs.plugins.module_utils.observed_services import RedisSeen, Unknown
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.instance_reading import Found
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.redaction import Redactor
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes import mysql_look
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.http import Address
from ansible_collections.cubeops.cubejs.plugins.module_utils.probes.mysql import MysqlEndpoint
from ansible_collections.cubeops.cubejs.plugins.module_utils.subject import RedisLogin, Subject

FROM_OUTSIDE = "Run the task with become: true; in a container, give it CAP_SYS_PTRACE, or look from outside of it"
FROM_INSIDE = "Run this module within that container, as a host of its own"
# A version that was not found is asked what every version answers.
NO_VERSION = "0.19.0"


@dataclass
class Links:
    """The servers of one instance: keys of looks that are shared."""

    redis: str = ""
    storage: str = ""
    source: str = ""
    unknown: list[Unknown] = field(default_factory=list)


class Logins:
    """The logins of a host's instances, by key.

    redis: to be tried. refused: whose URL the client cannot use. mysql: with the schemas whose tables are looked at.
    """

    def __init__(self, redactor: Redactor, claims: Mapping[str, object], *, ask_redis: bool, ask_mysql: bool) -> None:
        self.redis: dict[str, RedisLogin] = {}
        self.refused: dict[str, RedisSeen] = {}
        self.mysql: dict[str, tuple[MysqlEndpoint, set[str]]] = {}
        self._redactor = redactor
        self._claims = claims
        self._ask_redis = ask_redis
        self._ask_mysql = ask_mysql

    def links_of(self, found: Found) -> Links:
        """Return the servers of an instance, and note each login once."""
        links = Links()
        if not found.environment:
            return links
        if found.same_network is None:
            links.unknown.append(Unknown("live", "whose network it is in could not be read", FROM_OUTSIDE))
            return links
        if not found.same_network:
            links.unknown.append(Unknown("live", "it runs in a network of its own, a container's", FROM_INSIDE))
            return links
        subject = subject_of(found, self._claims)
        if self._ask_redis and subject.uses_redis:
            links.redis = self._redis_key(subject)
        if self._ask_mysql:
            links.storage = self._mysql_key(subject, subjects.STORAGE, links)
            links.source = self._mysql_key(subject, subjects.SOURCE, links)
        return links

    def _redis_key(self, subject: Subject) -> str:
        try:
            login = subject.redis_login()
        except ValueError as exc:
            client = redis_url.IOREDIS if subject.is_on("redis_use_ioredis") else redis_url.NODE_REDIS
            key = self._redactor.fingerprint(f"redis\0{client}\0{subject.value('redis_url')}")
            problem = self._redactor.text(str(exc))
            self.refused[key] = RedisSeen(
                "", client, "", 0, 0, tls=False, reachable=False, problem=problem, reason="url"
            )
            return key
        # Everything that makes one login another: the password among it, so that only its digest leaves this place.
        words = (login.target, login.client, login.password, login.tls)
        key = self._redactor.fingerprint(f"redis\0{words!r}\0{login.password}\0{login.target.password}")
        self.redis[key] = login
        return key

    def _mysql_key(self, subject: Subject, kind: str, links: Links) -> str:
        try:
            endpoint = subject.mysql_endpoint(kind)
        except subjects.SubjectError as exc:
            links.unknown.append(Unknown(kind, str(exc)))
            return ""
        if endpoint is None:
            return ""
        key = self._redactor.fingerprint(f"mysql\0{endpoint!r}\0{endpoint.password}")
        schemas = self.mysql.setdefault(key, (endpoint, set()))[1]
        if kind == subjects.STORAGE:
            default = mysql_look.default_schema(subject.version, subject.environment.get("NODE_ENV"))
            schemas.add(subject.value("pre_aggregations_schema") or default)
        return key


def subject_of(found: Found, claims: Mapping[str, object]) -> Subject:
    """Return an instance as its own environment describes it."""
    return Subject(found.instance.packages.version or NO_VERSION, found.environment, claims)


def listening_at(instance: Instance, subject: Subject) -> Address:
    """Return where the instance listens: what its settings say, or where it was seen to listen if that is elsewhere."""
    address = subject.address
    ports = [each.port for each in instance.listeners if each.kind == "tcp"]
    if address.socket_path is None and ports and address.port not in ports:
        return Address(port=ports[0])
    paths = [each.path for each in instance.listeners if each.kind == "unix"]
    if address.socket_path is not None and paths and address.socket_path not in paths:
        return Address(socket_path=paths[0])
    return address
