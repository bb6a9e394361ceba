"""Links around a root: put in place with the set, shown to its validation, and what stood there kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_layouts import Entrance
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_validation import Validation
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import (
    ManagedFilesError,
    Ownership,
    WantedFile,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.managed_files import (
    FileSet,
    Result,
    check,
    converge,
    pack,
    unpack,
)

MAIN = Entrance("main.conf", "set/main.conf", original="main.conf.before")
MASK = Entrance("sites/default", "/dev/null")
READS_OURS = Validation("grep -q ours {view}/main.conf {view}/set/main.conf")
HIDES_THEIRS = Validation("test ! -s {view}/sites/default")
SHOWS_OTHERS = Validation("grep -q kept {view}/sites/other")


class Place:
    """A directory of others with a set in it."""

    def __init__(self, path: Path, ownership: Ownership) -> None:
        self.etc = path / "etc"
        self.manifests = path / "manifests"
        self.ownership = ownership
        (self.etc / "sites").mkdir(parents=True)
        (self.etc / "main.conf").write_text("theirs")
        (self.etc / "sites/default").write_text("welcome")
        (self.etc / "sites/other").write_text("kept")

    def keep(self, text: str = "ours", *steps: Validation, **options: Any) -> Result:
        """Bring the set and its entrances into place."""
        file_set = FileSet(
            "test", (WantedFile("main.conf", text.encode()),), str(self.etc / "set"), steps, (MAIN, MASK)
        )
        options = {"apply": True, "with_diff": True, **options}
        return converge(
            file_set, ownership=self.ownership, manifests=self.manifests, volatile=self.manifests, **options
        )

    def seen(self) -> dict[str, str]:
        """Return what readers find, by its path."""
        return {
            str(path.relative_to(self.etc)): path.read_text()
            for path in sorted(self.etc.rglob("*"))
            if path.is_file() and ".set.d" not in str(path)
        }


@pytest.fixture(name="place")
def a_place(tmp_path: Path, ownership: Ownership) -> Place:
    return Place(tmp_path, ownership)


def test_programs_find_the_set_and_what_was_there_is_kept(place: Place) -> None:
    result = place.keep()
    assert result.changed_files == ["main.conf", str(place.etc / "main.conf"), str(place.etc / "sites/default")]
    assert place.seen() == {"main.conf": "ours", "main.conf.before": "theirs", "sites/other": "kept"}
    assert not place.keep().changed


def test_what_was_there_first_is_what_is_kept(place: Place) -> None:
    place.keep()
    (place.etc / "main.conf").unlink()
    (place.etc / "main.conf").write_text("edited over the link")
    result = place.keep()
    assert result.changed_files == [str(place.etc / "main.conf")]
    assert place.seen()["main.conf.before"] == "theirs"
    assert len(list((place.etc / ".set.d").iterdir())) == 1


@pytest.mark.parametrize("apply", [False, True], ids=["check mode", "run"])
def test_the_view_is_what_the_run_leaves(place: Place, apply: bool) -> None:
    result = place.keep("ours", READS_OURS, HIDES_THEIRS, SHOWS_OTHERS, apply=apply)
    assert [outcome["rc"] for outcome in result.validation] == [0, 0, 0]
    place.keep("ours")
    place.keep("ours again", READS_OURS, HIDES_THEIRS, SHOWS_OTHERS, apply=apply)


def test_a_refused_set_leaves_what_was_there(place: Place) -> None:
    before = place.seen()
    with pytest.raises(ManagedFilesError, match="those in place are unchanged"):
        place.keep("ours", Validation("false"))
    assert place.seen() == before


def test_check_mode_says_so_and_touches_nothing(place: Place) -> None:
    before = place.seen()
    told = place.keep(apply=False)
    assert place.seen() == before
    assert told.changed_files == place.keep().changed_files


def test_the_difference_says_what_becomes_of_what_was_there(place: Place) -> None:
    rows = {Path(row["after_header"]).name: (row["before"], row["after"]) for row in place.keep().diff[1:]}
    assert rows == {
        "main.conf": ("a file\n", "a link to set/main.conf, what was there is kept as main.conf.before\n"),
        "default": ("a file\n", "a link to /dev/null\n"),
    }


def test_a_command_that_is_always_run_finds_what_others_broke_since(place: Place) -> None:
    step = Validation("sh -c 'if ! grep -q kept {view}/sites/other; then echo {view}/sites/other:1 is bad; exit 1; fi'")
    always = Validation(step.command, always=True)
    place.keep("ours", always)
    (place.etc / "sites/other").write_text("broken")
    assert not place.keep("ours", step).changed
    with pytest.raises(ManagedFilesError) as refusal:
        place.keep("ours", always)
    where = f"{place.etc}/sites/other"
    assert f"\n{where}:1 is bad\n{where}: not of this set. Whoever wrote it" in str(refusal.value)


def test_our_own_files_are_named_where_people_find_them_and_not_as_those_of_others(place: Place) -> None:
    step = Validation("sh -c 'echo {view}/set/main.conf:7, read from {view}/main.conf; exit 1'")
    with pytest.raises(ManagedFilesError) as refusal:
        place.keep("ours", step)
    assert f"{place.etc}/set/main.conf:7, read from {place.etc}/main.conf" in str(refusal.value)
    assert "not of this set" not in str(refusal.value)


@pytest.mark.parametrize(
    ("entrance", "root", "message"),
    [
        pytest.param(Entrance("../x", "y"), "/etc/set", "relative to the directory of the root", id="above"),
        pytest.param(Entrance("/x", "y"), "/etc/set", "relative to the directory of the root", id="absolute"),
        pytest.param(Entrance("set/x", "y"), "/etc/set", "outside the root", id="in the set itself"),
        pytest.param(Entrance("x", "y", "../z"), "/etc/set", "'../z' is no file name", id="original elsewhere"),
        pytest.param(Entrance("x", "y"), None, "only a set with a root", id="without a root"),
    ],
)
def test_entrances_that_cannot_be_meant(entrance: Entrance, root: str | None, message: str) -> None:
    with pytest.raises(ManagedFilesError, match=message):
        check(FileSet("test", (), root, (), (entrance,)))


def test_entrances_travel_with_the_set() -> None:
    file_set = FileSet("test", (), "/etc/set", (Validation("true", always=True),), (MAIN, MASK))
    assert unpack(pack(file_set)) == file_set
