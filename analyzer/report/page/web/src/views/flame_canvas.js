// Draws a tree of calls on a canvas: only what is at least a pixel wide and in sight, so that a
// tree of hundreds of thousands of calls is drawn in a few milliseconds. Knows nothing of what the
// numbers mean.

export const ROW = 21;
const GAP = 1, FONT = "12px system-ui, sans-serif", PAD = 6, LEAST_TEXT = 26, LEAST = 0.7, MOVE_MS = 180;

/**
 * @typedef {object} Picture
 * @property {import("../data/calls.js").Calls} calls
 * @property {Float64Array} values of calls, with all below
 * @property {(call: number) => string} label
 * @property {(call: number) => string} fill
 * @property {(call: number) => boolean} faded
 * @property {boolean} fromTop
 * @property {{text: string, rest: string, focus: string}} colors
 */

/** @typedef {{call: number, x: number, width: number}} Box */

/**
 * Where a call begins, in the values' unit.
 * @param {import("../data/calls.js").Calls} calls @param {Float64Array} values @param {number} call
 */
export function offsetOf(calls, values, call) {
    let offset = 0;
    for (let at = call; at > 0; at = calls.parent[at])
        for (let sibling = calls.parent[at] + 1; sibling < at; sibling = calls.end[sibling])
            offset += Math.max(0, values[sibling]);
    return offset;
}

export class FlameCanvas {
    /** @param {HTMLCanvasElement} canvas @param {HTMLElement} scroller what scrolls it */
    constructor(canvas, scroller) {
        this.canvas = canvas;
        this.scroller = scroller;
        this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
        /** @type {Picture | null} */
        this.picture = null;
        /** What is seen of the root's value, from … to. */
        this.range = [0, 1];
        this.zoomed = 0;
        this.focused = -1;
        /** How far the levels have been scrolled: the canvas stays in sight. */
        this.shift = 0;
        /** @type {Box[][]} what was drawn, by level */
        this.boxes = [];
        this.widths = new Map();
        this.moving = 0;
        this.asked = 0;
    }

    /** @param {Picture} picture @param {number} zoomed */
    show(picture, zoomed) {
        this.picture = picture;
        this.zoomed = zoomed;
        this.range = this.#rangeOf(zoomed);
        this.widths.clear();
        cancelAnimationFrame(this.moving);
        this.draw();
    }

