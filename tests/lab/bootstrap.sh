#!/bin/sh
# Install what the two commands need on a Debian machine that has git, make and Python 3.11:
# system packages (only those that are missing) and a virtual environment from locked requirements.
# usage: bootstrap.sh run|dev
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
kind=$1
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo

packages="podman runc mmdebstrap iproute2 openssh-client python3-venv"
# The page of findings is tested in a real browser.
[ "$kind" = run ] || packages="$packages chromium chromium-driver"

missing=
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
    echo "setup: installing$missing"
    $sudo apt-get update -qq
    # shellcheck disable=SC2086  # a list of words is meant
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

wanted=$(cat "$root/requirements/run.txt" "$root/requirements/$kind.txt" | sha256sum | cut -d' ' -f1)
stamp="$root/.venv/.installed-$kind"
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "setup: installing the Python packages of requirements/$kind.txt into .venv"
    # Debian's own where there is one: built with profiles, it is a quarter faster than what pyenv and the like build.
    python=/usr/bin/python3.11
    [ -x "$python" ] || python=python3
    [ -x "$root/.venv/bin/python" ] || "$python" -m venv "$root/.venv"
    "$root/.venv/bin/python" -m pip install -qq --disable-pip-version-check -r "$root/requirements/$kind.txt"
    echo "$wanted" >"$stamp"
fi

mkdir -p "$root/.cache/collections/ansible_collections/cubeops"
ln -sfn ../../../.. "$root/.cache/collections/ansible_collections/cubeops/cubejs"
