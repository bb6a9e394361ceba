"""Who is answered over TLS, with what, and who is not."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path

import pytest
from testinfra.host import Host
from web_clients import ACME, GLOBEX, OTHER_CA, OWN_CA, Client

# What OpenSSL calls the alert of 1.19.4 and later, and that of a certificate that cannot be loaded.
REFUSED = "UNRECOGNIZED_NAME|INTERNAL_ERROR"


@pytest.mark.parametrize(
    ("name", "authority"), [pytest.param(ACME, OWN_CA, id="own CA"), pytest.param(GLOBEX, OTHER_CA, id="provided")]
)
def test_a_careful_client_is_content(client: Client, name: str, authority: Path) -> None:
    with client.tls(name, client.context(authority)) as connection:
        assert connection.version() == "TLSv1.3"


@pytest.mark.parametrize(
    ("name", "authority"), [pytest.param(ACME, OTHER_CA, id="own CA"), pytest.param(GLOBEX, OWN_CA, id="provided")]
)
def test_a_client_of_another_ca_is_not(client: Client, name: str, authority: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError), client.tls(name, client.context(authority)):
        pass


def only(version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(OWN_CA))
    context.set_ciphers("ALL:@SECLEVEL=0")  # so that it is the server who refuses
    context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_versions_that_are_spoken(client: Client, version: ssl.TLSVersion) -> None:
    with client.tls(ACME, only(version)) as connection:
        assert connection.version() == version.name.replace("_", ".")
        cipher = connection.cipher()
        assert cipher is not None
        assert "GCM" in cipher[0] or "CHACHA20" in cipher[0]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_tls_versions_that_are_not(client: Client, version: ssl.TLSVersion) -> None:
    with pytest.raises(ssl.SSLError, match="alert protocol version"), client.tls(ACME, only(version)):
        pass


def test_weak_ciphers_are_refused(client: Client) -> None:
    context = only(ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:AES128-SHA:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match="handshake failure"), client.tls(ACME, context):
        pass


@pytest.mark.parametrize("name", ["cube.initech.example", "acme.example", "globex.example"])
def test_a_name_that_nobody_serves_gets_no_handshake(client: Client, name: str) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(ssl.SSLError, match=REFUSED), client.tls(name, context):
        pass


def test_nor_does_one_who_names_nobody(client: Client) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(ssl.SSLError, match=REFUSED), client.tls(client.address, context):
        pass


def test_a_name_that_nobody_serves_is_not_answered_inside_tls_or_without(client: Client) -> None:
    with pytest.raises(http.client.RemoteDisconnected):
        client.get("/cubejs-api/v1/meta", host="cube.initech.example")
    for path in ("/", "/livez", "/cubejs-api/v1/meta"):
        with pytest.raises(http.client.RemoteDisconnected):
            client.plain(path, "cube.initech.example")


def test_plain_http_is_sent_to_https_with_its_method_and_query(client: Client) -> None:
    answer = client.plain("/cubejs-api/v1/load?query=%7B%7D", ACME, method="POST")
    assert (answer.status, answer.headers["location"]) == (308, f"https://{ACME}/cubejs-api/v1/load?query=%7B%7D")


@pytest.mark.parametrize("path", ["/cubejs-api/v1/meta", "/nothing"])
def test_browsers_are_told_to_insist_on_https(client: Client, path: str) -> None:
    assert client.get(path).headers["strict-transport-security"] == "max-age=63072000"


def test_http2_is_offered_and_carries_a_long_url(client: Client, proxy: Host) -> None:
    url = f"https://{ACME}/cubejs-api/v1/load?query={'x' * 8192}"
    command = f"curl -sk --resolve {ACME}:443:127.0.0.1 -w '|%{{http_version}} %{{http_code}}' '{url}'"
    body, _between, seen = proxy.check_output(command).rpartition("|")
    assert seen == "2 200"
    assert '"path_length": 8218' in body


def test_ipv6_is_listened_on_too(proxy: Host) -> None:
    command = f"curl -sk --resolve '{ACME}:443:[::1]' -o /dev/null -w '%{{http_code}}' https://{ACME}/livez"
    assert proxy.check_output(command) == "200"


def test_no_version_is_told(client: Client) -> None:
    assert client.get("/nothing").headers["server"] == "nginx"


def test_private_keys_are_for_root_alone(proxy: Host) -> None:
    for name in ("acme", "globex"):
        key = proxy.file(f"/etc/nginx/cubejs/certificates/{name}.key")
        assert (key.user, key.group, key.mode) == ("root", "root", 0o600)
