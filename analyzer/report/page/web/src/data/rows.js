// Rows of the tables: which cells belong to which line, function, module or thread, and their sums.

import {USER} from "./model.js";
import {PART_COLUMNS} from "./numbers.js";
import {prefixSums, subtreeEnds} from "./preorder.js";
import {Sums} from "./sums.js";
/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./numbers.js").Numbers} Numbers */
/** @typedef {import("./sums.js").Quantity} Quantity */

/**
 * @typedef {object} Groups rows without numbers
 * @property {number} count
 * @property {Int32Array} frame of each row: an example; -1: none (outside user code)
 * @property {Int32Array} ofCell row of each cell
 * @property {Int32Array | null} ofNode row of each node, where a row also has what is called below
 * @property {Int32Array | null} outermost nodes that have no other node of their row above them
 */

/**
 * @param {string[]} keys by frame
 * @returns {{numbers: Int32Array, first: number[]}} the same number for the same key
 */
function numbered(keys) {
    const map = new Map(), first = /** @type {number[]} */ ([]);
    const numbers = Int32Array.from(keys, (key, frame) => {
        let number = map.get(key);
        if (number === undefined) {
            map.set(key, number = first.length);
            first.push(frame);
        }
        return number;
    });
    return {numbers, first};
}

/**
 * Rows of the lines that are charged: what `vbtrace report --by user` and `--by leaf` list. One row
 * is one line of one function.
 * @param {Model} model @param {string} by "user" or "leaf" @returns {Groups}
 */
export function lineGroups(model, by) {
    const {numbers, first} = numbered(model.keys.line), charged = model.charged(by);
    const rows = new Map(), frame = /** @type {number[]} */ ([]);
    const ofCell = charged.map((f) => {
        const key = f < 0 ? -1 : numbers[f];
        let row = rows.get(key);
        if (row === undefined) {
            rows.set(key, row = frame.length);
            frame.push(key < 0 ? -1 : first[key]);
        }
        return row;
    });
    return {count: frame.length, frame: Int32Array.from(frame), ofCell, ofNode: null, outermost: null};
}

/**
 * Rows of functions, or of modules: their own costs, and with all that they called.
 * @param {Model} model @param {"function" | "group"} by @returns {Groups}
 */
export function callGroups(model, by) {
    const {numbers, first} = numbered(model.keys[by]), {parent, frame, nodeCount} = model;
    const ofNode = new Int32Array(nodeCount).fill(-1);
    for (let i = 1; i < nodeCount; i++)
        ofNode[i] = numbers[frame[i]];
    const outermost = /** @type {number[]} */ ([]), open = new Int32Array(first.length), path = [];
    for (let i = 1; i < nodeCount; i++) { // in pre-order: path holds the nodes above
        while (path.length && path[path.length - 1] !== parent[i])
            open[ofNode[/** @type {number} */ (path.pop())]]--;
        if (open[ofNode[i]]++ === 0)
            outermost.push(i);
        path.push(i);
    }
    const ofCell = model.cells.node.map((/** @type {number} */ node) => ofNode[node]);
    return {count: first.length, frame: Int32Array.from(first), ofCell, ofNode, outermost: new Int32Array(outermost)};
}

/**
 * @param {Groups} groups @param {Float64Array} values by cell @returns {Float64Array} by row
 */
export function ownSums(groups, values) {
    const out = new Float64Array(groups.count), {ofCell} = groups;
    for (let i = 0; i < ofCell.length; i++)
        if (ofCell[i] >= 0)
            out[ofCell[i]] += values[i];
    return out;
}

/**
 * With all that is called: a recursive function counts once on each path.
 * @param {Groups} groups
 * @param {{ends: Int32Array}} tree
 * @param {Float64Array} values by node
 * @returns {Float64Array} by row
 */
export function cumulativeSums({ofNode, outermost, count}, {ends}, values) {
    const before = prefixSums(values), out = new Float64Array(count);
    for (const node of /** @type {Int32Array} */ (outermost))
        out[/** @type {Int32Array} */ (ofNode)[node]] += before[ends[node]] - before[node];
    return out;
}

