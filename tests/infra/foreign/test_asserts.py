"""The assert modules in a stranger's playbook: they see what is right and what is wrong, and touch neither."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.findings import Finding

from tests.infra.foreign.asserting import TASKS, Asserted, run
from tests.infra.foreign.conftest import HOSTS, PLANTED, state

# pm2 keeps what processes write in files of its own, so that rules on the journal cannot be answered there.
JOURNAL = {"redis_pool", "storage", "refresh_worker"}
BROKEN = "unit12"
# What each module must find of what `broken` does, and nothing else.
RED = {
    "production_mode": {
        *("node-env-production", "node-env-agrees", "development-mode-off", "root-page-production"),
        *("playground-closed", "token-required", "bad-token-refused", "unsigned-token-refused"),
    },
    "redis_pool": {"redis-pool-size"},
    "shared_redis": {"redis-same-for-tenant"},
    "storage": {"storage-schema-agrees", "storage-grants-sufficient"},
    "refresh_worker": {"one-refresh-worker"},
    "https": {"https-redirect", "proxy-production-mode"},
}


@pytest.fixture(scope="module", params=["run", "check"])
def well(request: Any, lab: Any) -> dict[str, Any]:
    """Run the playbook where all is well, in check mode too; return what was there before and after."""
    before = state(lab)
    asserted = run(lab, *(["--check", "--diff"] if request.param == "check" else []))
    return {"before": before, "after": state(lab), "asserted": asserted}


@pytest.mark.parametrize("host", HOSTS)
def test_what_is_right_passes(well: dict[str, Any], host: str) -> None:
    asserted: Asserted = well["asserted"]
    blind = JOURNAL if host == "pm2" else set()
    assert asserted.outcomes(host) == {
        module: "could-not-look" if module in blind else "ok" for module in TASKS.values()
    }, asserted.output
    for module in blind:
        unknown = {each["rule"] for each in asserted.results[module][host]["findings"] if each["status"] == "unknown"}
        assert all(rule.startswith("journal-") for rule in unknown), unknown


def test_nothing_was_changed_or_disturbed(well: dict[str, Any]) -> None:
    assert not well["asserted"].changed
    for host in HOSTS:
        assert well["after"][host] == well["before"][host]
        assert well["before"][host][1].count("cubejs-server") >= 2


def test_instances_are_seen(well: dict[str, Any]) -> None:
    for host, seen in well["asserted"].seen.items():
        assert {each["packages"]["version"] for each in seen["instances"]} == {"0.29.57"}, host


def test_no_secret_is_told(well: dict[str, Any]) -> None:
    assert PLANTED not in well["asserted"].output


def test_all_findings_have_one_schema(well: dict[str, Any]) -> None:
    told = [each for of_host in well["asserted"].results.values() for each in of_host.values()]
    findings = [Finding.from_dict(each) for result in told for each in result["findings"]]
    assert findings
    assert all(each.why and each.remedy for each in findings), findings


def test_the_threshold_decides(lab: Any) -> None:
    """Nginx takes smaller queries than it should, a warning: it fails from there on, and nowhere at `never`."""
    last = ("--limit", BROKEN, "--start-at-task", "Assert HTTPS")
    lower = run(lab, *last, fail_on="warning").results["https"][BROKEN]
    assert (lower["outcome"], lower["exit_status"], lower["failed"]) == ("findings", 20, True)
    assert "[proxy-body-size]" in lower["msg"]
    never = run(lab, *last, fail_on="never").results["https"][BROKEN]
    assert (never["outcome"], never["exit_status"], never.get("failed", False)) == ("ok", 0, False)
    assert {each["rule"] for each in never["findings"]} == {"proxy-body-size"}, "told all the same"


DROP_IN = "/run/systemd/system/cube@{name}.service.d/fault.conf"
SETTINGS = {
    "api": (
        "CUBEJS_DEV_MODE=true",
        "CUBEJS_REDIS_POOL_MAX=5",
        "CUBEJS_REDIS_URL=redis://127.0.0.1:20001/1",
        "CUBEJS_PRE_AGGREGATIONS_SCHEMA=cube_other",
    ),
    "refresh-worker": ("CUBEJS_REFRESH_WORKER=false",),
}
PORTS = {"api": 10010, "refresh-worker": 10011}
SITE = "/etc/nginx/conf.d/cube.conf"


def restart(host: Any) -> None:
    """Start both processes anew, and wait for their ports."""
    host.check_output("systemctl daemon-reload && systemctl restart cube@api cube@refresh-worker")
    for port in PORTS.values():
        host.check_output(f"timeout 90 bash -c 'until (: </dev/tcp/127.0.0.1/{port}); do sleep 0.3; done' 2>/dev/null")


@pytest.fixture(scope="module")
def broken(lab: Any) -> dict[str, Asserted]:
    """Break what each module looks at, as an administrator may well do, and mend it; return what both runs saw."""
    host = lab.host(BROKEN)
    for name, settings in SETTINGS.items():
        drop_in = DROP_IN.format(name=name)
        lines = "\\n".join(settings)
        host.check_output(f"mkdir -p {drop_in.rpartition('/')[0]} && printf '{lines}\\n' >/run/fault-{name}.env")
        host.check_output(f"printf '[Service]\\nEnvironmentFile=/run/fault-{name}.env\\n' >{drop_in}")
    redirect = "s#return 308 .*#location / { proxy_pass http://cube; }#"
    host.check_output(f"cp -p {SITE} /run/cube.conf && sed -i '{redirect}' {SITE} && nginx -s reload")
    try:
        restart(host)
        red = run(lab, "--limit", BROKEN)
    finally:
        host.check_output(f"cp -p /run/cube.conf {SITE} && nginx -s reload")
        for name in SETTINGS:
            host.check_output(f"rm -r {DROP_IN.format(name=name).rpartition('/')[0]} /run/fault-{name}.env")
        restart(host)
    return {"red": red, "green": run(lab, "--limit", BROKEN)}


@pytest.mark.parametrize("module", sorted(RED))
def test_what_is_wrong_is_found(broken: dict[str, Asserted], module: str) -> None:
    result = broken["red"].results[module][BROKEN]
    severe = [each for each in result["findings"] if each["severity"] in ("critical", "error")]
    assert {each["rule"] for each in severe if each["status"] == "fail"} == RED[module], result["msg"]
    assert (result["outcome"], result["exit_status"], result["failed"]) == ("findings", 20, True)
    assert all(f"[{rule}]" in result["msg"] for rule in RED[module])


@pytest.mark.parametrize("module", sorted(RED))
def test_what_was_mended_passes(broken: dict[str, Asserted], module: str) -> None:
    assert broken["green"].outcomes(BROKEN)[module] == "ok", broken["green"].results[module][BROKEN]["msg"]


def test_the_runs_end_by_what_was_found(broken: dict[str, Asserted]) -> None:
    assert (broken["red"].status, broken["green"].status) == (2, 0)


def test_the_observation_has_the_settings_and_their_files(broken: dict[str, Asserted]) -> None:
    for run_of, expected in (
        ("red", ("cube_other", "/run/fault-api.env")),
        ("green", ("cube_acme", "/etc/cube/acme.env")),
    ):
        instances = broken[run_of].seen[BROKEN]["instances"]
        (api,) = [each for each in instances if each["name"] == "cube@api.service"]
        found = api["settings"]["CUBEJS_PRE_AGGREGATIONS_SCHEMA"]
        assert (found["value"]["value"], found["path"]) == expected


def test_a_way_round_the_proxy_is_found_from_another_host(lab: Any) -> None:
    """The process listens on every interface; its Redis does on loopback alone."""
    ports = [{"host": BROKEN, "port": port} for port in (PORTS["api"], 20001)]
    last = ("--limit", "unit13", "--start-at-task", "Assert HTTPS")
    result = run(lab, *last, reach=ports).results["https"]["unit13"]
    assert result["outcome"] == "findings"
    failed = [each for each in result["findings"] if each["status"] == "fail" and each["severity"] == "error"]
    assert [(each["rule"], each["subject"]) for each in failed] == [("tried-port-closed", f"{BROKEN}:{PORTS['api']}")]
