"""How much memory processes hold according to the kernel, and how much of it is vbtrace's."""

import collections
import pathlib
import re
import statistics

AREA = re.compile(r"^[0-9a-f]+-[0-9a-f]+ .{4} \S+ \S+ \d+ *(.*)$")

# The flags of vbtrace's own memory: no reserve, no huge pages, not in core dumps.
OURS = {"nr", "nh", "dd"}


def areas(pid):
    """{field: KiB, "flags": set, "name": str} of each mapping of a process; none if it has
    ended."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps").read_text(errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        area = AREA.match(line)
        if area:
            found.append({"name": area[1], "flags": set()})
        elif line.startswith("VmFlags:"):
            found[-1]["flags"] = set(line.split()[1:])
        elif line.endswith(" kB"):
            field, number, _ = line.split()
            found[-1][field.rstrip(":")] = int(number)
    return found


def held(pid):
    """Private bytes of the process (no file, not shared), and those of vbtrace among them; None if
    it has ended."""
    all_areas = areas(pid)
    if not all_areas:
        return None
    ours = [area for area in all_areas if OURS <= area["flags"] or area["name"].endswith("/libvbtrace.so")]
    return [1024 * sum(area["Anonymous"] for area in some) for some in (all_areas, ours)]


class Series:
    """Samples of a server's processes over time."""

    def __init__(self):
        self.samples = []  # (seconds, {pid: (all, ours)})

    def take(self, seconds, pids):
        found = {pid: held(pid) for pid in pids}
        self.samples.append((seconds, {pid: memory for pid, memory in found.items() if memory}))

    def thirds(self):
        """The samples of the first and of the last third, of the processes that lived through
        both."""
        end = self.samples[-1][0]
        parts = [[found for when, found in self.samples if low * end <= when <= high * end] for low, high in ((0, 1 / 3), (2 / 3, 1))]
        seen = collections.Counter(pid for found in parts[0] + parts[1] for pid in found)
        lasting = [pid for pid, times in seen.items() if times >= 0.9 * len(parts[0] + parts[1])]
        return [[[sum(found.get(pid, (0, 0))[which] for pid in lasting) for found in part] for which in (0, 1)] for part in parts], len(lasting)

    def medians(self):
        """(all, ours) of the first third, the same of the last, and the number of processes."""
        parts, lasting = self.thirds()
        return *([int(statistics.median(values)) for values in part] for part in parts), lasting
