"""Builds the compiled variants of the ladder for an interpreter: the C extension, and the Cython
module if Cython is installed."""

import json
import pathlib
import shutil
import subprocess

from sidebyside.measure import last_line

LADDER = pathlib.Path(__file__).resolve().parents[1] / "ladder"
ASK = "import json, sysconfig as c; print(json.dumps([c.get_path('include'), c.get_config_var('EXT_SUFFIX')]))"


def build(python, directory):
    """Build into directory; returns {variant: why it cannot be built}."""
    directory = pathlib.Path(directory)
    include, suffix = json.loads(subprocess.run([python, "-c", ASK], capture_output=True, text=True, check=True).stdout)
    if shutil.which("cc") is None:
        why = "no C compiler (on Debian: apt install gcc)"
        return {"c_extension": why, "cython": why}
    if not (pathlib.Path(include) / "Python.h").is_file():
        why = f"no Python.h for {python} (on Debian: apt install python3-dev)"
        return {"c_extension": why, "cython": why}
    absent = {}
    if why := compiled("cosine_c", LADDER / "cosine_c.c", include, suffix, directory):
        absent["c_extension"] = why
    cython = shutil.which("cython3") or shutil.which("cython")
    if cython is None:
        absent["cython"] = "no Cython (on Debian: apt install cython3)"
    else:
        source = directory / "cosine_cython.c"
        done = subprocess.run([cython, "-o", source, LADDER / "cosine_cython.pyx"], capture_output=True, text=True)
        why = last_line(done.stderr) if done.returncode else compiled("cosine_cython", source, include, suffix, directory)
        if why:
            absent["cython"] = why
    return absent


def compiled(name, source, include, suffix, directory):
    """Compile a module; returns why that failed, or None."""
    command = ["cc", "-O2", "-shared", "-fPIC", f"-I{include}", "-o", directory / (name + suffix), source, "-lm"]
    done = subprocess.run(command, capture_output=True, text=True)
    return last_line(done.stderr) if done.returncode else None
