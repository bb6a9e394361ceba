# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter, as a playbook calls it."""

from __future__ import annotations

import dataclasses

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.cubeops.cubejs.plugins.filter import nginx_layout
from ansible_collections.cubeops.cubejs.plugins.module_utils.nginx import Settings

FILTER = nginx_layout.FilterModule().filters()["nginx_layout"]
SETTINGS = {"ipv6": False, "http_port": 80, "https_port": 443, "http2": True, "worker_connections": 64}
ACME = {"name": "acme", "server_name": "cube.acme.example", "upstreams": ["unix:/run/a.sock"]}


def test_options_that_are_left_out_have_defaults() -> None:
    found = FILTER([ACME], **SETTINGS)
    assert (found["http2_directive"], found["health_clients"], found["terminates_tls"]) == (True, [], True)


def test_a_problem_is_ansible_s() -> None:
    with pytest.raises(AnsibleFilterError, match=r"cannot be served:\nnginx_servers\[0\].upstreams: there is none"):
        FILTER([{**ACME, "upstreams": []}], **SETTINGS)


def test_the_documented_options_are_those_there_are() -> None:
    documented = yaml.safe_load(nginx_layout.DOCUMENTATION)["options"]
    assert set(documented) - {"servers", "others"} == {field.name for field in dataclasses.fields(Settings)}
