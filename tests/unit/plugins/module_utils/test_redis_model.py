"""What instances are."""

from __future__ import annotations

from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_model import (
    InstancesError,
    Session,
    Store,
    WrongPasswordError,
    digest,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_session import LiveSession
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_store import HostStore


def test_a_digest_is_what_redis_shows_in_its_acl() -> None:
    assert digest("foobared") == "1b58ee375b42e41f0e48ef2ff27d10a5b1f6924a9acdcdba7cae868e7adce6bf"


def test_a_wrong_password_is_reported_like_every_other_trouble() -> None:
    assert issubclass(WrongPasswordError, InstancesError)


def test_the_real_ones_have_everything_that_is_asked_of_them() -> None:
    def operations(protocol: type) -> set[str]:
        return {name for name, value in vars(protocol).items() if callable(value) and not name.startswith("_")}

    assert operations(Session) <= set(dir(LiveSession))
    assert operations(Store) <= set(dir(HostStore))
