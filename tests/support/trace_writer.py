"""Writes small traces, from format/FORMAT.md alone: of processes that never ran, with call paths
and a course of memory whose truth is known."""

import ctypes
import random
import struct

import trace_reader

_zstd = trace_reader._zstd
_zstd.ZSTD_compress.restype = ctypes.c_size_t
_zstd.ZSTD_compressBound.restype = ctypes.c_size_t
NUMBER_OF = {name: number for number, name in trace_reader.KINDS.items()}
STATE = {"TIME": 1, "RSS": 2, "MAX_RSS": 3, "THREADS": 4, "PEAK": 5, "PEAK_TIME": 7}
HEAP, PYTHON = 0, 1


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def zigzag(number):
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def string(text):
    data = text.encode()
    return varint(len(data)) + data


def deltas(values):
    return [value - before for value, before in zip(values, [0, *values])]


class TraceWriter:
    def __init__(self):
        self.data, self.sequence = b"\x93VBT\r\n\x1a\n\x01\x01\x08" + bytes(5), 0

    def chunk(self, kind, payload):
        room = ctypes.create_string_buffer(_zstd.ZSTD_compressBound(ctypes.c_size_t(len(payload))))
        size = _zstd.ZSTD_compress(room, ctypes.c_size_t(len(room)), payload, ctypes.c_size_t(len(payload)), 1)
        stored = room.raw[:size]
        header = b"VBTC" + struct.pack("<B3xIIQ", NUMBER_OF[kind], size, len(payload), self.sequence)
        self.data += header + struct.pack("<Q", trace_reader.xxh64(header + stored)) + stored
        self.sequence += 1

    def rows(self, kind, count, columns, first=1):
        self.chunk(kind, varint(first) + varint(count) + b"".join(b"".join(column) for column in columns))


def write(path, pairs, places, paths, ticks, ended="exit", module=None):
    """places: (file, function, line) of Python. paths: {(place, place, ...) from the outside in:
    (allocations, bytes, frees, bytes freed, bytes at the peak, temporary)}. ticks: (ns, live bytes)
    in order; the largest is the peak. What is live at the end follows from the paths. module: a
    file that the places are said to lie in, which means nothing for lines of Python."""
    writer = TraceWriter()
    writer.chunk("PROCESS", varint(len(pairs)) + b"".join(string(key) + string(str(value)) for key, value in pairs))
    strings = sorted({text for file, function, _ in places for text in (file, function)})
    string_id = {text: number for number, text in enumerate(strings, 1)}
    writer.rows("STRINGS", len(strings), [map(string, strings)])
    writer.rows("CODES", len(places), [[varint(string_id[file]) for file, _, _ in places], [varint(string_id[name]) for _, name, _ in places], [varint(1)] * len(places), [varint(1)] * len(places)])
    columns = [[varint(0)] * len(places), [varint(number) for number in range(1, len(places) + 1)], [zigzag(line) for _, _, line in places]]
    if module:
        writer.rows("MODULES", 1, [[varint(4096), varint(8192), varint(0), string(module)], [varint(1), varint(0), varint(0), string("")]], first=0)
        columns.append([varint(1)] * len(places))
    writer.rows("SITES", len(places), columns)
    nodes = {(): 0}
    up, sites = [], []
    for path_ in sorted(paths):
        for length in range(1, len(path_) + 1):
            if path_[:length] not in nodes:
                nodes[path_[:length]] = len(nodes)
                up.append(nodes[path_[:length]] - nodes[path_[: length - 1]])
                sites.append(1 + places.index(path_[length - 1]))
    writer.rows("NODES", len(up), [map(varint, up), map(zigzag, deltas(sites)), [varint(PYTHON)] * len(up)])
    rows = sorted((nodes[path_], counts) for path_, counts in paths.items())
    peak_time, peak = max(ticks, key=lambda tick: tick[1])
    end = ticks[-1][0]
    columns = [[varint(step) for step in deltas([node for node, _ in rows])]]
    columns.append([varint(counts[0]) for _, counts in rows])
    columns.append([zigzag(counts[0] - counts[2]) for _, counts in rows])
    columns.append([varint(counts[1]) for _, counts in rows])
    columns.append([zigzag(counts[1] - counts[3]) for _, counts in rows])
    columns.append([zigzag(counts[4] - (counts[1] - counts[3])) for _, counts in rows])
    columns.append([varint(counts[5]) for _, counts in rows])
    columns.append([varint(counts[1] // counts[0] if counts[0] else 0) for _, counts in rows])
    columns += [[varint(0)] * len(rows)] * 5
    writer.chunk("COUNTERS", varint(end) + varint(len(rows)) + b"".join(b"".join(column) for column in columns))
    writer.chunk("TIMELINE", varint(len(ticks)) + b"".join(map(varint, deltas([tick[0] for tick in ticks]))) + b"".join(map(zigzag, deltas([tick[1] + 2**20 for tick in ticks]))) + zigzag(0) * len(ticks) + b"".join(map(zigzag, deltas([tick[1] for tick in ticks]))))
    total = [sum(counts[i] for _, counts in rows) for i in range(6)]
    state = {"TIME": end, "RSS": 2**20, "MAX_RSS": 2**20 + peak, "THREADS": 1, "PEAK": peak, "PEAK_TIME": peak_time}
    pairs_ = [(STATE[name], value) for name, value in state.items()]
    pairs_ += [(16 + 16 * PYTHON + field, total[i]) for field, i in enumerate((0, 2, 1, 3, 5))]
    writer.chunk("STATE", b"".join(varint(key) + zigzag(value) for key, value in pairs_))
    if ended:
        writer.chunk("END", varint(end) + string(ended))
    path.write_bytes(writer.data)


def generate(folder, count, paths_each, seed=1):
    """`count` traces with `paths_each` call paths each, of which processes share most."""
    chance = random.Random(seed)
    places = [(f"/app/file{number % 37}.py", f"function{number}", 1 + number) for number in range(200)]
    names = []
    for number in range(count):
        paths = {}
        while len(paths) < paths_each:
            path = tuple(chance.choices(places, k=chance.randint(1, 6)))
            if number % 4:  # three in four from a small stock
                path = path[:2]
            allocs = chance.randint(1, 1000)
            frees = chance.randint(0, allocs)
            size = chance.randint(1, 5000)
            paths[path] = (allocs, allocs * size, frees, frees * size, 0, chance.randint(0, frees))
        live = sum(counts[1] - counts[3] for counts in paths.values())
        peak = live + chance.randint(0, 10**7)
        first = next(iter(paths))
        paths = {path: (*counts[:4], counts[1] - counts[3] + (peak - live if path == first else 0), counts[5]) for path, counts in paths.items()}
        ticks = sorted((chance.randint(1, 10**10), chance.randint(0, peak - 1)) for _ in range(10))
        ticks = [(time, live_) for time, live_ in dict(ticks).items()] + [(2 * 10**10, peak), (3 * 10**10, live)]
        name = folder / f"vbtrace.app.{1000 + number}.vbt"
        pairs = [("vbtrace", "0.1.0"), ("exe", "/usr/bin/python3"), ("arg", "python3"), ("arg", f"app{number % 3}.py"), ("cwd", "/app"), ("host", f"host{number % 2}"), ("rank", number)]
        pairs += [("pid", 1000 + number), ("ppid", 999 if number == 0 else 1000), ("started", 1_700_000_000_000_000_000 + chance.randint(0, 10**10) * (number > 0)), ("python", "3.11.2"), ("python_status", "ok"), ("native", "leaf")]
        write(name, pairs, places, paths, ticks)
        names.append(name)
    return names
