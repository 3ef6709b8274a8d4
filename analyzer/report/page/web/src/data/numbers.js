// The window and the filter that everything on the page follows, and what happened in them.

import {CHANGE_COLUMNS, Sums} from "./sums.js";
/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./sums.js").Quantity} Quantity */
/** @typedef {{domain: string, group: string, thread: string}} Filter "" for all */

/** Which column of parts has a quantity. @type {{[quantity: string]: string}} */
export const PART_COLUMNS = {allocs: "allocs", bytes: "bytes", frees: "frees", freed: "freed_bytes", temporary: "temporary", live_blocks: "live_blocks",
    live: "live_bytes", peak: "at_peak_bytes"};

/**
 * @param {Model} model
 * @param {string} group
 * @returns {Uint8Array} by node: is a frame of the group on its path?
 */
function nodesWithGroup(model, group) {
    const {parent, frame, frames} = model, wanted = model.strings.indexOf(group);
    const out = new Uint8Array(model.nodeCount);
    for (let i = 1; i < out.length; i++)
        out[i] = out[parent[i]] || Number(frames.group[frame[i]] === wanted);
    return out;
}

export class Numbers {
    /** @param {Model} model */
    constructor(model) {
        this.model = model;
        this.from = 0;
        this.to = model.lastStep;
        /** @type {Filter} */
        this.filter = {domain: "", group: "", thread: ""};
        /** Which cells pass the filters for domain and module. */
        this.mask = this.#maskOf(this.filter);
        this.version = 1;
        this.filterVersion = 1;
        this.byCell = new Sums(this, Int32Array.from({length: model.cellCount}, (_, i) => i), model.cellCount);
        /** @type {Map<string, {version: number, sums: Float64Array}>} */
        this.steps = new Map();
    }

    get isWhole() {
        return this.from === 0 && this.to === this.model.lastStep;
    }

    /** Is a thread, or a process, asked for of which only the whole run is known? */
    get threadUnknown() {
        return this.filter.thread !== "" && !this.isWhole;
    }

    /** Is what was live at the heap's peak what was live at the window's? */
    get knowsPeak() {
        const {totals, peak_step: step} = this.model.header;
        return totals.peak_bytes !== null && (this.isWhole || (step !== null && this.from < step && step <= this.to));
    }

    /** @param {number} from @param {number} to steps, from < to */
    setWindow(from, to) {
        if (from === this.from && to === this.to)
            return;
        this.from = from;
        this.to = to;
        this.version++;
    }

    /** @param {Filter} filter */
    setFilter(filter) {
        const {domain, group, thread} = this.filter;
        if (domain === filter.domain && group === filter.group && thread === filter.thread)
            return;
        if (domain !== filter.domain || group !== filter.group) {
            this.mask = this.#maskOf(filter);
            this.filterVersion++;
        }
        this.filter = {...filter};
        this.version++;
    }

