#!/bin/sh
# The lower bound of a first deployment: the bench's stack as an administrator who knows all of it beforehand would put
# it onto one empty Debian host, by hand and once. The same packages, the same npm and `npm ci`, the same processes under
# systemd, the same gate at the end. It checks nothing, keeps nothing up to date and cannot be run twice.
#
# In /root, from tests/bench/bench.py: floor.env (SOURCE, the address of the source database; SECRET, its password and
# the API's secret; NODE, a Node.js that is there already, "" for Debian's), package.json, package-lock.json, npm.tgz,
# cube/ and, where npm needs it, ca-certificates.crt. molecule/foreign deploys by it, too: nobody who audits that host has
# deployed it. Its second host and further ones have node_modules.tar, since how packages came there is nothing to them.
set -eu
umask 022
# shellcheck source=/dev/null
. /root/floor.env
name=cube.acme.example
nodejs=yes
[ -z "$NODE" ] || nodejs=
node_ca=
[ ! -f /root/ca-certificates.crt ] || node_ca=/root/ca-certificates.crt
redis_password=$(openssl rand -hex 24)
mysql_password=$(openssl rand -hex 24)
memory_mb=$(awk '/^MemTotal/ {print int($2 / 1024)}' /proc/meminfo)

step() {
    echo "floor: $(date +%T) $1"
}

step "packages"
# Nothing starts before its configuration is there, so that nothing is started twice.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive
# As the roles do: package lists of the last hour are good enough.
[ -n "$(find /var/lib/apt/lists -maxdepth 0 -mmin -60)" ] || apt-get update -qq
apt-get install -y -qq --no-install-recommends \
    redis-server mariadb-server nginx logrotate ${nodejs:+nodejs} python3-pymysql >/dev/null
[ -z "$NODE" ] || ln -s "$NODE" /usr/bin/node
rm /usr/sbin/policy-rc.d

