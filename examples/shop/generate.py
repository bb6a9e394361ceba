#!/usr/bin/env python3
# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make the example's source database: two years of a small shop, the same rows on every machine.

    generate.py > shop.sql            write the SQL
    generate.py --load shop           pipe it into the database `shop` through the host's own client

The rows depend on this file alone: Python promises one sequence of `random()` for a seed on every version,
so nothing here calls any other method of the generator. The file's own SHA-256 therefore names the data set;
it is written last, as the comment of the table `dataset`, so that a load that was cut off is not taken for whole.
"""

from __future__ import annotations

import argparse
import bisect
import hashlib
import itertools
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

SEED = 20230101
FIRST_DAY = date(2023, 1, 1)
DAYS = 731
CUSTOMERS = 20_000
ORDERS = 204_000
ROWS_PER_INSERT = 1_000

COUNTRIES = (("DE", 0.30), ("FR", 0.22), ("GB", 0.18), ("NL", 0.12), ("ES", 0.10), ("PL", 0.08))
SEGMENTS = (("consumer", 0.82), ("small business", 0.14), ("wholesale", 0.04))
CHANNELS = (("web", 0.58), ("mobile", 0.31), ("store", 0.11))
STATUSES = (("completed", 0.90), ("returned", 0.06), ("cancelled", 0.04))
LINES_PER_ORDER = ((1, 0.46), (2, 0.30), (3, 0.15), (4, 0.06), (5, 0.03))
QUANTITIES = ((1, 0.74), (2, 0.18), (3, 0.06), (6, 0.02))
DISCOUNT_PERCENTS = ((0, 0.80), (5, 0.08), (10, 0.08), (20, 0.04))

# Monday to Sunday, then January to December, then 0:00 to 23:00: how much busier than the average.
WEEKDAY = (0.92, 0.88, 0.90, 0.96, 1.08, 1.20, 1.06)
MONTH = (0.84, 0.80, 0.90, 0.94, 1.00, 0.98, 0.88, 0.86, 1.00, 1.06, 1.34, 1.40)
HOUR = (2, 1, 1, 1, 1, 2, 5, 9, 14, 18, 21, 23, 25, 22, 20, 19, 20, 23, 28, 33, 36, 31, 18, 7)
GROWTH_PER_YEAR = 1.25
BLACK_FRIDAYS = (date(2023, 11, 24), date(2024, 11, 29))
BLACK_FRIDAY_RUSH = 3.2

# Category: how well it sells, how much better it sells in November and December, its goods and their prices in cents.
CATALOGUE = (
    ("kitchen", 1.3, 1.4, (("kettle", 3490), ("pan", 4590), ("knife set", 7900), ("scales", 2490), ("toaster", 3990))),
    ("garden", 0.8, 0.3, (("hose", 2990), ("rake", 1890), ("seed mix", 590), ("planter", 1490), ("lantern", 2190))),
    ("toys", 0.9, 2.6, (("puzzle", 1490), ("train set", 5990), ("kite", 1290), ("blocks", 2490), ("plush bear", 1990))),
    ("books", 1.6, 1.7, (("novel", 1290), ("atlas", 3990), ("cookbook", 2490), ("diary", 990), ("comic", 890))),
    ("sport", 1.1, 0.8, (("ball", 1990), ("mat", 2490), ("bottle", 1290), ("rope", 790), ("tent", 12900))),
    ("office", 1.0, 0.7, (("lamp", 3990), ("chair", 15900), ("pens", 690), ("paper", 490), ("shelf", 8900))),
)

FIRST_NAMES = ("Ada", "Bela", "Carl", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jana", "Karl", "Lena", "Milo")
LAST_NAMES = ("Adler", "Brandt", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Hansen", "Jansen", "Kowal", "Moreau")

SCHEMA = """\
DROP TABLE IF EXISTS dataset, line_items, orders, products, customers;
CREATE TABLE customers (
  id INT UNSIGNED NOT NULL PRIMARY KEY,
  name VARCHAR(60) NOT NULL,
  country CHAR(2) NOT NULL,
  segment VARCHAR(20) NOT NULL,
  created_at DATETIME NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE products (
  id INT UNSIGNED NOT NULL PRIMARY KEY,
  name VARCHAR(60) NOT NULL,
  category VARCHAR(20) NOT NULL,
  price DECIMAL(10,2) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE orders (
  id INT UNSIGNED NOT NULL PRIMARY KEY,
  customer_id INT UNSIGNED NOT NULL,
  status VARCHAR(12) NOT NULL,
  channel VARCHAR(8) NOT NULL,
  shipping_fee DECIMAL(6,2) NOT NULL,
  created_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE line_items (
  order_id INT UNSIGNED NOT NULL,
  line_number TINYINT UNSIGNED NOT NULL,
  product_id INT UNSIGNED NOT NULL,
  quantity SMALLINT UNSIGNED NOT NULL,
  price DECIMAL(10,2) NOT NULL,
  discount_percent TINYINT UNSIGNED NOT NULL,
  PRIMARY KEY (order_id, line_number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
SET autocommit = 0, foreign_key_checks = 0, unique_checks = 0;
"""

# An index built from all rows at once costs a third of one kept up row by row.
INDICES = """\
COMMIT;
ALTER TABLE orders
  ADD KEY by_created_at (created_at),
  ADD KEY by_updated_at (updated_at),
  ADD CONSTRAINT order_customer FOREIGN KEY (customer_id) REFERENCES customers (id);
ALTER TABLE line_items
  ADD CONSTRAINT line_order FOREIGN KEY (order_id) REFERENCES orders (id),
  ADD CONSTRAINT line_product FOREIGN KEY (product_id) REFERENCES products (id);
ANALYZE TABLE customers, products, orders, line_items;
"""


class Product(NamedTuple):
    """One article of the catalogue; its price is in cents, its weights say how often it is bought."""

    identity: int
    name: str
    category: str
    price: int
    weight: float
    winter_weight: float


Pick = Callable[[float], int]


def picker(weights: Iterable[float]) -> Pick:
    """Return a function from a number in [0, 1) to an index, each index as likely as its weight."""
    steps = list(itertools.accumulate(weights))
    total = steps[-1]
    return lambda number: bisect.bisect_right(steps, number * total)


def chooser(table: Sequence[tuple[object, float]]) -> Callable[[float], object]:
    """Return a function from a number in [0, 1) to a value of a (value, weight) table."""
    pick = picker(weight for _value, weight in table)
    return lambda number: table[pick(number)][0]


def share_out(total: int, weights: Sequence[float]) -> list[int]:
    """Split a total into whole parts in proportion to weights; the parts add up to the total."""
    scale = total / sum(weights)
    ends = [round(end * scale) for end in itertools.accumulate(weights)]
    return [end - start for start, end in zip([0, *ends], ends)]


def money(cents: int) -> str:
    """Write cents as a decimal number."""
    return f"{cents // 100}.{cents % 100:02d}"


def catalogue() -> list[Product]:
    """Return every product: each article of the catalogue in two qualities."""
    articles = [
        (name, category, price, liked, winter)
        for category, liked, winter, goods in CATALOGUE
        for article, base in goods
        for name, price in ((article, base), (f"{article} deluxe", base * 9 // 5))
    ]
    return [
        Product(identity, name, category, price, liked / (1 + identity % 7), liked * winter / (1 + identity % 7))
        for identity, (name, category, price, liked, winter) in enumerate(articles, start=1)
    ]


def day_weights() -> list[float]:
    """Return how busy each of the days is: growth, season, weekday and two Black Fridays."""
    days = (FIRST_DAY + timedelta(days=offset) for offset in range(DAYS))
    return [
        GROWTH_PER_YEAR ** (offset / 365)
        * MONTH[day.month - 1]
        * WEEKDAY[day.weekday()]
        * (BLACK_FRIDAY_RUSH if day in BLACK_FRIDAYS else 1.0)
        for offset, day in enumerate(days)
    ]


def customer_rows(draw: Callable[[], float]) -> Iterator[str]:
    """Yield the customers; half of them signed up in the two years before the first order."""
    country, segment = chooser(COUNTRIES), chooser(SEGMENTS)
    start = datetime.combine(FIRST_DAY, datetime.min.time()) - timedelta(days=DAYS)
    for identity in range(1, CUSTOMERS + 1):
        name = f"{FIRST_NAMES[int(draw() * len(FIRST_NAMES))]} {LAST_NAMES[int(draw() * len(LAST_NAMES))]}"
        joined = start + timedelta(seconds=int(2 * DAYS * 86400 * (identity - 1 + draw()) / CUSTOMERS))
        yield f"({identity},'{name}','{country(draw())}','{segment(draw())}','{joined}')"


def product_rows(products: Iterable[Product]) -> Iterator[str]:
    """Yield the products."""
    for product in products:
        yield f"({product.identity},'{product.name}','{product.category}',{money(product.price)})"


def order_times(draw: Callable[[], float]) -> Iterator[datetime]:
    """Yield the moment of every order, oldest first."""
    hour = picker(HOUR)
    midnight = datetime.combine(FIRST_DAY, datetime.min.time())
    for offset, count in enumerate(share_out(ORDERS, day_weights())):
        seconds = sorted(hour(draw()) * 3600 + int(draw() * 3600) for _order in range(count))
        for second in seconds:
            yield midnight + timedelta(days=offset, seconds=second)


def order_rows(draw: Callable[[], float], products: Sequence[Product]) -> Iterator[tuple[str, list[str]]]:
    """Yield every order with its line items."""
    status, channel, lines = chooser(STATUSES), chooser(CHANNELS), picker(weight for _lines, weight in LINES_PER_ORDER)
    quantity, discount = chooser(QUANTITIES), chooser(DISCOUNT_PERCENTS)
    all_year, winter = picker(item.weight for item in products), picker(item.winter_weight for item in products)
    for identity, moment in enumerate(order_times(draw), start=1):
        # Whoever signs up later cannot have ordered yet; squaring favours the older, regular customers.
        age = (moment.date() - FIRST_DAY).days + DAYS - 1
        customer = 1 + int(draw() ** 2 * CUSTOMERS * age / (2 * DAYS))
        changed = moment + timedelta(seconds=int(draw() * 5 * 86400))
        fee = "0.00" if draw() < 0.35 else "4.90"
        order = f"({identity},{customer},'{status(draw())}','{channel(draw())}',{fee},'{moment}','{changed}')"
        product = winter if moment.month >= 11 else all_year
        chosen = [products[product(draw())] for _line in range(LINES_PER_ORDER[lines(draw())][0])]
        yield (
            order,
            [
                f"({identity},{line},{item.identity},{quantity(draw())},{money(item.price)},{discount(draw())})"
                for line, item in enumerate(chosen, start=1)
            ],
        )


def inserts(table: str, rows: Iterable[str]) -> Iterator[str]:
    """Yield multi-row INSERT statements, each well below the smallest usual max_allowed_packet (16 MB)."""
    stream = iter(rows)
    while batch := list(itertools.islice(stream, ROWS_PER_INSERT)):
        yield f"INSERT INTO {table} VALUES\n" + ",\n".join(batch) + ";\n"


def order_inserts(orders: Iterable[tuple[str, list[str]]]) -> Iterator[str]:
    """Yield the INSERT statements of orders and of their line items, in step, so that memory stays small."""
    stream = iter(orders)
    while batch := list(itertools.islice(stream, ROWS_PER_INSERT)):
        yield from inserts("orders", (order for order, _lines in batch))
        yield from inserts("line_items", (line for _order, lines in batch for line in lines))


def digest() -> str:
    """Return the name of the data set: the SHA-256 of this file."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


def statements() -> Iterator[str]:
    """Yield the SQL that replaces the shop's tables by the data set."""
    draw = random.Random(SEED).random  # noqa: S311  the same numbers everywhere are what is wanted
    products = catalogue()
    yield SCHEMA
    yield from inserts("customers", customer_rows(draw))
    yield from inserts("products", product_rows(products))
    yield from order_inserts(order_rows(draw, products))
    yield INDICES
    yield f"CREATE TABLE dataset (id INT PRIMARY KEY) ENGINE=InnoDB COMMENT='{digest()}';\n"


def load(database: str) -> int:
    """Pipe the SQL into the client of this host, logged in over the socket; return the client's exit status."""
    program = "mariadb" if shutil.which("mariadb") else "mysql"
    client = subprocess.Popen([program, "--batch", database], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert client.stdin is not None
    try:
        with client.stdin as pipe:
            for statement in statements():
                pipe.write(statement.encode())
    except BrokenPipeError:
        print("The client stopped before it had read everything; its own message stands above.", file=sys.stderr)
    return client.wait()


def main() -> int:
    """Write the SQL to standard output, or load it."""
    parser = argparse.ArgumentParser(description="Make the example shop's source database.")
    parser.add_argument("--load", metavar="DATABASE", help="pipe the SQL into this database of the local server")
    arguments = parser.parse_args()
    if arguments.load:
        return load(arguments.load)
    sys.stdout.writelines(statements())
    return 0


if __name__ == "__main__":
    sys.exit(main())
