"""The module redis_sentinel, over a Sentinel on a real socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cubeops.cubejs.plugins.module_utils import sentinel_store
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_sentinel import Result
from ansible_collections.cubeops.cubejs.plugins.module_utils.resp import Endpoint
from ansible_collections.cubeops.cubejs.plugins.modules import redis_sentinel

ACME = {"name": "acme", "hosts": ["10.0.0.5"], "port": 20001, "password": "plantedAcme8fQ2xR7m", "quorum": 2}


def run(capsys: pytest.CaptureFixture[str], check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
    given = {"watched": [ACME], "bind": ["10.0.0.5"], **arguments, "_ansible_check_mode": check_mode}
    with patch_module_args(given), pytest.raises(SystemExit):
        redis_sentinel.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


@pytest.fixture
def sentinel(servers: Any, fake_redis: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    fake = fake_redis(passwords=set(), answers={"SENTINEL MASTERS": [], "SENTINEL": b"+OK\r\n"})
    (tmp_path / "state").touch()

    class Here(sentinel_store.LiveSentinel):
        def __init__(self, _own: Any, others: Any) -> None:
            super().__init__(servers.redis(fake), others, tmp_path / "state")

    monkeypatch.setattr(redis_sentinel, "LiveSentinel", Here)
    return fake


def test_it_tells_and_returns_what_is_documented(sentinel: Any, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys)
    assert result["changed"]
    assert ["SENTINEL", "MONITOR", "acme", "10.0.0.5", "20001", "2"] in sentinel.seen
    assert set(yaml.safe_load(redis_sentinel.RETURN)) <= set(result)
    assert "planted" not in json.dumps({key: result[key] for key in ("changes", "diff")})


def test_check_mode_tells_nothing(sentinel: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, check_mode=True)["changed"]
    assert sentinel.seen == [["SENTINEL", "MASTERS"]]


def test_check_mode_before_the_first_start_asks_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, check_mode=True, pending=True)
    assert result["changes"]["acme"]["monitor"] == ["", "10.0.0.5 20001"]


def test_nothing_to_tell_is_no_change(sentinel: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert not run(capsys, watched=[])["changed"]


def test_problems_and_errors_are_messages(sentinel: Any, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, watched=[{**ACME, "quorum": 0, "hosts": []}], bind=["127.0.0.1"])
    assert result["failed"]
    assert len(result["msg"].splitlines()) == 3
    sentinel.answers["SENTINEL"] = b"-ERR No such master\r\n"
    assert "is refused" in run(capsys)["msg"]


def test_what_is_to_be_forgotten_warns_of_no_others(sentinel: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """They were not listed since nothing was to be said of them."""
    rows = [["name", name, "ip", "10.0.0.5", "port", "20001", "flags", "master"] for name in ("acme", "beta")]
    sentinel.answers["SENTINEL MASTERS"] = rows
    result = run(capsys, watched=[], removed=["acme"])
    assert result["unlisted"] == ["beta"]
    assert ["SENTINEL", "REMOVE", "acme"] in sentinel.seen
    found = Result(unlisted=["beta"])
    own = Endpoint("10.0.0.5", 26379)
    assert redis_sentinel._warnings(found, own, told=False) == []
    assert "beta" in redis_sentinel._warnings(found, own, told=True)[0]


@pytest.mark.parametrize(
    ("peers", "told"), [(["10.0.0.5", "10.0.0.6"], True), (["10.0.0.6", "10.0.0.7"], False), ([], False)]
)
def test_other_sentinels_are_counted_without_its_own(
    sentinel: Any,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    peers: list[str],
    told: bool,
) -> None:
    row = {"name": "acme", "ip": "10.0.0.5", "port": "20001", "flags": "master", "num-other-sentinels": "2"}
    row |= {"quorum": "2", "down-after-milliseconds": "5000", "failover-timeout": "30000"}
    sentinel.answers["SENTINEL MASTERS"] = [[word for pair in row.items() for word in pair]]
    (tmp_path / "state").write_text(f"sentinel auth-pass acme {ACME['password']}\n")
    texts: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _self, text: texts.append(text))
    assert not run(capsys, peers=peers)["changed"]
    assert ["redis-cli -h 10.0.0.5 -p 26379 SENTINEL RESET" in each for each in texts] == [True] * told
