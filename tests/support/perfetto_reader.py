"""A reader of the heap profiles and counters of Perfetto traces, by the rules of Perfetto's own
trace_processor: names are looked up in what came before on the same sequence of packets, frames are
known by mapping, address and name, and of the numbers of a dump the differences count, of which
none may be below 0."""

import collections

from pprof_reader import fields

FUNCTIONS, FRAMES, STACKS, BUILD_IDS, PATHS, SOURCES, MAPPINGS = 5, 6, 7, 16, 17, 18, 19


def message(data):
    """{number: [values]}."""
    found = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


class Sequence:
    """What has been said on one sequence of packets."""

    def __init__(self):
        self.interned = collections.defaultdict(dict)
        self.valid = False
        self.dumps = 0

    def add(self, packet):
        flags = packet.get(13, [0])[0]
        if flags & 1:
            self.interned.clear()
            self.valid = True
        assert self.valid or not flags & 2
        for data in packet.get(12, []):
            for number, value in fields(data):
                row = message(value)
                assert row[1][0] not in self.interned[number], "said twice"
                self.interned[number][row[1][0]] = row

    def text(self, kind, number):
        return self.interned[kind][number][2][0].decode() if number else ""

    def stack(self, number):
        """(mapping, build id, address, function, file, line) of each frame, outermost first."""
        return tuple(self.frame(each) for each in self.interned[STACKS][number][2])

    def frame(self, number):
        row = self.interned[FRAMES][number]
        mapping = self.interned[MAPPINGS][row[3][0]]
        build_id = self.interned[BUILD_IDS][mapping[2][0]][2][0].hex() if 2 in mapping else ""
        path = self.text(PATHS, mapping[7][0])
        return path, build_id, row[4][0], self.text(FUNCTIONS, row[2][0]), self.text(SOURCES, row[5][0]), row.get(6, [0])[0]


class Trace:
    """deltas: [(heap, ns, stack, allocs, allocated, frees, freed)]; counters: {name: [(ns,
    value)]}."""

    def __init__(self, data):
        self.deltas, self.counters, self.processes = [], collections.defaultdict(list), []
        sequences, tracks, before = collections.defaultdict(Sequence), {}, {}
        packets = message(data)
        assert set(packets) == {1}
        for packet in map(message, packets[1]):
            sequence = sequences[packet[10][0]]
            sequence.add(packet)
            for descriptor in map(message, packet.get(60, [])):
                if 3 in descriptor:
                    process = message(descriptor[3][0])
                    self.processes.append((process[1][0], process[6][0].decode()))
                else:
                    tracks[descriptor[1][0]] = descriptor[2][0].decode()
            for event in map(message, packet.get(11, [])):
                self.counters[tracks[event[11][0]]].append((packet.get(8, [0])[0], event[30][0]))
            for profile in map(message, packet.get(37, [])):
                assert profile.get(7, [0])[0] == sequence.dumps
                sequence.dumps += 1
                for dump in profile[5]:
                    self._add_dump(message(dump), sequence, before.setdefault(packet[10][0], {}))

    def _add_dump(self, dump, sequence, before):
        heap, time = dump[11][0].decode(), dump.get(9, [0])[0]
        assert dump[1][0] == self.processes[0][0]
        for sample in map(message, dump[2]):
            stack = sequence.stack(sample[1][0])
            known = tuple(frame[:4] for frame in stack)  # what makes two frames one
            now = tuple(sample.get(number, [0])[0] for number in (5, 2, 6, 3))
            number, last = before.get(known, (sample[1][0], (0, 0, 0, 0)))
            assert number == sample[1][0], "two stacks that a reader takes for one"
            changes = tuple(a - b for a, b in zip(now, last))
            assert min(changes) >= 0 and max(changes) > 0
            before[known] = (number, now)
            self.deltas.append((heap, time, stack, *changes))

    def totals(self, heap="vbtrace", until=None):
        """(allocs, allocated, frees, freed) of a heap."""
        rows = [delta[3:] for delta in self.deltas if delta[0] == heap and (until is None or delta[1] <= until)]
        return tuple(map(sum, zip(*rows))) if rows else (0, 0, 0, 0)


