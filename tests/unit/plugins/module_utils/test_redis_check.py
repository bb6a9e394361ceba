"""Configuration files tried on a private server; the server is a small program that speaks as Redis does."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import redis_check
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_check import (
    ConfigRefusedError,
    directive,
    explain,
    main,
    problems,
    read,
    throwaway,
    unusable_addresses,
)

SERVER = """#!{python}
import os, socket, sys, time
arguments = dict(zip(sys.argv[2::2], sys.argv[3::2]))
text = open(sys.argv[1]).read()
with open({seen!r}, "a") as seen:
    seen.write(repr((sys.argv[2:], os.getcwd(), text)) + chr(10))
for number, line in enumerate(text.splitlines(), 1):
    if line.startswith(("nonsense", "requirepass bad")):
        print("12:C 23 Nov 2026 00:10:00.000 # Redis version=7.0.15, just started")
        print("*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***")
        print("Reading the configuration file, at line", number)
        print(">>> '" + line + "'")
        print("Bad directive or wrong number of arguments")
        sys.exit(1)
if "hang" in text:
    time.sleep(60)
listening = socket.socket(socket.AF_UNIX)
listening.bind(arguments["--unixsocket"])
listening.listen()
while True:
    client, _ = listening.accept()
    client.recv(100)
    client.sendall(b"+PONG\\r\\n")
    client.close()
