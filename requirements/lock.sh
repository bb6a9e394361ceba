#!/bin/sh
# Resolve requirements/*.in in fresh virtual environments and write what was chosen.
set -eu
cd "$(dirname "$0")"
for name in run dev; do
    work=$(mktemp -d)
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check -r "$name.in"
    {
        echo "# Locked by \`make lock\` from $name.in: change that file, not this one."
        "$work/venv/bin/pip" freeze --disable-pip-version-check
    } >"$name.txt"
    rm -rf "$work"
done
