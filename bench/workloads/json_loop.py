"""Writes and reads documents as JSON, and drops them. Arguments: documents, seed."""

import json
import random
import sys

size, seed = map(int, sys.argv[1:])
generator = random.Random(seed)


def person(number):
    words = [f"word{generator.randrange(5000)}" for _ in range(12)]
    return {"id": number, "name": " ".join(words[:2]), "tags": words, "scores": [generator.random() for _ in range(20)], "alive": True}


people = [person(number) for number in range(200 if size else 0)]
for number in range(size):
    text = json.dumps({"number": number, "people": people}, indent=1 if number % 8 == 0 else None)
    back = json.loads(text)
    assert back["number"] == number
