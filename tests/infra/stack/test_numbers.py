"""Answers through Nginx are the source's own numbers, and come from where the rollups are."""

from __future__ import annotations

import json
import subprocess
import time
from decimal import Decimal
from pathlib import Path

import pytest
from report import curl_line
from stacks import Stack

ROLLUPS = 25
PERIOD = {"dimension": "Orders.createdAt", "dateRange": ["2024-10-01", "2024-12-31"]}

BY_CATEGORY = {
    "measures": ["LineItems.revenue", "LineItems.quantity", "LineItems.count"],
    "dimensions": ["Products.category"],
    "timeDimensions": [{**PERIOD, "granularity": "month"}],
    "order": [["Orders.createdAt", "asc"], ["Products.category", "asc"]],
}
BY_CATEGORY_SQL = """
    SELECT p.category, DATE_FORMAT(o.created_at, '%Y-%m-01T00:00:00.000'),
           SUM(l.quantity * l.price * (100 - l.discount_percent)) / 100, SUM(l.quantity), COUNT(*)
    FROM line_items l JOIN orders o ON o.id = l.order_id JOIN products p ON p.id = l.product_id
    WHERE o.created_at >= '2024-10-01' AND o.created_at < '2025-01-01' GROUP BY 2, 1 ORDER BY 2, 1"""

BY_COUNTRY = {
    "measures": ["Orders.count", "Orders.completedCount", "Orders.returnedCount", "Orders.shippingFees"],
    "dimensions": ["Customers.country", "Orders.channel"],
    "timeDimensions": [{"dimension": "Orders.createdAt", "granularity": "year"}],
    "order": [["Orders.createdAt", "asc"], ["Customers.country", "asc"], ["Orders.channel", "asc"]],
}
BY_COUNTRY_SQL = """
    SELECT c.country, o.channel, DATE_FORMAT(o.created_at, '%Y-01-01T00:00:00.000'), COUNT(*),
           SUM(o.status = 'completed'), SUM(o.status = 'returned'), SUM(o.shipping_fee)
    FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 3, 1, 2 ORDER BY 3, 1, 2"""

BUYERS = {
    "measures": ["Orders.buyers"],
    "dimensions": ["Customers.segment"],
    "order": [["Customers.segment", "asc"]],
}
BUYERS_SQL = """
    SELECT c.segment, COUNT(DISTINCT o.customer_id)
    FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1 ORDER BY 1"""


def plain(rows: list[dict[str, object]], columns: list[str]) -> list[list[object]]:
    """Return rows as lists, numbers exact to the cent."""
    return [[comparable(row[column]) for column in columns] for row in rows]


def comparable(value: object) -> object:
    """Return a number as a decimal with two places, anything else as it is."""
    try:
        return Decimal(str(value)).quantize(Decimal("0.01"))
    except ArithmeticError:
        return value


@pytest.fixture(scope="module", autouse=True)
def built(stack: Stack) -> None:
    """Wait until the refresh worker has built what the project describes, both rollups whole."""
    deadline = time.monotonic() + 300
    before: dict[str, int] = {}
    while len(rows := stack.storage.rows()) < ROLLUPS or rows != before:
        journal = stack.host.run("journalctl --no-pager -n 30 -u 'cubejs-refresh-worker@*'").stdout
        assert time.monotonic() < deadline, f"{len(rows)} of {ROLLUPS} tables; the worker says: {journal}"
        before = rows
        time.sleep(2)


@pytest.mark.parametrize(
    ("query", "sql", "columns", "rollup"),
    [
        pytest.param(
            BY_CATEGORY,
            BY_CATEGORY_SQL,
            ["Products.category", "Orders.createdAt.month", *BY_CATEGORY["measures"]],
            "line_items_by_category2024",
            id="joined, partitioned by month",
        ),
        pytest.param(
            BY_COUNTRY,
            BY_COUNTRY_SQL,
            ["Customers.country", "Orders.channel", "Orders.createdAt.year", *BY_COUNTRY["measures"]],
            "orders_by_country_",
            id="whole",
        ),
    ],
)
def test_rollups_answer_with_the_sources_numbers(stack: Stack, query, sql, columns, rollup) -> None:
    # A limit not asked for before: no cache of Cube's can answer.
    limit = 1000 + time.time_ns() % 8999
    with stack.storage.listening() as statements:
        answer = stack.load({**query, "limit": limit})
    wanted = [[comparable(value) for value in row] for row in stack.source(sql)]
    assert wanted
    assert plain(answer["data"], columns) == wanted
    assert answer["external"] is True
    assert answer["extDbType"] == "mysql"
    read = statements.reading(stack.storage.schema)
    assert read
    assert all(name.startswith(rollup) for name in read)
    assert set(read) <= set(stack.storage.tables())


def test_what_no_rollup_holds_comes_from_the_source(stack: Stack) -> None:
    answer = stack.load(BUYERS)
    assert plain(answer["data"], ["Customers.segment", "Orders.buyers"]) == [
        [comparable(value) for value in row] for row in stack.source(BUYERS_SQL)
    ]
    assert answer["external"] is False


def test_the_refresh_worker_built_every_month(stack: Stack) -> None:
    tables = stack.storage.tables()
    partitions = {name.split("_")[3][len("category") :] for name in tables if name.startswith("line_items_by_category")}
    assert partitions == {f"{year}{month:02}01" for year in (2023, 2024) for month in range(1, 13)}


def test_the_index_of_the_project_is_there(stack: Stack) -> None:
    """Cube may create indexes in its schema: one of the rollups asks for one."""
    rows = stack.storage.ask(
        "SELECT DISTINCT index_name FROM information_schema.statistics"
        f" WHERE table_schema = '{stack.storage.schema}' AND index_name LIKE 'orders_by_country_country%';"
    )
    assert rows


def test_the_tenants_user_reads_nothing_else(stack: Stack) -> None:
    grants = [row[0] for row in stack.storage.ask(f"SHOW GRANTS FOR '{stack.storage.schema}'@'127.0.0.1';")]
    schema = stack.storage.schema.replace("_", "\\_")
    assert [grant for grant in grants if "USAGE" not in grant and f"`{schema}`.*" not in grant] == []


def test_the_curl_line_of_the_quick_start_works_as_it_is_printed(stack: Stack, tmp_path: Path) -> None:
    authorization = tmp_path / "authorization"
    authorization.write_text(f"Authorization: {stack.token}\n")
    line = curl_line(stack.cube, authorization, BUYERS)
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["data"] == stack.load(BUYERS)["data"]
