"""Render what is known elsewhere: role READMEs from their specs, the environment from its table.

usage: render.py [--check]     (--check writes nothing and returns 1 when a page is out of date)
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings import NEVER, Setting
from ansible_collections.cubeops.cubejs.plugins.module_utils.settings_table import TABLE

ROOT = Path(__file__).resolve().parents[1]
ROLES = ("redis", "mysql", "cubejs", "nginx")
NOTE = "<!-- Rendered by `make docs`: change {source} instead. -->"


def markdown(text: str | Sequence[str]) -> str:
    """Return Ansible's documentation markup as Markdown on one line."""
    line = " ".join([text] if isinstance(text, str) else text)
    line = re.sub(r"[CVOE]\(([^)]*)\)", r"`\1`", line)
    line = re.sub(r"[BIM]\(([^)]*)\)", r"*\1*", line)
    return re.sub(r"\s+", " ", line).strip()


def cell(text: str) -> str:
    """Return text that can stand in a table's cell."""
    return text.replace("|", "\\|")


def default_of(option: Mapping[str, Any]) -> str:
    """Return an option's default, or that it must be given."""
    if option.get("required"):
        return "**required**"
    value = option.get("default")
    if value is None:
        return ""
    return f"`{yaml.safe_dump(value, default_flow_style=True, width=1000).strip().removesuffix('...').strip()}`"


def option_rows(options: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield a table row for each option, members of dicts and lists below their parent."""
    for name, option in options.items():
        kind = option.get("type", "")
        if option.get("elements"):
            kind = f"{kind} of {option['elements']}"
        text = markdown(option["description"])
        if option.get("choices"):
            text += " One of " + ", ".join(f"`{choice}`" for choice in option["choices"]) + "."
        yield f"| `{prefix}{name}` | {kind} | {cell(default_of(option))} | {cell(text)} |"
        if option.get("options"):
            yield from option_rows(option["options"], f"{prefix}{name}{'[]' if option.get('elements') else ''}.")


def role_page(role: str) -> str:
    """Return a role's README."""
    spec = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]
    example = (ROOT / "molecule" / role / "converge.yml").read_text().strip()
    description = "\n".join(f"- {markdown(line)}" for line in spec["description"])
    rows = "\n".join(option_rows(spec["options"]))
    return (
        f"{NOTE.format(source=f'roles/{role}/meta/argument_specs.yml')}\n\n"
        f"# cubeops.cubejs.{role}\n\n{markdown(spec['short_description'])}.\n\n{description}\n\n"
        f"## Alone\n\nThis very playbook is what the role's own test scenario runs (`make molecule-{role}`):\n\n"
        f"```yaml\n{example}\n```\n\n"
        f"## Variables\n\n| variable | type | default | meaning |\n|---|---|---|---|\n{rows}\n"
    )


def setting_row(row: Setting) -> str:
    """Return one row of the environment's table."""
    written = "never" if row.write == NEVER else (row.write or "all")
    text = row.doc + (f" Never written: {row.refused}." if row.refused else "")
    secret = "yes" if row.secret else ""
    return f"| `{row.target}` | {row.read or 'all'} | {written} | {row.type} | {secret} | {cell(text)} |"


def environment_page() -> str:
    """Return the page about Cube's environment by version."""
    rows = "\n".join(setting_row(row) for row in TABLE)
    return (
        f"{NOTE.format(source='plugins/module_utils/settings_table.py')}\n\n"
        "# Cube.js' environment by version\n\n"
        "Cube *reads* a variable in one range of releases, and this collection *writes* it in another: an old name is\n"
        "read for years after its successor exists. Both ranges are releases of Cube.js.\n\n"
        "| variable | read by | written for | type | secret | meaning |\n|---|---|---|---|---|---|\n"
        f"{rows}\n"
    )


def pages() -> dict[Path, str]:
    """Return every rendered page by its path."""
    return {
        **{ROOT / "roles" / role / "README.md": role_page(role) for role in ROLES},
        ROOT / "docs" / "environment.md": environment_page(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or say which are out of date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args(arguments).check
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{'out of date' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.write_text(pages()[path])
    if check and stale:
        print("run `make docs`")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
