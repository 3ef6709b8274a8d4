"""The flame graph in a headless Chromium: it opens from a file, needs no network, and zoom, search,
reset, tooltips and keys work."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

import browser
import vbt

SVG = "{http://www.w3.org/2000/svg}"


def draw(trace, path, *options):
    done = vbt.vbtrace("flamegraph", *options, "-o", path, trace)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("flamegraph")


@pytest.fixture(scope="module")
def trace_path():
    return vbt.traced_python("call_tree.py", vbt.interpreters()[0]).paths[0]


@pytest.fixture(scope="module")
def graph(folder, trace_path):
    return draw(trace_path, folder / "graph.svg", "--filter", "file=call_tree.py")


@pytest.fixture(scope="module")
def window():
    reason = browser.missing()
    if reason:
        pytest.skip(reason)
    with browser.Browser() as opened:
        yield opened


@pytest.fixture
def page(window, graph):
    window.open(graph)
    yield window
    assert window.errors() == []


def frames(page):
    """The visible frames: label, tooltip, left edge, width, and whether they are marked."""
    return page.run("""
        return [...document.querySelectorAll(".frame:not(.hidden)")].map((g) => {
            const box = g.querySelector("rect").getBoundingClientRect();
            return {label: g.querySelector("text").textContent, name: g.frame.lines[0], x: box.x, y: box.y, width: box.width,
                    height: box.height, value: g.frame.value, match: g.classList.contains("match")};
        });""")


def named(page, name):
    return [frame for frame in frames(page) if frame["name"] == name]


def click(page, frame):
    page.point(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2, click=True)


def room(page):
    return page.run("return document.documentElement.clientWidth")


def test_it_is_one_file_that_needs_no_other(graph):
    text = graph.read_text()
    root = ElementTree.fromstring(text)
    assert root.tag == SVG + "svg" and len(root.findall(f".//{SVG}script")) == 1
    urls = set(re.findall(r"\w+://[^\"\s]*", text))
    assert urls == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"}  # names, not addresses
    assert "href" not in text and "url(" not in text and "import" not in text.split("CDATA")[1]


def test_widths_are_shares(page):
    whole, render = named(page, "all")[0], named(page, "render")
    assert whole["width"] == pytest.approx(room(page), abs=2)
    assert sum(frame["width"] for frame in render) / whole["width"] == pytest.approx(6 / 13, abs=0.03)
    assert all(frame["width"] / whole["width"] == pytest.approx(frame["value"] / whole["value"], abs=1e-3) for frame in frames(page))


def test_zoom_and_reset(page):
    before = frames(page)
    draw_frame = named(page, "draw")[0]
    click(page, draw_frame)
    zoomed = frames(page)
    assert named(page, "draw")[0]["width"] == pytest.approx(room(page), abs=2)
    assert named(page, "draw")[0]["label"].startswith("draw (call_tree.py:")
    assert not named(page, "parse") and not named(page, "count") and len(zoomed) < len(before)
    assert named(page, "main")[0]["width"] == pytest.approx(room(page), abs=2)  # callers are as wide
    assert sum(frame["width"] for frame in named(page, "blocks")) == pytest.approx(room(page), rel=0.05)
    page.click("#reset")
    assert frames(page) == before
    click(page, named(page, "parse")[0])
    page.press("\ue00c")  # Escape
    assert frames(page) == before


def test_search_tells_the_matched_share(page):
    whole = named(page, "all")[0]["value"]
    page.click("#search")
    page.press("render")
    assert {frame["name"] for frame in frames(page) if frame["match"]} == {"render"}
    share = 100 * sum(frame["value"] for frame in named(page, "render")) / whole
    text = page.run("return document.getElementById('matched').textContent")
    assert text.startswith(f"Matched {share:.1f}%, ") and "6.0 MiB" in text
    fill = "return getComputedStyle(document.querySelector('.match rect')).fill !== getComputedStyle(document.querySelector('.frame:not(.match) rect')).fill"
    assert page.run(fill)
    page.press("\ue00c")
    assert not any(frame["match"] for frame in frames(page))
    assert page.run("return document.getElementById('matched').textContent") == ""


def test_matches_below_matches_count_once(page):
    page.press("/")
    page.press("count")
    assert len([frame for frame in frames(page) if frame["match"]]) == 4
    text = page.run("return document.getElementById('matched').textContent")
    share = 100 * named(page, "count")[0]["value"] / named(page, "all")[0]["value"]
    assert text.startswith(f"Matched {share:.1f}%, ")
    page.click("#reset")
    page.click("#search")
    page.press("(")  # not a regular expression: taken literally
    assert page.run("return document.getElementById('matched').textContent").startswith("Matched ")
    page.click("#reset")


def test_tooltips(page):
    frame = named(page, "render")[0]
    page.point(frame["x"] + 20, frame["y"] + 5)
    lines = page.run("return [...document.querySelectorAll('#tip text')].map((text) => text.textContent)")
    assert lines[0] == "render" and re.search(r"call_tree\.py:\d+$", lines[1])
    assert re.fullmatch(r"Bytes allocated: \d\.\d MiB, \d+\.\d%", lines[2])
    box = page.run("const box = document.querySelector('#tip rect').getBoundingClientRect(); return [box.left, box.top, box.right, box.bottom]")
    assert box[0] >= 0 and box[1] >= 0 and box[2] <= room(page) + 1
    page.point(room(page) - 2, 2)
    assert page.run("return document.getElementById('tip').children.length") == 0


def test_keys_move_and_zoom(page):
    page.click("#reset")
    page.run("document.activeElement?.blur()")
    click(page, named(page, "all")[0])
    for _ in range(2):
        page.press("\ue015")  # down, to the largest callee: <module>, main
    assert page.run("return document.activeElement.frame.lines[0]") == "main"
    page.press("\ue007")  # Enter
    page.press("\ue015")
    assert page.run("return document.activeElement.frame.parent.lines[0]") == "main"
    page.press("\ue013")  # up
    assert page.run("return document.activeElement.frame.lines[0]") == "main"
    page.press("\ue00c")


DEEP = """
import sys

