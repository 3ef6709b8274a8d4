#!/usr/bin/python3
"""Records .eh_frame sections of both processors with readelf's interpretation, for
test_preload_native_cfi.c.

usage: tests/unit/native/native_cfi_cases.py > tests/unit/native/native_cfi_cases.inc
Needs gcc and aarch64-linux-gnu-gcc.
"""
import re
import subprocess
import tempfile
from pathlib import Path

SOURCE = r"""
typedef void (*callback)(void *);
extern void outside(void *);
int leaf(int a) { return a + 1; }
int plain(int a) { outside(&a); return a; }
int array(int a) { char b[300]; outside(b); return a + b[3]; }
int large(int a) { char b[70000]; outside(b); return a + b[3]; }
int dynamic(int n) { char *b = __builtin_alloca(n); outside(b); return b[0]; }
int realigned(void) { char b[64] __attribute__((aligned(64))); outside(b); return b[0]; }
int realigned_dynamic(int n) { char b[64] __attribute__((aligned(128))); char *c = __builtin_alloca(n); outside(b); outside(c); return b[0]; }
long many(long a, long b, long c, long d, long e, long f, callback g) { g(&a); return a * b * c * d * e * f; }
int early(int a) { if (a < 3) return 5; outside(&a); if (a > 7) outside(&a); return a; }
void *frame(void) { outside(__builtin_frame_address(0)); return __builtin_return_address(0); }
int arguments(int a) { extern int take(int, int, int, int, int, int, int, int, int, int, int); return take(a, 2, 3, 4, 5, 6, 7, 8, 9, 10, a) + a; }
"""
UNDEFINED = r"""
    .text
    .globl start
start:
    .cfi_startproc
    .cfi_undefined %d
    nop
    nop
    .cfi_endproc
    .globl restorer
restorer:
    .cfi_startproc
    .cfi_signal_frame
    nop
    nop
    .cfi_endproc
"""
BUILDS = [
    ("x86_64", "gcc", ["-O0"]),
    ("x86_64", "gcc", ["-O2"]),
    ("x86_64", "gcc", ["-O3", "-fno-omit-frame-pointer"]),
    ("aarch64", "aarch64-linux-gnu-gcc", ["-O0"]),
    ("aarch64", "aarch64-linux-gnu-gcc", ["-O2", "-mbranch-protection=standard"]),
    ("aarch64", "aarch64-linux-gnu-gcc", ["-O3", "-fomit-frame-pointer"]),
]
MACHINES = {
    "x86_64": {"sp": "rsp", "fp": "rbp", "undefined": 16},
    "aarch64": {"sp": "sp", "fp": "x29", "undefined": 30},
}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def sections(library):
    """{name: (address, bytes)} of the two sections."""
    found = {}
    for line in run("readelf", "-SW", library).splitlines():
        match = re.match(r"\s*\[\s*\d+\] (\.eh_frame\S*)\s+\S+\s+(\S+) (\S+) (\S+)", line)
        if match:
            address, offset, size = (int(field, 16) for field in match.groups()[1:])
            found[match[1]] = (address, Path(library).read_bytes()[offset:offset + size])
    return found


def saved(column):
    """Offset from the CFA of a saved register; 0: still in the register, or lost; 1: where the
    frame pointer points."""
    if column == "exp":
        return 1
    return int(column[1:]) if column.startswith("c") else 0


