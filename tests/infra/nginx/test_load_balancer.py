"""Behind a load balancer that terminates TLS: whom it believes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from testinfra.host import Host
from web_clients import ACME, Client

TRUSTED, STRANGER = "127.0.0.2", "127.0.0.3"


@pytest.fixture(name="balanced", scope="module")
def a_proxy_behind_a_load_balancer(lab: Any) -> Host:
    return lab.host("balanced")


def ask(balanced: Host, source: str, path: str = "/cubejs-api/v1/load", **headers: str) -> tuple[int, str]:
    """Send a request as this machine would; return its status and body."""
    said = {"Host": ACME, **{key.replace("_", "-"): value for key, value in headers.items()}}
    options = " ".join(f"-H '{key}: {value}'" for key, value in said.items())
    output = balanced.check_output(
        f"curl -s --interface {source} {options} -w '\\n%{{http_code}}' http://127.0.0.1{path}"
    )
    body, _between, status = output.rpartition("\n")
    return int(status), body


def seen(balanced: Host, source: str, **headers: str) -> dict[str, str]:
    status, body = ask(balanced, source, X_Forwarded_Proto="https", **headers)
    assert status == 200, body
    return json.loads(body)["headers"]


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        pytest.param("203.0.113.9", "203.0.113.9", id="as the load balancer saw it"),
        pytest.param("198.51.100.6, 203.0.113.9", "203.0.113.9", id="what a client made up before does not count"),
        pytest.param("203.0.113.9, 127.0.0.2", "203.0.113.9", id="through two trusted ones"),
    ],
)
def test_the_client_is_whom_the_load_balancer_names(balanced: Host, chain: str, client: str) -> None:
    headers = seen(balanced, TRUSTED, X_Forwarded_For=chain)
    assert (headers["X-Forwarded-For"], headers["X-Real-IP"]) == (client, client)
    assert headers["X-Forwarded-Proto"] == "https"


@pytest.mark.parametrize("source", [TRUSTED, STRANGER])
def test_who_came_over_plain_http_is_sent_to_https(balanced: Host, source: str) -> None:
    assert ask(balanced, source, X_Forwarded_Proto="http", X_Forwarded_For="203.0.113.9")[0] == 308


def test_a_stranger_is_not_believed(balanced: Host) -> None:
    assert ask(balanced, STRANGER, X_Forwarded_Proto="https", X_Forwarded_For="203.0.113.9")[0] == 308


def test_nor_is_one_from_another_machine(addresses: dict[str, str]) -> None:
    answer = Client("balanced", addresses["balanced"]).plain("/cubejs-api/v1/load?query=1", ACME)
    assert (answer.status, answer.headers["location"]) == (308, f"https://{ACME}/cubejs-api/v1/load?query=1")


@pytest.mark.parametrize("name", [ACME, "10.1.2.3"], ids=["by name", "by address"])
def test_health_checks_of_the_load_balancer_are_answered(balanced: Host, name: str) -> None:
    assert ask(balanced, TRUSTED, "/livez", Host=name)[0] == 200


def test_health_is_not_told_to_clients(balanced: Host) -> None:
    status, body = ask(balanced, TRUSTED, "/readyz", X_Forwarded_Proto="https", X_Forwarded_For="203.0.113.9")
    assert (status, json.loads(body)) == (404, {"error": "Not found"})


def test_the_log_has_the_client_s_address(balanced: Host) -> None:
    seen(balanced, TRUSTED, X_Forwarded_For="203.0.113.77")
    assert balanced.check_output("grep -c '^203.0.113.77 ' /var/log/nginx/cubejs.access.log") == "1"


def test_tls_is_left_to_the_load_balancer(balanced: Host) -> None:
    assert not balanced.socket("tcp://0.0.0.0:443").is_listening
    assert balanced.run("ls /etc/nginx/cubejs/certificates").rc != 0


def test_the_package_s_default_site_is_masked_and_its_nginx_conf_is_kept(balanced: Host) -> None:
    assert balanced.file("/etc/nginx/sites-enabled/default").linked_to == "/dev/null"
    assert balanced.file("/etc/nginx/sites-available/default").contains("default_server")
    assert balanced.file("/etc/nginx/nginx.conf").linked_to.endswith("/nginx.conf")
    packaged = balanced.check_output(
        "dpkg-query -W -f '${Conffiles}' nginx-common | awk '$1 == \"/etc/nginx/nginx.conf\" {print $2}'"
    )
    assert balanced.file("/etc/nginx/nginx.conf.before-cubejs").md5sum == packaged
