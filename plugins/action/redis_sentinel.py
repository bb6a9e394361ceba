# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module of the same name, with its packed arguments unpacked."""

from __future__ import annotations

from ansible_collections.cubeops.cubejs.plugins.plugin_utils.unpacking import Unpacking as ActionModule

__all__ = ["ActionModule"]
