"""A dozen threads, one after another, that keep what they allocate."""

import threading

KEPT = []


def work():
    KEPT.append([str(i) * 3 for i in range(100)])


for _ in range(12):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
