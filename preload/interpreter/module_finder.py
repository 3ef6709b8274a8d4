"""Finds the module vbtrace where it is not installed; see module_finder.h. Given: place, its
folder. Everything else stays out of the program's sight."""

import sys


class VbtraceFinder:
    """The last of sys.meta_path, asked for what nothing else finds."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "vbtrace":
            return None
        make = sys.modules["_frozen_importlib_external"].spec_from_file_location
        return make(name, place + "/__init__.py", submodule_search_locations=[place])  # noqa: F821


sys.meta_path.append(VbtraceFinder)
