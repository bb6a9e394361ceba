"""Secrets kept out of what people see."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.masks import mask, masked_pair, secrets_in


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(
            "# made by hand\nA=old-secret\nB=same\n",
            "A=new-secret\nB=same\nC=added\n",
            (
                "A=<masked>\nB=<masked>\n",
                "A=<masked, changed>\nB=<masked>\nC=<masked, changed>\n",
            ),
            id="assignments show their keys",
        ),
        pytest.param("", "A=x\n", ("", "A=<masked, changed>\n"), id="a new file"),
        pytest.param(
            "correct horse battery\nsame\n",
            "correct horse staple\nsame\nmore\n",
            ("<masked>\n<masked>\n", "<masked, changed>\n<masked>\n<masked, changed>\n"),
            id="of other files nothing but the number of lines",
        ),
        pytest.param(
            "A=x\n",
            "-----BEGIN KEY-----\nQUJD\nRA==\n",
            ("<masked>\n", "<masked, changed>\n<masked, changed>\n<masked, changed>\n"),
            id="a key that ends like an assignment",
        ),
    ],
)
def test_masked_pair(before: str, after: str, expected: tuple[str, str]) -> None:
    assert masked_pair(before, after) == expected


def test_mask_hides_the_longest_first() -> None:
    assert mask("say secret-long and secret", ["secret", "secret-long", ""]) == "say <masked> and <masked>"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        pytest.param("requirepass hunter2hunter2\n", "hunter2hunter2", id="word"),
        pytest.param("PASSWORD='two words here'\n", "two words here", id="quoted value"),
        pytest.param("user default on >verysecret ~*\n", ">verysecret", id="acl"),
        pytest.param("URL=redis://:pa55word@host\n", "redis://:pa55word@host", id="value with separators"),
    ],
)
def test_secrets_in(text: str, hidden: str) -> None:
    assert hidden in secrets_in(text)


def test_short_words_are_not_secrets() -> None:
    assert secrets_in("tls on\nport 6379\n") == {"tls on", "port 6379"}
