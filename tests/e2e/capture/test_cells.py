"""What the library keeps for each live block takes the memory that the documents state, and goes
back to the kernel with the heap."""

import pytest

import vbt

HEAP = 32 << 20
SLACK = 1 << 10  # KiB: all else that grows meanwhile


# Of glibc's malloc: what a block takes with its head, and how many bytes of address one cell has.
@pytest.mark.parametrize(("size", "room", "grain"), [(8, 32, 32), (24, 32, 32), (48, 64, 32), (100, 112, 64), (400, 416, 64), (1000, 1008, 512), (5000, 5008, 4096)])
def test_cells_of_live_blocks(size, room, grain):
    count = HEAP // room
    run = vbt.trace([vbt.compiled("live_cells.c", "-O1", "-g", "-fno-builtin"), size, count])
    before, after = map(int, run.stdout.split())
    expected = HEAP / grain * 8 / 1024
    assert expected * 0.98 <= after - before <= expected + SLACK
    assert run.report.blocks_at(vbt.program("live_cells.c"), "as many as asked for")[:2] == (count, count)
    assert run.report.totals["unknown_frees"]["heap"] == 0 and run.report.json["conservation"]["holds"]


def test_cells_of_unmapped_arenas(interpreter):
    if interpreter.free_threaded:
        pytest.skip("mimalloc keeps its arenas")
    run = vbt.traced_python("arenas.py", interpreter)
    before, full, after = map(int, run.stdout.split())
    assert full - before > 10 << 10  # 1,500,000 blocks of 32 bytes, 8 bytes each
    assert after - before < (full - before) / 4
    assert run.report.json["conservation"]["holds"]
