// The course of memory over time, and the window: what is marked on it is what the page shows.

import uPlot from "uplot";
import {stepAt} from "../data/numbers.js";
import {el, fill, swatch} from "../ui/dom.js";
import * as format from "../ui/format.js";
/** @typedef {import("../main.js").Page} Page */

const SERIES = [
    {key: "rss_bytes", label: "Resident set", color: "--series-rss", width: 1.5},
    {key: "live_bytes", label: "Heap and Python", color: "--accent", width: 1.8, filled: true},
    {key: "heap_bytes", label: "Heap", color: "--series-heap", width: 1.2},
    {key: "python_bytes", label: "Python", color: "--series-python", width: 1.2, dash: [3, 3]},
];
const EDGE = 7; // pixels from an edge of the window at which it is grabbed

/**
 * @param {string} text "1.5s", "250ms", "2min", "90%" or nothing
 * @param {number} duration
 * @returns {number | null} nanoseconds
 */
export function parseTime(text, duration) {
    const match = /^\s*([\d.]+)\s*(ns|us|µs|ms|s|min|h|%)?\s*$/.exec(text);
    if (!match || Number.isNaN(Number(match[1])))
        return null;
    const unit = match[2] ?? "s";
    const scale = unit === "%" ? duration / 100 : {ns: 1, us: 1e3, "µs": 1e3, ms: 1e6, s: 1e9, min: 60e9, h: 3600e9}[unit] ?? 1e9;
    return Math.round(Number(match[1]) * scale);
}

