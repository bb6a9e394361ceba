"""Faults of what stands before Cube.js processes: Nginx, and its certificates."""

from __future__ import annotations

from dataclasses import replace

from fault import Fault, all_of, on_nginx

SHORT_WAIT = on_nginx(
    "Nginx waits five seconds only", ("proxy-timeouts",), "s/proxy_read_timeout .*/proxy_read_timeout 5s;/", "acme"
)
SMALL_BODIES = on_nginx(
    "Nginx takes small requests only",
    ("proxy-body-size",),
    "s/include cubejs.proxy.conf;/& client_max_body_size 1m;/",
    "globex",
)
NO_REDIRECT = on_nginx("Plain HTTP is answered", ("https-redirect",), "s/return 308 .*/return 200 'hello';/", "globex")
SHORT_HSTS = on_nginx(
    "Browsers forget HTTPS after a minute",
    ("https-hsts",),
    's/include cubejs.server.conf;/add_header Strict-Transport-Security "max-age=60" always; &/',
    "globex",
)
NO_HEADERS = on_nginx(
    "Nginx passes requests on as by its defaults",
    ("proxy-http-version", "proxy-headers"),
    "s/include cubejs.proxy.conf;/proxy_set_header Host $host;/",
    "globex",
)
OLD_TLS = on_nginx(
    "Nginx takes TLS 1.1",
    ("https-tls-version",),
    "s/^ssl_protocols .*/ssl_protocols TLSv1.1 TLSv1.2;/; s/^ssl_ciphers .*/ssl_ciphers ALL:@SECLEVEL=0;/",
    "acme",
    file="tls.conf",
)
WRONG_WAY = on_nginx(
    "Nginx passes a tenant's requests on to another's instance",
    ("proxy-upstreams",),
    "s#/run/cubejs/globex-1/#/run/cubejs/acme-1/#",
    "globex",
)
ONE_OF_TWO = on_nginx("Nginx leads to one of two instances", ("proxy-upstreams",), "/server .*:10010 /d", "acme")
NO_TLS = on_nginx(
    "A name that is served with TLS on another port only",
    ("https-answers",),
    "s/443 ssl/8443 ssl/",
    "acme",
)
_FOLDER, _KEPT = "/etc/nginx/cubejs/certificates", "/run/faults/certificates"
_CA = (
    *("[ca]", "default_ca = d", "[d]", "database = index", "serial = serial", "new_certs_dir = .", "policy = p"),
    *("default_md = sha256", "copy_extensions = copy", "[p]", "commonName = supplied"),
)
EXPIRED = Fault(
    "A certificate that has expired, from nobody who is trusted, and the key of another one",
    ("certificate-expiry", "certificate-trusted", "certificate-key"),
    "acme",
    "front",
    all_of(
        f"rm -rf {_KEPT} && mkdir -p {_KEPT} && cp -a {_FOLDER}/acme.* {_KEPT} && cd {_KEPT}",
        "printf '%s\\n' " + " ".join(f"'{line}'" for line in _CA) + " >conf && : >index && echo 01 >serial",
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out request "
        "-subj /CN=cube.acme.example -addext subjectAltName=DNS:cube.acme.example 2>/dev/null",
        "openssl ca -batch -config conf -selfsign -keyfile key -in request -out made -notext "
        "-startdate 20200101000000Z -enddate 20200301000000Z 2>/dev/null",
        f"cat made >{_FOLDER}/acme.crt && cat key >{_FOLDER}/acme.key && nginx -s reload",
    ),
    all_of(f"cp -a {_KEPT}/acme.* {_FOLDER}", "nginx -s reload"),
    # What Nginx has read is not what it would read at its next start.
    then=f"cat {_FOLDER}/globex.key >{_FOLDER}/acme.key",
)
_OTHERS = on_nginx(
    "A certificate for another name",
    ("certificate-names", "certificate-trusted"),
    "s#certificates/globex#certificates/fault#",
    "globex",
)
OTHERS_CERTIFICATE = replace(
    _OTHERS,
    breaks=all_of(*(f"cp {_FOLDER}/acme.{kind} {_FOLDER}/fault.{kind}" for kind in ("crt", "key")), _OTHERS.breaks),
    mends=all_of(_OTHERS.mends, f"rm {_FOLDER}/fault.*"),
)
