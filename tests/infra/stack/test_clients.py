"""Cube's own JavaScript clients, through Nginx: HTTPS, WSS and a subscription."""

from __future__ import annotations

from pathlib import Path

import pytest
from stacks import Stack, ask_with_client

QUERY = {
    "measures": ["Orders.count"],
    "timeDimensions": [{"dimension": "Orders.createdAt", "granularity": "year"}],
    "order": {"Orders.createdAt": "asc"},
}


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({"transport": "http", "url": "https://{name}/cubejs-api/v1"}, id="https"),
        pytest.param({"transport": "ws", "url": "wss://{name}/cubejs-api/v1"}, id="wss"),
        pytest.param({"transport": "ws", "url": "wss://{name}/cubejs-api/v1", "subscribe": True}, id="subscription"),
    ],
)
def test_cubes_own_client_gets_the_sources_numbers(stack: Stack, clients: Path, request_: dict[str, object]) -> None:
    url = str(request_["url"]).format(name=stack.cube.server_name)
    answer = ask_with_client(clients, stack, {**request_, "url": url, "query": QUERY})
    counts = [[row["Orders.createdAt.year"][:4], str(row["Orders.count"])] for row in answer["rows"]]
    assert counts == stack.source("SELECT YEAR(created_at), COUNT(*) FROM orders GROUP BY 1 ORDER BY 1")
    assert answer["external"] is True
