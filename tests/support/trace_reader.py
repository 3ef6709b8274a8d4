"""A second reader of trace files, written from format/FORMAT.md alone: it checks the document, and
the analyzer.

It keeps only what the tests need. Damage is an error here.
"""

import ctypes
import ctypes.util
import struct

KINDS = "PROCESS STRINGS CODES SITES NODES MODULES STATE COUNTERS INTERVALS INTERVAL_SITES TIMELINE END FRAMES SOURCES LINES MAPS".split()
KINDS = dict(enumerate(KINDS, 1)) | {17: "THREADS", 19: "THREAD_COUNTERS", 20: "PROCESSES", 21: "PROCESS_TICKS", 22: "PROCESS_COUNTERS", 23: "SECTION_TIMES"}
DOMAINS = ("heap", "python", "map")
DOMAIN_FIELDS = "allocs frees allocated_bytes freed_bytes temporary_allocs inherited_blocks inherited_bytes".split()
FILE_HEADER, CHUNK_HEADER = 16, 32


class Damage(Exception):
    pass


def _libzstd():
    library = ctypes.CDLL("libzstd.so.1")
    library.ZSTD_decompress.restype = ctypes.c_size_t
    library.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    return library


_zstd = _libzstd()
_MASK = 2**64 - 1
_P1, _P2, _P3, _P4, _P5 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def _rotate(value, by):
    return (value << by | value >> (64 - by)) & _MASK


def xxh64(data):
    """XXH64 with seed 0."""

    def turn(lane, word):
        return _rotate((lane + word * _P2) & _MASK, 31) * _P1 & _MASK

    at, size = 0, len(data)
    if size >= 32:
        lanes = [(_P1 + _P2) & _MASK, _P2, 0, -_P1 & _MASK]
        while at + 32 <= size:
            words = struct.unpack_from("<4Q", data, at)
            lanes = [turn(lane, word) for lane, word in zip(lanes, words)]
            at += 32
        hashed = sum(_rotate(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18))) & _MASK
        for lane in lanes:
            hashed = ((hashed ^ turn(0, lane)) * _P1 + _P4) & _MASK
    else:
        hashed = _P5
    hashed = (hashed + size) & _MASK
    while at + 8 <= size:
        hashed = (_rotate(hashed ^ turn(0, *struct.unpack_from("<Q", data, at)), 27) * _P1 + _P4) & _MASK
        at += 8
    if at + 4 <= size:
        hashed = (_rotate(hashed ^ struct.unpack_from("<I", data, at)[0] * _P1 & _MASK, 23) * _P2 + _P3) & _MASK
        at += 4
    for byte in data[at:]:
        hashed = _rotate(hashed ^ byte * _P5 & _MASK, 11) * _P1 & _MASK
    hashed = (hashed ^ hashed >> 33) * _P2 & _MASK
    hashed = (hashed ^ hashed >> 29) * _P3 & _MASK
    return hashed ^ hashed >> 32


