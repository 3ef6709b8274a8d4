"""Native call stacks that are hard to walk: each equals libunwind's, and the expected functions."""

import json

import pytest

import vbt

TIMES = 100
SIZE = 4711  # of the traps' requests
RECURSION = ("recursion", *["recurses"] * 2048)
ODD = ("realigned", "with_alloca")
COROUTINE = ("coroutine", *["in_coroutine"] * 4)

# The program's own functions from the outermost to the one that called take(), and how often.
STACKS = {
    "turns": {("_start", "main", "turns", "twice"): 2 * TIMES, ("_start", "main", "turns", "thrice"): 3 * TIMES},
    "exceptions": {
        **{("_start", "main", "exceptions", "rethrows", *["throws"] * depth): TIMES for depth in range(1, 5)},
        # Destroyed on the way out: the frames inside are gone.
        **{("_start", "main", "exceptions", "rethrows", *["throws"] * depth, "Guard::~Guard", "in_destructor"): TIMES for depth in range(1, 5)},
        ("_start", "main", "exceptions", "rethrows"): TIMES,
        ("_start", "main", "exceptions"): TIMES,
    },
    "long_jumps": {
        **{("_start", "main", "long_jumps", *["jumps"] * (depth + 1)): len(range(depth, TIMES, 7)) for depth in range(7)},
        ("_start", "main", "long_jumps"): TIMES,
    },
    "odd_frames": {("_start", "main", "odd_frames", *ODD): TIMES},
    "callbacks": {("_start", "main", "callbacks", "compares"): 5 * TIMES},
    "coroutines": {COROUTINE: 2 * TIMES, ("_start", "main", "coroutines"): 2 * TIMES},
    "signals": {("_start", "main", "signals", *["raises"] * 3, "handles"): 2 * TIMES},
    "threads": {
        ("in_thread", *ODD): 4 * TIMES,
        **{("in_thread", *["in_coroutine"] * (depth + 1)): 4 * TIMES // 5 for depth in range(5)},
    },
    "libraries": {("_start", "main", "libraries", "visit", name): TIMES // 2 for name in ("first", "second")},
    "recursion": {("_start", "main", *RECURSION): TIMES},
    "generated_code": {
        ("[truncated: generated code]", "called_by_generated_code"): TIMES,
        ("_start", "main", "generated_code"): 1,
    },
}


def stacks_of(path, modules):
    """{functions of the modules, from the outermost to the caller of take(): allocations} that
    requested SIZE bytes."""
    done = vbt.vbtrace("tree", "--frames", "function", "--format", "json", path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    paths, found = {0: ()}, {}
    for row in json.loads(done.stdout)["calls"]:  # parents come first
        own = (row["module"] or "").rsplit("/", 1)[-1] in modules or row["kind"] == "special"
        paths[row["id"]] = paths[row["parent"]] + ((row["function"].split("(")[0],) if own else ())
        if row["allocs"] and paths[row["id"]][-1:] == ("take",):
            assert row["allocated_bytes"] == SIZE * row["allocs"]
            stack = paths[row["id"]][:-1]
            found[stack] = found.get(stack, 0) + row["allocs"]
    return found


@pytest.mark.parametrize("level", ["-O0", "-O2"])
@pytest.mark.parametrize("trap", STACKS)
def test_trap(trap, level):
    program = vbt.compiled("native_traps.cpp", level)
    libraries = []
    if trap == "libraries":
        libraries = [vbt.compiled("visitor.c", "-shared", "-fPIC", level, f"-DNAME={name}") for name in ("first", "second")]
    report = vbt.trace([*vbt.EMULATOR, program, trap, *libraries], env={"VBTRACE_NATIVE": "full", "VBTRACE_VERIFY": "1"}, silent=False).report
    verify = report.json["verify"]
    if verify is None:
        pytest.skip("libunwind is not installed: nothing to compare with")
    assert verify["different"] == 0 and verify["compared"] >= sum(STACKS[trap].values())
    assert stacks_of(report.path, {path.name for path in (program, *libraries)}) == STACKS[trap]
    assert report.json["stacks"]["truncated"] == (TIMES if trap == "generated_code" else 0)


# Linked so that nothing is mapped between their segments: the C library gives the range of one
# segment, or one that is partly unmapped.
GAPS = {
    "2 MiB pages": ["-Wl,-z,max-page-size=0x200000"],
    "2 MiB pages, fixed address": ["-no-pie", "-Wl,-z,max-page-size=0x200000"],
    "64 KiB pages": ["-Wl,-z,max-page-size=0x10000"],
    "code first": ["-Wl,-z,max-page-size=0x200000,-z,noseparate-code"],
}


@pytest.mark.parametrize("gaps", GAPS)
@pytest.mark.parametrize("trap", ["turns", "exceptions", "libraries"])
def test_a_program_with_gaps_between_its_segments(trap, gaps):
    program = vbt.compiled("native_traps.cpp", "-O2", *GAPS[gaps])
    libraries = []
    if trap == "libraries":
        libraries = [vbt.compiled("visitor.c", "-shared", "-fPIC", "-O2", *GAPS["2 MiB pages"], f"-DNAME={name}") for name in ("first", "second")]
    report = vbt.trace([*vbt.EMULATOR, program, trap, *libraries], env={"VBTRACE_NATIVE": "full", "VBTRACE_VERIFY": "1"}, silent=False).report
    assert stacks_of(report.path, {path.name for path in (program, *libraries)}) == STACKS[trap]
    assert report.json["stacks"]["truncated"] == 0 and (report.json["verify"] or {"different": 0})["different"] == 0
    ((start, end, *_, build_id),) = [module for module in report.trace.modules if module[3] == str(program) and any(module[4:5])]
    segments = [line.split() for line in vbt.run(["readelf", "-lW", program], check=True).stdout.splitlines() if line.split()[:1] == ["LOAD"]]
    first, last = int(segments[0][2], 16), int(segments[-1][2], 16) + int(segments[-1][5], 16)
    assert len(build_id) == 20 and end - start == last - first // 4096 * 4096


@pytest.mark.parametrize("by", ["user", "leaf"])
def test_lines_of_stacks_that_are_cut_off(by):
    """Without unwind information only the innermost frame is known: its line is charged."""
    program = vbt.compiled("names.c", "-O0", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables")
    report = vbt.trace([*vbt.EMULATOR, program]).report
    done = vbt.vbtrace("lines", "--by", by, "--format", "json", report.path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    found = {row["line"]: row["allocs"] for row in json.loads(done.stdout)["lines"] if row["file"].endswith("/names.c")}
    lines = {number for number, text in enumerate(vbt.program("names.c").read_text().splitlines(), 1) if "kept = malloc(" in text}
    assert set(found) == lines and report.json["stacks"]["truncated"] >= len(lines)


def test_a_stack_that_only_libunwind_can_walk_differs():
    """Without .eh_frame_hdr a stack ends at the program; libunwind reads .eh_frame itself."""
    program = vbt.compiled("native_traps.cpp", "-O2", "-Wl,--no-eh-frame-hdr")
    report = vbt.trace([*vbt.EMULATOR, program, "turns"], env={"VBTRACE_NATIVE": "full", "VBTRACE_VERIFY": "1"}, silent=False).report
    if report.json["verify"] is None:
        pytest.skip("libunwind is not installed: nothing to compare with")
    assert report.json["stacks"]["truncated"] >= 5 * TIMES
    assert report.json["verify"]["different"] == report.json["stacks"]["truncated"]


WORDS = """
my (%words, @lines); my $n = 1;
sub deep { my $level = shift; return $level == 0 ? join(",", map { "x$_" } 1 .. 3) : deep($level - 1) . "y" }
for my $turn (1 .. 3000) {
    $n = ($n * 1103515245 + 12345) % 2147483648;
    push @{$words{$n % 97}}, "word $n";
    push @lines, deep($n % 7) if $turn % 3 == 0;
    @lines = sort { length($a) <=> length($b) or $a cmp $b } @lines if $turn % 500 == 0;
}
"""


def callers(native, verify):
    """{caller: (allocations, bytes)} of the same run, by whole stacks or by callers alone."""
    options = {"VBTRACE_NATIVE": native, "VBTRACE_VERIFY": verify}  # an environment of the same size: perl copies it
    report = vbt.trace(["/usr/bin/perl", "-e", WORDS], env={**options, "PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"}, silent=False).report
    done = vbt.vbtrace("tree", "--format", "json", report.path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    found = {}
    for row in json.loads(done.stdout)["calls"]:
        if row["allocs"]:
            caller = row["module"], row["function"], row["line"]
            allocs, allocated = found.get(caller, (0, 0))
            found[caller] = allocs + row["allocs"], allocated + row["allocated_bytes"]
    return found


@pytest.mark.parametrize("native, every", [("leaf", "1"), ("full", "1"), ("full", "1000000")])
def test_what_is_not_compared_is_said(native, every):
    """Only whole native stacks can be, and of few perhaps none is."""
    report = vbt.trace([vbt.compiled("peaks.c")], env={"VBTRACE_NATIVE": native, "VBTRACE_VERIFY": every}).report
    said = [note for note in report.json["notes"] if note.startswith("VBTRACE_VERIFY: no native call stack was compared")]
    whole = "only whole ones are, which VBTRACE_NATIVE=full keeps."
    few = f"one in 1,000,000 of each thread's is, and there were {report.json['stacks']['captured']:,}."
    why = {("leaf", "1"): [whole], ("full", "1"): [], ("full", "1000000"): [few]}[native, every]
    assert [note.partition("; ")[2] for note in said] == why and (report.json["verify"] is None) == bool(why)


def test_children_of_processes_with_threads_are_not_compared():
    """libunwind has locks that a thread may have held."""
    for threads, said in ((0, []), (1, ["not in the child of a process with threads."])):
        run = vbt.trace([vbt.compiled("threaded_fork.c"), str(threads)], env={"VBTRACE_VERIFY": "5"})
        (child,) = [report for report in run.reports if report.totals["inherited_blocks"]]
        notes = [note.partition(" called: ")[2] for note in child.json["notes"] if note.startswith("VBTRACE_VERIFY")]
        assert notes == said, (threads, child.json["notes"])
        verify = child.json["verify"]
        assert verify is None if said else verify["different"] == 0 and verify["compared"] >= child.json["stacks"]["captured"] // 5


@pytest.mark.skipif(bool(vbt.EMULATOR), reason="perl is this machine's, and the library another's")
@pytest.mark.parametrize("verify", ["0", "3"])
def test_whole_stacks_charge_the_callers_that_leaves_do(verify):
    """However stacks are cached and found again: folded to callers, the counts are the same."""
    whole, leaves = callers("full", verify), callers("leaf", verify)
    assert whole == leaves and len(whole) > 10 and sum(allocs for allocs, _ in whole.values()) > 10_000
