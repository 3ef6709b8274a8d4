"""Requests to Python's allocators, some of which fail for lack of memory. Prints how many of each
kind succeeded."""

import json
import resource

SIZE = 64 << 20


def served(request):
    kept = []
    for _ in range(30):
        try:
            kept.append(request())
        except MemoryError:
            pass
    return len(kept)


def main():
    pages = int(open("/proc/self/statm").read().split()[0])
    limit = pages * resource.getpagesize() + 16 * SIZE
    half = b"x" * (SIZE // 2)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    requests = {
        "malloc": lambda: half + half,
        "calloc": lambda: bytes(SIZE),
        "realloc": lambda: bytearray(SIZE),
    }
    print(json.dumps({kind: served(request) for kind, request in requests.items()}))


main()
