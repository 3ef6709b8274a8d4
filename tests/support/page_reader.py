"""Reads the data of a page of vbtrace html, as analyzer/report/page/DATA.md has it, and counts with
them as that document says; shares nothing with what writes them."""

import base64
import collections
import json
import re
import struct
import zlib

DOMAINS = ("heap", "python", "map")
COUNTS = ("allocs", "allocated_bytes", "frees", "freed_bytes", "temporary_allocs")
OUTSIDE = ("(outside user code)", 0, "(outside user code)")
CHANGES = ("allocs", "bytes", "frees", "freed_bytes", "temporary")


def element(page, name):
    """The text of a data element; None if the page has not just one."""
    found = re.findall(rf'<script type="application/octet-stream" id="{name}">([A-Za-z0-9+/=]*)</script>', page)
    return found[0] if len(found) == 1 else None


def varints(data, at, count):
    """So many numbers from `at` on, and where they end."""
    values = []
    for _ in range(count):
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        values.append(value)
    return values, at


class Page:
    """header: the JSON; of(name): a column, zeros if it is not there."""

    def __init__(self, text, name="data"):
        packed = element(text, name)
        data = zlib.decompress(base64.b64decode(packed, validate=True), wbits=-15)
        (size,) = struct.unpack_from("<I", data)
        self.header = json.loads(data[4 : 4 + size])
        self.columns = {}
        at = 4 + size
        for column in self.header["columns"]:
            values, at = varints(data, at, column["count"])
            if column["signed"]:
                values = [(v >> 1) ^ -(v & 1) for v in values]
            if column["delta"]:
                last = 0
                for i, v in enumerate(values):
                    values[i] = last = last + v
            self.columns[column["name"]] = values
        assert at == len(data), "bytes after the last column"
        self.steps = self.header["steps_ns"]

    def of(self, name):
        table = name.split(".")[0]
        return self.columns.get(name, [0] * self.header["counts"][table])

    def rows(self, table, *names):
        return zip(*(self.of(f"{table}.{name}") for name in names))

    def cells(self, a=0, b=None):
        """What each cell counted from step a to step b, and what was live at b.
        at_peak_bytes None: unknown."""
        b = len(self.steps) - 1 if b is None else b
        count = self.header["counts"]["cell"]
        sums = [[0] * len(CHANGES) for _ in range(count)]
        live = [[blocks, size] for blocks, size in self.rows("cell", "start_blocks", "start_bytes")]
        for step, cell, kept_blocks, kept_bytes, *values in self.rows("change", "step", "cell", "kept_blocks", "kept_bytes", *CHANGES):
            if step > b:
                continue
            live[cell][0] += values[0] - values[2] + kept_blocks
            live[cell][1] += values[1] - values[3] + kept_bytes
            if step > a:
                for i, value in enumerate(values):
                    sums[cell][i] += value
        peak = self.header["peak_step"]
        known = (peak is not None and a < peak <= b) or (a == 0 and b == len(self.steps) - 1)
        known = known and self.header["totals"]["peak_bytes"] is not None
        at_peak = self.of("cell.at_peak_bytes")
        return [
            dict(zip(COUNTS, sums[i]), live_blocks=live[i][0], live_bytes=live[i][1], at_peak_bytes=at_peak[i] if known else None)
            for i in range(count)
        ]

    def domains(self, cells):
        """Sums by domain."""
        return self.sum_by(cells, [DOMAINS[d] for d in self.of("cell.domain")])

    @staticmethod
    def sum_by(cells, keys):
        sums = collections.defaultdict(collections.Counter)
        for key, cell in zip(keys, cells):
            if key is None:
                continue
            for name, value in cell.items():
                sums[key][name] += value or 0
        return sums

    def frame(self, number):
        """(file, line, function) of a frame."""
        strings = self.header["strings"]
        return strings[self.of("frame.file")[number]], self.of("frame.line")[number], strings[self.of("frame.name")[number]]

    def places(self):
        """(file, line, function) of each node but the root's."""
        frames = [self.frame(i) for i in range(self.header["counts"]["frame"])]
        return [None] + [frames[f] for f in self.of("node.frame")[1:]]

    def up(self, node, levels):
        parents = self.of("node.parent")
        for _ in range(levels):
            node = parents[node]
        return node

    def lines(self, cells, by):
        """Sums by line, of the heap and Python domains; by: "leaf" or "user"."""
        places = self.places()
        keys = []
        for node, domain, levels in self.rows("cell", "node", "domain", by):
            outside = by == "user" and levels == 0
            place = OUTSIDE if outside else places[self.up(node, levels - (by == "user"))]
            keys.append(None if DOMAINS[domain] == "map" else place)
        return self.sum_by(cells, keys)


def read(path, name="data"):
    return Page(path.read_text(encoding="utf-8"), name)
