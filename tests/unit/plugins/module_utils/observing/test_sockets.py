"""Sockets in the kernel's own notation."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import sockets
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.sockets import Tcp

HEAD = "  sl  local_address rem_address   st\n"
TCP = f"""{HEAD}   0: 0100007F:0FA0 00000000:0000 0A 0:0 0:0 0 0 0 11 1
   1: 0100007F:C000 0264A8C0:18EB 01 0:0 0:0 0 0 0 12 1
   2: 0100007F:C001 0264A8C0:18EB 06 0:0 0:0 0 0 0 0 1
   3: nonsense
   4: 0100007F:ZZZZ 0264A8C0:18EB 01 0:0 0:0 0 0 0 13 1
"""
TCP6 = f"""{HEAD}   0: 00000000000000000000000000000000:0FA0 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 21 1
   1: 0000000000000000FFFF00000100007F:C000 0000000000000000FFFF00000264A8C0:18EB 01 0:0 0:0 0 0 0 22 1
   2: B80D0120000000000000000001000000:C000 B80D0120000000000000000002000000:18EB 01 0:0 0:0 0 0 0 23 1
"""
UNIX = """Num       RefCount Protocol Flags    Type St Inode Path
0: 00000002 00000000 00010000 0001 01 31 /run/a b.sock
0: 00000003 00000000 00000000 0001 03 32 /run/connected.sock
0: 00000003 00000000 00010000 0001 01 33
"""
TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 192.0.2.7
        /32 host LOCAL
     |-- 192.0.2.255
        /32 link BROADCAST
"""


def test_what_listens_and_what_is_connected(tmp_path: Path) -> None:
    for name, text in (("tcp", TCP), ("tcp6", TCP6), ("unix", UNIX)):
        (tmp_path / name).write_text(text)
    found = sockets.read(str(tmp_path))
    assert found.listening == {"11": Tcp("127.0.0.1", 4000), "21": Tcp("::", 4000)}
    assert found.connected == {
        "12": Tcp("127.0.0.1", 49152, "192.168.100.2", 6379),
        "22": Tcp("127.0.0.1", 49152, "192.168.100.2", 6379),
        "23": Tcp("2001:db8::1", 49152, "2001:db8::2", 6379),
    }
    assert found.unix == {"31": "/run/a b.sock"}


def test_without_files_there_are_no_sockets(tmp_path: Path) -> None:
    assert sockets.read(str(tmp_path)) == sockets.Table()
    assert sockets.local_addresses(str(tmp_path)) == ()


def test_addresses_of_the_host(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(TRIE)
    rows = (
        "00000000000000000000000000000001 01 80 10 80 lo",
        "20010db8000000000000000000000007 02 40 00 80 e",
        "bad",
    )
    (tmp_path / "if_inet6").write_text("\n".join(rows))
    assert sockets.local_addresses(str(tmp_path)) == ("192.0.2.7", "2001:db8::7")


def test_descriptors_that_are_sockets() -> None:
    assert sockets.inodes(["socket:[7]", "/dev/null", "pipe:[8]"]) == ["7"]
