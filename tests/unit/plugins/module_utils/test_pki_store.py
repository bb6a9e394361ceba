# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The directory on the controller, also after what can happen to it."""

from __future__ import annotations

import datetime
import multiprocessing
import stat
import time
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import pki
from ansible_collections.cubeops.cubejs.plugins.module_utils.pki import PkiError
from ansible_collections.cubeops.cubejs.plugins.module_utils.pki_store import Request, Terms, keep, rehearse

NOW = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.timezone.utc)
TERMS = Terms(NOW)
ACME = Request("acme", ("cube.acme.example",))
GLOBEX = Request("globex", ("cube.globex.example", "192.0.2.1"))


@pytest.fixture(name="directory")
def ca_directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ca"


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()
    }


def reasons(directory: Path, *requests: Request, terms: Terms = TERMS) -> dict[str, str | None]:
    return {each.name: each.reason for each in keep(directory, requests, terms).certificates}


def test_the_first_run_makes_everything_and_the_second_nothing(directory: Path) -> None:
    first = keep(directory, [ACME, GLOBEX], TERMS)
    before = contents(directory)
    second = keep(directory, [ACME, GLOBEX], TERMS)
    assert (first.changed, first.ca_created, second.changed, second.ca_created) == (True, True, False, False)
    assert contents(directory) == before
    assert [each.certificate for each in first.certificates] == [each.certificate for each in second.certificates]
    assert first.certificates[0].certificate == first.certificates[0].certificate_path.read_text()


def test_only_the_owner_can_open_anything(directory: Path) -> None:
    keep(directory, [ACME], TERMS)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (directory, *directory.rglob("*"))}
    assert (modes["ca"], modes["leaves"]) == (0o700, 0o700)
    assert {modes[name] for name in ("ca.key", "ca.crt", "acme.key", "acme.crt")} == {0o600}


def test_git_ignores_a_directory_put_into_a_checkout(directory: Path) -> None:
    keep(directory, [ACME], TERMS)
    assert (directory / ".gitignore").read_text() == "*\n"


def test_one_certificate_leaves_the_others_alone(directory: Path) -> None:
    keep(directory, [ACME], TERMS)
    before = contents(directory)
    assert reasons(directory, ACME, GLOBEX) == {"acme": None, "globex": "there was none"}
    assert before.items() <= contents(directory).items()


def touch_key(directory: Path) -> None:
    (directory / "leaves/acme.key").chmod(0o640)


def swap_key(directory: Path) -> None:
    (directory / "leaves/acme.key").write_bytes(pki.key_pem(pki.new_key()))


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        pytest.param(lambda ca: (ca / "leaves/acme.crt").unlink(), "there was none", id="certificate gone"),
        pytest.param(lambda ca: (ca / "leaves/acme.key").unlink(), "there was none", id="killed before the key"),
        pytest.param(lambda ca: (ca / "leaves/acme.crt").write_text("x"), "no certificate in PEM", id="torn"),
        pytest.param(swap_key, "its key does not match it", id="killed between the two files"),
        pytest.param(touch_key, "others could read its key", id="key opened to a group"),
    ],
)
def test_a_leaf_is_mended_and_then_stays(directory: Path, harm: Callable[[Path], None], reason: str) -> None:
    keep(directory, [ACME], TERMS)
    harm(directory)
    assert reason in str(reasons(directory, ACME)["acme"])
    assert reasons(directory, ACME) == {"acme": None}
    assert stat.S_IMODE((directory / "leaves/acme.key").stat().st_mode) == 0o600


def test_a_leaf_is_renewed_before_its_end_with_a_new_key(directory: Path) -> None:
    keep(directory, [ACME], TERMS)
    key = (directory / "leaves/acme.key").read_bytes()
    later = NOW + datetime.timedelta(days=pki.LEAF_DAYS - 30, seconds=1)
    assert reasons(directory, ACME, terms=Terms(later)) == {"acme": "it expires on 2027-02-16"}
    assert reasons(directory, ACME, terms=Terms(later)) == {"acme": None}
    assert (directory / "leaves/acme.key").read_bytes() != key


def test_a_certificate_for_a_wildcard_has_a_file_without_a_star(directory: Path) -> None:
    kept = keep(directory, [Request("*.acme.example", ("*.acme.example",))], TERMS).certificates[0]
    assert kept.key_path.name == "_.acme.example.key"


def test_a_ca_certificate_lost_is_made_again_and_the_leaves_stay(directory: Path) -> None:
    keep(directory, [ACME], TERMS)
    (directory / "ca.crt").unlink()
    again = keep(directory, [ACME], TERMS)
    assert (again.ca_created, again.certificates[0].reason) == (True, None)


def open_ca_key(directory: Path) -> None:
    (directory / "ca.key").chmod(0o640)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        pytest.param(open_ca_key, "chmod 600", id="key readable by a group"),
        pytest.param(lambda ca: ca.chmod(0o750), "chmod 700", id="directory open to a group"),
        pytest.param(lambda ca: (ca / "ca.key").unlink(), "restore the key", id="key gone"),
        pytest.param(lambda ca: (ca / "ca.key").write_text("x"), "no private key", id="key torn"),
        pytest.param(
            lambda ca: (ca / "ca.key").write_bytes(pki.key_pem(pki.new_key())),
            "do not belong together",
            id="key swapped",
        ),
    ],
)
def test_a_ca_in_doubt_is_refused_and_left_as_it_is(
    directory: Path, harm: Callable[[Path], object], message: str
) -> None:
    keep(directory, [ACME], TERMS)
    harm(directory)
    before = contents(directory)
    with pytest.raises(PkiError, match=message):
        keep(directory, [ACME, GLOBEX], TERMS)
    assert contents(directory) == before


