"""Promises that every scenario keeps, whatever it deploys."""

from __future__ import annotations

from pathlib import Path

import yaml

SCENARIOS = Path(__file__).resolve().parents[3] / "molecule"


def changed(record: dict) -> set[tuple[str, str]]:
    """Return (host, task) of what a run changed."""
    return {(entry["host"], entry["task"]) for entry in record["changes"]}


def test_check_mode_on_empty_hosts_foretold_the_run(lab) -> None:
    """`--check` before anything was installed named the tasks that the run then changed."""
    exceptions = lab.scenario / "check_exceptions.yml"
    reasons = yaml.safe_load(exceptions.read_text()) if exceptions.exists() else {}
    foretold, done = changed(lab.records("converge", "check")[0]), changed(lab.records("converge", "run")[0])
    differing = {task for _host, task in foretold ^ done}
    assert done, "the first run changed nothing: there is nothing to compare"
    assert differing <= set(reasons), f"not foretold, or foretold and not done: {sorted(differing - set(reasons))}"
    assert set(reasons) <= differing, f"no longer an exception: {sorted(set(reasons) - differing)}"


def test_a_run_without_changes_changes_nothing_in_check_mode_either(lab) -> None:
    """On running hosts `--check --diff` reports nothing to do."""
    run = lab.converge("--check", "--diff")
    assert run.status == 0, run.output
    assert not run.changed, run.output


def test_a_run_without_changes_makes_few_remote_calls(lab) -> None:
    """The whole stack is allowed 25 module calls a host in such a run: the one that came last, if it was one."""
    *_earlier, last = lab.records("converge", "run")
    if last["changes"]:
        run = lab.converge()
        assert run.status == 0, run.output
        last = lab.records("converge", "run")[-1]
    assert not last["changes"]
    assert max(last["remote_calls"].values()) <= 25, last["remote_calls"]
