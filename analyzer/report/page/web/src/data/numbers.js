// What happened between two steps of the history, by cell: the sums and differences that
// ../../../DATA.md defines under "How to count". Each is computed when it is asked for.

/** @typedef {import("./model.js").Model} Model */

/**
 * @typedef {"allocs" | "bytes" | "frees" | "freed" | "temporary" | "live_blocks" | "live" | "left"
 *     | "grown" | "peak"} Quantity
 * @typedef {{domain: string, group: string, thread: string}} Filter
 */

const COLUMN = {allocs: "allocs", bytes: "bytes", frees: "frees", freed: "freed_bytes", temporary: "temporary", keptBlocks: "kept_blocks", keptBytes: "kept_bytes"};

/** Which column of parts has a quantity. @type {{[quantity: string]: string}} */
export const PART_COLUMNS = {allocs: "allocs", bytes: "bytes", frees: "frees", freed: "freed_bytes", temporary: "temporary", live_blocks: "live_blocks",
    live: "live_bytes", peak: "at_peak_bytes"};

/** The sums of a column of changes up to a step that moves. */
class Running {
    /** @param {Model} model @param {string} column */
    constructor(model, column) {
        this.values = model.changes[column];
        this.cell = model.changes.cell;
        this.ends = model.ends;
        this.step = 0;
        this.sums = new Float64Array(model.cellCount);
    }

    /** @param {number} step @returns {Float64Array} */
    at(step) {
        const {values, cell, ends, sums} = this;
        const here = ends[this.step], there = ends[step];
        for (let i = here; i < there; i++)
            sums[cell[i]] += values[i];
        for (let i = here - 1; i >= there; i--)
            sums[cell[i]] -= values[i];
        this.step = step;
        return sums;
    }
}

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

/** The numbers of a window, of the cells that pass a filter. */
export class Numbers {
    /** @param {Model} model */
    constructor(model) {
        this.model = model;
        this.from = 0;
        this.to = model.lastStep;
        /** @type {Filter} */
        this.filter = {domain: "", group: "", thread: ""};
        /** @type {Uint8Array} */
        this.mask = this.maskOf(this.filter);
        this.version = 1;
        /** @type {Map<string, Running>} */
        this.running = new Map();
        /** @type {Map<string, {version: number, values: Float64Array | null}>} */
        this.known = new Map();
    }

    get isWhole() {
        return this.from === 0 && this.to === this.model.lastStep;
    }

    /** Is a thread, or a process, asked for of which only the whole run is known? */
    get threadUnknown() {
        return this.filter.thread !== "" && !this.isWhole;
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
        this.filter = {...filter};
        this.mask = this.maskOf(filter);
        this.version++;
    }

    /** @param {Filter} filter @returns {Uint8Array} by cell */
    maskOf({domain, group}) {
        const {cells, cellCount} = this.model, mask = new Uint8Array(cellCount);
        const nodes = group ? nodesWithGroup(this.model, group) : null;
        const only = domain === "" ? -1 : Number(domain);
        for (let i = 0; i < cellCount; i++)
            mask[i] = Number((only < 0 ? cells.domain[i] !== 2 : cells.domain[i] === only) && (!nodes || nodes[cells.node[i]]));
        return mask;
    }

    /**
     * @param {Quantity} quantity
     * @returns {Float64Array | null} by cell; null: it is not known of this window. Good until the
     *     window or the filter
     *     changes
     */
    get(quantity) {
        let entry = this.known.get(quantity);
        if (!entry || entry.version !== this.version) {
            const buffer = entry?.values ?? new Float64Array(this.model.cellCount);
            entry = {version: this.version, values: this.filter.thread ? this.ofThread(quantity, buffer) : this.compute(quantity, buffer)};
            this.known.set(quantity, entry);
        }
        return entry.values;
    }

    /**
     * @param {string} name
     * @param {"a" | "b"} end
     * @returns {Float64Array} sums until the window's beginning or end
     */
    sums(name, end) {
        const key = `${name} ${end}`;
        let running = this.running.get(key);
        if (!running)
            this.running.set(key, running = new Running(this.model, /** @type {any} */ (COLUMN)[name]));
        return running.at(end === "a" ? this.from : this.to);
    }

    /**
     * @param {"a" | "b"} end
     * @param {boolean} blocks or bytes
     * @returns {(cell: number) => number} what is live there
     */
    live(end, blocks) {
        const {cells} = this.model;
        const start = blocks ? cells.start_blocks : cells.start_bytes;
        const born = this.sums(blocks ? "allocs" : "bytes", end), ended = this.sums(blocks ? "frees" : "freed", end);
        if (!this.model.isMerged)
            return (i) => start[i] + born[i] - ended[i];
        const kept = this.sums(blocks ? "keptBlocks" : "keptBytes", end);
        return (i) => start[i] + born[i] - ended[i] + kept[i];
    }

    /** @param {Quantity} quantity @returns {((cell: number) => number) | null} */
    formula(quantity) {
        const {cells, header} = this.model;
        switch (quantity) {
        case "live":
            return this.live("b", false);
        case "live_blocks":
            return this.live("b", true);
        case "left": {
            const live = this.live("b", false);
            return this.model.isMerged ? live : (i) => Math.max(0, live(i) - cells.inherited_bytes[i]);
        }
        case "grown": {
            const before = this.live("a", false), after = this.live("b", false);
            return (i) => after(i) - before(i);
        }
        case "peak": {
            const step = header.peak_step;
            const known = header.totals.peak_bytes !== null && (this.isWhole || (step !== null && this.from < step && step <= this.to));
            return known ? (i) => cells.at_peak_bytes[i] : null;
        }
        default:
            return null;
        }
    }

    /** @param {Quantity} quantity @param {Float64Array} out @returns {Float64Array | null} */
    compute(quantity, out) {
        const {mask} = this;
        if (Object.hasOwn(COLUMN, quantity)) {
            const before = this.sums(quantity, "a"), after = this.sums(quantity, "b");
            for (let i = 0; i < out.length; i++)
                out[i] = mask[i] ? after[i] - before[i] : 0;
            return out;
        }
        const formula = this.formula(quantity);
        if (!formula)
            return null;
        for (let i = 0; i < out.length; i++)
            out[i] = mask[i] ? formula(i) : 0;
        return out;
    }

    /**
     * Of one thread, or of one process, of the whole run.
     * @param {Quantity} quantity @param {Float64Array} out
     */
    ofThread(quantity, out) {
        const {parts, cells} = this.model, column = PART_COLUMNS[quantity], all = column && this.isWhole ? this.compute(quantity, out) : null;
        if (!all)
            return null;
        const owner = Number(this.filter.thread) + 1, values = parts[column], {mask} = this;
        for (let i = 0; i < out.length; i++)
            if (cells.owner[i] !== owner)
                out[i] = 0;
        for (let i = 0; i < values.length; i++)
            if (parts.owner[i] === owner && mask[parts.cell[i]])
                out[parts.cell[i]] += values[i];
        return out;
    }

    /** @param {Quantity} quantity @returns {number | null} the sum over the cells that pass */
    total(quantity) {
        const values = this.get(quantity);
        if (!values)
            return null;
        let sum = 0;
        for (let i = 0; i < values.length; i++)
            sum += values[i];
        return sum;
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