sys.setrecursionlimit(100000)


def down(n):
    return down(n - 1) if n else [bytes(2000) for _ in range(200)]


held = down(3000)
wide = [bytes(1000) for _ in range(20000)]
"""


@pytest.mark.parametrize("root", ["top", "bottom"])
def test_no_screen_is_empty(folder, window, root):
    """Of stacks thousands of frames deep, in whichever frame one zooms: wherever the page can be
    scrolled to, there is a frame that can be read."""
    (folder / "deep.py").write_text(DEEP)
    trace = vbt.trace(["/usr/bin/python3", "-I", "deep.py"], directory=folder).paths[0]
    window.open(draw(trace, folder / f"{root}.svg", "--root", root, "--min", "0.5%"))
    (whole,) = named(window, "all")
    inner, outer = window.run("return [window.innerHeight, document.documentElement.scrollHeight]")
    assert outer <= 1.2 * inner and 0 <= whole["y"] < inner
    level = [frame["y"] for frame in named(window, "<module>")]
    assert (min(level) > whole["y"]) == (root == "top")
    deepest = "frames.filter((frame) => frame.lines[0] === 'down' && frame.end > frame.number).at(%d)"
    for at in (0, 100, -1):
        window.run(f"zoom({deepest % at})")
        assert 0 <= window.run("return zoomed.rect.getBoundingClientRect().top") < inner
        pages = window.run("return Math.ceil(document.documentElement.scrollHeight / window.innerHeight)")
        for number in range(pages):
            seen = window.run(f"""
                window.scrollTo(0, {number} * window.innerHeight);
                pin(); // as the event does that comes later
                const limit = header.getBoundingClientRect().bottom;
                return frames.filter((frame) => {{
                    const box = frame.rect.getBoundingClientRect();
                    return box.height > 0 && box.bottom > limit && box.top < window.innerHeight && box.width >= 30;
                }}).length;""")
            assert seen > 0, (at, number)
    window.press("\ue00c")
    assert 0 <= named(window, "all")[0]["y"] < inner and window.errors() == []


def test_reversed_and_dark(folder, trace_path):
    reason = browser.missing()
    if reason:
        pytest.skip(reason)
    path = draw(trace_path, folder / "icicle.svg", "--reverse", "--measure", "peak", "--filter", "file=call_tree.py")
    with browser.Browser(dark=True) as window:
        window.open(path)
        assert named(window, "all")[0]["y"] < named(window, "blocks")[0]["y"]
        first = min(frames(window), key=lambda frame: (frame["y"], frame["x"]))
        assert first["name"] == "all"
        paper = window.run("return getComputedStyle(document.querySelector('.paper')).fill")
        assert sum(map(int, re.findall(r"\d+", paper))) < 200
        assert window.errors() == []


def test_hostile_names(folder, window):
    """Names with mark-up, quotes, control characters and invalid characters are shown as text, and
    do nothing."""
    trace = vbt.traced_python("hostile_names.py", vbt.interpreters()[-1]).paths[0]
    path = draw(trace, folder / "hostile.svg")
    root = ElementTree.fromstring(path.read_bytes())
    titles = [title.text.split("\n") for title in root.iter(SVG + "title")]
    functions = {lines[0] for lines in titles}
    assert "</script><script>window.broken = 1</script>" in functions and "&amp;&lt;&#60;" in functions
    assert sum(lines[0] == "all" for lines in titles) == 1
    window.open(path)
    assert window.errors() == [] and window.run("return typeof window.broken") == "undefined"
    assert window.run("return document.querySelectorAll('script').length") == 1
    assert window.run("return document.querySelectorAll('img').length") == 0
    frame = named(window, "</script><script>window.broken = 1</script>")[0]
    window.point(frame["x"] + frame["width"] / 2, frame["y"] + 5)
    assert window.run("return document.querySelector('#tip text').textContent") == "</script><script>window.broken = 1</script>"
    collapsed = vbt.vbtrace("flamegraph", "--format", "collapsed", trace).stdout.split("\n")
    assert any("semicolon:space 1" in line for line in collapsed)
    assert all(re.fullmatch(r"[^\x00-\x1f]+ \d+", line) for line in collapsed[:-1]) and collapsed[-1] == ""
