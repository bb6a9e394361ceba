"""The shop's rows: the same every time, and of the kind that a real shop has."""

from __future__ import annotations

import random
import re
from collections import Counter

import generate
import pytest

FEW_ORDERS = 8_000


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """Return the orders of a smaller shop."""
    monkeypatch.setattr(generate, "ORDERS", FEW_ORDERS)
    return list(generate.order_rows(random.Random(1).random, generate.catalogue()))


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        pytest.param(10, [1, 1], [5, 5], id="even"),
        pytest.param(10, [1, 1, 1], [3, 4, 3], id="uneven parts still add up"),
        pytest.param(3, [0, 1], [0, 3], id="no weight, no part"),
    ],
)
def test_share_out(total: int, weights: list[float], parts: list[int]) -> None:
    assert generate.share_out(total, weights) == parts


@pytest.mark.parametrize(
    ("number", "index"),
    [
        pytest.param(0.0, 0, id="lowest"),
        pytest.param(0.24, 0, id="below the first border"),
        pytest.param(0.25, 1, id="at it"),
        pytest.param(0.999999, 1, id="highest"),
    ],
)
def test_picker(number: float, index: int) -> None:
    assert generate.picker([1, 3])(number) == index


@pytest.mark.parametrize(("cents", "text"), [(0, "0.00"), (5, "0.05"), (490, "4.90"), (123456, "1234.56")])
def test_money(cents: int, text: str) -> None:
    assert generate.money(cents) == text


def test_the_real_shop_has_at_least_200_000_orders() -> None:
    assert generate.ORDERS >= 200_000


def test_the_rows_are_the_same_every_time(orders: list[tuple[str, list[str]]]) -> None:
    assert list(generate.order_rows(random.Random(1).random, generate.catalogue())) == orders


def test_orders_span_two_years_and_know_seasons(orders: list[tuple[str, list[str]]]) -> None:
    months = Counter(re.findall(r"'(\d{4}-\d\d)-", order)[0] for order, _lines in orders)
    assert len(orders) == FEW_ORDERS
    assert len(months) == 24
    assert months["2024-11"] > 1.5 * months["2024-02"]
    assert sum(count for month, count in months.items() if month < "2024") < 0.5 * FEW_ORDERS


def test_every_order_has_lines_of_its_own(orders: list[tuple[str, list[str]]]) -> None:
    for identity, (order, lines) in enumerate(orders, start=1):
        assert order.startswith(f"({identity},")
        assert [line.split(",")[:2] for line in lines] == [
            [f"({identity}", str(number)] for number in range(1, len(lines) + 1)
        ]


def test_nobody_orders_before_signing_up(orders: list[tuple[str, list[str]]]) -> None:
    joined = [row.split("'")[-2] for row in generate.customer_rows(random.Random(1).random)]
    for order, _lines in orders:
        customer = int(order.split(",")[1])
        ordered = re.findall(r"'(\d{4}-[^']+)'", order)[0]
        assert joined[customer - 1] <= ordered


def test_statements_stay_below_the_smallest_packet() -> None:
    rows = [f"({number})" for number in range(generate.ROWS_PER_INSERT + 1)]
    statements = list(generate.inserts("orders", rows))
    assert [statement.count("\n(") for statement in statements] == [generate.ROWS_PER_INSERT, 1]
    assert all(statement.startswith("INSERT INTO orders VALUES\n(") for statement in statements)
    assert all(statement.endswith(");\n") for statement in statements)


def test_the_digest_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "ORDERS", 731)
    last = list(generate.statements())[-1]
    assert last.startswith("CREATE TABLE dataset")
    assert generate.digest() in last