    /** @param {number} call @returns {[number, number]} */
    #rangeOf(call) {
        const {calls, values} = /** @type {Picture} */ (this.picture), start = offsetOf(calls, values, call);
        return [start, start + Math.max(values[call], Number.MIN_VALUE)];
    }

    /** @param {number} call */
    zoom(call) {
        this.zoomed = call;
        const before = this.range, after = this.#rangeOf(call), began = performance.now();
        cancelAnimationFrame(this.moving);
        if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
            this.range = after;
            this.draw();
            return;
        }
        const move = () => {
            const t = Math.min(1, (performance.now() - began) / MOVE_MS), eased = 1 - (1 - t) ** 3;
            this.range = t === 1 ? after : [before[0] + (after[0] - before[0]) * eased, before[1] + (after[1] - before[1]) * eased];
            this.draw();
            if (t < 1)
                this.moving = requestAnimationFrame(move);
        };
        move();
    }

    /** Draws before the browser shows the next picture, however often it is asked. */
    redraw() {
        if (!this.asked)
            this.asked = requestAnimationFrame(() => {
                this.asked = 0;
                this.draw();
            });
    }

    /** @returns {number} the height of all levels */
    get height() {
        return this.picture ? (this.picture.calls.deepest + 1) * ROW : 0;
    }

    resize() {
        const ratio = window.devicePixelRatio || 1, {clientWidth, clientHeight} = this.canvas;
        const width = Math.round(clientWidth * ratio), height = Math.round(clientHeight * ratio);
        if (this.canvas.width !== width || this.canvas.height !== height) {
            this.canvas.width = width;
            this.canvas.height = height;
        }
        this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
        return {width: clientWidth, height: clientHeight};
    }

    /** @param {number} level @returns {number} its upper edge in the canvas */
    top(level) {
        const {fromTop} = /** @type {Picture} */ (this.picture);
        return (fromTop ? level * ROW : this.height - (level + 1) * ROW) - this.shift;
    }

    draw() {
        if (!this.picture || !this.canvas.clientWidth)
            return;
        const {width, height} = this.resize(), {context} = this;
        this.shift = this.canvas.offsetTop;
        context.clearRect(0, 0, width, height);
        context.font = FONT;
        context.textBaseline = "middle";
        this.boxes = Array.from({length: this.picture.calls.deepest + 1}, () => []);
        if (this.picture.values[0] > 0)
            this.#drawCalls(width, height);
        if (this.focused >= 0)
            this.#drawFocus();
    }

    /** @param {number} width @param {number} height of the canvas */
    #drawCalls(width, height) {
        const {calls, values} = /** @type {Picture} */ (this.picture), {parent, end, depth} = calls;
        const scale = width / (this.range[1] - this.range[0]);
        const next = new Float64Array(calls.deepest + 2); // by level: where the next call begins
        const rest = new Float64Array(calls.deepest + 2).fill(NaN); // by level: where calls too narrow to be drawn began
        next[0] = -this.range[0] * scale;
        for (let call = 0, n = parent.length; call < n;) {
            const level = depth[call], wide = Math.max(0, values[call]) * scale, x = next[level];
            next[level] = x + wide;
            if (wide < LEAST || x >= width || x + wide <= 0) {
                if (wide < LEAST && Number.isNaN(rest[level]))
                    rest[level] = x;
                if (next[level] >= rest[level] + 1.5)
                    this.#drawRest(level, rest, next[level], height);
                call = end[call];
                continue;
            }
            if (!Number.isNaN(rest[level]))
                this.#drawRest(level, rest, x, height);
            next[level + 1] = x;
            rest[level + 1] = NaN;
            this.#drawCall(call, level, x, wide, width, height);
            call++;
        }
    }

    /**
     * Calls too narrow to be drawn, as one.
     * @param {number} level
     * @param {Float64Array} rest
     * @param {number} to
     * @param {number} height
     */
    #drawRest(level, rest, to, height) {
        const from = rest[level], y = this.top(level);
        rest[level] = NaN;
        if (to - from < 1 || y + ROW < 0 || y > height)
            return;
        this.context.fillStyle = /** @type {Picture} */ (this.picture).colors.rest;
        this.context.fillRect(from, y, to - from, ROW - GAP);
    }

    /**
     * @param {number} call
     * @param {number} level
     * @param {number} x
     * @param {number} wide
     * @param {number} width
     * @param {number} height of the canvas
     */
    #drawCall(call, level, x, wide, width, height) {
        const left = Math.max(0, x), right = Math.min(width, x + wide), y = this.top(level);
        this.boxes[level].push({call, x: left, width: right - left});
        if (y + ROW < 0 || y > height)
            return;
        const {context} = this, {label, fill, faded, colors} = /** @type {Picture} */ (this.picture);
        const seen = right - left;
        context.globalAlpha = faded(call) ? 0.28 : wide > width * 1.001 ? 0.55 : 1;
        context.fillStyle = fill(call);
        context.fillRect(left, y, Math.max(seen > 2 ? seen - GAP : seen, 0.6), ROW - GAP);
        context.globalAlpha = faded(call) ? 0.6 : 1;
        if (seen >= LEAST_TEXT) {
            context.fillStyle = colors.text;
            context.fillText(this.#cut(label(call), seen - 2 * PAD), left + PAD, y + ROW / 2 - 0.5);
        }
        context.globalAlpha = 1;
    }

    /** @param {string} label @param {number} room in pixels */
    #cut(label, room) {
        let wide = this.widths.get(label);
        if (wide === undefined)
            this.widths.set(label, wide = this.context.measureText(label).width);
        if (wide <= room)
            return label;
        const characters = [...label], fits = Math.floor(characters.length * room / wide) - 1;
        return fits < 2 ? "" : `${characters.slice(0, fits).join("")}…`;
    }

    #drawFocus() {
        const box = this.boxOf(this.focused);
        if (!box)
            return;
        const {context} = this, {calls, colors} = /** @type {Picture} */ (this.picture);
        context.strokeStyle = colors.focus;
        context.lineWidth = 2;
        context.strokeRect(box.x + 1, this.top(calls.depth[this.focused]) + 1, Math.max(1, box.width - 3), ROW - GAP - 2);
    }

    /** @param {number} call @returns {Box | undefined} */
    boxOf(call) {
        return this.boxes[/** @type {Picture} */ (this.picture).calls.depth[call]]?.find((box) => box.call === call);
    }

    /** @param {number} x @param {number} y in the canvas @returns {number} the call there, or -1 */
    callAt(x, y) {
        if (!this.picture)
            return -1;
        const {fromTop} = this.picture, below = y + this.canvas.offsetTop;
        const level = Math.floor((fromTop ? below : this.height - below) / ROW);
        const row = this.boxes[level] ?? [];
        let low = 0, high = row.length - 1;
        while (low <= high) {
            const middle = (low + high) >> 1, box = row[middle];
            if (x < box.x)
                high = middle - 1;
            else if (x >= box.x + box.width)
                low = middle + 1;
            else
                return box.call;
        }
        return -1;
    }
}
