"""Asks vbtrace what it allocated, and prints the answers as JSON. The last thing that is recorded
is the last answer."""

import json
import os
import sys
import threading

import vbtrace

kept = {}


def numbers(counters):
    return [bool(counters), *(getattr(counters, name) for name in counters.__slots__[1:])]


def objects(number, size):
    return [bytes(size) for _ in range(number)]


def thread():
    before = vbtrace.counters(thread=True)
    kept["thread"] = objects(50, 1000)
    kept["of thread"] = before, vbtrace.counters(thread=True)


def main():
    answers = {}
    vbtrace.stop()  # up to Python 3.10, the first call of a function allocates its frame
    vbtrace.start()
    for _ in range(3):  # the interpreter's cache of attributes lets names go that only it still holds
        with vbtrace.section("warm up") as cost:
            objects(20, 100)
        vbtrace.counters(thread=True)
    for way in "process", "thread":
        first, second = vbtrace.counters(way == "thread"), vbtrace.counters(way == "thread")
        answers["twice " + way] = [numbers(first), numbers(second)]

    before = vbtrace.counters()
    kept["objects"] = objects(100, 1000)
    after = vbtrace.counters()
    answers["objects"] = [numbers(before), numbers(after)]

    with vbtrace.section("measured", iterations=100) as cost:
        kept["more"] = objects(100, 1000)
        objects(10, 5000)
    answers["section"] = numbers(cost.counters)
    for _ in range(3):
        with vbtrace.section("empty") as cost:
            inside = cost.counters
    answers["empty"], answers["inside"] = numbers(cost.counters), numbers(inside)

    reading, writing = os.pipe()
    parent = vbtrace.counters()
    if os.fork() == 0:
        child = vbtrace.counters()
        kept["child"] = objects(10, 1000)
        os.write(writing, json.dumps([numbers(child), numbers(vbtrace.counters())]).encode())
        os._exit(0)
    os.wait()
    answers["child"] = [numbers(parent), *json.loads(os.read(reading, 10_000))]

    here = vbtrace.counters(thread=True)
    runner = threading.Thread(target=thread)
    runner.start()
    runner.join()
    answers["other thread"] = [numbers(counters) for counters in kept["of thread"]]
    answers["this thread"] = [numbers(here), numbers(vbtrace.counters(thread=True))]

    last = vbtrace.counters()
    vbtrace.stop()
    answers["stopped"] = numbers(vbtrace.counters())
    answers["last"] = numbers(last)
    print(json.dumps(answers))
    sys.stdout.flush()
    os._exit(0)


main()
