"""Templates rendered for many items, held against Ansible's own way of rendering one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.rendering import (
    OVERRIDES,
    Renderer,
    RenderingError,
    Row,
)
from ansible_collections.cubeops.cubejs.plugins.plugin_utils.trust import as_data, trust_as_template


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    folder = tmp_path / "role/templates"
    folder.mkdir(parents=True)
    return folder


def renderer(templates: Path, **variables: Any) -> Renderer:
    loader = DataLoader()
    loader.set_basedir(str(templates.parent.parent))
    task_vars = {"ansible_search_path": [str(templates.parent)], **variables}
    return Renderer(Templar(loader=loader, variables=task_vars), loader, task_vars, lambda name: str(templates / name))


def one_by_one(made: Renderer, source: str, item: Any) -> str:
    """Render as the template action of ansible-core does."""
    templar = made.templar.copy_with_new_env(available_variables={**made.task_vars, "item": as_data(item)})
    text: str = templar.template(trust_as_template(source), escape_backslashes=False, overrides=OVERRIDES)
    return text


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("plain\n", id="no expression"),
        pytest.param("{{ item.name }}\n", id="one expression"),
        pytest.param("{{ item.name }}", id="no newline at the end"),
        pytest.param("{{ item.name }}\n\n\n", id="newlines at the end"),
        pytest.param("\n\n{{ item.name }}\n", id="newlines at the beginning"),
        pytest.param("{% if item.tls %}\n  tls\n{% endif %}\nend\n", id="blocks take their newline"),
        pytest.param("{% for word in item.words %}\n{{ word }}\n{% endfor %}\nend\n", id="loops"),
        pytest.param("{% set x = item.name | upper %}\n{{ x }}{{ item.words | length }}\n", id="set and filters"),
        pytest.param("{# remark #}\na\\nb \\1 {{ 'c\\\\d' }}\n", id="remarks and backslashes"),
        pytest.param("{{ other }} {{ item.raw }}\n", id="variables that are templates, and values that look like one"),
        pytest.param("ümlaut {{ item.name }}\n", id="beyond ascii"),
        pytest.param("", id="empty"),
    ],
)
def test_many_are_rendered_as_one_is(templates: Path, source: str) -> None:
    (templates / "t.j2").write_text(source)
    made = renderer(templates, other=trust_as_template("{{ name_of_other }}"), name_of_other="deep")
    items = [
        {"name": "a", "tls": True, "words": ["x", "y"], "raw": "{{ 7 * 7 }}"},
        {"name": "b", "tls": False, "words": [], "raw": "{% nothing %}"},
    ]
    texts = made.render("t.j2", [Row(f"/{item['name']}", item) for item in items])
    assert texts == [one_by_one(made, source, item) for item in items]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("{{ 4 + 5 }}\n", "9\n", id="a number"),
        pytest.param("{{ ['a'] }}\n", "['a']\n", id="a list"),
        pytest.param("{% for word in [] %}\n{{ word }}\n{% endfor %}\n", "\n", id="nothing"),
    ],
)
def test_a_file_is_text_whatever_the_expression_gives(templates: Path, source: str, expected: str) -> None:
    (templates / "t.j2").write_text(source)
    assert renderer(templates).render("t.j2", [Row("/a"), Row("/b")]) == [expected] * 2


def test_values_that_look_like_templates_stay_values(templates: Path) -> None:
    (templates / "t.j2").write_text("{{ item }}\n")
    assert renderer(templates).render("t.j2", [Row("/a", "{{ 7 * 7 }}")]) == ["{{ 7 * 7 }}\n"]


def test_what_the_template_action_tells_templates(templates: Path) -> None:
    (templates / "t.j2").write_text("{{ ansible_managed }}|{{ template_path }}|{{ template_destpath }}\n")
    text = renderer(templates).render("t.j2", [Row("/etc/a")])[0]
    assert text.startswith("Ansible managed|")
    assert text.endswith("/etc/a\n")


def test_ansible_managed_of_the_user(templates: Path) -> None:
    (templates / "t.j2").write_text("{{ ansible_managed }}\n")
    assert renderer(templates, ansible_managed="ours").render("t.j2", [Row("/a")]) == ["ours\n"]


def test_includes_are_found_beside_the_template_first(templates: Path) -> None:
    (templates / "part.j2").write_text("right {{ item }}")
    (templates.parent.parent / "part.j2").write_text("wrong")
    (templates / "t.j2").write_text("{% include 'part.j2' %}\n")
    assert renderer(templates).render("t.j2", [Row("/a", 1), Row("/b", 2)]) == ["right 1\n", "right 2\n"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("{% extends 'base.j2' %}{% block name %}{{ item }}{% endblock %}\n", "<{item}>\n", id="extends"),
        pytest.param("{%- block name -%}{{ item }}{% endblock %}\n", "{item}\n", id="a block of its own"),
    ],
)
def test_templates_that_are_one_by_themselves(templates: Path, source: str, expected: str) -> None:
    (templates / "base.j2").write_text("<{% block name %}{% endblock %}>\n")
    (templates / "t.j2").write_text(source)
    texts = renderer(templates).render("t.j2", [Row("/a", "a"), Row("/b", "b")])
    assert texts == [expected.replace("{item}", item) for item in "ab"]


def test_no_rows_need_no_template(templates: Path) -> None:
    assert renderer(templates).render("missing.j2", []) == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param("{{ item.missing }}\n", r"t\.j2 cannot be rendered for /b: .*missing", id="undefined"),
        pytest.param("{% if %}\n", r"t\.j2 cannot be rendered for /a: ", id="syntax"),
        pytest.param(
            "#jinja2: trim_blocks: False\nx\n", r"t\.j2: a #jinja2: line is not supported", id="override line"
        ),
    ],
)
def test_errors_name_the_template_and_the_row(templates: Path, source: str, message: str) -> None:
    (templates / "t.j2").write_text(source)
    with pytest.raises(RenderingError, match=message):
        renderer(templates).render("t.j2", [Row("/a", {"missing": 1}), Row("/b", {})])
