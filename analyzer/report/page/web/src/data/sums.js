// Sums of what happened in the window, by any grouping of the cells: lines, functions, calls. They
// move with the window: a drag adds and subtracts what changed in the steps that it passed, and no
// more. What the sums are is in ../../../DATA.md under "How to count".

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./numbers.js").Numbers} Numbers */

/**
 * @typedef {"allocs" | "bytes" | "frees" | "freed" | "temporary" | "live_blocks" | "live" | "left"
 *     | "grown" | "peak"} Quantity
 */

/** Which column of changes has a quantity. @type {{[quantity: string]: string}} */
export const CHANGE_COLUMNS = {allocs: "allocs", bytes: "bytes", frees: "frees", freed: "freed_bytes", temporary: "temporary", keptBlocks: "kept_blocks",
    keptBytes: "kept_bytes"};

/** Sums of a column of changes up to a step that moves. */
class Running {
    /**
     * @param {Model} model
     * @param {string} column
     * @param {Int32Array} target by cell: which sum it adds to, -1: none
     * @param {number} count of sums
     */
    constructor(model, column, target, count) {
        this.values = model.changes[column];
        this.cell = model.changes.cell;
        this.ends = model.ends;
        this.target = target;
        this.step = 0;
        this.sums = new Float64Array(count);
    }

    /** @param {number} step @returns {Float64Array} */
    at(step) {
        const {values, cell, ends, sums, target} = this, sign = step > this.step ? 1 : -1;
        const from = Math.min(ends[this.step], ends[step]), to = Math.max(ends[this.step], ends[step]);
        for (let i = from; i < to; i++) {
            const at = target[cell[i]];
            if (at >= 0)
                sums[at] += sign * values[i];
        }
        this.step = step;
        return sums;
    }
}

export class Sums {
    /**
     * @param {Numbers} numbers
     * @param {ArrayLike<number>} index by cell: which group it belongs to, -1: none
     * @param {number} count of groups
     */
    constructor(numbers, index, count) {
        this.numbers = numbers;
        this.index = index;
        this.count = count;
        this.filtered = 0;
        this.target = new Int32Array(index.length);
        /** @type {Map<string, Running>} */
        this.running = new Map();
        /** @type {Map<string, Float64Array>} */
        this.fixed = new Map();
        /** @type {Map<string, {version: number, values: Float64Array | null}>} */
        this.known = new Map();
    }

    /**
     * @param {Quantity} quantity
     * @returns {Float64Array | null} by group; null: it is not known of this window. Good until the
     *     window or the filter changes
     */
    get(quantity) {
        const {numbers} = this;
        let entry = this.known.get(quantity);
        if (!entry || entry.version !== numbers.version) {
            const ofCells = numbers.needsCells(quantity) ? numbers.ofCells(quantity) : undefined;
            entry = {version: numbers.version, values: ofCells === undefined ? this.compute(quantity) : ofCells && this.#grouped(ofCells)};
            this.known.set(quantity, entry);
        }
        return entry.values;
    }

    /** @param {ArrayLike<number>} ofCells @returns {Float64Array} */
    #grouped(ofCells) {
        const out = new Float64Array(this.count), {index} = this;
        for (let i = 0; i < index.length; i++)
            if (index[i] >= 0)
                out[index[i]] += ofCells[i];
        return out;
    }

    /** Starts anew where the filter is another one. */
    #applyFilter() {
        const {numbers, index, target} = this;
        if (this.filtered === numbers.filterVersion)
            return;
        this.filtered = numbers.filterVersion;
        for (let i = 0; i < target.length; i++)
            target[i] = numbers.mask[i] ? index[i] : -1;
        this.running.clear();
        this.fixed.clear();
    }

    /**
     * @param {string} name
     * @param {number} step
     * @param {string} end sums that move together with the window's beginning, or with its end
     * @returns {Float64Array} all changes until the step
     */
    until(name, step, end) {
        const key = `${name} ${end}`;
        let running = this.running.get(key);
        if (!running)
            this.running.set(key, running = new Running(this.numbers.model, CHANGE_COLUMNS[name], this.target, this.count));
        return running.at(step);
    }

    /** @param {string} column of cells @returns {Float64Array} its sums, which no window changes */
    #still(column) {
        let sums = this.fixed.get(column);
        if (!sums) {
            const {target} = this, values = this.numbers.model.cells[column];
            this.fixed.set(column, sums = new Float64Array(this.count));
            for (let i = 0; i < target.length; i++)
                if (target[i] >= 0)
                    sums[target[i]] += values[i];
        }
        return sums;
    }

    /**
     * @param {number} step
     * @param {string} end
     * @param {boolean} blocks or bytes
     * @returns {(group: number) => number}
     */
    live(step, end, blocks) {
        const start = this.#still(blocks ? "start_blocks" : "start_bytes");
        const born = this.until(blocks ? "allocs" : "bytes", step, end), ended = this.until(blocks ? "frees" : "freed", step, end);
        if (!this.numbers.model.isMerged)
            return (i) => start[i] + born[i] - ended[i];
        const kept = this.until(blocks ? "keptBlocks" : "keptBytes", step, end);
        return (i) => start[i] + born[i] - ended[i] + kept[i];
    }

    /** @param {Quantity} quantity @returns {((group: number) => number) | null} */
    #formula(quantity) {
        const {from, to} = this.numbers;
        if (quantity === "peak") {
            const peak = this.numbers.knowsPeak ? this.#still("at_peak_bytes") : null;
            return peak && ((i) => peak[i]);
        }
        if (quantity === "live" || quantity === "live_blocks")
            return this.live(to, "b", quantity === "live_blocks");
        if (quantity === "grown") {
            const before = this.live(from, "a", false), after = this.live(to, "b", false);
            return (i) => after(i) - before(i);
        }
        const before = this.until(quantity, from, "a"), after = this.until(quantity, to, "b");
        return (i) => after[i] - before[i];
    }

    /**
     * Whatever the filter for a thread.
     * @param {Quantity} quantity
     * @returns {Float64Array | null}
     */
    compute(quantity) {
        this.#applyFilter();
        const formula = this.#formula(quantity), out = this.known.get(quantity)?.values ?? new Float64Array(this.count);
        if (!formula)
            return null;
        for (let i = 0; i < out.length; i++)
            out[i] = formula(i);
        return out;
    }
}
