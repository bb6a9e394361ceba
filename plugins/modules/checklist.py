#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: checklist
short_description: Judge a fleet by the production checklist, and report
version_added: 0.1.0
description:
  - Applies the rules of the production checklist to what M(cubeops.cubejs.instance_info) saw on hosts, to the plan of
    the inventory, or to the plan alone, and tells what it finds on the console and in files.
  - Runs once, on the controller, for all hosts; no host is contacted. The plan is worked out from the whole inventory,
    whatever C(--limit) leaves, where hosts are in the groups of this collection; what would refuse it is told among the
    findings and stops nothing. Without those groups the hosts are judged as they are, and processes are told by what
    they have in common.
  - A host that should have been looked at and was not (it is unreachable, C(--limit) left it out, its module failed) is
    named, and so is what cannot be known without it. It never counts as fine.
  - Fails unless nothing at O(fail_on) or above failed or is unknown. RV(outcome) tells findings from a run that could
    not look; docs/reports.md has how to make C(ansible-playbook) end with RV(exit_status).
  - No secret is in the reports; of what hosts keep secret there are fingerprints only, and of the inventory's secrets
    what is wrong with them.
author: The cubeops.cubejs contributors (@cubeops)
requirements:
  - PyYAML on the controller, which comes with Ansible
options:
  judge:
    description:
      - V(hosts) judges what was seen, and the plan where there is one.
      - V(plan) judges the inventory alone, as a preflight does; it needs hosts in the collection's groups.
      - V(drift) applies no rules, and tells where hosts are not as planned; it needs them too, and to compare secrets
        O(fingerprint_key).
    type: str
    choices: [plan, hosts, drift]
    default: hosts
  hosts:
    description:
      - Hosts and groups that should have been looked at. By default those of the collection's groups, and without them
        all hosts of the inventory.
    type: list
    elements: str
  registered:
    description: The variable in which the hosts registered the result of M(cubeops.cubejs.instance_info).
    type: str
    default: cubejs_seen
  observations:
    description: Host, then what M(cubeops.cubejs.instance_info) returned there, instead of O(registered).
    type: dict
  fingerprint_key:
    description: The key that M(cubeops.cubejs.instance_info) was given, so that the plan's secrets can be compared too.
    type: str
  only:
    description: Apply these rules only.
    type: list
    elements: str
    default: []
  skip:
    description: Leave these rules out.
    type: list
    elements: str
    default: []
  waivers:
    description: YAML file with findings that somebody accepts. A relative path starts where Ansible was started.
    type: path
  baseline:
    description: An earlier JSON report to compare with.
    type: path
  new_only:
    description: Let only findings that O(baseline) does not have count.
    type: bool
    default: false
  fail_on:
    description: The least severity that counts. V(never) lets nothing count.
    type: str
    choices: [critical, error, warning, info, never]
    default: error
  formats:
    description: Reports to write, of V(console), V(json), V(junit), V(sarif), V(markdown), V(prometheus) and V(html).
    type: list
    elements: str
    default: []
  directory:
    description: Where to write them on the controller; made for its owner alone where it is not there.
    type: path
  name:
    description: The name of the files, before what each format ends in.
    type: str
    default: cubejs-checklist
  mode:
    description: Mode of the files. A textfile collector of another user needs V(0644).
    type: str
    default: "0600"
  console:
    description: Whether the report is shown.
    type: bool
    default: true
  explain:
    description: Instead of all this, show what the rule of this id is about.
    type: str
attributes:
  check_mode:
    description: Judges as otherwise, and writes no files.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
seealso:
  - module: cubeops.cubejs.instance_info
  - module: cubeops.cubejs.plan
"""

EXAMPLES = r"""
- name: See what runs
  cubeops.cubejs.instance_info:
  become: true
  ignore_unreachable: true
  failed_when: false
  register: cubejs_seen

- name: Judge it, and write a page for people and a report for the next run
  cubeops.cubejs.checklist:
    formats: [html, json]
    directory: reports
  run_once: true

- name: Judge the inventory in continuous integration
  cubeops.cubejs.checklist:
    judge: plan
    fail_on: warning
    formats: [junit, sarif]
    directory: reports
  run_once: true

- name: Fail on what is new only, and leave accepted findings out
  cubeops.cubejs.checklist:
    waivers: waivers.yml
    baseline: reports/cubejs-checklist.json
    new_only: true
  run_once: true

# ansible localhost -m cubeops.cubejs.checklist -a explain=redis-pool-size
- name: Explain a rule
  cubeops.cubejs.checklist:
    explain: redis-pool-size
"""

RETURN = r"""
outcome:
  description: V(ok), V(findings) or V(could-not-look).
  returned: unless the task was wrong
  type: str
  sample: findings
exit_status:
  description: 0, 20 or 21, in the order of RV(outcome).
  returned: unless the task was wrong
  type: int
  sample: 20
counts:
  description: How many findings count as C(failed) and as C(unknown), how many hosts are C(missing_hosts), and all.
  returned: unless the task was wrong
  type: dict
  sample: {failed: 1, unknown: 0, missing_hosts: 0, findings: 87}
missing_hosts:
  description: Host, then why it was not looked at.
  returned: unless the task was wrong
  type: dict
  sample: {cube3: left out by --limit}
findings:
  description: What failed, is unknown or waived. All findings are in the JSON report.
  returned: unless the task was wrong
  type: list
  elements: dict
  sample:
    - rule: redis-pool-size
      severity: warning
      status: fail
      subject: cubejs_tenants[acme].redis.pool_max
      message: 12 is fewer than the 30 that 10 queries in flight need
      remedy: Use 30, or lower max_in_flight
      tenant: acme
      host: ""
reports:
  description: Format, then the path of the file that was written.
  returned: unless the task was wrong
  type: dict
  sample: {html: reports/cubejs-checklist.html}
"""
