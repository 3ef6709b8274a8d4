"""Orders are read from JSON into a database, and summed up in arrays: Python and C in turn, many
calls deep."""

import json
import sqlite3

import numpy as np

COUNT = 4000


def generate(count):
    return [json.dumps({"customer": f"customer {i % 97}", "items": [{"sku": f"A{k}", "price": 100 * k + i % 7} for k in range(i % 5 + 1)]}) for i in range(count)]


def parse(lines):
    return [json.loads(line) for line in lines]


def store(orders):
    db = sqlite3.connect(":memory:")
    db.execute("create table item (customer text, sku text, price integer)")
    rows = ((order["customer"], item["sku"], item["price"]) for order in orders for item in order["items"])
    db.executemany("insert into item values (?, ?, ?)", rows)
    db.execute("create index by_customer on item (customer)")
    return db


def evaluate(db):
    best = db.execute("select customer, sum(price) from item group by customer order by 2 desc").fetchone()
    prices = np.array([price for (price,) in db.execute("select price from item")], dtype=float)
    counts, _ = np.histogram(np.sort(prices), bins=20)
    return *best, counts.max(), np.outer(prices[:300], prices[:300]).max()


def main():
    lines = generate(COUNT)
    orders = parse(lines)
    print(*evaluate(store(orders)))


main()
