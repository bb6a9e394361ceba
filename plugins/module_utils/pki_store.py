# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The directory on the controller in which a deployment's certificate authority and its leaves are kept.

    ca.key ca.crt               the authority
    leaves/NAME.{key,crt}       what it issued
    .gitignore                  "*", so that a directory put into a checkout by mistake is not committed with it

Ansible serves several hosts at once: it is changed under a lock.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils import pki, pki_files
from ansible_collections.cubeops.cubejs.plugins.module_utils.pki import Pair, PkiError

_FILE_NAME = re.compile(r"[A-Za-z0-9*][A-Za-z0-9._-]{0,127}")
_START_AGAIN = "or move the directory away: then a new CA is made, and every client needs its new ca.crt"


@dataclasses.dataclass(frozen=True)
class Request:
    """One certificate wanted: from the deployment's own CA, or provided as two files on the controller."""

    name: str
    names: tuple[str, ...]
    certificate_path: Path | None = None
    key_path: Path | None = None


@dataclasses.dataclass(frozen=True)
class Kept:
    """One certificate to be served; `reason` says why it was issued in this run, None that it stayed."""

    name: str
    certificate: str
    certificate_path: Path
    key_path: Path
    not_after: datetime.datetime
    reason: str | None = None


@dataclasses.dataclass(frozen=True)
class Result:
    """What `keep` leaves behind. There is no CA when every certificate was provided."""

    certificates: tuple[Kept, ...]
    ca_certificate: str | None = None
    ca_certificate_path: Path | None = None
    ca_created: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Return whether anything was made."""
        return self.ca_created or any(each.reason for each in self.certificates)


@dataclasses.dataclass(frozen=True)
class Terms:
    """When `keep` acts, and for how long its leaves live (days).

    What was made after `run_started_ns` counts as made for everyone who asks: which host of a run is first is chance.
    """

    now: datetime.datetime
    renew_days: int = pki.RENEW_DAYS
    valid_days: int = pki.LEAF_DAYS
    run_started_ns: int | None = None

    def is_of_this_run(self, path: Path) -> bool:
        """Return whether the file was made since the run started."""
        return self.run_started_ns is not None and path.stat().st_mtime_ns > self.run_started_ns


def keep(directory: Path, requests: Iterable[Request], terms: Terms) -> Result:
    """Make what is missing or no longer fits, leave the rest, and return all of it.

    Raises PkiError with every problem at once, before anything is written for the requests.
    """
    requests = list(requests)
    _refuse(_request_problems(requests, terms))
    provided, problems = _check_provided([each for each in requests if each.certificate_path], terms.now)
    _refuse(problems)
    own = [each for each in requests if not each.certificate_path]
    if not own:
        return Result(tuple(provided), warnings=_end_warnings(provided, terms))
    with pki_files.locked(directory):
        authority, created = _authority(directory, terms)
        issued = [_leaf(directory, authority, request, terms) for request in own]
    ca_end = authority.certificate.not_valid_after_utc
    ca_warnings = [f"the CA in {directory} itself expires on {ca_end:%Y-%m-%d}"] if _soon(ca_end, terms, 365) else []
    return Result(
        certificates=(*issued, *provided),
        ca_certificate=authority.certificate_pem().decode(),
        ca_certificate_path=directory / "ca.crt",
        ca_created=created,
        warnings=(*ca_warnings, *_end_warnings(provided, terms)),
    )


def rehearse(directory: Path, temporary: Path) -> Path:
    """Return a directory for `keep` to work in that starts out as this one and changes nothing in it.

    What exists is linked, so no key is copied; what a rehearsal makes is a real key and certificate, with which a
    server's configuration can be tested. The caller removes `temporary` when its run ends.
    """
    rehearsal = temporary / f"rehearsal-{str(directory.resolve()).strip('/').replace('/', '-')}"
    if directory.exists():
        pki_files.refuse_open_directory(directory)
    if not rehearsal.exists():
        linked = Path(tempfile.mkdtemp(dir=temporary))
        (linked / pki_files.LEAVES).mkdir(mode=0o700)
        for path in (*directory.glob("*"), *(directory / pki_files.LEAVES).glob("*")):
            if path.suffix in (".key", ".crt"):
                (linked / path.relative_to(directory)).symlink_to(path.resolve())
        # Another host's task may have been faster; a directory that holds something is not replaced.
        with contextlib.suppress(OSError):
            linked.rename(rehearsal)
    return rehearsal


def _request_problems(requests: list[Request], terms: Terms) -> list[str]:
    problems = []
    seen: set[str] = set()
    if terms.renew_days >= terms.valid_days:
        problems.append(
            f"certificates valid for {terms.valid_days} days and renewed {terms.renew_days} days before their end "
            "would be renewed on every run: renew later or let them live longer"
        )
    for request in requests:
        if not _FILE_NAME.fullmatch(request.name):
            problems.append(
                f"'{request.name}' cannot name a certificate's file: letters, digits, dots, hyphens, at most 128"
            )
        if request.name in seen:
            problems.append(f"'{request.name}' is asked for twice: one certificate has one list of names")
        seen.add(request.name)
        if not request.names:
            problems.append(f"'{request.name}' has no names to be valid for")
        problems += [f"'{request.name}': {problem}" for problem in map(_name_problem, request.names) if problem]
    return problems


def _name_problem(name: str) -> str | None:
    try:
        pki.normalise_name(name)
    except PkiError as exc:
        return str(exc)
    return None


def _check_provided(requests: list[Request], now: datetime.datetime) -> tuple[list[Kept], list[str]]:
    kept, problems = [], []
    for request in requests:
        certificate_path, key_path = request.certificate_path, request.key_path
        if certificate_path is None or key_path is None:
            problems.append(f"'{request.name}': a provided certificate needs both its certificate and its key")
            continue
        pair, unread = pki_files.read_pair(certificate_path, key_path)
        if pair is None:
            problems += [f"'{request.name}': {problem}" for problem in unread]
            continue
        found = pki.provided_problems(pair, [pki.normalise_name(name) for name in request.names], now)
        problems += [f"'{request.name}' ({certificate_path}): {problem}" for problem in found]
        kept.append(_kept(request, pair, certificate_path, key_path))
    return kept, problems


def _end_warnings(provided: list[Kept], terms: Terms) -> tuple[str, ...]:
    return tuple(
        f"the provided certificate '{each.name}' expires on {each.not_after:%Y-%m-%d}: "
        f"put a new one at {each.certificate_path}"
        for each in provided
        if _soon(each.not_after, terms, terms.renew_days)
    )


def _soon(end: datetime.datetime, terms: Terms, days: int) -> bool:
    return end - terms.now < datetime.timedelta(days=days)


def _authority(directory: Path, terms: Terms) -> tuple[Pair, bool]:
    """Return the CA and whether it was made now. A key is never replaced or repaired: that is a person's decision."""
    key_path, certificate_path = directory / "ca.key", directory / "ca.crt"
    if not key_path.exists():
        if certificate_path.exists():
            raise PkiError(f"{certificate_path} is there, its {key_path.name} is not: restore the key, {_START_AGAIN}")
        pki_files.write(key_path, pki.key_pem(pki.new_key()))
    if key_path.stat().st_mode & pki_files.OTHERS:
        raise PkiError(
            f"{key_path} can be read by others than its owner: if nobody has, chmod 600 {key_path}, {_START_AGAIN}"
        )
    created = not certificate_path.exists()
    if created:
        # Also after a run killed between the two files: the key alone makes the same authority again.
        pki_files.write(certificate_path, pki.new_ca(pki.load_key(key_path.read_bytes()), terms.now).certificate_pem())
    authority, problems = pki_files.read_pair(certificate_path, key_path)
    if authority is not None:
        problems = [f"{directory}: {problem}" for problem in filter(None, [pki.ca_problem(authority, terms.now)])]
    if authority is None or problems:
        raise PkiError(f"this CA cannot sign ({'; '.join(problems)}): restore it, {_START_AGAIN}")
    return authority, created or terms.is_of_this_run(certificate_path)


