"""Describes the machine and the programs of a run."""

import dataclasses
import datetime
import json
import os
import platform
import subprocess

from .measure import Failed, last_line

PROBE = """
import json, platform
import importlib.util
def version(name):
    if importlib.util.find_spec(name) is None:
        return None
    return getattr(__import__(name), "__version__", "unknown")
modules = ("memory_profiler", "line_profiler", "memray", "scalene", "filprofiler")
found = {name: version(name) for name in modules}
print(json.dumps([platform.python_implementation() + " " + platform.python_version(), version("numpy"), found]))
"""


@dataclasses.dataclass(frozen=True)
class Python:
    """An interpreter; numpy is the version of its NumPy, or None; modules are the installed
    profilers."""

    path: str
    version: str
    numpy: str = None
    modules: dict = dataclasses.field(default_factory=dict, hash=False)


def probe(path, environment):
    """Ask the interpreter at path about itself."""
    try:
        done = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, env=environment)
        return Python(path, *json.loads(done.stdout))
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}; expected a Python interpreter") from None
    except ValueError:
        raise Failed(f"{path}: expected a Python interpreter; it said: {last_line(done.stderr)}") from None


def version_of(command):
    """The first line of a program's version, or None if there is no such program or it prints
    none."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    if done.returncode != 0:
        return None
    return (done.stdout or done.stderr).strip().partition("\n")[0] or None


def cpu_model():
    try:
        with open("/proc/cpuinfo") as cpuinfo:
            fields = (line.partition(":") for line in cpuinfo)
            return next((value.strip() for name, _, value in fields if name.strip() == "model name"), platform.machine())
    except OSError:
        return platform.machine()


def manifest(pythons, options):
    """The description, ready for JSON; options are those of the run."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cpu": cpu_model(),
        "cpus": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "load_average": os.getloadavg(),
        "kernel": platform.platform(),
        "libc": " ".join(platform.libc_ver()),
        "cc": version_of(["cc", "--version"]),
        **{name: version_of([name, "--version"]) for name in ("heaptrack", "valgrind", "google-pprof", "jeprof")},
        "pythons": [dataclasses.asdict(python) for python in pythons],
        **options,
    }


def busy(made):
    """A sentence saying that other load disturbed the times, if the manifest says so, or None."""
    load, cpus = made["load_average"][0], made["cpus"]
    if load <= cpus:
        return None
    return f"The machine was busy, with a load average of {load:.1f} on {cpus} CPUs: times are disturbed, counts are not."