export class Timeline {
    /** @param {Page} page */
    constructor(page) {
        this.page = page;
        const {header} = page.numbers.model;
        this.steps = page.numbers.model.steps;
        this.duration = this.steps[this.steps.length - 1];
        const {heap_bytes: heap, python_bytes: python} = header.timeline, both = heap.map((/** @type {number} */ bytes, /** @type {number} */ i) => bytes + python[i]);
        this.courses = python.some(Boolean) ? {...header.timeline, live_bytes: both} : {...header.timeline, heap_bytes: [], live_bytes: heap};
        this.times = header.timeline.time_ns;
        this.series = SERIES.filter(({key}) => this.courses[key]?.some(Boolean));
        this.chart = el("div.chart", {tabindex: "0", role: "group", "aria-label": "Course of memory. Arrow keys move the window, Shift and arrow keys its end, Escape clears it",
            onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event)});
        this.legend = el("div.legend");
        this.element = el("div.timeline", {}, this.chart, this.legend);
        /** @type {any} */
        this.plot = null;
        /** @type {{kind: string, at: number, from: number, to: number} | null} */
        this.drag = null;
        new ResizeObserver(() => this.resize()).observe(this.chart);
    }

    /** @param {string} name of a custom property */
    color(name) {
        return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    }

    /** Draws everything anew, in the colours of the theme. */
    make() {
        this.plot?.destroy();
        if (this.times.length < 2) {
            fill(this.chart, el("p.chart-empty", {}, "The run was over before its memory was looked at twice."));
            return;
        }
        const grid = {stroke: this.color("--line"), width: 1}, text = this.color("--muted"), font = "11px system-ui, sans-serif";
        const data = [this.times, ...this.series.map(({key}) => this.courses[key])];
        fill(this.chart);
        this.plot = new uPlot({
            width: this.chart.clientWidth || 600, height: this.chart.clientHeight || 140, legend: {show: false}, padding: [10, 26, 0, 0],
            cursor: {drag: {x: false, y: false}, points: {size: 6}, y: false},
            scales: {x: {time: false, range: [0, Math.max(this.duration, this.times[this.times.length - 1])]}, y: {range: (_, __, high) => [0, (high || 1) * 1.06]}},
            axes: [
                {stroke: text, font, grid: {show: false}, ticks: {...grid, size: 4}, size: 26, values: (_, ticks) => ticks.map(format.moment), incrs: timeSteps()},
                {stroke: text, font, grid, ticks: {show: false}, size: 64, values: (_, ticks) => ticks.map(format.bytes), incrs: byteSteps(), space: 26},
            ],
            series: [{}, ...this.series.map(({color, width, dash, filled}) => ({stroke: this.color(color), width, dash, fill: filled ? this.color("--series-fill") : undefined, points: {show: false}}))],
            hooks: {setCursor: [() => this.#showLegend()], draw: [(plot) => this.#drawPeak(plot)]},
        }, data, this.chart);
        this.#listen(this.plot.over);
        this.#showLegend();
        this.showWindow();
    }

    /** A mark at the heap's peak. @param {any} plot */
    #drawPeak(plot) {
        const {totals} = this.page.numbers.model.header;
        if (!totals.peak_time_ns)
            return;
        const x = plot.valToPos(totals.peak_time_ns, "x", true), y = plot.valToPos(totals.peak_bytes, "y", true), {ctx} = plot, ratio = devicePixelRatio;
        ctx.save();
        ctx.fillStyle = this.color("--accent");
        ctx.strokeStyle = this.color("--surface");
        ctx.lineWidth = 2 * ratio;
        ctx.beginPath();
        ctx.arc(x, Math.max(plot.bbox.top, y), 4 * ratio, 0, 2 * Math.PI);
        ctx.stroke();
        ctx.fill();
        ctx.restore();
    }

    resize() {
        if (this.plot && this.chart.clientWidth && this.chart.clientHeight) {
            this.plot.setSize({width: this.chart.clientWidth, height: this.chart.clientHeight});
            this.showWindow();
        }
    }

    #showLegend() {
        const at = this.plot?.cursor.idx;
        const known = at !== null && at !== undefined;
        fill(this.legend, this.series.map(({key, label, color}) => {
            return el("span", {}, swatch(`var(${color})`, ".round"), this.series.length < 3 ? label.replace(/ and .*/, "") : label, known && el("b", {}, format.bytes(this.courses[key][at])));
        }), el("span.moment", {}, known ? format.moment(this.times[at]) : "Drag to choose a window"));
    }

    /** The window as the state has it. */
    showWindow() {
        const {numbers} = this.page;
        if (!this.plot)
            return;
        if (numbers.isWhole && !this.drag) {
            this.plot.setSelect({left: 0, width: 0, top: 0, height: 0}, false);
            return;
        }
        const left = this.plot.valToPos(this.steps[numbers.from], "x"), right = this.plot.valToPos(this.steps[numbers.to], "x");
        this.plot.setSelect({left, width: Math.max(1, right - left), top: 0, height: this.plot.over.clientHeight}, false);
    }

    /** @param {HTMLElement} over what the mouse is used on */
    #listen(over) {
        over.addEventListener("pointerdown", (event) => this.#begin(event, over));
        over.addEventListener("pointermove", (event) => this.move(event, over));
        over.addEventListener("pointerup", () => this.#finish());
        over.addEventListener("pointercancel", () => this.#finish());
        over.addEventListener("dblclick", () => this.page.clearWindow());
    }

    /** @param {PointerEvent} event @param {HTMLElement} over @returns {number} nanoseconds */
    #timeAt(event, over) {
        const box = over.getBoundingClientRect();
        return Math.max(0, Math.min(this.duration, this.plot.posToVal(event.clientX - box.left, "x")));
    }

    /**
     * @param {PointerEvent} event
     * @param {HTMLElement} over
     * @returns {string} what a drag from here does
     */
    #kindAt(event, over) {
        const {numbers} = this.page, x = event.clientX - over.getBoundingClientRect().left;
        if (numbers.isWhole)
            return "new";
        const left = this.plot.valToPos(this.steps[numbers.from], "x"), right = this.plot.valToPos(this.steps[numbers.to], "x");
        if (Math.abs(x - left) <= EDGE)
            return "from";
        if (Math.abs(x - right) <= EDGE)
            return "to";
        return x > left && x < right ? "move" : "new";
    }

    /** @param {PointerEvent} event @param {HTMLElement} over */
    #begin(event, over) {
        if (event.button !== 0 || this.steps.length < 3)
            return;
        over.setPointerCapture(event.pointerId);
        const {numbers} = this.page;
        this.drag = {kind: this.#kindAt(event, over), at: this.#timeAt(event, over), from: this.steps[numbers.from], to: this.steps[numbers.to]};
    }

    /** @param {PointerEvent} event @param {HTMLElement} over */
    move(event, over) {
        if (!this.drag) {
            over.style.cursor = {new: "crosshair", from: "ew-resize", to: "ew-resize", move: "grab"}[this.#kindAt(event, over)] ?? "";
            return;
        }
        const {kind, at, from, to} = this.drag, now = this.#timeAt(event, over), width = to - from;
        if (kind === "new")
            this.choose(Math.min(at, now), Math.max(at, now), true);
        else if (kind === "move") {
            const start = Math.max(0, Math.min(this.duration - width, from + now - at));
            this.choose(start, start + width, true);
        } else
            this.choose(Math.min(now, kind === "from" ? to : from), Math.max(now, kind === "from" ? to : from), true);
    }

    #finish() {
        if (!this.drag)
            return;
        this.drag = null;
        this.page.store.set({}, {});
    }

    /**
     * @param {number} from
     * @param {number} to nanoseconds
     * @param {boolean} [quiet] while the mouse is down
     */
    choose(from, to, quiet = false) {
        let a = stepAt(this.steps, from), b = stepAt(this.steps, to);
        if (b <= a) {
            if (a === this.steps.length - 1)
                a--;
            b = a + 1;
        }
        const last = this.steps.length - 1;
        this.page.store.set({from: a === 0 ? null : this.steps[a], to: b === last ? null : this.steps[b]}, {quiet});
    }

    /** @param {KeyboardEvent} event */
    key(event) {
        const {numbers} = this.page, last = this.steps.length - 1, by = {ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10}[event.key];
        if (by === undefined || last < 2 || event.ctrlKey || event.metaKey || event.altKey)
            return;
        event.preventDefault();
        let {from, to} = numbers;
        if (numbers.isWhole) {
            from = by > 0 ? 0 : last - Math.max(1, Math.floor(last / 10));
            to = by > 0 ? Math.max(1, Math.floor(last / 10)) : last;
        } else if (event.shiftKey) {
            to = Math.max(from + 1, Math.min(last, to + by));
        } else {
            const moved = Math.max(-from, Math.min(last - to, by));
            from += moved;
            to += moved;
        }
        this.choose(this.steps[from], this.steps[to]);
    }
}

/** @returns {number[]} nanoseconds between ticks of the axis */
function timeSteps() {
    const out = [];
    for (let unit = 1e3; unit < 1e11; unit *= 10)
        out.push(unit, 2 * unit, 5 * unit);
    return [...out.filter((step) => step < 60e9), ...[1, 2, 5, 10, 30, 60, 120, 360, 1440].map((minutes) => 60e9 * minutes)];
}

/** @returns {number[]} bytes between ticks of the axis: round in binary units */
function byteSteps() {
    return [0, 1, 2, 3, 4, 5].flatMap((unit) => [1, 2, 5, 10, 20, 50, 100, 200, 256, 512].map((n) => n * 1024 ** unit));
}
