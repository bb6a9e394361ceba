#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep a set of files: the half that runs on the host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: managed_files
short_description: Keep a set of files in one call
version_added: 0.1.0
author: The cubeops.cubejs contributors (@cubeops)
extends_documentation_fragment: [cubeops.cubejs.running]
description:
  - Renders any number of files on the controller and keeps them on the host in one call, where a loop of templates
    costs one call for each of them.
  - The set is validated before it is put in place, in check mode too. A refused set leaves what is there as it is.
  - Removes the files that the same O(name) wrote earlier and that are no longer listed, and never any other.
  - A run killed at any point leaves every file old or new, whole; with a O(root) this is true of the whole set. The
    next run completes it.
  - O(units) are those that read the files. Where nothing changes they are looked at in the same call, and
    M(cubeops.cubejs.units) need not be called for them when RV(settled). Where files were replaced, those with a
    O(units[].reload_signal) that run are told so at once and not waited for, RV(told), so that what they do meanwhile
    takes none of the run's time. Nothing else is done to them.
options:
  name: &name
    description: What the set is called on the host. Two tasks with the same name keep the same set.
    type: str
    required: true
  root: &root
    description:
      - Directory of the set. It becomes a symbolic link to a versioned directory beside it, and is switched by one
        rename. Unchanged files keep their inode and their time of modification.
      - Files that others put below it are kept and reported.
    type: path
  files: &files
    description: The wanted files.
    type: list
    elements: dict
    default: []
    suboptions:
      dest:
        description:
          - Where the file goes; below O(root) when there is one, and absolute otherwise. Missing directories are
            created.
          - "With O(files[].for_each), C({key}) is filled from the item."
        type: str
        required: true
      template:
        description: Template to render, found as M(ansible.builtin.template) finds it. Sees the item as C(item).
        type: str
      content:
        description: "Content of the file. With O(files[].for_each), C({key}) is filled from the item."
        type: str
      link:
        description: Makes the file a symbolic link to this. Filled as O(files[].content) is.
        type: str
      for_each:
        description: Items, one file is written for each; a list of them, or the name of one in O(items).
        type: raw
      only:
        description: Only items in which this key is true.
        type: str
      mode:
        description: Permissions, as octal digits in quotes. Files are V(0644), secret ones V(0600).
        type: str
      owner:
        description: User that owns the file, by name or number.
        type: str
        default: root
      group:
        description: Group that owns the file, by name or number.
        type: str
        default: root
      secret:
        description:
          - Shows in differences which keys change, and no values. Only files made of assignments (C(KEY=value)) show
            their keys.
        type: bool
        default: false
  entrances: &entrances
    description:
      - Symbolic links around O(root) by which programs find the set. C({view}) has them, and they are put in place
        after the set was switched.
      - One that is no longer listed stays as it is.
    type: list
    elements: dict
    default: []
    suboptions:
      dest:
        description: Where the link goes, relative to the directory that holds O(root).
        type: str
        required: true
      link:
        description: Where it leads.
        type: str
        required: true
      original:
        description: Name under which what stood there before is kept beside it, once.
        type: str
  keep_unlisted: &keep_unlisted
    description:
      - Keeps the files that the same O(name) wrote earlier and that are no longer listed. Those of a O(root) are told
        in RV(unlisted_files).
    type: bool
    default: false
  forget: &forget
    description:
      - With O(keep_unlisted), files that are removed all the same if the same O(name) wrote them and they are unlisted.
      - A C(*) stands for any characters.
    type: list
    elements: str
    default: []
  validate: &validate
    description: Commands that must accept the set, run without a shell over a private copy of it.
    type: list
    elements: dict
    default: []
    suboptions:
      command:
        description:
          - "C({staged}) is a directory that holds the set, without O(root) at the files' absolute paths. C({view}),
            with O(root) only, looks like the directory around it with the new set in the old one's place."
        type: str
        required: true
      requires:
        description: The command is skipped until this path exists.
        type: path
      always:
        description:
          - Whether the command is run when nothing changes too, so that what others wrote around the set and that has
            become unusable since is found by the next run and not by the next start of the service.
        type: bool
        default: false
  items:
    description:
      - Lists by name, for O(files[].for_each) of several files. Ansible works out each once, and again for each place
        where it is written.
    type: dict
    default: {}
  also:
    description:
      - Further sets that the same call keeps, after the first and in their order, each with a O(name) of
        its own. What is returned is then of all of them together. When one is refused, those before it
        are in place.
    type: list
    elements: dict
    default: []
    suboptions:
      name: *name
      root: *root
      files: *files
      entrances: *entrances
      keep_unlisted: *keep_unlisted
      forget: *forget
      validate: *validate
  payload:
    description: The rendered sets. Filled in by the action plugin of this module; not for playbooks.
    type: list
    elements: str
