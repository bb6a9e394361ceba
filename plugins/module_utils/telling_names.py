# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names for deployments that nobody planned, by what people called their parts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from ansible_collections.cubeops.cubejs.plugins.module_utils.observation import PM2, Instance

APP = "CUBEJS_APP"
FALLBACK = "deployment"
LONGEST = 40
# Words that name every deployment alike.
_COMMON = frozenset({
    "api", "app", "apps", "bin", "build", "cube", "cubejs", "current", "daemon", "data", "dist", "home", "instance",
    "js", "latest", "lib", "local", "main", "node", "nodejs", "nobody", "opt", "pm2", "process", "prod", "production",
    "project", "projects", "refresh", "refresher", "release", "releases", "root", "scheduler", "server", "service",
    "share", "src", "srv", "user", "usr", "var", "web", "worker", "workers", "www",
})  # fmt: skip
_WORDS = re.compile(r"[A-Za-z0-9]+")
# A place in an order, the time of a release, the digest of one.
_NUMBER = re.compile(r"[0-9]+|[0-9a-f]{7,}|[0-9]{8}t[0-9]{4,6}z?")


def unique(instances: Sequence[tuple[str, Instance]], taken: Collection[str]) -> str:
    """Return the name of a deployment: the most telling one that is not taken. instances: host and process of each."""
    candidates = list(dict.fromkeys(_candidates(instances))) or [_clean(_started_as(instances[0][1])) or FALLBACK]
    free = next((name for name in candidates if name not in taken), None)
    if free:
        return free
    first = candidates[0]
    hosts = sorted({host for host, _seen in instances})
    numbered = (f"{first}-{number}" for number in range(2, len(taken) + 3))
    options = (*([f"{first}-{_clean(hosts[0])}"] if len(hosts) == 1 else []), *numbered)
    return next(name for name in options if name not in taken)


def _candidates(instances: Sequence[tuple[str, Instance]]) -> Iterator[str]:
    """Yield names that all of them suggest: CUBEJS_APP, units, directories, users."""
    seen = [instance for _host, instance in instances]
    apps = {_clean(instance.value(APP) or "") for instance in seen}
    yield from apps if len(apps) == 1 and "" not in apps else ()
    yield from _shared([_started_as(instance) for instance in seen])
    yield from _shared([_folder(instance) for instance in seen])
    yield from _shared([instance.process.user if instance.process else "" for instance in seen])


def _started_as(instance: Instance) -> str:
    """Return the name of its unit, or of its process in pm2."""
    if instance.unit:
        return instance.unit.name.rpartition(".")[0]
    return instance.name if instance.manager == PM2 else ""


def _folder(instance: Instance) -> str:
    """Return the last folder of the project's path that tells something: no number, no word such as current."""
    directory = instance.process.directory if instance.process else ""
    if not directory and instance.unit:
        directory = instance.unit.working_directory
    return next((part for part in reversed(directory.split("/")) if _telling(part)), "")


def _shared(texts: Sequence[str]) -> Iterator[str]:
    """Yield the telling words that all texts have, joined in the order of the first."""
    words = [_telling(text) for text in texts]
    common = [word for word in words[0] if all(word in each for each in words[1:])] if words else []
    name = _clean("-".join(common))
    if name:
        yield name


def _telling(text: str) -> list[str]:
    words = dict.fromkeys(word.lower() for word in _WORDS.findall(text))
    return [word for word in words if word not in _COMMON and not _NUMBER.fullmatch(word)]


def _clean(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:LONGEST].strip("-.")
