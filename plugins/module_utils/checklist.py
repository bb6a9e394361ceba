# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Production Checklist of Cube.js (its documentation, releases 0.19 and 0.20), sentence by sentence.

Told in words of our own. A rule names the sentences that it implements; a sentence that nothing can check says why.
"""

from __future__ import annotations

from dataclasses import dataclass

TITLE = "Production Checklist"


@dataclass(frozen=True)
class Sentence:
    """One sentence: a stable id, its section, what it asks for, and why nothing can check it ("" where rules do)."""

    id: str
    section: str
    text: str
    informative: str = ""

    @property
    def reference(self) -> str:
        """Return how findings refer to it."""
        return f"{TITLE}: {self.section}"


_MODE = "Enable Production Mode"
_REDIS = "Set up Redis"
_POOL = "Redis Pool"
_MEMORY = "Running without Redis"
_STORAGE = "Set up Pre-aggregations Storage"
_WORKER = "Set up Refresh Worker"
_HTTPS = "Enable HTTPS"
_NGINX = "Nginx Sample Configuration"

SENTENCES: tuple[Sentence, ...] = (
    Sentence("node-env", _MODE, "NODE_ENV is production."),
    Sentence(
        "node-env-by-platform",
        _MODE,
        "Some platforms, such as Heroku, set it by themselves.",
        "it tells of platforms that run no host of an inventory; what counts is the process's own NODE_ENV",
    ),
    Sentence("no-playground", _MODE, "The development server and the Playground, which know no security, are off."),
    Sentence("api-only", _MODE, "Servers are reached through the API and Cube.js' own libraries only."),
    Sentence("redis-required", _REDIS, "Production needs Redis."),
    Sentence("redis-cache-and-queue", _REDIS, "Redis holds the cache of queries and their queue."),
    Sentence("redis-url", _REDIS, "REDIS_URL names the Redis."),
    Sentence("redis-password", _REDIS, "REDIS_PASSWORD gives its password, where it has one."),
    Sentence("redis-connections", _REDIS, "Redis allows at least 15 connections at once."),
    Sentence("redis-tls", _REDIS, "REDIS_TLS=true makes the connection secure."),
    Sentence("redis-same", _REDIS, "All instances of one tenant use the same Redis."),
    Sentence("redis-same-queue", _REDIS, "Otherwise queues differ, pre-aggregations break, and data comes and goes."),
    Sentence("pool-default", _POOL, "With REDIS_URL there is a pool of 2 to 1000 connections."),
    Sentence("pool-variables", _POOL, "CUBEJS_REDIS_POOL_MIN and CUBEJS_REDIS_POOL_MAX set its size."),
    Sentence("pool-zero", _POOL, "CUBEJS_REDIS_POOL_MAX=0 makes each connection on demand."),
    Sentence("pool-too-small", _POOL, "A pool that is too small shows as ResourceRequest timed out."),
    Sentence("pool-rule-of-thumb", _POOL, "Best is queue size times number of tenants connections."),
    Sentence("pool-cluster", _POOL, "Redis has connections enough for all instances of a cluster."),
    Sentence("pool-bottleneck", _POOL, "Fewer connections work, with Redis as the bottleneck."),
    Sentence("memory-driver", _MEMORY, "CUBEJS_CACHE_AND_QUEUE_DRIVER=memory does without Redis."),
    Sentence("memory-alone", _MEMORY, "Clusters and serverless deployments cannot do without Redis."),
    Sentence("external-storage", _STORAGE, "External pre-aggregations need a storage that is set up."),
    Sentence("mysql-storage", _STORAGE, "MySQL is the recommended storage."),
    Sentence("mysql-tuned", _STORAGE, "MySQL is configured for taking in and serving pre-aggregations."),
    Sentence(
        "mysql-depends",
        _STORAGE,
        "The final configuration depends on the use.",
        "it gives no value; docs/performance.md has what was measured, and the sizes are variables of the mysql role",
    ),
    Sentence("refresh-worker", _WORKER, "Scheduled pre-aggregations are refreshed by an instance of its own."),
    Sentence("refresh-flag", _WORKER, "CUBEJS_SCHEDULED_REFRESH_TIMER=true makes an instance the refresh worker."),
    Sentence("https", _HTTPS, "Production APIs are served over HTTPS."),
    Sentence("tls-by-proxy", _HTTPS, "Cube.js itself does no TLS: a proxy or load balancer in front of it does."),
    Sentence("nginx-server", _NGINX, "Nginx passes requests for a server name on to Cube.js."),
    Sentence("nginx-websocket", _NGINX, "Nginx speaks HTTP/1.1 to Cube.js and passes Upgrade and Connection on."),
    Sentence(
        "nginx-docs",
        _NGINX,
        "How to set up TLS stands in Nginx' own documentation.",
        "it is a pointer to documentation; what it leads to is checked with the sentences on HTTPS",
    ),
)

BY_ID = {sentence.id: sentence for sentence in SENTENCES}
