"""The benches' own packages, driver and sidebyside, can be imported."""

import sys

import vbt

sys.path.insert(0, str(vbt.ROOT / "bench"))
