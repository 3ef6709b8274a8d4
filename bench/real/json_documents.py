"""Python's json: documents are written, in several layouts, and read. Argument: documents."""

import json
import random
import sys
import zlib

count = int(sys.argv[1])
generator = random.Random(1)


def person(number):
    words = [f"word{generator.randrange(5000)}" for _ in range(12)]
    return {
        "id": number,
        "name": " ".join(words[:2]),
        "tags": words,
        "scores": [generator.random() for _ in range(20)],
        "parents": {"first": {"name": words[3], "alive": number % 3 == 0}, "second": None},
    }


people = [person(number) for number in range(100)]
length, checksum = 0, 0
for number in range(count):
    document = {"number": number, "people": people[number % 50 :]}
    text = json.dumps(document, indent=2 if number % 4 == 0 else None, sort_keys=number % 3 == 0, ensure_ascii=number % 2 == 0)
    assert json.loads(text, parse_float=float if number % 5 == 0 else None) == document
    length, checksum = length + len(text), zlib.crc32(text.encode(), checksum)
print(length, checksum)
