"""Imports a module and does nothing else. Argument: its name."""

import importlib
import sys

print(importlib.import_module(sys.argv[1]).__name__)