def rule(machine, cfa, columns):
    """The rule (kind, cfa, fp, ra) in terms of native_cfi.h, from one row of readelf's table."""
    fp = saved(columns.get(MACHINES[machine]["fp"], "u"))
    ra = columns.get("ra", "u")
    if ra == "end" or machine == "x86_64" and ra == "u":
        return "END", 0, 0, 0
    words = (saved(ra) - min(fp, 0)) // 8 if machine == "aarch64" and ra.startswith("c") else -1
    if cfa == "exp":
        # GCC's stack realignment: the only expression in the sample. The linker's own are tested
        # separately.
        return ("FP_LOAD", -8, fp, words) if fp == 1 else None
    register, offset = re.fullmatch(r"(\w+)([+-]\d+)", cfa).groups()
    kind = {MACHINES[machine]["sp"]: "SP", MACHINES[machine]["fp"]: "FP"}.get(register)
    if kind is None or fp < -(1 << 15) or words < -128:
        return "ASK", 0, 0, 0
    below_sp = machine == "x86_64" and kind == "SP" and int(offset) + fp < 0
    return "LEAF" if below_sp or not ra.startswith("c") else kind, int(offset), fp, words


def rows(machine, library):
    """[first address, end, rule] for each row of each function."""
    result, common, is_signal, names, function = [], {}, {}, [], None
    for line in run("readelf", "--debug-dump=frames-interp", library).splitlines():
        fields = line.split()
        if len(fields) > 4 and fields[3] == "CIE":
            record, function = int(fields[0], 16), None
            is_signal[record] = "S" in fields[4]
        elif len(fields) > 5 and fields[3] == "FDE":
            cie, start, end = (int(number, 16) for number in re.search(r"cie=(\w+) pc=(\w+)\.\.(\w+)", line).groups())
            function = cie
            # If no table follows, this holds for the whole function.
            result.append([start, end, ("SIGNAL", 0, 0, 0) if is_signal[cie] else common[cie]])
        elif fields[:2] == ["LOC", "CFA"]:
            names = fields[2:]
        elif fields and re.fullmatch(r"[0-9a-f]{16}", fields[0]):
            columns = dict(zip(names, fields[2:]))
            at = int(fields[0], 16)
            if function is None:
                # In a common record "u" means "undefined"; further down it may mean "not saved
                # yet".
                common[record] = rule(machine, fields[1], {**columns, "ra": "end"} if columns.get("ra") == "u" else columns)
            elif at == result[-1][0]:
                result[-1][2] = rule(machine, fields[1], columns)
            else:
                result.append([at, result[-1][1], rule(machine, fields[1], columns)])
                result[-2][1] = at
    return [row for row in result if row[2] is not None]


def hexadecimal(data):
    lines = [data[at:at + 24] for at in range(0, len(data), 24)]
    return "\n".join("    " + " ".join(f"0x{byte:02x}," for byte in line) for line in lines)


def main():
    cases = []
    print("/* Written by native_cfi_cases.py. */\n/* clang-format off */")
    with tempfile.TemporaryDirectory() as folder:
        source, assembly, library = (f"{folder}/{name}" for name in ("a.c", "b.s", "lib.so"))
        Path(source).write_text(SOURCE)
        for number, (machine, compiler, options) in enumerate(BUILDS):
            Path(assembly).write_text(UNDEFINED % MACHINES[machine]["undefined"])
            run(compiler, "-shared", "-fPIC", "-nostdlib", "-fasynchronous-unwind-tables", "-fno-stack-protector", *options, source,
                assembly, "-o", library)
            found = sections(library)
            first, header = found[".eh_frame_hdr"]
            second, frames = found[".eh_frame"]
            data = header + bytes(second - first - len(header)) + frames
            print(f"static const uint8_t section_{number}[] = {{ /* {machine}: {' '.join(options)} */\n{hexadecimal(data)}\n}};")
            print(f"static const struct expected expected_{number}[] = {{")
            for start, end, (kind, cfa, fp, ra) in rows(machine, library):
                print(f"    {{{start - first:#x}, {end - first:#x}, {{{cfa}, {fp}, {ra}, VBT_RULE_{kind}}}}},")
            print("};")
            cases.append(f"    {{&vbt_cfi_{machine}, section_{number}, sizeof section_{number}, "
                         f"expected_{number}, sizeof expected_{number} / sizeof expected_{number}[0]}},")
    print("static const struct recorded recorded[] = {", *cases, "};", sep="\n")


main()
