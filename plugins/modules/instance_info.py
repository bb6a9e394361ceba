#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Observe the Cube.js processes of a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_info
short_description: See which Cube.js processes a host runs, with what settings, and how they and their services answer
version_added: 0.1.0
author: The cubeops.cubejs contributors (@cubeops)
description:
  - Finds every Cube.js process of a host, whoever deployed it (this collection, a hand-written unit, pm2, a container),
    by systemd's units, by the processes themselves and by the port; and the units that would run one and do not.
  - Tells of each its user, command, start, restarts, limits, its unit's restart policy and confinement, the installed
    packages and the version of Node.js, and its effective settings with the file that each comes from, in the order in
    which this version of Cube.js reads them, and where the files and the process do not agree.
  - Then asks, side by side and under one deadline, each instance over HTTP, and its Redis and MySQL with the very
    settings that the instance has.
  - Changes nothing, and disturbs nothing. No file is written and no service is restarted; Redis and MySQL are only read
    from; C(/readyz) is asked only where the instance's Redis was reached, since a Cube.js process ends when it is asked
    while its Redis is away; no program that belongs to a tenant is run.
  - No secret leaves the host. Of secrets, and of whatever may be one, there is a fingerprint by which equal ones can be
    told within one run, and why it is weak.
  - What cannot be read is listed under C(unknown), with the reason and what would let it be read. Without
    C(become) that is most of what belongs to other users.
options:
  fingerprint_key:
    description:
      - Key of the fingerprints, at least 32 hexadecimal digits. Give all hosts of a run the same new one, so that their
        secrets can be compared; never keep it.
      - Without it each host takes a new one of its own.
    type: str
  probes:
    description:
      - What is asked besides what is read. An empty list asks nothing.
      - V(http) asks the instances, V(redis) and V(mysql) their servers, V(journal) counts known errors.
    type: list
    elements: str
    choices: [http, redis, mysql, journal]
    default: [http, redis, mysql, journal]
extends_documentation_fragment:
  - cubeops.cubejs.looking
  - cubeops.cubejs.looking.outside
notes:
  - PyMySQL (C(python3-pymysql)) or the C(mysql) client on the host is used for MySQL; without either, MySQL is unknown.
  - Run it with C(become), or most of what it looks for is unknown.
"""

EXAMPLES = r"""
- name: See what runs
  cubeops.cubejs.instance_info:
  become: true
  register: seen

- name: Take a key for this run, to compare the secrets of several hosts
  ansible.builtin.set_fact:
    audit_key: "{{ lookup('ansible.builtin.password', '/dev/null', chars=['0123456789abcdef'], length=64) }}"
  run_once: true
  no_log: true

- name: See what runs, with fingerprints that can be compared
  cubeops.cubejs.instance_info:
    fingerprint_key: "{{ audit_key }}"
  become: true

- name: Read only, ask nobody
  cubeops.cubejs.instance_info:
    probes: []
  become: true

- name: See whether Cube.js of another host can be reached past its proxy
  cubeops.cubejs.instance_info:
    probes: []
    reach:
      - {host: 192.0.2.10, port: 4000}
    proxies:
      - {server_name: cube.acme.example, address: 192.0.2.20}
"""

RETURN = r"""
observation:
  description: Everything that was seen, as plain data.
  returned: success
  type: dict
  contains:
    format:
      description: The format's number; it grows when what is here changes its meaning.
      type: int
      sample: 1
    host:
      description: The host's own name.
      type: str
    machine:
      description: Keyed fingerprint of the machine's id, by which a host with two names is told.
      type: str
    taken_at:
      description: When, in seconds since the epoch.
      type: float
    privileged:
      description: Whether the module ran as root.
      type: bool
    addresses:
      description: The host's own addresses.
      type: list
      elements: str
    memory_bytes:
      description: The smaller of RAM and the container's limit.
      type: int
    cpus:
      description: Processors.
      type: int
    container:
      description: Whether the host is a container.
      type: bool
    listening:
      description: Addresses and ports on which anything listens, as C(address) and C(port).
      type: list
      elements: dict
    instances:
      description:
        - One for each Cube.js process, and for each unit that would run one.
        - C(settings) has variable, then C(value) (C(value.value), or of a secret C(value.fingerprint) and
          C(value.problems)), C(layer) and C(path); C(layers) the files with mode and owner; C(differences) what disk
          and process have otherwise. C(redis), C(storage) and C(source) are keys of RV(observation.redis) and
          RV(observation.mysql).
      type: list
      elements: dict
      sample:
        - name: cubejs-api@acme-1.service
          running: true
          found_by: [process, unit, socket]
          manager: systemd
          packages: {version: 0.29.57}
          settings:
            NODE_ENV: {value: {value: production}, layer: environment_file, path: /etc/cube/acme.env}
            CUBEJS_API_SECRET: {value: {fingerprint: 5d41402abc4b2a76}, layer: dotenv, path: /srv/acme/.env}
          unknown: []
    redis:
      description: Key, then a Redis server as the instances with that key reach it.
      type: dict
    mysql:
      description: Key, then a MySQL server as the instances with that key reach it.
      type: dict
    web_servers:
      description: The servers in Nginx' configuration, with what they pass on and how.
      type: list
      elements: dict
    proxies:
      description: What the proxies of O(proxies) answer.
      type: list
      elements: dict
    reach:
      description: Whether the ports of O(reach) are open, refused, filtered or unknown.
      type: list
      elements: dict
    firewall:
      description:
        - The table of nftables by which the role firewall keeps strangers out, as the kernel has it. C(loaded) says
          whether it is there, C(admitted) has port and the networks that get through, C(strange) what the role does
          not load.
        - None where it could not be asked for.
      type: dict
      sample: {loaded: true, admitted: {"20001": [192.0.2.11, 192.0.2.12]}, strange: []}
    unknown:
      description: What could not be read of the host itself, as C(what), C(reason) and C(remedy).
      type: list
      elements: dict
      sample: [{what: units, reason: systemd cannot be asked, remedy: ""}]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils.host_observation import observe
from ansible_collections.cubeops.cubejs.plugins.module_utils.observing import wishes

ARGUMENT_SPEC = {
    "fingerprint_key": {"type": "str", "no_log": True},
    "probes": {
        "type": "list",
        "elements": "str",
        "choices": ["http", "redis", "mysql", "journal"],
        "default": ["http", "redis", "mysql", "journal"],
    },
    **wishes.LOOK_OPTIONS,
    **wishes.OUTSIDE_OPTIONS,
}


def main() -> None:
    """Observe the host."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        key, wanted = wishes.parse(module.params)
    except wishes.WishError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=False, observation=observe(key, wanted).to_dict())


if __name__ == "__main__":
    main()