"""


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    return tmp_path / "seen"


@pytest.fixture
def server(tmp_path: Path, seen: Path) -> str:
    path = tmp_path / "redis-server"
    path.write_text(SERVER.format(python=sys.executable, seen=str(seen)))
    path.chmod(0o755)
    return str(path)


def test_a_good_configuration_starts_in_private_and_is_gone_afterwards(server: str, seen: Path) -> None:
    with throwaway(server, 'port 20001\ndir /var/lib/x\nrequirepass "planted"\n') as path:
        assert Path(path).parent.stat().st_mode & 0o777 == 0o700
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
    assert not Path(path).parent.exists()
    arguments, folder, text = eval(seen.read_text())
    assert "planted" not in str(arguments)
    assert ("--port", "0") in zip(arguments, arguments[1:])
    assert ("--requirepass", "") in zip(arguments, arguments[1:])
    assert folder == str(Path(path).parent)
    assert "dir /var/lib/x" not in text


def test_tls_is_not_listened_on_either(server: str, seen: Path) -> None:
    with throwaway(server, "port 0\ntls-port 20001\n"):
        assert "'--tls-port', '0'" in seen.read_text()
    with throwaway(server, "port 20001\n"):
        assert "'--tls-port'" not in seen.read_text().splitlines()[-1]


def start(server: str, config: str, seconds: float = 5) -> None:
    """Start it, which is not supposed to work."""
    with throwaway(server, config, seconds):
        pytest.fail("it started")


def test_the_servers_own_words_are_the_reason(server: str) -> None:
    with pytest.raises(ConfigRefusedError, match=r"^line `nonsense 3`: Bad directive or wrong number of arguments$"):
        start(server, "port 1\nnonsense 3\n")


def test_a_server_that_does_not_answer_is_given_up(server: str) -> None:
    with pytest.raises(ConfigRefusedError, match="does not answer"):
        start(server, "hang\n", seconds=0.3)


def test_the_server_ends_when_what_it_is_for_fails(server: str, seen: Path) -> None:
    with pytest.raises(ZeroDivisionError), throwaway(server, "") as path:
        raise ZeroDivisionError
    assert not redis_check._answers(path)


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        pytest.param(
            ">>> 'requirepass \"planted\"'\nBad directive\n", "line `requirepass`: Bad directive", id="secret"
        ),
        pytest.param('>>> \'"masterauth" "planted"\'\nBad\n', 'line `"masterauth"`: Bad', id="quoted secret"),
        pytest.param(
            "9:M 23 Nov 2026 00:10:00.000 # Failed to load certificate: /x/a.crt: no start line\n",
            "Failed to load certificate: /x/a.crt: no start line",
            id="a log line",
        ),
        pytest.param(
            "9:C 23 Nov 2026 00:10:00.000 # WARNING Memory overcommit must be enabled!\n",
            "the server stopped without a word",
            id="noise",
        ),
        pytest.param("", "the server stopped without a word", id="nothing"),
    ],
)
def test_reasons_are_found_in_the_log(log: str, reason: str) -> None:
    assert explain(log) == reason


@pytest.mark.parametrize(
    ("config", "words"),
    [
        pytest.param("bind 127.0.0.1 10.0.0.1\n", ["127.0.0.1", "10.0.0.1"], id="words"),
        pytest.param("bind 1.1.1.1\nBIND 2.2.2.2\n", ["2.2.2.2"], id="the last counts, in any case"),
        pytest.param("# bind 1.1.1.1\nbinder x\nbind\n", [], id="none"),
        pytest.param('bind "a b"\n', ["a b"], id="quoted"),
    ],
)
def test_directives_are_found(config: str, words: list[str]) -> None:
    assert directive(config, "bind") == words


def test_quoted_passwords_are_read_as_redis_reads_them() -> None:
    assert directive('requirepass "a\\"b\\\\c#d"\n', "requirepass") == ['a"b\\c#d']


def test_addresses_that_are_not_here_are_found() -> None:
    config = "bind 127.0.0.1 192.0.2.7 -192.0.2.8 0.0.0.0 ::1 *\n"
    assert unusable_addresses(config) == ["192.0.2.7"]


def test_only_what_changed_is_tried_and_all_problems_are_told(server: str, seen: Path, tmp_path: Path) -> None:
    staged, live = tmp_path / "staged", tmp_path / "live"
    for directory in (staged, live):
        directory.mkdir()
        (directory / "same.conf").write_text("port 1\n")
        (directory / "same.secret").write_text("requirepass x\n")
    (staged / "a.conf").write_text(f"nonsense {live}/a.crt\n")
    (staged / "b.conf").write_text("bind 192.0.2.7\n")
    (staged / "b.secret").write_text("requirepass bad\n")
    assert problems(server, staged, live) == [
        f"a: line `nonsense {staged}/a.crt`: Bad directive or wrong number of arguments",
        "b: bind 192.0.2.7: this host has no such address",
        "b: line `requirepass`: Bad directive or wrong number of arguments",
    ]
    assert "port 1" not in seen.read_text()


def test_links_to_what_is_in_place_are_nothing_new(server: str, seen: Path, tmp_path: Path) -> None:
    staged, live = tmp_path / "staged", tmp_path / "live"
    for directory in (staged, live):
        directory.mkdir()
    for name in ("same.conf", "same.secret", "ca.crt"):
        (live / name).write_text("nonsense\n")
        (staged / name).symlink_to(live / name)
    assert problems(server, staged, live) == []
    assert not seen.exists()


@pytest.mark.parametrize("name", ["same.secret", "same.crt", "ca.crt"])
def test_a_file_beside_it_makes_it_new(server: str, tmp_path: Path, seen: Path, name: str) -> None:
    staged, live = tmp_path / "staged", tmp_path / "live"
    for directory in (staged, live):
        directory.mkdir()
        (directory / "same.conf").write_text("port 1\n")
    (staged / name).write_text("# new\n")
    assert problems(server, staged, live) == []
    assert seen.exists()


def test_the_program_tells_by_its_status(server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "staged").mkdir()
    arguments = [server, str(tmp_path / "staged"), str(tmp_path / "live")]
    assert main(arguments) == 0
    assert capsys.readouterr().out == ""
    (tmp_path / "staged/a.conf").write_text("nonsense\n")
    assert main(arguments) == 1
    assert capsys.readouterr().out.startswith("a: line `nonsense`")
    assert main([]) == 2


def test_it_stands_alone() -> None:
    """The role puts this file on hosts, where there is no collection."""
    assert "ansible_collections" not in Path(redis_check.__file__).read_text()


def test_secrets_are_read_with_their_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("port 1\n")
    assert read(tmp_path / "a.conf") == "port 1\n"
    (tmp_path / "a.secret").write_text("requirepass x\n")
    assert read(tmp_path / "a.conf") == "port 1\nrequirepass x\n"
