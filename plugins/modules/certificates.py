#!/usr/bin/python
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: certificates
short_description: Keep a deployment's certificates on the controller
version_added: 0.1.0
description:
  - Keeps a small certificate authority (ECDSA P-256) in a directory on the controller and issues a server certificate
    for every list of names it is given, all in one task.
  - A certificate stays as it is until its names change, its key does not match it, another CA signed it, others could
    read its key, or its end is near.
  - Certificates from elsewhere are checked instead (key, names, dates, order of the chain), so that a wrong one is
    refused before a host is touched.
  - No host is contacted. Private keys are never part of the result, only the path of each on the controller.
  - The CA's key is never replaced or repaired. One that others than its owner can read is refused.
author: The cubeops.cubejs contributors (@cubeops)
requirements:
  - cryptography 42 or later, on the controller
options:
  directory:
    description:
      - Directory on the controller in which CA and certificates are kept; made with mode C(0700) when it is missing.
      - Back it up, and keep it out of every repository. One directory per deployment.
      - Not used, and not made, when every certificate is provided.
    type: path
    required: true
  certificates:
    description: The certificates that are wanted.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the certificate, unique in the directory, for ever the same for the same service.
          - Key and certificate are kept in files of this name.
        type: str
        required: true
      names:
        description: DNS names and IP addresses that the certificate has to be valid for.
        type: list
        elements: str
        required: true
      certificate_path:
        description:
          - A provided certificate on the controller, in PEM form, the server's own first, then its chain.
          - A relative path is looked up as the copy module looks up its source.
        type: str
      key_path:
        description: The private key of the provided certificate, in PEM form, not encrypted.
        type: str
  renew_days:
    description: How many days before its end a certificate is issued anew, and a provided one warned about.
    type: int
    default: 30
  valid_days:
    description: How many days a new certificate lives. It never outlives its CA, which lives ten years.
    type: int
    default: 397
attributes:
  check_mode:
    description: What would be issued is issued in a directory that ends with the run; later tasks can check with it.
    support: full
  diff_mode:
    description: Names and end of each certificate that is issued, and why it is.
    support: full
"""

EXAMPLES = r"""
- name: Keep the certificates of two servers
  cubeops.cubejs.certificates:
    directory: ~/.local/share/cubeops/ca
    certificates:
      - name: cube.acme.example
        names: [cube.acme.example]
      - name: cube.globex.example
        names: [cube.globex.example, 192.0.2.10]
        certificate_path: certificates/globex.pem
        key_path: certificates/globex.key
  register: certificates

- name: Put one of them on the host
  cubeops.cubejs.managed_files:
    name: my-proxy
    files:
      - dest: /etc/my-proxy/server.crt
        content: "{{ certificates.certificates['cube.acme.example'].certificate }}"
      - dest: /etc/my-proxy/server.key
        content: "{{ lookup('ansible.builtin.file', certificates.certificates['cube.acme.example'].key_path) }}"
        secret: true
"""

RETURN = r"""
ca_certificate:
  description: The CA's certificate in PEM form, for clients to trust; null when every certificate is provided.
  type: str
  returned: success
ca_certificate_path:
  description: Where it lies on the controller.
  type: str
  returned: success
ca_created:
  description: Whether the CA was made in this run.
  type: bool
  returned: success
certificates:
  description: Every certificate asked for, by name.
  type: dict
  returned: success
  contains:
    certificate:
      description: The certificate and its chain in PEM form.
      type: str
    certificate_path:
      description: Where the certificate lies on the controller.
      type: str
    key_path:
      description: Where its private key lies on the controller.
      type: str
    not_after:
      description: Its end, in UTC.
      type: str
      sample: "2026-12-24T00:00:00+00:00"
    reason:
      description: Why it was issued in this run, for this host or another; null when it was not.
      type: str
"""
