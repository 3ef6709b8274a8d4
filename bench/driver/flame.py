"""Draws a flame graph from the output of `perf script`: one SVG, each box a function with its share
in a tooltip."""

import html
import re

WIDTH, ROW, FONT = 1200, 16, 11
LEAST = 0.5  # pixels; narrower boxes are omitted
COLOURS = ("#e07a5f", "#e8a598", "#f2cc8f", "#e9b872", "#d98c5f", "#e2a76f")
FRAME = re.compile(r"^\s+[0-9a-f]+ (.+) \((.*)\)$")


def stacks(script):
    """The call stacks of perf's samples, outermost function first."""
    for sample in script.split("\n\n"):
        frames = [match for match in map(FRAME.match, sample.splitlines()) if match]
        if frames:
            yield tuple(name_of(match[1], match[2]) for match in reversed(frames))


def name_of(symbol, module):
    """A function's name, or the library where its name is not known."""
    if symbol == "[unknown]":
        return f"[{module.rpartition('/')[2]}]" if module != "[unknown]" else "[unknown]"
    return re.sub(r"\+0x[0-9a-f]+$", "", symbol)


def tree_of(all_stacks):
    """The root of the call tree: {"count": samples, "calls": {name: the same for that
    function}}."""
    root = {"count": 0, "calls": {}}
    for stack in all_stacks:
        node = root
        node["count"] += 1
        for name in stack:
            node = node["calls"].setdefault(name, {"count": 0, "calls": {}})
            node["count"] += 1
    return root


def height_of(node):
    return 1 + max((height_of(call) for call in node["calls"].values()), default=0)


def svg(root, title):
    """The picture; callers below, callees above."""
    height = (height_of(root) + 2) * ROW
    unit = WIDTH / max(1, root["count"])
    boxes = []

    def add(name, node, left, level):
        width = node["count"] * unit
        if width < LEAST:
            return
        top = height - (level + 1) * ROW
        share = f"{name}: {node['count']} samples, {100 * node['count'] / root['count']:.1f} %"
        shown = (
            name if len(name) * 0.62 * FONT < width else name[: max(0, int(width / (0.62 * FONT)) - 2)] + ".." if width > 35 else ""
        )
        boxes.append(
            f'<g><title>{html.escape(share)}</title><rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW - 1}" '
            f'fill="{COLOURS[sum(map(ord, name)) % len(COLOURS)]}"/>'
            + (f'<text x="{left + 3:.1f}" y="{top + ROW - 5}">{html.escape(shown)}</text>' if shown else "")
            + "</g>"
        )
        for callee, call in sorted(node["calls"].items()):
            add(callee, call, left, level + 1)
            left += call["count"] * unit

    add("all", root, 0, 0)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="{FONT}">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n'
        f'<text x="{WIDTH / 2}" y="{ROW}" text-anchor="middle">{html.escape(title)}</text>\n' + "\n".join(boxes) + "\n</svg>\n"
    )