    /** @param {Filter} filter @returns {Uint8Array} by cell */
    #maskOf({domain, group}) {
        const {cells, cellCount} = this.model, mask = new Uint8Array(cellCount);
        const nodes = group ? nodesWithGroup(this.model, group) : null;
        const only = domain === "" ? -1 : Number(domain);
        for (let i = 0; i < cellCount; i++)
            mask[i] = Number((only < 0 ? cells.domain[i] !== 2 : cells.domain[i] === only) && (!nodes || nodes[cells.node[i]]));
        return mask;
    }

    /** @param {Quantity} quantity @returns {Float64Array | null} by cell, as Sums.get() */
    get(quantity) {
        return this.byCell.get(quantity);
    }

    /**
     * @param {Quantity} quantity
     * @returns {boolean} can it only be summed from the single cells?
     */
    needsCells(quantity) {
        return quantity === "left" || this.filter.thread !== "";
    }

    /** @param {Quantity} quantity one that needs the cells @returns {Float64Array | null} */
    ofCells(quantity) {
        if (this.filter.thread !== "")
            return this.#ofThread(quantity);
        const {model, mask} = this, live = /** @type {Float64Array} */ (this.byCell.compute("live"));
        return model.isMerged ? live.slice() : live.map((bytes, i) => (mask[i] ? Math.max(0, bytes - model.cells.inherited_bytes[i]) : 0));
    }

    /**
     * Of one thread, or of one process, of the whole run.
     * @param {Quantity} quantity
     * @returns {Float64Array | null}
     */
    #ofThread(quantity) {
        const {parts, cells} = this.model, column = PART_COLUMNS[quantity], all = column && this.isWhole ? this.byCell.compute(quantity) : null;
        if (!all)
            return null;
        const owner = Number(this.filter.thread) + 1, values = parts[column], {mask} = this;
        const out = all.map((value, i) => (cells.owner[i] === owner ? value : 0));
        for (let i = 0; i < values.length; i++)
            if (parts.owner[i] === owner && mask[parts.cell[i]])
                out[parts.cell[i]] += values[i];
        return out;
    }

    /**
     * @param {Quantity} name a column of changes, or what has grown
     * @param {number} step
     * @returns {number} the sum over all cells until a step
     */
    until(name, step) {
        let known = this.steps.get(name);
        if (!known || known.version !== this.filterVersion) {
            const {changes, lastStep} = this.model, values = name === "grown" ? this.model.net(false) : changes[CHANGE_COLUMNS[name]], sums = new Float64Array(lastStep + 1), {mask} = this;
            for (let i = 0; i < values.length; i++)
                if (mask[changes.cell[i]])
                    sums[changes.step[i]] += values[i];
            for (let s = 1; s <= lastStep; s++)
                sums[s] += sums[s - 1];
            this.steps.set(name, known = {version: this.filterVersion, sums});
        }
        return known.sums[step];
    }

    /** @param {Quantity} quantity @returns {number | null} the sum over the cells that pass */
    total(quantity) {
        const {from, to} = this;
        if (this.filter.thread === "") {
            if (quantity === "grown" || quantity in CHANGE_COLUMNS)
                return this.until(quantity, to) - this.until(quantity, from);
        }
        return this.get(quantity)?.reduce((a, b) => a + b, 0) ?? null;
    }

    /**
     * All quantities of some cells at once, in one pass over the changes: for what is looked at
     * alone.
     * @param {Uint8Array} inside by cell
     * @returns {{[quantity: string]: number | null}}
     */
    totalsOf(inside) {
        if (this.filter.thread !== "") {
            const sum = (/** @type {Quantity} */ quantity) => this.get(quantity)?.reduce((a, b, i) => a + (inside[i] ? b : 0), 0) ?? null;
            return Object.fromEntries(["bytes", "allocs", "peak", "live", "temporary"].map((name) => [name, sum(/** @type {Quantity} */ (name))]));
        }
        const {changes: {cell, bytes, allocs, temporary}, cells, ends} = this.model, {mask} = this, net = this.model.net(false);
        const out = {bytes: 0, allocs: 0, peak: 0, live: 0, grown: 0, temporary: 0};
        for (let i = 0; i < inside.length; i++)
            if (inside[i] && mask[i]) {
                out.live += cells.start_bytes[i];
                out.peak += cells.at_peak_bytes[i];
            }
        for (let i = 0, first = ends[this.from], last = ends[this.to]; i < last; i++) {
            if (!inside[cell[i]] || !mask[cell[i]])
                continue;
            out.live += net[i];
            if (i < first)
                continue;
            out.grown += net[i];
            out.bytes += bytes[i];
            out.allocs += allocs[i];
            out.temporary += temporary[i];
        }
        return {...out, peak: this.knowsPeak ? out.peak : null};
    }
}

/**
 * The last step that is not after a moment, as --from and --to take it.
 * @param {number[]} steps moments, ascending @param {number} ns
 */
export function stepAt(steps, ns) {
    let low = 0, high = steps.length - 1;
    while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (steps[middle] <= ns)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}
