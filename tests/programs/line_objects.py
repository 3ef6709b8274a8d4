"""A list of floats summed in a loop: each step makes one float, which no allocator sees."""


def add_up(floats):
    total = 0.5
    for x in floats:
        total += x
    return total


def with_lists(n):
    for _ in range(n):
        a = [None]
        del a


N = 10_000

if __name__ == "__main__":
    add_up([float(i) for i in range(N)])
    with_lists(N)
