// Zoom, search and tooltips of a flame graph. All numbers come from the drawing, except for the
// share that matches a search, which is computed here.
"use strict";
const svg = document.documentElement;
const characterWidth = 7.25, padding = 8;
const search = document.getElementById("search"), matched = document.getElementById("matched");
const tip = document.getElementById("tip"), header = document.getElementById("header"), note = document.getElementById("note");
const rowHeight = 18, footer = 30, onTop = svg.dataset.root === "top";

// Frames in the order of the drawing: a parent, its first child and all below it, its next child.
// (A copy of the list: a live list is recounted whenever something in it changes, which takes
// seconds for thousands of frames.)
const frames = [];
for (const g of [...document.getElementById("frames").children]) {
    const [title, rect, text] = g.children, lines = title.textContent.split("\n");
    const level = Number(g.dataset.level);
    let parent = frames[frames.length - 1];
    while (parent && parent.level >= level)
        parent = parent.parent;
    const place = lines[1].split(", ")[0].replace(/^.*\//, "");
    const frame = {
        g, rect, text, lines, level, parent, number: frames.length, value: Number(g.dataset.value),
        change: Number(g.dataset.change ?? 0), y: Number(rect.getAttribute("y")),
        x: parseFloat(rect.getAttribute("x")) / 100, width: parseFloat(rect.getAttribute("width")) / 100,
        label: place && !lines[0].startsWith(place + "+0x") ? `${lines[0]} (${place})` : lines[0],
    };
    for (let above = frame; above; above = above.parent)
        above.end = frames.length; // the last frame below it
    frames.push(frame);
    g.frame = frame;
    g.setAttribute("tabindex", "-1");
    g.setAttribute("role", "button");
    g.setAttribute("aria-label", lines.filter(Boolean).join(", "));
    title.remove(); // the tooltip below takes its place
}
let zoomed = frames[0], current = frames[0];
const compares = frames[0].g.dataset.change !== undefined, noted = note.textContent;
const topmost = Math.min(...new Set(frames.map((frame) => frame.y)));

const isBelow = (frame, above) => frame.number >= above.number && frame.number <= above.end;

function bytes(n) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let unit = 0;
    for (; n >= (unit ? 1023.95 : 1024) && unit < 6; unit++)
        n /= 1024;
    return `${n.toFixed(unit ? 1 : 0)} ${units[unit]}`;
}

const amount = (n) => (n < 0 ? "-" : "") + (svg.dataset.measure === "bytes" ? bytes(Math.abs(n)) : Math.abs(n).toLocaleString("en-US"));

function cut(label, fits) {
    const characters = [...label];
    return characters.length <= fits ? label : characters.slice(0, fits - 1).join("") + "…";
}

// Draws the zoomed frame over the whole width, what is below it in proportion, and its callers as wide as itself.
function draw() {
    const room = svg.clientWidth || 1200;
    for (const frame of frames) {
        const outside = frame !== zoomed && isBelow(zoomed, frame), inside = isBelow(frame, zoomed);
        frame.g.classList.toggle("hidden", !outside && !inside);
        frame.g.classList.toggle("outside", outside);
        if (!outside && !inside)
            continue;
        const x = outside ? 0 : (frame.x - zoomed.x) / zoomed.width, width = outside ? 1 : frame.width / zoomed.width;
        frame.rect.setAttribute("x", `${100 * x}%`);
        frame.rect.setAttribute("width", `${100 * width}%`);
        frame.text.setAttribute("x", `${100 * x}%`);
        const fits = Math.floor((width * room - padding) / characterWidth);
        frame.text.textContent = fits >= 3 ? cut(frame.label, fits) : "";
    }
    fit(room);
}

function pin() {
    header.setAttribute("transform", `translate(0, ${Math.max(0, window.scrollY)})`);
}

// Makes the page as high as the levels on which there is something to see: what fits into the
// window, and further levels with a frame that is wide enough for a label. Below them, there would
// be empty screens to scroll to.
function fit(room) {
    const inSight = frames.filter((frame) => !frame.g.classList.contains("hidden"));
    const fitting = Math.floor((window.innerHeight - topmost - footer) / rowHeight);
    const widthOf = (frame) => isBelow(zoomed, frame) ? room : room * frame.width / zoomed.width;
    const isSeen = (frame) => widthOf(frame) >= (frame.level < fitting ? 1 : 3 * characterWidth + padding);
    const deepest = inSight.reduce((most, frame) => frame.level > most && isSeen(frame) ? frame.level : most, 0);
    let first = Infinity, last = 0, narrow = 0;
    for (const frame of inSight) {
        frame.g.classList.toggle("beyond", frame.level > deepest);
        if (frame.level > deepest) {
            narrow = Math.max(narrow, frame.level - deepest);
            continue;
        }
        first = Math.min(first, frame.y);
        last = Math.max(last, frame.y);
    }
    document.getElementById("frames").setAttribute("transform", `translate(0, ${topmost - first})`);
    const more = narrow > 0 ? `${narrow.toLocaleString("en-US")} more level${narrow > 1 ? "s" : ""}, with narrow frames only: zoom to see them.` : "";
    const lines = wrapped([noted, more].filter(Boolean).join(" "), Math.floor((room - 24) / characterWidth));
    const bottom = last - first + topmost + rowHeight;
    note.replaceChildren(...lines.map((line, i) => element("tspan", {x: 12, y: bottom + 20 + 16 * i}, line)));
    svg.setAttribute("height", bottom + footer + 16 * Math.max(0, lines.length - 1));
    pin();
}

