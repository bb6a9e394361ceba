"""What a task asks for, turned into files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_validation import Validation
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import ManagedFilesError, WantedFile
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.file_sets import build, fill
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.rendering import RenderingError, Row

DEFAULTS = {
    "template": None,
    "content": None,
    "link": None,
    "for_each": None,
    "only": None,
    "mode": None,
    "owner": "root",
    "group": "root",
    "secret": False,
}
ITEMS = [{"name": "a", "text": "1{name}"}, {"name": "b", "text": 2}]
TASK = {"items": {"all": ITEMS}, "name": "n", "root": None, "validate": [], "entrances": [], "also": []}


def render(template: str, rows: Sequence[Row]) -> list[str]:
    if template == "broken":
        raise RenderingError("broken cannot be rendered")
    return [f"{template} {row.dest} {row.item}" for row in rows]


def files(*entries: dict[str, Any]) -> tuple[WantedFile, ...]:
    arguments = {**TASK, "files": [{**DEFAULTS, **entry} for entry in entries]}
    [made] = build(arguments, render)
    return made.files


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param({"dest": "/a{b}", "content": "x{y}"}, [WantedFile("/a{b}", b"x{y}")], id="content as it is"),
        pytest.param({"dest": "/a", "content": ""}, [WantedFile("/a")], id="empty content"),
        pytest.param({"dest": "/a", "template": "t"}, [WantedFile("/a", b"t /a None")], id="template"),
        pytest.param({"dest": "/a", "link": "b"}, [WantedFile("/a", link="b")], id="link"),
        pytest.param(
            {"dest": "/{name}", "content": "{text}!", "for_each": ITEMS},
            [WantedFile("/a", b"1{name}!"), WantedFile("/b", b"2!")],
            id="content of each item, filled once",
        ),
        pytest.param(
            {"dest": "/{name}", "template": "t", "for_each": [{"name": "a"}]},
            [WantedFile("/a", b"t /a {'name': 'a'}")],
            id="template for each item",
        ),
        pytest.param(
            {"dest": "/{name}", "link": "../{name}", "for_each": ITEMS[:1]},
            [WantedFile("/a", link="../a")],
            id="link of each item",
        ),
        pytest.param({"dest": "/{name}", "content": "", "for_each": []}, [], id="no items"),
        pytest.param(
            {"dest": "/{name}", "content": "{text}", "for_each": "all"},
            [WantedFile("/a", b"1{name}"), WantedFile("/b", b"2")],
            id="items by the name of their list",
        ),
        pytest.param(
            {
                "dest": "/{name}",
                "content": "x",
                "for_each": [{"name": "a", "tls": True}, {"name": "b", "tls": False}],
                "only": "tls",
            },
            [WantedFile("/a", b"x")],
            id="some of the items",
        ),
        pytest.param({"dest": "/a", "content": "ü"}, [WantedFile("/a", "ü".encode())], id="utf-8"),
        pytest.param(
            {"dest": "/a", "content": "x", "secret": True},
            [WantedFile("/a", b"x", mode=0o600, secret=True)],
            id="secret",
        ),
        pytest.param(
            {"dest": "/a", "content": "x", "mode": "0640", "owner": "o", "group": "g"},
            [WantedFile("/a", b"x", mode=0o640, owner="o", group="g")],
            id="mode and owners",
        ),
    ],
)
def test_entries(entry: dict[str, Any], expected: list[WantedFile]) -> None:
    assert list(files(entry)) == expected


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param({"dest": "/a"}, r"/a: write exactly one of template, content, link \(found: none\)", id="nothing"),
        pytest.param({"dest": "/a", "content": "", "link": "b"}, r"found: content, link", id="two things"),
        pytest.param({"dest": "/a", "content": "", "mode": "420"}, "", id="mode that is octal by accident"),
        pytest.param({"dest": "/a", "content": "", "mode": "u=rw"}, "mode u=rw is not understood", id="symbolic mode"),
        pytest.param({"dest": "/a", "content": "", "mode": "0o644"}, "mode 0o644", id="mode as Python writes it"),
        pytest.param(
            {"dest": "/{nme}", "content": "", "for_each": ITEMS},
            "/{nme}: the item has no 'nme'; it has name, text",
            id="key",
        ),
        pytest.param(
            {"dest": "/{name}", "content": "{txt}", "for_each": ITEMS},
            "content of /a: the item has no 'txt'",
            id="content",
        ),
        pytest.param({"dest": "/{name}", "content": "", "for_each": ["a"]}, "the item is no dictionary", id="item"),
        pytest.param(
            {"dest": "/{name}", "content": "", "for_each": "al"}, "there is no 'al' in items, which has all", id="list"
        ),
        pytest.param({"dest": "/a", "content": "", "for_each": 1}, "write a list, or the name of one", id="no list"),
        pytest.param({"dest": "/a", "template": "broken"}, "broken cannot be rendered", id="template"),
    ],
)
def test_entries_that_cannot_be_meant(entry: dict[str, Any], message: str) -> None:
    if not message:
        assert files(entry)[0].mode == 0o420
        return
    with pytest.raises(ManagedFilesError, match=message):
        files(entry)


def test_all_problems_at_once() -> None:
    with pytest.raises(ManagedFilesError, match=r"/a: write exactly.*broken.*mode x"):
        files({"dest": "/a"}, {"dest": "/b", "template": "broken"}, {"dest": "/c", "content": "", "mode": "x"})


def test_the_rest_of_the_task() -> None:
    step = {"command": "true {staged}", "requires": "/bin/true"}
    [made] = build({**TASK, "root": "/etc/x", "validate": [step], "files": []}, render)
    assert (made.name, made.root, made.validate) == ("n", "/etc/x", (Validation("true {staged}", "/bin/true"),))


def test_fill_leaves_other_braces() -> None:
    assert fill("{a} {1} {} {{a}} {b.c}", {"a": 1}, "x") == "1 {1} {} {1} {b.c}"