def _leaf(directory: Path, authority: Pair, request: Request, terms: Terms) -> Kept:
    base = directory / pki_files.LEAVES / request.name.replace("*", "_")
    key_path, certificate_path = base.with_name(f"{base.name}.key"), base.with_name(f"{base.name}.crt")
    names = [pki.normalise_name(name) for name in request.names]
    leaf: Pair | None = None
    reason: str | None = "there was none"
    if key_path.exists() and certificate_path.exists():
        leaf, problems = pki_files.read_pair(certificate_path, key_path)
        reason = "; ".join(problems) or None
    if leaf is not None:
        reason = pki.renewal_reason(leaf, authority, names, terms.now, terms.renew_days)
        if reason is None and key_path.stat().st_mode & pki_files.OTHERS:
            reason = "others could read its key"
    if leaf is None or reason is not None:
        leaf = pki.issue(authority, names, terms.now, terms.valid_days)
        pki_files.write(key_path, pki.key_pem(leaf.key))
        pki_files.write(certificate_path, leaf.certificate_pem())
    elif terms.is_of_this_run(certificate_path):
        reason = "it was issued for another host of this run"
    return _kept(request, leaf, certificate_path, key_path, reason)


def _kept(request: Request, pair: Pair, certificate_path: Path, key_path: Path, reason: str | None = None) -> Kept:
    end = pair.certificate.not_valid_after_utc
    return Kept(request.name, pair.certificate_pem().decode(), certificate_path, key_path, end, reason)


def _refuse(problems: list[str]) -> None:
    if problems:
        raise PkiError("\n".join(problems))