// The lines of a text that is broken between words.
function wrapped(text, widest) {
    const lines = [];
    for (const word of text.split(" ").filter(Boolean)) {
        const longer = lines.length > 0 ? `${lines[lines.length - 1]} ${word}` : word;
        if (lines.length > 0 && longer.length <= widest)
            lines[lines.length - 1] = longer;
        else
            lines.push(word);
    }
    return lines;
}

// Brings a frame into the part of the window below the header, with some of its callers.
function show(frame) {
    const box = frame.rect.getBoundingClientRect(), top = header.getBoundingClientRect().bottom;
    const callers = 3 * rowHeight, wanted = onTop ? top + callers : window.innerHeight - callers - rowHeight;
    if (box.top < top || box.bottom > window.innerHeight)
        window.scrollBy(0, box.top - wanted);
}

function zoom(frame) {
    zoomed = frame;
    draw();
    find();
    show(frame);
}

// Marks the frames whose function or file matches, and adds up those that are below the zoomed frame
// and not below each other.
function find() {
    const wanted = search.value;
    let pattern = null;
    if (wanted) {
        try {
            pattern = new RegExp(wanted, "i");
        } catch {
            pattern = new RegExp(wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
        }
    }
    let sum = 0, change = 0, count = 0, counted = -1;
    for (const frame of frames) {
        const match = pattern !== null && frame.parent !== undefined && (pattern.test(frame.lines[0]) || pattern.test(frame.lines[1]));
        frame.g.classList.toggle("match", match);
        if (!match || !isBelow(frame, zoomed))
            continue;
        count++;
        if (frame.number > counted) {
            sum += frame.value;
            change += frame.change;
            counted = frame.end;
        }
    }
    svg.classList.toggle("searching", pattern !== null);
    const share = zoomed.value > 0 ? (100 * sum / zoomed.value).toFixed(1) : "0.0";
    const changed = compares ? `, changed by ${change > 0 ? "+" : ""}${amount(change)}` : "";
    matched.textContent = pattern === null ? "" : `Matched ${share}%, ${amount(sum)} in ${count.toLocaleString("en-US")} frames${changed}`;
}

function reset() {
    search.value = "";
    zoom(frames[0]);
}

function element(name, attributes, text = "") {
    const made = document.createElementNS(svg.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes))
        made.setAttribute(key, value);
    made.textContent = text;
    return made;
}

// A panel beside the point (x, y) of the window; long names are broken.
function showTip(frame, x, y) {
    const widest = Math.max(20, Math.min(100, Math.floor((window.innerWidth - 40) / characterWidth)));
    const lines = frame.lines.filter(Boolean).flatMap((line) => line.match(new RegExp(`.{1,${widest}}`, "gu")));
    const width = Math.max(...lines.map((line) => line.length)) * characterWidth + 20, height = 17 * lines.length + 12;
    const left = Math.max(4, Math.min(x + 14, window.innerWidth - width - 8));
    const top = y + 20 + height > window.innerHeight ? Math.max(4, y - height - 8) : y + 20;
    tip.replaceChildren(element("rect", {width, height, rx: 5}),
                        ...lines.map((line, i) => element("text", {x: 10, y: 19 + 17 * i}, line)));
    tip.setAttribute("transform", `translate(${left + window.scrollX}, ${top + window.scrollY})`);
}

const hideTip = () => tip.replaceChildren();

const frameOf = (target) => target.closest?.(".frame")?.frame;

function goTo(frame) {
    if (!frame || frame.g.classList.contains("hidden"))
        return;
    current = frame;
    if (frame.g.classList.contains("beyond"))
        zoom(frame.parent);
    frame.g.focus({preventScroll: true});
    show(frame);
    const seen = frame.rect.getBoundingClientRect();
    showTip(frame, Math.max(0, seen.left), seen.bottom - 18);
}

// The next frame in a direction: its caller, its largest callee, the frames beside it on its level.
function neighbour(key) {
    const inwards = onTop ? "ArrowDown" : "ArrowUp", outwards = onTop ? "ArrowUp" : "ArrowDown";
    if (key === outwards)
        return current.parent;
    if (key === inwards)
        return frames[current.number + 1]?.parent === current ? frames[current.number + 1] : undefined;
    const level = frames.filter((frame) => frame.level === current.level && !frame.g.classList.contains("hidden"));
    return level[level.indexOf(current) + (key === "ArrowRight" ? 1 : -1)];
}

svg.addEventListener("click", (event) => {
    const frame = frameOf(event.target);
    if (frame) {
        current = frame;
        zoom(frame);
    }
});
svg.addEventListener("mousemove", (event) => {
    const frame = frameOf(event.target);
    if (frame)
        showTip(frame, event.clientX, event.clientY);
    else
        hideTip();
});
svg.addEventListener("mouseleave", hideTip);
search.addEventListener("input", find);
document.getElementById("reset").addEventListener("click", reset);
window.addEventListener("keydown", (event) => {
    const typing = event.target === search;
    if ((event.key === "/" && !typing) || (event.key === "f" && (event.ctrlKey || event.metaKey))) {
        search.focus();
        search.select();
    } else if (event.key === "Escape") {
        hideTip();
        search.blur();
        if (search.value) {
            search.value = "";
            find();
        } else {
            zoom(frames[0]);
        }
    } else if (!typing && event.key === "Enter") {
        zoom(current);
        goTo(current);
    } else if (!typing && event.key.startsWith("Arrow")) {
        goTo(neighbour(event.key));
    } else {
        return;
    }
    event.preventDefault();
});

// The drawing takes the window's width, and its header stays in sight.
svg.removeAttribute("viewBox");
svg.setAttribute("width", "100%");
svg.classList.add("live");
window.addEventListener("resize", draw);
window.addEventListener("scroll", pin);
draw();
show(frames[0]);