class Payload:
    def __init__(self, data):
        self.data, self.at = data, 0

    def more(self):
        return self.at < len(self.data)

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def zigzag(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def string(self):
        return self.bytes().decode(errors="surrogateescape")

    def bytes(self):
        size = self.varint()
        self.at += size
        return self.data[self.at - size : self.at]

    def f64(self):
        self.at += 8
        return struct.unpack_from("<d", self.data, self.at - 8)[0]

    def column(self, read, count):
        return [read() for _ in range(count)]


def _differences(values):
    total = 0
    for value in values:
        total += value
        yield total


def chunks(data, checked=False):
    """Offset, kind and payload of each chunk; with `checked`, checksums are verified, which is
    slow."""
    if data[:FILE_HEADER] != b"\x93VBT\r\n\x1a\n\x01\x01\x08" + bytes(5):
        raise Damage("the file header is wrong")
    at, sequence = FILE_HEADER, 0
    while at < len(data):
        if len(data) - at < CHUNK_HEADER:
            raise Damage(f"the file ends in the header at {at}")
        magic, kind, stored, raw, number, checksum = struct.unpack_from("<4sB3xIIQQ", data, at)
        if magic != b"VBTC" or number != sequence:
            raise Damage(f"no chunk {sequence} at {at}")
        frame = data[at + CHUNK_HEADER : at + CHUNK_HEADER + stored]
        if len(frame) < stored:
            raise Damage(f"the file ends in the chunk at {at}")
        if checked and xxh64(data[at : at + 24] + frame) != checksum:
            raise Damage(f"wrong checksum at {at}")
        payload = ctypes.create_string_buffer(raw)
        if _zstd.ZSTD_decompress(payload, raw, frame, stored) != raw:
            raise Damage(f"the chunk at {at} cannot be decompressed")
        yield at, KINDS[kind], Payload(payload.raw)
        at += CHUNK_HEADER + stored
        sequence += 1


PEAK_TIME = 7  # a key of STATE


class Trace:
    """process: list of pairs; state: dict; strings, codes, sites, nodes: lists by id; counters:
    dict by node; intervals: dict by id; interval_sites: dict by (interval, node); threads: list by
    id; parts: dict by node of dicts by thread; course: rows of time, resident set, heap and Python
    live; names: dict by site of (state, frames); sources: dict by (file, line); end: reason, or
    None."""

    def __init__(self, path, checked=False):
        self.process, self.modules = [], []
        self.strings, self.codes, self.sites, self.nodes = [""], [None], [None], [None]
        self.site_modules = [0]
        self.state, self.counters, self.intervals, self.interval_sites = {}, {}, {}, {}
        self.threads, self.parts = [None], {}
        self._times, self._part_times = {}, {}  # of the newest rows, by node
        self.line_counts = {}  # by site
        self.maps, self.resident, self.end = [], {}, None
        self.section_times = {}  # by name: how many runs began, and {number: (begun, ended or None)}
        self.course, self.names, self.sources = [], {}, {}
        self._thinned_until = -1
        self._places = [None]  # by node
        self.offsets = []
        with open(path, "rb") as file:
            self.data = file.read()
        for offset, kind, payload in chunks(self.data, checked):
            self.offsets.append(offset)
            getattr(self, "_" + kind.lower())(payload)
            self.end = self.end if kind == "END" else None
        self._settle_peak()
        for node, parts in self.parts.items():  # the first part is the rest
            first, *others = parts.values()
            first.update((name, self.counters[node][name] - sum(part[name] for part in others)) for name in PARTED)

    def _settle_peak(self):
        """What did not change since had at the peak what it has live."""
        peak_time = self.state.get(PEAK_TIME, 0)
        for node, row in self.counters.items():
            if self._times[node] < peak_time:
                row["at_peak_bytes"] = row["live_bytes"]
        for node, parts in self.parts.items():
            for part in list(parts.values())[1:]:
                if self._part_times[node] < peak_time:
                    part["at_peak_bytes"] = part["allocated_bytes"] - part["freed_bytes"]

    def _define(self, p, known):
        first, count = p.varint(), p.varint()
        if first != len(known):
            raise Damage(f"definition {first} follows {len(known) - 1}")
        return count

    def _process(self, p):
        self.process = [(p.string(), p.string()) for _ in range(p.varint())]

    def _strings(self, p):
        count = self._define(p, self.strings)
        self.strings += p.column(p.string, count)

    def _codes(self, p):
        count = self._define(p, self.codes)
        self.codes += zip(*(p.column(p.varint, count) for _ in range(4)))

    def _sites(self, p):
        count = self._define(p, self.sites)
        self.sites += zip(p.column(p.varint, count), p.column(p.varint, count), p.column(p.zigzag, count))
        self.site_modules += p.column(p.varint, count) if p.more() else [0] * count

    def _nodes(self, p):
        first = len(self.nodes)
        count = self._define(p, self.nodes)
        parents = [first + i - back for i, back in enumerate(p.column(p.varint, count))]
        sites = _differences(p.column(p.zigzag, count))
        self.nodes += zip(parents, sites, p.column(p.varint, count))

    def _modules(self, p):
        p.varint()
        count = p.varint()
        rows = [(p.varint(), p.varint(), p.varint(), p.string()) for _ in range(count)]
        if p.more():
            ids, linked, generations = (p.column(p.varint, count) for _ in range(3))
            rows = [(*row, *more) for row, *more in zip(rows, ids, linked, generations, p.column(p.bytes, count))]
        self.modules += rows

    def _state(self, p):
        while p.more():
            key = p.varint()
            self.state[key] = p.zigzag()
        time = self.state.get(1, 0)
        if time > max(self._thinned_until, self.course[-1][0] if self.course else -1):
            heap, python = (self.domain(name) for name in DOMAINS[:2])
            live = [of["inherited_bytes"] + of["allocated_bytes"] - of["freed_bytes"] for of in (heap, python)]
            self.course.append((time, self.state.get(2, 0), *live))

    def _counters(self, p):
        time = p.varint()
        count = p.varint()
        rows = {}
        rows["node"] = list(_differences(p.column(p.varint, count)))
        rows["allocs"] = p.column(p.varint, count)
        rows["live_blocks"] = p.column(p.zigzag, count)
        rows["allocated_bytes"] = p.column(p.varint, count)
        rows["live_bytes"] = p.column(p.zigzag, count)
        rows["at_peak_bytes"] = [live + more for live, more in zip(rows["live_bytes"], p.column(p.zigzag, count))]
        rows["temporary_allocs"] = p.column(p.varint, count)
        rows["min_bytes"] = p.column(p.varint, count)
        rows["max_bytes"] = [low + more for low, more in zip(rows["min_bytes"], p.column(p.varint, count))]
        rows["max_rss_kib"] = p.column(p.varint, count)
        rows["inherited_blocks"] = p.column(p.varint, count)
        rows["inherited_bytes"] = p.column(p.varint, count)
        entries = p.column(p.varint, count)
        rows["sizes"] = [{bucket: allocs for bucket, allocs in [(p.varint(), p.varint()) for _ in range(n)]} for n in entries]
        for values in zip(*rows.values()):
            row = dict(zip(rows, values))
            if not row["sizes"] and row["allocs"]:
                row["sizes"] = {min(row["min_bytes"].bit_length(), 47): row["allocs"]}
            row["frees"] = row["inherited_blocks"] + row["allocs"] - row["live_blocks"]
            row["freed_bytes"] = row["inherited_bytes"] + row["allocated_bytes"] - row["live_bytes"]
            self.counters[row["node"]] = row
            self._times[row["node"]] = time

    def _intervals(self, p):
        rows = []
        for _ in range(p.varint()):
            row = {name: p.varint() for name in ("id", "kind", "from", "to", "label", "count", "iterations")}
            row["m2"] = p.f64()
            for quantity in ("time_ns", "allocs", "frees", "allocated_bytes", "freed_bytes", "net_bytes", "high_bytes"):
                row[quantity] = {name: p.zigzag() for name in ("min", "max", "total")}
            rows.append(row)
        unended = p.column(p.varint, len(rows)) if p.more() else [0] * len(rows)
        for row, row["unended"] in zip(rows, unended):
            self.intervals[row["id"]] = row

    def _interval_sites(self, p):
        count = p.varint()
        keys = list(zip(_differences(p.column(p.zigzag, count)), _differences(p.column(p.zigzag, count))))
        allocs, more_frees = p.column(p.varint, count), p.column(p.zigzag, count)
        allocated, more_freed = p.column(p.varint, count), p.column(p.zigzag, count)
        for i, key in enumerate(keys):
            row = {"allocs": allocs[i], "frees": allocs[i] + more_frees[i]}
            self.interval_sites[key] = {**row, "allocated_bytes": allocated[i], "freed_bytes": allocated[i] + more_freed[i]}

    def _lines(self, p):
        count = p.varint()
        rows = {"site": list(_differences(p.column(p.zigzag, count))), "flags": p.column(p.varint, count), "hits": p.column(p.varint, count)}
        for part in ("own", "called"):
            for name in ("time_ns", "events", "allocs", "frees", "allocated_bytes", "freed_bytes", "temporary_allocs"):
                rows[f"{part}_{name}"] = p.column(p.zigzag, count)
        for name in ("net_min_bytes", "net_max_bytes", "high_bytes"):
            rows[name] = p.column(p.zigzag, count)
        rows["max_rss_bytes"] = p.column(p.varint, count)
        for part in ("own", "called"):
            rows[f"{part}_objects"] = p.column(p.zigzag, count)
        rows["entries"] = p.column(p.varint, count)
        for values in zip(*rows.values()):
            row = dict(zip(rows, values))
            self.line_counts[row["site"]] = row

    def _timeline(self, p):
        count = p.varint()
        times = p.column(p.varint, count)
        rows = list(zip(*(_differences(column) for column in [times, *(p.column(p.zigzag, count) for _ in range(3))])))
        self._thinned_until = rows[-1][0] if rows else self._thinned_until
        self.course = rows + [row for row in self.course if row[0] > self._thinned_until]

    def _threads(self, p):
        self.threads = [None]
        for _ in range(p.varint()):
            row = {"tid": p.varint(), "name": p.string(), "begun_ns": p.varint(), "ended_ns": p.varint(), "threads": p.varint()}
            self.threads.append({**row, **{domain: {name: p.varint() for name in DOMAIN_FIELDS[:5]} for domain in DOMAINS}})

    def _thread_counters(self, p):
        time = p.varint()
        count = p.varint()
        nodes = list(_differences(p.column(p.varint, count)))
        sizes = p.column(p.varint, count)
        rows = [{thread: {} for thread in p.column(p.varint, size)} for size in sizes]
        others = [part for parts in rows for part in list(parts.values())[1:]]
        allocs, more_frees = p.column(p.varint, len(others)), p.column(p.zigzag, len(others))
        allocated, more_freed = p.column(p.varint, len(others)), p.column(p.zigzag, len(others))
        more_at_peak, temporary = p.column(p.zigzag, len(others)), p.column(p.varint, len(others))
        for i, part in enumerate(others):
            part.update(allocs=allocs[i], frees=allocs[i] + more_frees[i], temporary_allocs=temporary[i])
            part.update(allocated_bytes=allocated[i], freed_bytes=allocated[i] + more_freed[i])
            part.update(at_peak_bytes=more_at_peak[i] - more_freed[i])
        self.parts.update(zip(nodes, rows))
        self._part_times.update(dict.fromkeys(nodes, time))

    def _frames(self, p):
        count = p.varint()
        sites = list(_differences(p.column(p.varint, count)))
        states, sizes = p.column(p.varint, count), p.column(p.varint, count)
        frames = list(zip(*(p.column(p.varint, sum(sizes)) for _ in range(5))))
        for site, state, size in zip(sites, states, sizes):
            self.names[site] = state, [(self.strings[name], self.strings[file], line) for name, file, line, _, _ in frames[:size]]
            del frames[:size]

    def _sources(self, p):
        count = p.varint()
        files, lines, changed = (p.column(p.varint, count) for _ in range(3))
        for file, line, is_new, text in zip(files, lines, changed, p.column(p.string, count)):
            self.sources[self.strings[file], line] = text, bool(is_new)

    def _section_times(self, p):
        for _ in range(p.varint()):
            name, count, first, latest = p.string(), p.varint(), p.varint(), p.varint()
            runs = [(p.zigzag(), p.varint()) for _ in range(first + latest)]
            numbers = [*range(1, first + 1), *range(count - latest + 1, count + 1)]
            begins = _differences(begin for begin, _ in runs)
            times = [(begin, begin + length - 1 if length else None) for begin, (_, length) in zip(begins, runs)]
            self.section_times[name] = count, dict(zip(numbers, times))
        self.section_runs_unnamed = p.varint()

    def _maps(self, p):
        p.varint()
        self.maps = [{field: p.varint() for field in DOMAIN_FIELDS} for _ in range(p.varint())]
        for _ in range(p.varint()):
            which, time, heap, python = p.varint(), p.varint(), p.zigzag(), p.zigzag()
            self.resident[which] = {"time_ns": time, "heap": heap, "python": python, "bytes": p.column(p.varint, p.varint())}

    def _end(self, p):
        p.varint()
        self.end = p.string()

    def process_values(self, key):
        """All values of a key of the PROCESS chunk."""
        return [value for name, value in self.process if name == key]

    def domain(self, name):
        first = 16 * (1 + DOMAINS.index(name))
        return {field: self.state.get(first + i, 0) for i, field in enumerate(DOMAIN_FIELDS)}

    def python_line(self, node):
        """(file, line, function) of the nearest Python line on a node's path, including its own; or
        None."""
        for new in range(len(self._places), len(self.nodes)):
            parent, site, _ = self.nodes[new]
            kind, a, b = self.sites[site]
            place = self._places[parent]  # a parent's id is smaller
            if kind == 0:
                file, name, _, _ = self.codes[a]
                place = self.strings[file], max(b, 0), self.strings[name]
            self._places.append(place)
        return self._places[node]

    def lines(self, domain=None):
        """Sums by (file, line) over the nodes below Python lines, of one domain or of all but
        mapped memory."""
        sums = {}
        for node, row in self.counters.items():
            place = self.python_line(node)
            of = DOMAINS[self.nodes[node][2]]
            if place is None or of != (domain or of) or (domain is None and of == "map"):
                continue
            total = sums.setdefault(place[:2], dict.fromkeys(SUMMED, 0))
            for name in SUMMED:
                total[name] += row[name]
        return sums


PARTED = "allocs frees allocated_bytes freed_bytes at_peak_bytes temporary_allocs".split()
SUMMED = "allocs frees allocated_bytes freed_bytes live_blocks live_bytes at_peak_bytes temporary_allocs".split()