step "databases"
cat >/etc/redis/cube.conf <<EOF
include /etc/redis/redis.conf
bind 127.0.0.1
port 20001
requirepass $redis_password
maxclients 160
maxmemory 256mb
maxmemory-policy volatile-lru
save ""
save 300 1
appendonly no
stop-writes-on-bgsave-error no
tcp-keepalive 60
EOF
chown redis:redis /etc/redis/cube.conf
chmod 0600 /etc/redis/cube.conf
mkdir /etc/systemd/system/redis-server.service.d
cat >/etc/systemd/system/redis-server.service.d/cube.conf <<'EOF'
[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=
ExecStart=/usr/bin/redis-server /etc/redis/cube.conf --supervised systemd --daemonize no
RestartSec=2
EOF
cat >/etc/mysql/mariadb.conf.d/60-cube.cnf <<EOF
[mysqld]
bind_address = 127.0.0.1
max_allowed_packet = 128M
character_set_server = utf8mb4
innodb_buffer_pool_size = $((memory_mb * 16 / 100))M
innodb_log_file_size = $((memory_mb * 4 / 100))M
tmp_table_size = 39M
max_heap_table_size = 39M
EOF
systemctl daemon-reload
systemctl start redis-server mariadb
mariadb <<EOF
CREATE DATABASE cube_acme;
CREATE USER cube_acme@127.0.0.1 IDENTIFIED VIA mysql_native_password USING PASSWORD('$mysql_password');
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX ON \`cube\\_acme\`.* TO cube_acme@127.0.0.1;
EOF

step "npm ci"
mkdir -p /opt/cube/npm /etc/cube
tar -xzf /root/npm.tgz -C /opt/cube/npm --strip-components=1
cp /root/package.json /root/package-lock.json /opt/cube/
cp -R /root/cube /opt/cube/project
[ ! -f /root/node_modules.tar ] || tar -xf /root/node_modules.tar -C /opt/cube
[ -d /opt/cube/node_modules ] || (
    cd /opt/cube
    export npm_config_cache=/var/cache/cubejs-npm npm_config_include=dev
    export npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
    [ -z "$node_ca" ] || export npm_config_cafile="$node_ca" NODE_EXTRA_CA_CERTS="$node_ca"
    node /opt/cube/npm/bin/npm-cli.js ci --ignore-scripts >/dev/null
)

step "nginx"
rm /etc/nginx/sites-enabled/default
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 397 -subj "/CN=$name" \
    -addext "subjectAltName=DNS:$name" -keyout /etc/nginx/cube.key -out /etc/nginx/cube.crt 2>/dev/null
cat >/etc/nginx/conf.d/cube.conf <<EOF
map \$http_upgrade \$cube_connection {
    default upgrade;
    "" "";
}
upstream cube {
    server 127.0.0.1:10010;
    keepalive 32;
}
server {
    listen 80;
    server_name $name;
    server_tokens off;
    return 308 https://\$host\$request_uri;
}
server {
    listen 443 ssl http2;
    server_name $name;
    server_tokens off;
    ssl_certificate /etc/nginx/cube.crt;
    ssl_certificate_key /etc/nginx/cube.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:cube:10m;
    ssl_session_timeout 1d;
    ssl_session_tickets off;
    client_max_body_size 5m;
    large_client_header_buffers 4 16k;
    gzip_types application/json;
    add_header Strict-Transport-Security "max-age=31536000" always;
    location / {
        return 404;
    }
    location /cubejs-api/ {
        proxy_pass http://cube;
        proxy_http_version 1.1;
        proxy_set_header Host \$host;
        proxy_set_header X-Forwarded-For \$remote_addr;
        proxy_set_header X-Forwarded-Proto \$scheme;
        proxy_set_header Upgrade \$http_upgrade;
        proxy_set_header Connection \$cube_connection;
        proxy_read_timeout 130s;
    }
}
EOF
nginx -t -q
systemctl start nginx

step "cube"
useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin cube-acme
(
    umask 077
    cat >/etc/cube/acme.env <<EOF
NODE_ENV=production
CUBEJS_API_SECRET=$SECRET
CUBEJS_CACHE_AND_QUEUE_DRIVER=redis
CUBEJS_REDIS_URL=redis://127.0.0.1:20001
CUBEJS_REDIS_PASSWORD=$redis_password
CUBEJS_REDIS_POOL_MIN=2
CUBEJS_REDIS_POOL_MAX=30
CUBEJS_DB_TYPE=mysql
CUBEJS_DB_HOST=$SOURCE
CUBEJS_DB_NAME=shop
CUBEJS_DB_USER=cube
CUBEJS_DB_PASS=$SECRET
CUBEJS_DB_MAX_POOL=8
CUBEJS_EXT_DB_TYPE=mysql
CUBEJS_EXT_DB_HOST=127.0.0.1
CUBEJS_EXT_DB_PORT=3306
CUBEJS_EXT_DB_NAME=cube_acme
CUBEJS_EXT_DB_USER=cube_acme
CUBEJS_EXT_DB_PASS=$mysql_password
CUBEJS_PRE_AGGREGATIONS_SCHEMA=cube_acme
CUBEJS_GRACEFUL_SHUTDOWN=20
CUBEJS_LOG_LEVEL=warn
CUBEJS_TELEMETRY=false
CUBEJS_WEB_SOCKETS=false
EOF
    cat >/etc/cube/api.env <<EOF
PORT=10010
CUBEJS_REFRESH_WORKER=false
NODE_OPTIONS=--max-old-space-size=2304
EOF
    cat >/etc/cube/refresh-worker.env <<EOF
PORT=10011
CUBEJS_REFRESH_WORKER=true
NODE_OPTIONS=--max-old-space-size=4608
EOF
)
# systemd 247 of Debian 11 cannot in a container.
private_users=yes
[ "$(systemctl --version | awk 'NR == 1 { print $2 }')" -ge 250 ] || private_users=no
cat >/etc/systemd/system/cube@.service <<EOF
[Unit]
Description=Cube.js %i
Wants=network-online.target
After=network-online.target redis-server.service mariadb.service
StartLimitIntervalSec=0

[Service]
Type=exec
User=cube-acme
WorkingDirectory=/opt/cube/project
EnvironmentFile=/etc/cube/acme.env
EnvironmentFile=/etc/cube/%i.env
ExecStart=/usr/bin/node ../node_modules/.bin/cubejs-server server
Restart=always
RestartSec=6
TimeoutStopSec=25
SuccessExitStatus=143
CapabilityBoundingSet=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateDevices=yes
PrivateTmp=yes
PrivateUsers=$private_users
ProtectControlGroups=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
EOF
systemctl daemon-reload
systemctl enable --quiet --now cube@api cube@refresh-worker

step "gate"
# Both processes at once: /readyz and the compiled schema, then the same processes three seconds later.
processes() {
    systemctl show --property=MainPID --value cube@api cube@refresh-worker
}
before=$(processes)
python3 - "$SECRET" "$name" 10010 10011 <<'EOF'
import base64, hashlib, hmac, http.client, json, sys, time

secret, name, *ports = sys.argv[1:]
encode = lambda part: base64.urlsafe_b64encode(part).rstrip(b"=").decode()
signed = ".".join(encode(json.dumps(part).encode()) for part in ({"alg": "HS256"}, {"exp": int(time.time()) + 300}))
token = f"{signed}.{encode(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def answers(port, path, status, **headers):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=5)
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status == status
    except OSError:
        return False


wanted = [(port, "/readyz", 200) for port in ports] + [(port, "/cubejs-api/v1/meta", 200) for port in ports]
for port, path, status in [*wanted, (80, "/", 308)]:
    deadline = time.monotonic() + 120
    while not answers(port, path, status, Host=name, Authorization=token):
        if time.monotonic() > deadline:
            sys.exit(f"floor: no {status} from port {port} {path}")
        time.sleep(0.1)
EOF
sleep 3
[ "$(processes)" = "$before" ] || {
    echo "floor: a process answered and then ended" >&2
    exit 1
}
step "done"
