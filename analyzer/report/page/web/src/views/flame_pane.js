// A flame graph that one can use: mouse, keyboard, zoom and search on a FlameCanvas.

import {FlameCanvas} from "./flame_canvas.js";
import {announce, el} from "../ui/dom.js";
import {hideTip, showTip} from "../ui/tip.js";

/**
 * @typedef {object} PaneData
 * @property {import("../data/calls.js").Calls} calls
 * @property {Float64Array} values with all below
 * @property {(call: number) => string} label
 * @property {(call: number) => string} place file and line
 * @property {(call: number) => string} fill
 * @property {(call: number) => (Node | string)[]} describe for the tooltip
 * @property {(call: number) => string} say the same in a sentence
 * @property {boolean} fromTop
 */

/**
 * @param {string} text
 * @returns {RegExp | null} a regular expression, or the text itself where it is none
 */
export function patternOf(text) {
    if (!text)
        return null;
    try {
        return new RegExp(text, "i");
    } catch {
        return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
    }
}

/**
 * Which calls match, and what they sum up to without counting one below another twice.
 * @param {PaneData} data @param {RegExp} pattern @param {number} within a call
 * @returns {{matches: Uint8Array, sum: number, count: number, first: number}} first: the largest
 *     one
 */
export function findCalls({calls, values, label, place}, pattern, within) {
    const {key, end} = calls, matches = new Uint8Array(key.length);
    const known = new Map(); // by key: does it match?
    let sum = 0, count = 0, counted = 0, first = -1;
    for (let call = Math.max(1, within); call < end[within]; call++) {
        let match = known.get(key[call]);
        if (match === undefined)
            known.set(key[call], match = pattern.test(label(call)) || pattern.test(place(call)));
        if (!match || !(values[call] > 0))
            continue;
        matches[call] = 1;
        count++;
        if (first < 0 || values[call] > values[first])
            first = call;
        if (call >= counted) {
            sum += values[call];
            counted = end[call];
        }
    }
    return {matches, sum, count, first};
}

export class FlamePane {
    /**
     * @param {HTMLElement} scroller
     * @param {{zoom: (call: number) => void, focus: (call: number) => void, back: () => void, open:
     *     (call: number) => void}}
     * act what is done when a call is zoomed to, focused, left again, or its source is asked for
     */
    constructor(scroller, act) {
        this.scroller = scroller;
        this.act = act;
        this.canvas = el("canvas.flame-canvas", {tabindex: "0", role: "application",
            "aria-label": "Flame graph: arrow keys move between calls, Enter zooms, Backspace goes back, S opens the source"});
        this.element = el("div.flame", {}, this.canvas);
        this.drawing = new FlameCanvas(this.canvas, scroller);
        /** @type {PaneData | null} */
        this.data = null;
        /** @type {Uint8Array | null} */
        this.matches = null;
        this.canvas.addEventListener("mousemove", (/** @type {MouseEvent} */ event) => this.#hover(event));
        this.canvas.addEventListener("mouseleave", hideTip);
        this.canvas.addEventListener("click", (/** @type {MouseEvent} */ event) => this.click(event));
        this.canvas.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.key(event));
        this.canvas.addEventListener("blur", hideTip);
        /** How much is out of sight below: a graph with its root at the bottom stays there. */
        this.below = 0;
        scroller.addEventListener("scroll", () => {
            this.below = scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
            if (this.element.isConnected)
                this.drawing.redraw();
        });
        new ResizeObserver(() => this.#fit()).observe(scroller);
    }

    /** The canvas is as high as what is in sight. */
    #fit() {
        if (!this.data || !this.element.isConnected)
            return;
        const height = Math.max(this.drawing.height, 60);
        this.element.style.height = `${height}px`;
        this.canvas.style.height = `${Math.min(height, this.scroller.clientHeight)}px`;
        if (!this.data.fromTop)
            this.scroller.scrollTop = this.scroller.scrollHeight - this.scroller.clientHeight - this.below;
        this.drawing.draw();
    }

