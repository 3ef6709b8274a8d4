"""A reader of pprof profiles, written from profile.proto: what a test needs of one."""

import gzip


def fields(data):
    """(number, value) of each field of a message: an int, or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            assert key & 7 == 2
            size = varint()
            yield key >> 3, data[at : at + size]
            at += size


def numbers(packed):
    """The values of a packed field, as int64."""
    values, value, shift = [], 0, 0
    for byte in packed:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            values.append(value - (1 << 64) if value >> 63 else value)
            value = shift = 0
    return values


class Profile:
    """types: [(name, unit)]; samples: [([frames, outermost first], {type: value}, {label: text or
    number})], where a frame is (function, file, line); mappings: [(path, build id)]."""

    def __init__(self, data):
        parts = {}
        for number, value in fields(gzip.decompress(data)):
            parts.setdefault(number, []).append(value)
        text = [each.decode() for each in parts[6]]
        assert text[0] == ""

        def rows(number):
            return [list(fields(each)) for each in parts.get(number, [])]

        self.types = [(text[dict(row)[1]], text[dict(row)[2]]) for row in rows(1)]
        self.default = text[parts[14][0]]
        self.started, self.duration = parts[9][0], parts[10][0]
        self.comments = [text[each] for each in parts.get(13, [])]
        self.mappings = [(text[dict(row).get(5, 0)], text[dict(row).get(6, 0)]) for row in rows(3)]
        functions = {dict(row)[1]: (text[dict(row).get(2, 0)], text[dict(row).get(4, 0)]) for row in rows(5)}
        self.locations = {}
        for row in rows(4):
            lines = [dict(fields(value)) for number, value in row if number == 4]
            self.locations[dict(row)[1]] = [(*functions[line[1]], line.get(2, 0)) for line in lines]
        self.samples = []
        for row in rows(2):
            values = dict(row)
            frames = [frame for location in numbers(values.get(1, b"")) for frame in self.locations[location]]
            labels = [dict(fields(value)) for number, value in row if number == 3]
            counted = dict(zip((name for name, _ in self.types), numbers(values[2]), strict=True))
            self.samples.append((frames[::-1], counted, {text[label[1]]: text[label[2]] if 2 in label else label[3] for label in labels}))

    def totals(self):
        return {name: sum(counted[name] for _, counted, _ in self.samples) for name, _ in self.types}
