"""Orders of twelve months are read, stored and summed up; what is archived grows by the month."""

import json
import sqlite3
import time
import zlib

import numpy as np
import vbtrace

COUNT = 6000


def generate(month):
    return [json.dumps({"customer": f"customer {i % 97}", "items": [{"sku": f"A{k}", "price": 100 * k + i % 7} for k in range((i + month) % 5 + 1)]}) for i in range(COUNT)]


def parse(lines):
    return [json.loads(line) for line in lines]


def store(db, orders, month):
    rows = ((month, order["customer"], item["sku"], item["price"]) for order in orders for item in order["items"])
    db.executemany("insert into item values (?, ?, ?, ?)", rows)


def evaluate(db, month):
    prices = np.array([price for (price,) in db.execute("select price from item where month = ?", (month,))], dtype=float)
    matrix = np.outer(prices[:900], prices[:900])
    return np.histogram(np.sort(prices), bins=20)[0].max() + matrix.max()


class Archive:
    def __init__(self):
        self.months = []

    def add(self, lines, month):
        text = "\n".join(lines).encode()
        self.months.append((month, zlib.compress(text, 1), text))


def main():
    db, archive = sqlite3.connect(":memory:"), Archive()
    db.execute("create table item (month integer, customer text, sku text, price integer)")
    for month in range(1, 13):
        with vbtrace.section("month", iterations=COUNT):
            lines = generate(month)
            time.sleep(0.1)
            orders = parse(lines)
            time.sleep(0.1)
            store(db, orders, month)
            evaluate(db, month)
            archive.add(lines, month)
        del orders
        time.sleep(0.15)


main()
