// The call tree as it is drawn: calls of one function under one caller are one, and Python's import
// machinery is one frame. Of one trace, or of two laid over each other.

import {addUp, depths, PairTable, prefixSums, preorder, subtreeEnds} from "./preorder.js";
import {IMPORTS} from "./model.js";
import {Sums} from "./sums.js";
/** @typedef {import("./model.js").Model} Model */

const FOLDED = -2;

/** Numbers for the functions (or lines) of one trace or two. */
class Keys {
    constructor() {
        /** @type {Map<string, number>} */
        this.numbers = new Map();
        /** @type {{model: Model, frame: number}[]} by number: where to find its name */
        this.examples = [];
    }

    /** @param {Model} model @param {string[]} keys by frame @returns {Int32Array} by frame */
    of(model, keys) {
        return Int32Array.from(keys, (key, frame) => {
            let number = this.numbers.get(key);
            if (number === undefined) {
                this.numbers.set(key, number = this.examples.length);
                this.examples.push({model, frame});
            }
            return number;
        });
    }
}

/**
 * @param {Model} model
 * @param {Int32Array} keys by frame
 * @param {boolean} imports
 * @returns {Int32Array} by node: its key, FOLDED in the machinery
 */
function keysOfNodes(model, keys, imports) {
    const {frame, frames} = model, out = new Int32Array(model.nodeCount);
    for (let i = 1; i < out.length; i++)
        out[i] = !imports && frames.flags[frame[i]] & IMPORTS ? FOLDED : keys[frame[i]];
    return out;
}

/**
 * @typedef {object} Calls
 * @property {Int32Array} parent in pre-order
 * @property {Int32Array} end of each subtree
 * @property {Int32Array} depth
 * @property {Int32Array} key index into examples; FOLDED_IMPORTS for the import machinery; -1 for
 *     the root
 * @property {{model: Model, frame: number}[]} examples
 * @property {Int32Array[]} ofNode of each model, by node: its call
 * @property {Int32Array[]} sample of each model, by call: its first node, or -1
 * @property {number} deepest
 */

export const FOLDED_IMPORTS = FOLDED;

/**
 * @param {Model[]} models
 * @param {{frames: string, imports: boolean}} options
 * @param {(Float64Array)[]} weights of each model by cell: what puts siblings in order
 * @returns {Calls}
 */
export function buildCalls(models, options, weights) {
    const keys = new Keys();
    const table = new PairTable(models.reduce((n, model) => n + model.nodeCount, 0));
    const parents = [0], keyList = [-1];
    const found = models.map((model) => {
        const own = keys.of(model, options.frames === "line" ? model.keys.line : model.keys.function);
        const nodeKeys = keysOfNodes(model, own, options.imports), calls = new Int32Array(model.nodeCount);
        for (let i = 1; i < calls.length; i++) {
            const above = calls[model.parent[i]];
            if (nodeKeys[i] === FOLDED && keyList[above] === FOLDED) {
                calls[i] = above;
                continue;
            }
            const call = table.find(above, nodeKeys[i]) + 1;
            if (call === parents.length) {
                parents.push(above);
                keyList.push(nodeKeys[i]);
            }
            calls[i] = call;
        }
        return calls;
    });
    return ordered(models, parents, keyList, found, weights, keys.examples);
}

/**
 * Numbers calls in the order in which they are drawn.
 * @param {Model[]} models
 * @param {number[]} parents
 * @param {number[]} keyList
 * @param {Int32Array[]} found
 * @param {Float64Array[]} weights @param {{model: Model, frame: number}[]} examples
 * @returns {Calls}
 */
function ordered(models, parents, keyList, found, weights, examples) {
    const weight = new Float64Array(parents.length);
    models.forEach((model, m) => {
        const {node} = model.cells;
        for (let i = 0; i < node.length; i++)
            weight[found[m][node[i]]] += weights[m][i];
    });
    const order = preorder(parents, addUp(parents, weight)), number = new Int32Array(order.length);
    for (let i = 0; i < order.length; i++)
        number[order[i]] = i;
    const parent = order.map((old) => number[parents[old]]);
    const sample = models.map(() => new Int32Array(order.length).fill(-1));
    const ofNode = found.map((calls, m) => calls.map((old, node) => {
        const call = number[old];
        if (sample[m][call] < 0)
            sample[m][call] = node;
        return call;
    }));
    const depth = depths(parent);
    return {parent, end: subtreeEnds(parent), depth, key: order.map((old) => keyList[old]), examples, ofNode, sample,
        deepest: depth.reduce((a, b) => Math.max(a, b), 0)};
}

/**
 * Sums by call that follow the window.
 * @param {Calls} calls
 * @param {number} m which model
 * @param {import("./numbers.js").Numbers} numbers of that model
 */
export function callSums(calls, m, numbers) {
    const ofNode = calls.ofNode[m], {node} = numbers.model.cells;
    return new Sums(numbers, node.map((/** @type {number} */ at) => ofNode[at]), calls.parent.length);
}

/**
 * With all that is below.
 * @param {Calls} calls
 * @param {Float64Array} own
 * @returns {Float64Array}
 */
export function inclusive(calls, own) {
    const before = prefixSums(own);
    return own.map((_, call) => before[calls.end[call]] - before[call]);
}

/**
 * By call, the value of a property of its cells that has most of it: which thread, domain ….
 * @param {Calls} calls
 * @param {Model} model
 * @param {ArrayLike<number>} property by cell, small numbers
 * @param {Float64Array} values by cell
 * @param {number} kinds how many values the property can have
 * @returns {Uint8Array} 255: none
 */
export function dominant(calls, model, property, values, kinds) {
    const n = calls.parent.length, best = new Float64Array(n), out = new Uint8Array(n).fill(255), {node} = model.cells;
    for (let kind = 0; kind < Math.min(kinds, 255); kind++) {
        const sums = new Float64Array(n);
        for (let i = 0; i < node.length; i++)
            if (property[i] === kind)
                sums[calls.ofNode[0][node[i]]] += values[i];
        addUp(calls.parent, sums);
        for (let i = 0; i < n; i++)
            if (sums[i] > best[i]) {
                best[i] = sums[i];
                out[i] = kind;
            }
    }
    return out;
}