/**
 * Sums of rows that follow the window.
 * @typedef {{[name: string]: Float64Array | null}} RowSums by row; null: not known
 */
export class RowNumbers {
    /** @param {Groups} groups @param {Numbers} numbers */
    constructor(groups, numbers) {
        const {model} = numbers;
        this.groups = groups;
        this.tree = {ends: subtreeEnds(model.parent)};
        this.rows = new Sums(numbers, groups.ofCell, groups.count);
        this.nodes = groups.ofNode && new Sums(numbers, model.cells.node, model.nodeCount);
    }

    /** @param {Quantity[]} quantities @returns {RowSums} of the rows themselves */
    own(quantities) {
        return Object.fromEntries(quantities.map((quantity) => [quantity, this.rows.get(quantity)]));
    }

    /** @param {Quantity[]} quantities @returns {RowSums} with all that is called */
    all(quantities) {
        return Object.fromEntries(quantities.map((quantity) => {
            const values = this.nodes?.get(quantity) ?? null;
            return [quantity, values && cumulativeSums(this.groups, this.tree, values)];
        }));
    }
}

/**
 * Libraries and packages: some of the user's own first, then those with most bytes below them.
 * @param {Numbers} numbers @returns {string[]}
 */
export function modulesOf(numbers) {
    const {model} = numbers, groups = callGroups(model, "group"), {bytes} = new RowNumbers(groups, numbers).all(["bytes"]), own = new Set();
    model.frames.flags.forEach((/** @type {number} */ flags, /** @type {number} */ frame) => flags & USER && own.add(model.group(frame)));
    const rows = [...groups.frame].map((frame, row) => ({name: model.group(frame), bytes: bytes?.[row] ?? 0})).filter((row) => row.name && row.bytes > 0);
    const names = rows.sort((a, b) => b.bytes - a.bytes).map(({name}) => name), first = names.filter((name) => own.has(name)).slice(0, OWN_FIRST);
    return [...new Set([...first, ...names])];
}

/**
 * @typedef {object} ThreadRow
 * @property {number} id
 * @property {string} label
 * @property {{[name: string]: number | null}} values
 */

const OWN_FIRST = 3;

/** What the table of threads shows. */
const SHOWN = /** @type {Quantity[]} */ (["allocs", "bytes", "frees", "freed", "temporary", "live_blocks", "live", "peak"]);

/** @param {Model} model @returns {{id: number, label: string}[]} the threads, or the processes */
export function threadNames({hasOwners, header, cells, parts}) {
    if (!hasOwners)
        return [];
    if (header.processes)
        return header.processes.map((/** @type {any} */ p, /** @type {number} */ i) => ({id: i, label: `${p.program} (${p.pid})`}));
    const rows = header.threads.map((/** @type {any} */ t) => ({id: t.thread, label: t.label}));
    return cells.owner.includes(1) || parts.owner.includes(1) ? [...rows, {id: 0, label: "[unknown thread]"}] : rows;
}

/**
 * Rows of threads or processes, of the whole run, of the cells that pass the filters for domain and
 * module.
 * @param {Numbers} numbers of the whole run @returns {ThreadRow[]}
 */
export function threadRows(numbers) {
    const {model, mask, byCell} = numbers, {parts, cells, cellCount} = model, names = threadNames(model);
    const rows = names.map(({id, label}) => ({id, label, values: /** @type {{[name: string]: number | null}} */ ({})}));
    for (const quantity of SHOWN) {
        const sums = new Float64Array(2 + names.reduce((most, {id}) => Math.max(most, id), 0)), values = byCell.compute(quantity);
        for (let i = 0; values && i < cellCount; i++)
            if (cells.owner[i])
                sums[cells.owner[i]] += values[i];
        const shares = parts[PART_COLUMNS[quantity]];
        for (let i = 0; i < shares.length; i++)
            if (mask[parts.cell[i]])
                sums[parts.owner[i]] += shares[i];
        for (const row of rows)
            row.values[quantity] = values && sums[row.id + 1];
    }
    return rows;
}
