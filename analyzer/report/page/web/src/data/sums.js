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
export const CHANGE_COLUMNS = {allocs: "allocs", bytes: "bytes", frees: "frees", freed: "freed_bytes", temporary: "temporary"};

/** Sums of a column of changes between two steps that move. */
class Running {
    /**
     * @param {Model} model
     * @param {ArrayLike<number>} values of changes
     * @param {Int32Array} target by cell: which sum it adds to, -1: none
     * @param {number} count of sums
     */
    constructor(model, values, target, count) {
        this.values = values;
        this.cell = model.changes.cell;
        this.ends = model.ends;
        this.target = target;
        this.from = this.to = 0; // the first change, and the first one that is not in the sums any more
        this.sums = new Float64Array(count);
    }

    /** @param {number} from @param {number} to changes @param {number} sign */
    #add(from, to, sign) {
        const {values, cell, sums, target} = this;
        for (let i = from; i < to; i++) {
            const at = target[cell[i]];
            if (at >= 0)
                sums[at] += sign * values[i];
        }
    }

    /** @param {number} a @param {number} b steps @returns {Float64Array} what happened after a until b */
    between(a, b) {
        const from = this.ends[a], to = this.ends[b], {from: oldFrom, to: oldTo} = this;
        if (Math.abs(from - oldFrom) + Math.abs(to - oldTo) > to - from + this.sums.length) { // anew is less work
            this.sums.fill(0);
            this.#add(from, to, 1);
        } else {
            this.#add(Math.min(from, oldFrom), Math.max(from, oldFrom), from < oldFrom ? 1 : -1);
            this.#add(Math.min(to, oldTo), Math.max(to, oldTo), to > oldTo ? 1 : -1);
        }
        this.from = from;
        this.to = to;
        return this.sums;
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
     * @param {string} name of sums that move together
     * @param {ArrayLike<number>} values of changes
     * @param {number} a
     * @param {number} b steps
     * @returns {Float64Array}
     */
    between(name, values, a, b) {
        let running = this.running.get(name);
        if (!running)
            this.running.set(name, running = new Running(this.numbers.model, values, this.target, this.count));
        return running.between(a, b);
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
     * Whatever the filter for a thread.
     * @param {Quantity} quantity
     * @returns {Float64Array | null} good until the window or the filter changes
     */
    compute(quantity) {
        this.#applyFilter();
        const {model, from, to, knowsPeak} = this.numbers;
        if (quantity === "peak")
            return knowsPeak ? this.#still("at_peak_bytes") : null;
        if (quantity === "grown")
            return this.between(quantity, model.net(false), from, to);
        if (quantity !== "live" && quantity !== "live_blocks")
            return this.between(quantity, model.changes[CHANGE_COLUMNS[quantity]], from, to);
        const blocks = quantity === "live_blocks", start = this.#still(blocks ? "start_blocks" : "start_bytes");
        const grown = this.between(quantity, model.net(blocks), 0, to), out = this.known.get(quantity)?.values ?? new Float64Array(this.count);
        for (let i = 0; i < out.length; i++)
            out[i] = start[i] + grown[i];
        return out;
    }
}
