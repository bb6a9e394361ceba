"""What a caller may want."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing.wishes import WishError, parse

CA = {"ca_path": None, "ca_certificates": None}
RIGHT: dict[str, Any] = {
    "fingerprint_key": "0f" * 16,
    "probes": ["http"],
    "deadline_seconds": 10.0,
    "settle_seconds": 3.0,
    "journal_hours": 24.0,
    "token_claims": {"u": 1},
    "proxies": [{"server_name": "n", "address": None, "https_port": 443, "http_port": 80, **CA}],
    "reach": [{"host": "h", "port": 4000}],
}


def test_what_is_right() -> None:
    key, wanted = parse(RIGHT)
    assert key == b"\x0f" * 16
    assert (wanted.probes, wanted.reach, wanted.claims) == (frozenset({"http"}), (("h", 4000),), {"u": 1})
    assert (wanted.proxies[0].server_name, wanted.proxies[0].address) == ("n", "n")


def test_without_a_key_each_host_takes_a_new_one() -> None:
    keys = {parse({**RIGHT, "fingerprint_key": None})[0] for _unused in range(2)}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"fingerprint_key": "planted"}, "fingerprint_key: <masked> is not at least 32", id="no key"),
        pytest.param(
            {"proxies": [{**RIGHT["proxies"][0], "ca_certificates": "/etc/ca.crt"}]},
            r"proxies\[0\].ca_certificates: there is none in it",
            id="a path for a text",
        ),
        pytest.param({"fingerprint_key": "0" * 33}, "two for each byte", id="odd"),
        pytest.param({"fingerprint_key": ""}, "fingerprint_key", id="empty"),
        pytest.param({"deadline_seconds": 0.5}, "deadline_seconds: 0.5 is not within 1 and 600", id="too short"),
        pytest.param({"settle_seconds": 10.0}, "leaves nothing of deadline_seconds", id="no time to wait"),
        pytest.param({"journal_hours": 1e9}, "journal_hours: .* is not within", id="for ever"),
        pytest.param({"reach": [{"host": "h", "port": 0}]}, r"reach\[0\].port: 0 is no port", id="port"),
    ],
)
def test_what_is_wrong(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(WishError, match=said) as caught:
        parse({**RIGHT, **changes})
    assert "planted" not in str(caught.value)


def test_all_problems_at_once() -> None:
    with pytest.raises(WishError) as caught:
        parse({**RIGHT, "fingerprint_key": "x", "journal_hours": 0.0, "reach": [{"host": "h", "port": 70000}]})
    assert len(str(caught.value).splitlines()) == 3
