"""Reads orders, adds them up by customer, and keeps a few of them."""
import json


def read(count):
    lines = []
    for number in range(count):
        order = {"id": number, "customer": f"customer {number % 97}", "items": [number % 7, number % 11], "paid": number % 3 == 0}
        lines.append(json.dumps(order))
    return lines


def parse(lines):
    return [json.loads(line) for line in lines]


def add_up(orders):
    totals = {}
    for order in orders:
        totals.setdefault(order["customer"], []).append(sum(order["items"]))
    return {customer: sum(items) for customer, items in totals.items()}


CACHE = {}


def main():
    for number in range(5):
        orders = parse(read(2000))
        CACHE[number] = orders[:200]
        print(number, len(add_up(orders)))


main()
