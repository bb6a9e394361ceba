"""Redis URLs, as each client reads them."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils import redis_url
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_url import IOREDIS, NODE_REDIS, Target
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("url", "target"),
    [
        pytest.param("redis://h", Target("h", 6379, 0, False), id="host"),
        pytest.param("redis://h:6380/3", Target("h", 6380, 3, False), id="port and index"),
        pytest.param("rediss://h", Target("h", 6379, 0, True), id="tls"),
        pytest.param("redis://:p%40x@h", Target("h", 6379, 0, False, None, "p@x"), id="decoded password"),
        pytest.param("redis://u:p@h/1", Target("h", 6379, 1, False, "u", "p"), id="user and password"),
        pytest.param("redis://h?db=2&password=p", Target("h", 6379, 2, False, None, "p"), id="query"),
        pytest.param("redis://[::1]:6379/0", Target("::1", 6379, 0, False), id="IPv6"),
    ],
)
def test_node_redis_reads(url: str, target: Target) -> None:
    assert redis_url.parse(url, NODE_REDIS) == target


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("h:6379/1", "no scheme", id="no scheme"),
        pytest.param("redis://:a/b@h", "/ that is not encoded", id="slash in the password"),
        pytest.param("redis://:a@b@h", "@ or # that is not encoded", id="at in the password"),
        pytest.param("redis://:a#b@h", "@ or # that is not encoded", id="hash in the password"),
        pytest.param("redis://:100%@h", "percent sign that is not encoded", id="percent in the password"),
        pytest.param("redis+sentinel://h:26379/m/0", "takes the first sentinel", id="sentinel"),
        pytest.param("unix:///run/redis.sock", "none of redis and rediss", id="unix socket"),
        pytest.param("redis://h/first", "index is no number", id="index"),
        pytest.param("redis://h:0", "0 is no port", id="port 0"),
        pytest.param("redis://h:65536", "65536 is no port", id="port too high"),
        pytest.param("redis://", "cannot be read", id="no host"),
        pytest.param("redis://h:x", "cannot be read", id="port of letters"),
        pytest.param("redis://h\n", "blank or a line break", id="line break"),
        pytest.param("", "no scheme", id="empty"),
    ],
)
def test_node_redis_misreads(url: str, reason: str) -> None:
    with pytest.raises(redis_url.RedisUrlError, match=reason):
        redis_url.parse(url, NODE_REDIS)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        pytest.param("redis://h:6380/3", Target("h", 6380, 3, False), id="host, port, index"),
        pytest.param("h:6379/1", Target("h", 6379, 1, False), id="without a scheme"),
        pytest.param("rediss://u:p@h", Target("h", 6379, 0, True, "u", "p"), id="credentials"),
        pytest.param(
            "redis+sentinel://a:26379,b:26380/main/2",
            Target("a", 26379, 2, False, sentinels=(("a", 26379), ("b", 26380)), master="main"),
            id="sentinels",
        ),
    ],
)
def test_ioredis_reads(url: str, target: Target) -> None:
    assert redis_url.parse(url, IOREDIS) == target


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("redis://p@h", "user:password@, both", id="password alone"),
        pytest.param("redis://:p@h", "user:password@, both", id="no user"),
        pytest.param("redis://u:a:b@h", "splits at every", id="colon in the password"),
        pytest.param("redis://u:a@b@h", "splits at every", id="at in the password"),
        pytest.param("redis://u:p%40x@h", "decodes no percent sign", id="encoded password"),
        pytest.param("redis://h?db=1", "ignores what follows", id="query"),
        pytest.param("redis://[::1]:6379", "IPv6", id="IPv6"),
        pytest.param("redis+sentinel://:p@a:26379/main/0", "refuses credentials", id="sentinel with a password"),
        pytest.param("redis+sentinel://a/main/0", "needs its port", id="sentinel without a port"),
        pytest.param(
            "redis+sentinel://a:26379/main", "the master's name and the index", id="sentinel without an index"
        ),
        pytest.param("redis+sentinel://a:26379", "the master's name and the index", id="sentinel without a name"),
        pytest.param("unix:///run/redis.sock", "none of redis, rediss", id="unix socket"),
    ],
)
def test_ioredis_misreads(url: str, reason: str) -> None:
    with pytest.raises(redis_url.RedisUrlError, match=reason):
        redis_url.parse(url, IOREDIS)


def refusal(url: str, client: str) -> str:
    """Return why a URL is refused; "" when it is not."""
    try:
        redis_url.parse(url, client)
    except redis_url.RedisUrlError as exc:
        return str(exc)
    return ""


@pytest.mark.parametrize("client", [NODE_REDIS, IOREDIS])
@given(text=st.text())
def test_any_text_is_read_or_refused_and_a_refusal_tells_no_password(client: str, text: str) -> None:
    refusal(text, client)
    assert "MARKED" not in refusal(f"redis://:MARKED{text}@h", client)


@given(st.from_regex(r"\A[a-z][a-z0-9.-]{0,20}\Z"), st.integers(1, 65535), st.integers(0, 15))
def test_what_is_built_is_read_alike_by_both(host: str, port: int, index: int) -> None:
    url = redis_url.build(host, port, index)
    assert redis_url.parse(url, NODE_REDIS) == redis_url.parse(url, IOREDIS) == Target(host, port, index, False)


def test_an_address_of_ipv6_is_bracketed() -> None:
    assert redis_url.build("2001:db8::1", 6379, 0) == "redis://[2001:db8::1]:6379/0"


def test_a_sentinel_url_is_read_as_it_was_built() -> None:
    sentinels = (("10.0.0.5", 26379), ("10.0.0.6", 26380))
    url = redis_url.build_sentinel(sentinels, "acme", 3)
    assert url == "redis+sentinel://10.0.0.5:26379,10.0.0.6:26380/acme/3"
    found = redis_url.parse(url, IOREDIS)
    assert (found.sentinels, found.master, found.index, found.password) == (sentinels, "acme", 3, None)
