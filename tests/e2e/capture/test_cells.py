"""What the library keeps for each live block takes the memory that the documents state, and goes
back to the kernel with the heap."""

import errno
import mmap

import pytest

import vbt

HEAP = 32 << 20
SLACK = 1 << 10  # KiB: all else that grows meanwhile


# Of glibc's malloc: what a block takes with its head, and how many bytes of address one cell has.
@pytest.mark.parametrize(("size", "room", "grain"), [(8, 32, 32), (24, 32, 32), (48, 64, 32), (100, 112, 64), (400, 416, 64), (1000, 1008, 512), (5000, 5008, 4096)])
def test_cells_of_live_blocks(size, room, grain):
    count = HEAP // room
    run = vbt.trace([vbt.compiled("live_cells.c", "-O1", "-g", "-fno-builtin"), size, count])
    before, after, _ = map(int, run.stdout.split())
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


@pytest.mark.parametrize("advice", [mmap.MADV_DONTNEED, mmap.MADV_FREE])
def test_cells_of_addresses_that_are_given_up(advice):
    """By an allocator that keeps the addresses. Advice that gives up nothing, or that the kernel
    refuses, changes nothing; errno is the kernel's."""
    unknown = 12345
    run = vbt.trace([vbt.compiled("given_up.c", "-O1", "-g", "-fno-builtin"), mmap.MADV_NORMAL, mmap.MADV_WILLNEED, mmap.MADV_REMOVE, unknown, advice])
    (before, full, freed), *lines = [[int(number) for number in line.split()] for line in run.stdout.splitlines()]
    cells = 200_000 * 208 / 64 * 8 / 1024  # KiB
    assert cells * 0.98 <= full - before <= cells + SLACK
    assert [line[1:] for line in lines] == [[0, 77], [0, 77], [-1, errno.EINVAL], [-1, errno.EINVAL], [0, 77]]
    assert all(kib >= full - SLACK for kib in [freed, *(line[0] for line in lines[:-1])])
    assert lines[-1][0] - before <= SLACK
    assert run.report.blocks_at(vbt.program("given_up.c"), "COUNT, twice")[:2] == (400_000, 400_000)
    assert run.report.totals["unknown_frees"]["heap"] == 0 and run.report.json["conservation"]["holds"]


def test_cells_of_what_an_allocator_gives_up():
    """jemalloc keeps its addresses, and gives up what is in them."""
    vbt.needs_library("libjemalloc.so.2")
    program = vbt.compiled("live_cells.c", "-O1", "-g", "-fno-builtin")
    run = vbt.trace([program, 100, 300_000], preload=["libjemalloc.so.2"], env={"MALLOC_CONF": "dirty_decay_ms:-1,muzzy_decay_ms:-1"})
    before, after, freed = map(int, run.stdout.split())
    assert after - before > 3 << 10
    assert freed - before < (after - before) / 4
    assert run.report.totals["unknown_frees"]["heap"] == 0 and run.report.json["conservation"]["holds"]