attributes:
  check_mode:
    description: Says what would be changed, and validates it.
    support: full
  diff_mode:
    description: Shows every changed file; secret ones are masked.
    support: full
"""

EXAMPLES = r"""
- name: Keep the servers of Nginx
  cubeops.cubejs.managed_files:
    name: nginx
    root: /etc/nginx/cubejs
    files:
      - {dest: "servers/{name}.conf", template: server.conf.j2, for_each: "{{ nginx_servers }}"}
    entrances:
      - {dest: nginx.conf, link: cubejs/nginx.conf, original: nginx.conf.before-cubejs}
    validate:
      - {command: "nginx -t -q -c {view}/nginx.conf", requires: /usr/sbin/nginx, always: true}
    units: "{{ nginx_units }}"
  register: nginx_files

- name: Keep Nginx running with them
  cubeops.cubejs.units:
    units: "{{ nginx_units }}"
    told: "{{ nginx_files.told }}"
    pending: "{{ nginx_files is changed }}"
  when: not nginx_files.settled
"""

RETURN = r"""
changed_files:
  description: Files that were written (in check mode, would be), as O(files[].dest) names them.
  returned: success
  type: list
  elements: str
removed_files:
  description: Files that were removed because they are no longer wanted.
  returned: success
  type: list
  elements: str
foreign_files:
  description: Files below O(root) that somebody else put there; they were kept.
  returned: success
  type: list
  elements: str
unlisted_files:
  description: Files below O(root) that are kept though they are not listed any more (O(keep_unlisted)).
  returned: success
  type: list
  elements: str
root_created:
  description: Whether O(root) was not there before.
  returned: success
  type: bool
told:
  description: Those of O(units) that were told that their files were replaced. The option of the same name of
    M(cubeops.cubejs.units) takes them.
  returned: success
  type: list
  elements: str
settled:
  description:
    - Whether no file changed and O(units) are as they are wanted, so that M(cubeops.cubejs.units) would do nothing; and
      outside of check mode, whether O(answers) are given.
  returned: success
  type: bool
digest:
  description: Digest of the whole set.
  returned: success
  type: str
validation:
  description:
    - What each validation said, or why it was skipped. When nothing changed, only those that are always run are there.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cubeops.cubejs.plugins.module_utils import units
from ansible_collections.cubeops.cubejs.plugins.module_utils.answers import Answer
from ansible_collections.cubeops.cubejs.plugins.module_utils.file_writing import ManagedFilesError
from ansible_collections.cubeops.cubejs.plugins.module_utils.managed_files import (
    ARGUMENT_SPEC,
    Result,
    converge,
    unpack,
)
from ansible_collections.cubeops.cubejs.plugins.module_utils.systemd import Systemd


def main() -> None:
    """Keep the set that the action plugin sent."""
    module = AnsibleModule(
        argument_spec={**ARGUMENT_SPEC, "payload": {"type": "list", "elements": "str", "no_log": True}},
        supports_check_mode=True,
    )
    if not module.params["payload"]:
        module.fail_json(msg="managed_files runs through its action plugin: call it as a task, by its full name")
    results = []
    try:
        for packed in module.params["payload"]:
            file_set = unpack(packed)
            results.append(converge(file_set, apply=not module.check_mode, with_diff=module._diff))
            for dest in results[-1].foreign_files:
                module.warn(f"{dest}, in the files of {file_set.name}, was put there by someone else and is kept")
    except ManagedFilesError as exc:
        module.fail_json(msg=str(exc))
    result = results[0]
    for other in results[1:]:
        result.add(other)
    module.exit_json(changed=result.changed, **vars(result), **_readers(module, result))


def _readers(module: AnsibleModule, result: Result) -> dict[str, object]:
    """Look at the units that read the files, or tell them that these were replaced: none when there were none."""
    wanted = [units.from_option(unit) for unit in module.params["units"]]
    if not wanted or result.changed:
        is_news = wanted and not module.check_mode and not result.root_created
        return {"settled": False, "told": units.tell(wanted, result.changed_files, Systemd()) if is_news else []}
    asked = [Answer(**answer) for answer in module.params["answers"]]
    return {"settled": units.is_settled(wanted, asked, Systemd(), ask=not module.check_mode), "told": []}


if __name__ == "__main__":
    main()
