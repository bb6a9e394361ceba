#!/usr/bin/env bash
# ansible-test sanity, on a copy of what git has: it wants a path that ends in
# ansible_collections/cubeops/cubejs, and no virtual environment below it.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
copy=$root/.cache/sanity/ansible_collections/cubeops/cubejs
home=$root/.cache/ansible-test-home

rm -rf "$copy"
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do [ -e "$file" ] && printf '%s\0' "$file"; done |
    tar --null --files-from=- --create | tar --extract --directory "$copy"

# ansible-test fetches a script that installs pip; where its source cannot be reached, the pip that
# Python itself carries does the same. It is looked for below $HOME, so that gets a folder of ours.
mkdir -p "$home/.ansible/test/cache"
cat >"$home/.ansible/test/cache/get_pip_24_2.py" <<'PYTHON'
import ensurepip
import os
import subprocess
import sys

environment = dict(os.environ)  # bootstrap() turns pip's configuration off for this process
ensurepip.bootstrap(default_pip=True)
wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *wanted], env=environment))
PYTHON

# ansible-test passes no PIP_* variable on: what this machine trusts goes into pip's configuration instead.
mkdir -p "$home/.config/pip"
[ ! -f "$HOME/.config/pip/pip.conf" ] || cp "$HOME/.config/pip/pip.conf" "$home/.config/pip/pip.conf"
bundle=${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}
[ ! -f "$bundle" ] || HOME=$home "$root/.venv/bin/pip" --quiet config --user set global.cert "$bundle" >/dev/null

cd "$copy"
git init --quiet . && git add --all >/dev/null 2>&1
# What runs on controllers and hosts of users. Tests have ruff's rules: with them all of this took 363 s, without 94 s.
HOME=$home PATH="$root/.venv/bin:$PATH" ANSIBLE_HOME="$home/.ansible" \
    ansible-test sanity --local --requirements --python 3.11 --color no --exclude tests/ "$@"
