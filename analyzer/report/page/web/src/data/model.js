// The decoded data as tables, the call tree in pre-order (see preorder.js). What the columns mean
// is in ../../../DATA.md.

import {preorder} from "./preorder.js";
/** @typedef {import("./decode.js").Numbers} Numbers */

export const PYTHON = 0, NATIVE = 1, INLINED = 2, SPECIAL = 3; // frame.kind
export const IMPORTS = 1, USER = 2; // frame.flags
export const DOMAINS = ["heap", "python", "map"];
export const DOMAIN_NAMES = ["Heap", "Python", "Mapped"];

/**
 * The columns of a table, by their names.
 * @typedef {{[name: string]: Numbers}} Table
 */

/**
 * A table's columns by their names: what is not there is 0 in all rows.
 * @param {{header: any, columns: Map<string, Numbers>}} data @param {string} table
 * @param {string} names with blanks between them
 * @returns {any}
 */
function tableOf({header, columns}, table, names) {
    /** @type {Table} */
    const out = {};
    for (const name of names.split(" "))
        out[name] = columns.get(`${table}.${name}`) ?? new Int32Array(header.counts[table]);
    return out;
}

/**
 * Numbers the tree anew, if it is not in pre-order yet.
 * @param {Numbers} parent @param {Numbers} frame @param {Numbers} cellNode
 */
function renumber(parent, frame, cellNode) {
    const order = preorder(parent), number = new Int32Array(order.length);
    for (let i = 0; i < order.length; i++)
        number[order[i]] = i;
    return {
        parent: order.map((old) => number[parent[old]]), frame: order.map((old) => frame[old]),
        cellNode: new Int32Array(cellNode).map((old) => number[old]),
    };
}

/**
 * @param {Numbers} step of each change, ascending
 * @param {number} steps
 * @returns {Int32Array} the first change after each step
 */
function endsOfSteps(step, steps) {
    const ends = new Int32Array(steps);
    let at = 0;
    for (let s = 0; s < steps; s++) {
        while (at < step.length && step[at] <= s)
            at++;
        ends[s] = at;
    }
    return ends;
}

/** One trace: what the page shows, or what it compares with. */
export class Model {
    /** @type {Float64Array[]} */
    #nets = [];

    /** @param {{header: any, columns: Map<string, Numbers>}} data */
    constructor(data) {
        const {header, columns} = data;
        this.header = header;
        /** @type {string[]} */
        this.strings = header.strings;
        /** @type {number[]} */
        this.steps = header.steps_ns;
        this.frames = tableOf(data, "frame", "name file line start module group kind flags");
        const node = tableOf(data, "node", "parent frame");
        this.cells = tableOf(data, "cell", "node domain leaf user start_blocks start_bytes inherited_bytes at_peak_bytes owner");
        const tree = renumber(node.parent, node.frame, this.cells.node);
        this.parent = tree.parent;
        this.frame = tree.frame;
        this.cells.node = tree.cellNode;
        this.changes = tableOf(data, "change", "step cell allocs bytes frees freed_bytes temporary kept_blocks kept_bytes");
        this.ends = endsOfSteps(this.changes.step, this.steps.length);
        this.parts = tableOf(data, "part", "cell owner allocs bytes frees freed_bytes temporary live_blocks live_bytes at_peak_bytes");
        /** Is it known which thread, or which process, did what? */
        this.hasOwners = columns.has("cell.owner") || columns.has("part.owner");
        /** Of several processes, inherited blocks are in nothing. */
        this.isMerged = Boolean(header.processes);
        this.nodeCount = this.parent.length;
        this.cellCount = this.cells.node.length;
        this.lastStep = this.steps.length - 1;
        /** @type {Int32Array | null} */
        this.userFrames = null;
        /** @type {Int32Array | null} */
        this.leafFrames = null;
        this.keys = keysOf(this);
    }

    /**
     * @param {boolean} blocks or bytes
     * @returns {Float64Array} by change: how what is live changed
     */
    net(blocks) {
        const {allocs, bytes, frees, freed_bytes: freed, kept_blocks: keptBlocks, kept_bytes: keptBytes} = this.changes;
        const [born, ended, kept] = blocks ? [allocs, frees, keptBlocks] : [bytes, freed, keptBytes];
        let net = this.#nets[Number(blocks)];
        if (!net) {
            net = this.#nets[Number(blocks)] = new Float64Array(born.length);
            for (let i = 0; i < net.length; i++)
                net[i] = born[i] - ended[i] + kept[i];
        }
        return net;
    }

    /**
     * The frame of the line that each cell's costs are charged to.
     * @param {string} by "user" or "leaf"
     * @returns {Int32Array} -1: outside user code
     */
    charged(by) {
        if (by === "leaf")
            return (this.leafFrames ??= this.#chargedUp(this.cells.leaf, 0));
        return (this.userFrames ??= this.#chargedUp(this.cells.user, 1));
    }

    /** @param {Numbers} levels up from the cell's node @param {number} offset of the levels */
    #chargedUp(levels, offset) {
        const out = new Int32Array(this.cellCount).fill(-1), {node} = this.cells;
        for (let i = 0; i < out.length; i++) {
            if (levels[i] < offset)
                continue;
            let at = node[i];
            for (let up = levels[i] - offset; up > 0; up--)
                at = this.parent[at];
            out[i] = this.frame[at];
        }
        return out;
    }

    /** @param {number} frame @returns {string} */
    name(frame) {
        return this.strings[this.frames.name[frame]];
    }

    /** @param {number} frame @returns {string} */
    file(frame) {
        return this.strings[this.frames.file[frame]];
    }

    /** @param {number} frame @returns {string} */
    group(frame) {
        return this.strings[this.frames.group[frame]];
    }
}

/**
 * What makes frames one function, as texts that mean the same in another trace.
 * @param {Model} model
 * @returns {{function: string[], line: string[], group: string[]}} by frame
 */
function keysOf(model) {
    const {name, file, line, start, module, group, flags} = model.frames, {strings} = model;
    const keys = {function: /** @type {string[]} */ ([]), line: /** @type {string[]} */ ([]), group: /** @type {string[]} */ ([])};
    for (let i = 0; i < name.length; i++) {
        const place = `${strings[name[i]]}\n${strings[file[i]]}\n${strings[module[i]]}\n${flags[i] & USER}`;
        keys.function.push(`${place}\n${start[i]}`);
        keys.line.push(`${place}\n${start[i]}\n${line[i]}`);
        keys.group.push(strings[group[i]]);
    }
    return keys;
}