def test_an_expired_ca_is_refused_and_a_late_one_warned_about(directory: Path) -> None:
    keep(directory, [ACME], TERMS)
    end = NOW + datetime.timedelta(days=pki.CA_DAYS)
    late = keep(directory, [ACME], Terms(end - datetime.timedelta(days=9)))
    assert f"the CA in {directory} itself expires on 2036-01-13" in late.warnings
    with pytest.raises(PkiError, match="it expired on 2036-01-13"):
        keep(directory, [ACME], Terms(end))


def test_all_problems_of_a_request_come_at_once(directory: Path) -> None:
    bad = [Request("../etc", ("a b",)), Request("acme", ()), Request("acme", ("x.example",))]
    with pytest.raises(PkiError) as caught:
        keep(directory, bad, Terms(NOW, renew_days=40, valid_days=30))
    text = str(caught.value)
    for part in ("'../etc' cannot name", "'a b' is neither", "'acme' has no names", "asked for twice", "on every run"):
        assert part in text
    assert not directory.exists()


def provided(tmp_path: Path, *names: str, now: datetime.datetime = NOW) -> Request:
    pair = pki.issue(pki.new_ca(pki.new_key(), now), names, now)
    (tmp_path / "p.crt").write_bytes(pair.certificate_pem())
    (tmp_path / "p.key").write_bytes(pki.key_pem(pair.key))
    return Request("acme", ACME.names, tmp_path / "p.crt", tmp_path / "p.key")


def test_provided_certificates_need_no_ca(directory: Path, tmp_path: Path) -> None:
    kept = keep(directory, [provided(tmp_path, "cube.acme.example")], TERMS)
    assert (kept.changed, kept.ca_certificate, kept.certificates[0].key_path) == (False, None, tmp_path / "p.key")
    assert not directory.exists()


def test_a_provided_certificate_near_its_end_is_warned_about(directory: Path, tmp_path: Path) -> None:
    request = provided(tmp_path, "cube.acme.example", now=NOW - datetime.timedelta(days=380))
    assert "'acme' expires on 2026-02-01" in keep(directory, [request], TERMS).warnings[0]


def test_a_provided_certificate_that_does_not_fit_is_refused_before_anything_is_made(
    directory: Path, tmp_path: Path
) -> None:
    with pytest.raises(PkiError, match=r"'acme' \(.*p.crt\): the certificate is not for cube.acme.example"):
        keep(directory, [GLOBEX, provided(tmp_path, "other.example")], TERMS)
    assert not directory.exists()


def test_provided_files_that_cannot_be_read_are_both_named(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(PkiError) as caught:
        keep(directory, [Request("acme", ACME.names, tmp_path / "no.crt", tmp_path / "no.key")], TERMS)
    assert str(caught.value).count("No such file") == 2


def test_a_rehearsal_works_as_the_run_would_and_changes_nothing(directory: Path, tmp_path: Path) -> None:
    keep(directory, [ACME], TERMS)
    before = contents(directory)
    copy = rehearse(directory, tmp_path)
    assert rehearse(directory, tmp_path) == copy
    assert reasons(copy, ACME, GLOBEX) == {"acme": None, "globex": "there was none"}
    assert reasons(copy, ACME, GLOBEX) == {"acme": None, "globex": None}
    assert contents(directory) == before
    assert (copy / "ca.key").is_symlink()


def test_a_rehearsal_of_a_first_run_makes_no_directory(directory: Path, tmp_path: Path) -> None:
    assert keep(rehearse(directory, tmp_path), [ACME], TERMS).ca_created
    assert not directory.exists()


def test_a_rehearsal_refuses_what_the_run_would_refuse(directory: Path, tmp_path: Path) -> None:
    keep(directory, [ACME], TERMS)
    open_ca_key(directory)
    with pytest.raises(PkiError, match="chmod 600"):
        keep(rehearse(directory, tmp_path), [ACME], TERMS)


def certificate_seen_by_a_process(directory: Path) -> str:
    return keep(directory, [ACME], TERMS).certificates[0].certificate


def test_many_processes_at_once_agree(directory: Path) -> None:
    with multiprocessing.get_context("fork").Pool(8) as pool:
        seen = pool.map(certificate_seen_by_a_process, [directory] * 24)
    assert len(set(seen)) == 1


def test_every_host_of_the_run_that_made_it_is_told_and_none_of_the_next(directory: Path) -> None:
    run, following = Terms(NOW, run_started_ns=time.time_ns()), Terms(NOW, run_started_ns=time.time_ns() + 10**12)
    first, second = keep(directory, [ACME], run), keep(directory, [ACME], run)
    assert (first.certificates[0].reason, first.ca_created) == ("there was none", True)
    assert (second.certificates[0].reason, second.ca_created) == ("it was issued for another host of this run", True)
    assert not keep(directory, [ACME], following).changed
