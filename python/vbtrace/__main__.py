"""The tool, as the package carries it: `python -m vbtrace`, and the command `vbtrace`."""

import os
import sys

_PLACES = (
    ("_bin", "vbtrace"),  # in a wheel
    ("..", "..", "build", "analyzer", "vbtrace"),  # in the source tree
    ("..", "..", "..", "..", "bin", "vbtrace"),  # below lib/python3/dist-packages, of another installation
)


def tool():
    """The path of the tool that belongs to this package."""
    folder = os.path.dirname(os.path.abspath(__file__))
    for place in _PLACES:
        path = os.path.normpath(os.path.join(folder, *place))
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise SystemExit("vbtrace: the tool is missing: expected %s" % os.path.join(folder, *_PLACES[0]))


def _execute(variable, python):
    if python:
        os.environ[variable] = python
    path = tool()
    try:
        os.execv(path, ["vbtrace", *sys.argv[1:]])
    except OSError as error:
        raise SystemExit("vbtrace: %s: %s" % (path, error.strerror)) from None


def command():
    """The command that pip installs. The interpreter beside it runs scripts, unless there is a
    better one: a command that is a link elsewhere (pipx) has none beside it."""
    beside = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "python3")
    _execute("_VBTRACE_PYTHON_BESIDE", beside if os.access(beside, os.X_OK) else None)


if __name__ == "__main__":
    _execute("_VBTRACE_PYTHON", sys.executable)