    /** @param {PaneData} data @param {number} zoomed */
    show(data, zoomed) {
        const anew = this.data?.calls !== data.calls || this.data.fromTop !== data.fromTop;
        this.data = data;
        if (anew) {
            this.drawing.focused = -1;
            this.below = 0;
        }
        const style = getComputedStyle(this.scroller);
        const colors = {text: "#16181d", rest: style.getPropertyValue("--flame-rest"), focus: style.getPropertyValue("--text")};
        const faded = (/** @type {number} */ call) => this.matches !== null && !this.matches[call];
        this.drawing.show({calls: data.calls, values: data.values, label: data.label, fill: data.fill, faded, fromTop: data.fromTop, colors}, zoomed);
        this.#fit();
    }

    /** @param {number} call */
    zoom(call) {
        if (this.data && call !== this.drawing.zoomed)
            this.drawing.zoom(call);
    }

    /** @param {string} text @returns {{sum: number, count: number, first: number} | null} */
    search(text) {
        const pattern = patternOf(text);
        const found = pattern && this.data ? findCalls(this.data, pattern, this.drawing.zoomed) : null;
        this.matches = found && found.matches;
        this.drawing.redraw();
        return found;
    }

    /** @param {MouseEvent} event */
    callAt(event) {
        const box = this.canvas.getBoundingClientRect();
        return this.drawing.callAt(event.clientX - box.left, event.clientY - box.top);
    }

    /** @param {MouseEvent} event */
    #hover(event) {
        const call = this.callAt(event);
        this.canvas.classList.toggle("over-call", call > 0);
        if (call < 0 || !this.data)
            hideTip();
        else
            showTip(event.clientX, event.clientY, this.data.describe(call));
    }

    /** @param {MouseEvent} event */
    click(event) {
        const call = this.callAt(event);
        if (call < 0)
            return;
        this.drawing.focused = call;
        this.act.focus(call);
        this.act.zoom(call);
        this.drawing.redraw();
    }

    /** @param {number} call moves the keyboard's place there */
    focus(call) {
        if (!this.data || call < 0)
            return;
        this.drawing.focused = call;
        this.act.focus(call);
        announce(this.data.say(call));
        const top = this.drawing.top(this.data.calls.depth[call]);
        if (top < 0 || top > this.canvas.clientHeight - 42)
            this.scroller.scrollBy(0, top - this.canvas.clientHeight / 2);
        this.drawing.draw();
        const box = this.drawing.boxOf(call), edge = this.canvas.getBoundingClientRect();
        if (box)
            showTip(edge.left + box.x, edge.top + this.drawing.top(this.data.calls.depth[call]), this.data.describe(call));
    }

    /** @param {string} key @returns {number} the call in that direction, or -1 */
    #neighbour(key) {
        const {calls, values, fromTop} = /** @type {PaneData} */ (this.data), {focused, boxes} = this.drawing;
        if (focused < 0)
            return this.drawing.zoomed;
        if (key === (fromTop ? "ArrowUp" : "ArrowDown"))
            return focused === 0 ? -1 : calls.parent[focused];
        if (key === (fromTop ? "ArrowDown" : "ArrowUp")) {
            let best = -1;
            for (let call = focused + 1; call < calls.end[focused]; call = calls.end[call])
                if (values[call] > 0 && (best < 0 || values[call] > values[best]))
                    best = call;
            return best;
        }
        const row = boxes[calls.depth[focused]] ?? [], at = row.findIndex((box) => box.call === focused);
        return row[at + (key === "ArrowRight" ? 1 : -1)]?.call ?? -1;
    }

    /** @param {KeyboardEvent} event */
    key(event) {
        if (!this.data || event.ctrlKey || event.metaKey || event.altKey)
            return;
        const {focused} = this.drawing;
        if (event.key.startsWith("Arrow"))
            this.focus(this.#neighbour(event.key));
        else if (event.key === "Enter" && focused >= 0)
            this.act.zoom(focused);
        else if (event.key === "Backspace")
            this.act.back();
        else if (event.key === "Home")
            this.focus(0);
        else if (event.key === "s" && focused > 0)
            this.act.open(focused);
        else if (event.key === "n" && this.matches)
            this.focus(this.nextMatch());
        else
            return;
        event.preventDefault();
    }

    /** @returns {number} the next match that is drawn */
    nextMatch() {
        const matches = /** @type {Uint8Array} */ (this.matches);
        const drawn = this.drawing.boxes.flat().map((box) => box.call).filter((call) => matches[call]).sort((a, b) => a - b);
        return drawn.find((call) => call > this.drawing.focused) ?? drawn[0] ?? -1;
    }
}
