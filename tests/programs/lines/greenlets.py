"""Functions whose lines are counted while stacks are switched."""

import greenlet


def other(n):
    for _ in range(n):
        main.switch()


def helper(switched):
    block = bytes(5000)
    switched.switch()
    return block


def chosen(n):
    switched = greenlet.greenlet(other)  #= hits 1
    switched.switch(2)  #= hits 1
    y = 2  #= hits 1; allocs 0
    helper(switched)  #= hits 1
    for _ in range(n):  #= hits n + 1
        y += 1  #= hits n; allocs 0
    return bytes(1000 + y)  #= hits 1; allocs 2


def worker(n):
    total = 0  #= hits n
    for i in range(n):  #= hits n * (n + 1)
        total += i  #= hits n * n
        main.switch(i)  #= hits n * n
    return total  #= hits n


def chosen_of_many(n):
    many = [greenlet.greenlet(worker) for _ in range(n)]
    for one in many:  #= hits n + 1
        one.switch(n)  #= hits n
    for _ in range(n):  #= hits n + 1
        for one in many:  #= hits n * (n + 1)
            one.switch()  #= hits n * n
    return all(one.dead for one in many)


def killed():
    try:  #= hits 1
        main.switch()  #= hits 1
        never = 1  #= hits 0
    finally:
        done = 2  #= hits 1
    return never, done  #= hits 0


def chosen_alone(n):
    total = 0  #= hits 1
    for i in range(n):  #= hits n + 1
        total += i  #= hits n
    return total  #= hits 1


main = greenlet.getcurrent()
print(len(chosen(10)), chosen_of_many(10))
late = greenlet.greenlet(killed)
late.switch()
del late
chosen_alone(10)
