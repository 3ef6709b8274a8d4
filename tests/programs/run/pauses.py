"""Recording is stopped while code objects are created, run and freed. Marks as in the other
programs."""

import vbtrace


def make(n):
    return eval(f"lambda: [object() for i in range({n})]")


kept = make(100)
vbtrace.stop()
unseen = make(300)()  #= none
made = [make(n) for n in range(50)]  #= none
del kept
vbtrace.start()
for each in made:
    each()
more = [None] * 200
for i in range(200):
    more[i] = object()  #= allocs 200; frees 200; bytes 3200 -- freed at the end
del made, each
for n in range(50):
    make(n)()
