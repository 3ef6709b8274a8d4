"""The applications of bench/run real: programs of bench/real and what they need from Debian.

Each prints a few lines that depend on all that it did, and nothing that differs between two runs:
the output of a traced run must be that of an untraced one.
"""

import dataclasses
import functools
import json
import subprocess

from .measure import WORKLOADS
from .workloads import Workload

FOLDER = WORKLOADS.parent / "real"
ASK = "import importlib.util, json, sys; print(json.dumps([name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]))"


@dataclasses.dataclass(frozen=True)
class Application(Workload):
    """A program of bench/real; the whole process is measured, imports and all."""

    arguments: tuple = ()
    quick: tuple = ()  # the arguments for trying it out
    needs: tuple = ()  # pairs of a module and its package in Debian
    loads: bool = False  # it is a server: runs as `serve`, with `load` beside it
    sized: bool = False

    def command(self, python, size, seed, directory):
        return [python, str(FOLDER / self.program), *(["serve"] if self.loads else []), *self.words(size)]

    def beside(self, size, seed, directory):
        return ["/usr/bin/python3", "-B", str(FOLDER / self.program), "load", *self.words(size)] if self.loads else None

    def words(self, size):
        """Its arguments; size is 1 for whole ones, 0 for trying it out."""
        return self.arguments if size else self.quick

    def absent(self, python):
        """Why it cannot run on this interpreter, or None."""
        missing = absent_modules(python)
        packages = [package for module, package in self.needs if module in missing]
        return f"not installed: {', '.join(packages)}" if packages else None


@functools.cache
def absent_modules(python):
    """The modules that some application needs and this interpreter lacks."""
    names = sorted({module for one in ALL for module, _ in one.needs})
    return json.loads(subprocess.run([python, "-c", ASK, *names], capture_output=True, text=True, check=True).stdout)


def imports(module, package):
    top = module.partition(".")[0]
    return Application(f"import {module}", 1, "import_module.py", (module,), quick=(module,), needs=((top, package),), runs=3)


PANDAS = ("pandas", "python3-pandas")
SKLEARN = ("sklearn", "python3-sklearn")

ALL = [
    Application("pandas", 1, "pandas_tables.py", ("30000",), quick=("2000",), needs=(PANDAS,)),
    Application("sklearn", 1, "sklearn_forest.py", ("100",), quick=("8",), needs=(SKLEARN,)),
    Application("django", 1, "django_shop.py", ("1600",), quick=("50",), needs=(("django", "python3-django"),)),
    Application("sqlalchemy", 1, "sqlalchemy_orders.py", ("1400",), quick=("50",), needs=(("sqlalchemy", "python3-sqlalchemy"),)),
    Application(
        "networkx", 1, "networkx_graphs.py", ("12000",), quick=("500",), needs=(("networkx", "python3-networkx"), ("scipy", "python3-scipy"))
    ),
    Application("pygments", 1, "pygments_html.py", ("25",), quick=("2",), needs=(("pygments", "python3-pygments"),)),
    Application("black", 1, "black_diff.py", ("argparse",), quick=("bisect",), needs=(("black", "black"),)),
    Application("pylint", 1, "pylint_file.py", ("calendar",), quick=("bisect",), needs=(("pylint", "pylint"),)),
    Application("json", 1, "json_documents.py", ("1000",), quick=("60",)),
    Application("ast", 1, "ast_modules.py", ("60",), quick=("4",)),
    Application("flask", 1, "web_server.py", ("1000",), quick=("80",), needs=(("flask", "python3-flask"),), loads=True),
    Application("pytest", 1, "pytest_suite.py", ("40",), quick=("2",), needs=(("pytest", "python3-pytest"),)),
    Application("sphinx", 1, "sphinx_pages.py", ("4",), quick=("1",), needs=(("sphinx", "python3-sphinx"),)),
    Application(
        "nbconvert",
        1,
        "nbconvert_notebook.py",
        ("4",),
        quick=("1",),
        needs=(("nbconvert", "python3-nbconvert"), ("ipykernel", "python3-ipykernel")),
    ),
    imports("sklearn.ensemble", SKLEARN[1]),
    imports("matplotlib.pyplot", "python3-matplotlib"),
    imports("pandas", PANDAS[1]),
]
