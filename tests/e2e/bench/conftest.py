"""Makes the packages driver and sidebyside of bench/ importable."""

import sys

import vbt

sys.path.insert(0, str(vbt.ROOT / "bench"))
