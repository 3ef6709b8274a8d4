"""Code that a tracer does not expect: functions named like the library's own, generated code, jumps
out of a thousand frames and out of malloc, allocations in signal handlers, unknown blocks and
allocators. Each count is exact, or what is missing is reported."""

import ctypes
import re
import subprocess

import pytest

import vbt
from conservation import check_laws

SOURCE = vbt.program("traps_code.c")


def traced(which, *arguments, **options):
    return vbt.trace([vbt.compiled(SOURCE.name, "-O1", "-fno-builtin", "-rdynamic"), which, *arguments], **options)


def counts(report, comment):
    return report.blocks_at(SOURCE, comment)[:2]


def library(source, *flags):
    return vbt.compiled(source, "-shared", "-fPIC", "-O1", "-fno-builtin", *flags)


@pytest.mark.parametrize(
    "which, comment, allocs, frees",
    [
        ("own-symbols", "N among symbols of the program's own", 1000, 0),
        ("long-jump", "N on the way down", 10_000, 10_000),
        ("other-threads", "N in a thread of C11", 1000, 1000),
        ("other-threads", "1 in a timer's thread", 1, 1),
        ("resizing", "80 * N in four threads", 80_000, 80_000),
    ],
)
def test_counts(which, comment, allocs, frees):
    report = traced(which).report
    assert counts(report, comment) == (allocs, frees)
    check_laws(report)


def test_generated_code():
    """It has no name, but its allocations count."""
    report = traced("generated-code").report
    assert (report.totals["allocs"], report.totals["frees"], report.totals["allocated_bytes"]) == (1000, 1000, 24_000)
    check_laws(report)


def test_program_at_a_fixed_address():
    """Its malloc is interposed, though its pointer to malloc is not."""
    report = vbt.trace([vbt.compiled(SOURCE.name, "-O1", "-fno-builtin", "-no-pie", "-fno-pie"), "generated-code"]).report
    assert report.totals["allocs"] == 1000 and not any("of its own" in note for note in report.json["notes"])


@pytest.mark.parametrize("level", ["-O1", "-O2"])
def test_allocator_that_calls_itself_by_name(level):
    """At -O2 its calloc tail-calls malloc, so the call seems to come from the calloc hook."""
    odd = vbt.compiled("odd_allocator.c", "-shared", "-fPIC", level, "-fno-builtin")
    report = traced("callocs", preload=[odd]).report
    assert counts(report, "N by calloc") == (1000, 0) and report.totals["allocs"] == 1000
    check_laws(report)


def test_jump_out_of_malloc():
    """A call that never returned is not counted; everything after it is."""
    report = traced("jump-out-of-malloc", preload=[library("odd_allocator.c")]).report
    assert counts(report, "N after a jump out of malloc") == (1000, 0) and counts(report, "never") == (0, 0)
    check_laws(report)


def test_signal_handlers_that_allocate():
    """At any moment: each allocation is recorded, or counted as lost."""
    run = traced("handlers", preload=[library("odd_allocator.c")])
    report = run.report
    recorded, freed = counts(report, "in the handler")
    lost = report.totals["lost"]["signal"]
    assert freed == 0 and recorded > 0 and recorded + lost == int(run.stdout)
    assert counts(report, "300 * N outside the handler") == (300_000, 300_000)
    assert report.json["conservation"]["holds"]


def test_blocks_of_strangers():
    """Allocated without a hook: counted separately when they are freed."""
    report = traced("strangers").report
    assert report.totals["unknown_frees"]["heap"] == 1000
    assert (report.totals["allocs"], report.totals["frees"]) == (0, 0)
    check_laws(report)


def test_deep_binding():
    report = traced("deep-binding", library("plugin.c", "-DBLOCKS=100", "-DNAME=first")).report
    assert any("RTLD_DEEPBIND" in note for note in report.json["notes"])
    check_laws(report)


