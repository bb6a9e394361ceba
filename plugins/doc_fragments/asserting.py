# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the assert_* modules have in common, in their documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of all of them."""

    DOCUMENTATION = r"""
author: The cubeops.cubejs contributors (@cubeops)
options:
  fail_on:
    description: The least severity at which what failed, or is unknown, fails the task. V(never) only tells.
    type: str
    choices: [critical, error, warning, info, never]
    default: error
  whole:
    description:
      - Whether this host is to answer for its deployments alone. When not, what one host cannot tell is left out; that
        is rules that compare processes with each other, and (of M(cubeops.cubejs.assert_https)) whether other hosts
        reach the ports on which its processes listen.
      - M(cubeops.cubejs.checklist) judges all hosts at once.
    type: bool
    default: true
notes:
  - Changes nothing, and looks at the host as M(cubeops.cubejs.instance_info) does, at whatever runs Cube.js there,
    whoever deployed it. Run it with C(become), or most of what it looks for is unknown, and unknown is no pass.
  - A rule is explained by C(ansible localhost -m cubeops.cubejs.checklist -a explain=RULE).
seealso:
  - module: cubeops.cubejs.checklist
  - module: cubeops.cubejs.instance_info
"""
