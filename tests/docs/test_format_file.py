"""format/FORMAT.md has the numbers of format/format.h, all of them, in their order, and no
others."""

import re

import markdown

HEADER = markdown.read("format/format.h")
PAGE = markdown.read("format/FORMAT.md")
# What counts the others of an enum, or bounds them.
BOUNDS = re.compile(
    "VBT_(BINARY_STATES|DOMAINS|MAP_KINDS|RESIDENT_CLASSES|RESIDENT_TIMES|FIELDS|STATE_KEYS|LOST_KINDS|QUANTITIES|CHUNK_KINDS|DETAIL_KINDS)"
)


def enums():
    """{name of the enum: {enumerator: number}} of format.h."""
    found = {}
    bare = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.DOTALL)
    for name, body in re.findall(r"^enum (\w+) \{(.*?)\};", bare, re.MULTILINE | re.DOTALL):
        number = -1
        found[name] = {}
        for word in filter(None, (word.strip() for word in body.split(","))):
            label, _, value = (part.strip() for part in word.partition("="))
            number = int(value) if value else number + 1
            if not BOUNDS.fullmatch(label):
                found[name][label] = number
    return found


ENUMS = enums()


def without(prefix, numbers):
    return {label[len(prefix) :]: number for label, number in numbers.items()}


def test_kinds_of_chunks():
    table = markdown.rows(markdown.section(PAGE, "The chunks").partition("\n### ")[0])
    listed = {cells[1].strip("`"): int(cells[0]) for cells in table if cells[1]}
    assert listed == without("VBT_CHUNK_", ENUMS["vbt_chunk_kind"])


def test_chunks_are_in_the_order_of_their_numbers():
    titles = [title.split() for level, title in markdown.headings(markdown.section(PAGE, "The chunks")) if level == 3]
    assert [int(title[0]) for title in titles] == list(range(1, len(titles) + 1))
    assert {title[1]: int(title[0]) for title in titles if title[1:]} == without("VBT_CHUNK_", ENUMS["vbt_chunk_kind"])


def test_keys_of_state():
    cells = [row[0] for row in markdown.rows(markdown.section(PAGE, "7 STATE").partition("\n#### ")[0])]
    found = [pair for cell in cells for pair in re.findall(r"(\d+) `([A-Z_]+)`", cell)]
    assert {name: int(number) for number, name in found if not name.startswith("VBT_")} == without("VBT_STATE_", ENUMS["vbt_state"])
    numbers = [int(number) for cell in cells for number in re.findall(r"\d+", cell.partition(" + ")[0]) if "VBT_" not in cell]
    assert numbers == sorted(numbers)


def test_all_other_numbers():
    elsewhere = ("vbt_chunk_kind", "vbt_state", "vbt_code_flag", "vbt_quantity")
    known = {label: number for name, labels in ENUMS.items() if name not in elsewhere for label, number in labels.items()}
    listed = {label: int(number) for number, label in re.findall(r"(?<!bit )\b(\d+)\s+`(VBT_[A-Z_]+)`", PAGE)}
    assert listed == known
    assert {label: 1 << int(bit) for bit, label in re.findall(r"bit (\d+) `(VBT_[A-Z_]+)`", PAGE)} == ENUMS["vbt_code_flag"]


def test_quantities_of_intervals():
    text = re.search(r"in this order: (.*?) \|", PAGE)[1]
    assert len(text.split(", ")) == len(ENUMS["vbt_quantity"])


def test_names_are_those_of_the_header():
    names = set(re.findall(r"\bVBT_[A-Z_]+\b", PAGE))
    assert names == {name for name in names if re.search(rf"\b{name}\b", HEADER)}


def test_reserved_numbers_are_used_by_nothing():
    reserved = {18} | set(range(112, 116))
    assert "| 18 | | reserved" in PAGE and "| 112 … 115 | reserved" in PAGE
    assert 18 not in ENUMS["vbt_chunk_kind"].values() and not reserved & set(ENUMS["vbt_state"].values())


def number(text):
    """Of `2^20 + 2^13`."""
    assert re.fullmatch(r"[0-9^+ ]+", text), text
    return eval(text.replace("^", "**"))


def defined():
    """{name: value} of the numbers that format.h defines, but for the parts of the headers."""
    bare = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.DOTALL)
    found = {}
    for name, value in re.findall(r"^#define (VBT_\w+) ([^\n\"]+)$", bare, re.MULTILINE):
        value = re.sub(r"\b(\d+)u\b", r"\1", value)
        value = re.sub(r"\bVBT_\w+\b", lambda known: str(found[known[0]]), value)
        found[name] = eval(value)
    return {name: value for name, value in found.items() if not re.search("VERSION|HEADER_SIZE", name)}


def test_limits_are_those_of_the_header():
    listed = {cells[0].strip("`"): number(cells[1]) for cells in markdown.rows(markdown.section(PAGE, "Limits"))}
    assert listed == defined()
    for name, shown in re.findall(r"`(VBT_\w+)`\s+\((\d+)\)", PAGE):
        assert listed[name] == int(shown), name


def test_decoders_have_no_other_limits():
    for path in sorted((markdown.ROOT / "analyzer/trace").rglob("*.c")):
        assert not re.search(r"\b1u?\s*<<\s*\d\d\b", path.read_text()), path
