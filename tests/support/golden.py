"""The reports that are kept as files in tests/golden, and how they are made of the traces there.

The traces hold names and source lines, so that the reports need no program.
"""

import vbt

REPORTS = vbt.ROOT / "tests" / "golden" / "reports"
TRACES = vbt.ROOT / "tests" / "golden" / "traces"
WIDTHS = (80, 120)

# By name: the program in tests/programs/golden, and options of `vbtrace run`.
SAMPLES = {
    "script": ("customers.py", []),  # Python
    "numpy": ("matrices.py", []),  # and with NumPy
    "counted": ("customers.py", ["--lines"]),  # every line counted
    "notebook": ("notebook.py", []),  # code without a file
    "killed": ("grows.py", []),  # by SIGKILL, with everything live
    "cpp": ("catalogue.cpp", []),
    "rust": ("letters.rs", []),
    "threads": ("exchange.c", []),
    "large": ("large_figures.c", []),  # figures of many digits
    "workers": ("pool_sums.c", []),  # five processes: a folder of traces
    "server": ("redis-server", []),  # without debug information, ended by SIGTERM
}

# Of these, what other views say.
VIEWED = {
    "cpp": ["lines", "functions", "tree", "peak", "leaks", "temporary", "timeline", "info"],
    "threads": ["functions --by thread", "tree --by thread", "peak --by thread"],
    "workers": ["list", "peak --by process"],
}


def cases():
    """(name, view, width) of each report."""
    reports = [(name, "report") for name in SAMPLES]
    views = [(name, view) for name, all_of in VIEWED.items() for view in all_of]
    return [(name, view, width) for name, view in reports + views for width in WIDTHS]


def trace_of(name):
    """A file, or the folder of several."""
    return TRACES / ("workers" if name == "workers" else f"{name}.vbt")


def path_of(name, view, width):
    return REPORTS / f"{name}.{view.replace(' --', '.').replace(' ', '-')}.{width}.txt"


def made(name, view, width):
    """The report as it is made now."""
    words = [*view.split(), trace_of(name).name]
    return vbt.vbtrace(*words, directory=TRACES, env={"COLUMNS": str(width)}, check=True).stdout