def test_library_that_finds_another_by_its_own_path(tmp_path):
    """dlopen uses the search path of the calling library, not that of libvbtrace."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner.c").write_text("int answer(void); int answer(void) { return 42; }\n")
    outer = "#include <dlfcn.h>\nvoid *load(void);\nvoid *load(void) { void *found = dlopen(\"libinner.so\", RTLD_NOW); return found; }\n"
    (tmp_path / "outer.c").write_text(outer)
    build = ["cc", "-shared", "-fPIC", "-O1"]
    subprocess.run([*build, "-o", tmp_path / "inner" / "libinner.so", tmp_path / "inner.c"], check=True)
    paths = ["-Wl,-rpath,$ORIGIN/inner", "-Wl,--enable-new-dtags"]
    subprocess.run([*build, *paths, "-o", tmp_path / "libouter.so", tmp_path / "outer.c"], check=True)
    code = f"import ctypes; l = ctypes.CDLL({str(tmp_path / 'libouter.so')!r}); l.load.restype = ctypes.c_void_p; print(l.load() is not None)"
    assert vbt.trace(["/usr/bin/python3", "-c", code]).stdout == "True\n"


def test_allocator_of_the_program():
    run = vbt.trace([vbt.compiled("own_malloc.c", "-O1", "-fno-builtin")])
    assert run.stdout == "works\n"
    assert any("its own malloc" in note for note in run.report.json["notes"])
    assert run.report.totals["allocs"] == 0


@pytest.mark.parametrize("allocator", [None, *vbt.ALLOCATORS])
def test_allocator_with_operators_of_its_own(allocator):
    """C++'s new calls the C library's malloc; other allocators have one that is not interposed."""
    if allocator is not None:
        vbt.needs_library(allocator)
    program, preload = vbt.compiled("new_delete.cpp", "-O0"), [allocator] if allocator is not None else []
    status = vbt.run([program], preload=preload).returncode  # mimalloc's ends the process when memory is out
    report = vbt.trace([program], preload=preload, status=status).report
    seen = {row["label"]: row["allocs"]["total"] for row in report.json["intervals"]}["new"]
    reported = any("operators new and delete" in note for note in report.json["notes"])
    assert (seen, reported) == ((1000, False) if allocator is None else (0, True))
    check_laws(report)


def test_loader_and_unwinder_at_work():
    """Libraries come and go in two threads, while two others walk their stacks and allocate: no
    deadlock."""
    report = traced("loader", library("plugin.c", "-DBLOCKS=100", "-DNAME=first")).report
    assert sum(row["allocs"] for row in report.json["lines"] if row["function"] == "first") == 2 * 100 * 100
    check_laws(report)


def test_what_the_library_exports():
    """Only interposed functions and the public interface: no symbol that could replace one of a
    program's."""
    listing = subprocess.run(["nm", "-D", "--defined-only", vbt.LIBRARY], capture_output=True, text=True, check=True).stdout
    exported = {line.split()[-1] for line in listing.splitlines()}
    assert {"malloc", "free", "vbtrace_section_begin"} <= exported
    later = {"cfree", "free_sized", "free_aligned_sized", "pthread_atfork"}  # removed from the C library, future, or in its static part
    libc = ctypes.CDLL("libc.so.6")
    assert not [name for name in exported - later if not name.startswith("vbtrace_") and not hasattr(libc, name)]


def test_what_the_library_needs():
    """Only the C library, none of its functions that allocate or print, and thread-local memory
    that needs no call. (pthread_getattr_np does allocate; line mode calls it between two lines of a
    program, no hook does.)"""
    listing = subprocess.run(["nm", "-D", "--undefined-only", vbt.LIBRARY], capture_output=True, text=True, check=True).stdout
    needed = {re.sub(r"@.*", "", line.split()[-1]) for line in listing.splitlines()}
    assert not needed & {"__tls_get_addr", "getenv", "printf", "fopen", "pthread_mutex_lock", "strdup"}
    assert not [name for name in needed if name.startswith(("ZSTD", "XXH", "_Unwind", "unw_"))]
    headers = subprocess.run(["readelf", "-dlW", vbt.LIBRARY], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"NEEDED.*\[(.*)\]", headers)) <= {"libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
    (tls,) = re.findall(r"^  TLS\s+\S+\s+\S+\s+\S+\s+\S+\s+(\S+)", headers, re.MULTILINE)
    assert int(tls, 16) <= 64
