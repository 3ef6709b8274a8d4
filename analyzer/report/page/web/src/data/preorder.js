// Trees as typed arrays, numbered so that a node comes before all that is below it, and these
// before anything else: then sums over subtrees are one pass from the back, and a subtree is a
// range.

/**
 * The order in which to visit a tree: parents first, of siblings the one with the greatest weight.
 * @param {ArrayLike<number>} parent of each node; node 0 is the root, and parents have smaller
 *     numbers
 * @param {ArrayLike<number>} [weight] without it, siblings keep their order
 * @returns {Int32Array} old numbers, by new number
 */
export function preorder(parent, weight) {
    const n = parent.length, first = new Int32Array(n + 1), children = new Int32Array(Math.max(0, n - 1));
    for (let i = 1; i < n; i++)
        first[parent[i] + 1]++;
    for (let i = 0; i < n; i++)
        first[i + 1] += first[i];
    const next = first.slice();
    for (let i = 1; i < n; i++)
        children[next[parent[i]]++] = i;
    const order = new Int32Array(n), stack = new Int32Array(n);
    let depth = n ? 1 : 0, at = 0;
    while (depth) {
        const node = stack[--depth];
        order[at++] = node;
        const below = children.subarray(first[node], first[node + 1]);
        if (weight && below.length > 1)
            below.sort((a, b) => weight[b] - weight[a] || a - b);
        for (let i = below.length - 1; i >= 0; i--)
            stack[depth++] = below[i];
    }
    return order;
}

/**
 * Adds to each node what is below it, in place.
 * @param {ArrayLike<number>} parent smaller than the node itself
 * @param {Float64Array} values of the nodes themselves
 * @returns {Float64Array} values
 */
export function addUp(parent, values) {
    for (let i = values.length - 1; i > 0; i--)
        values[parent[i]] += values[i];
    return values;
}

/**
 * @param {Float64Array} values
 * @returns {Float64Array} one more: by number, the sum of all values before it
 */
export function prefixSums(values) {
    const out = new Float64Array(values.length + 1);
    for (let i = 0, sum = 0; i < values.length; i++)
        out[i + 1] = sum += values[i];
    return out;
}

/**
 * @param {ArrayLike<number>} parent of nodes in pre-order
 * @returns {Int32Array} by node, the number of the first node that is not below it
 */
export function subtreeEnds(parent) {
    const end = new Int32Array(parent.length);
    for (let i = end.length - 1; i >= 0; i--) {
        if (end[i] <= i)
            end[i] = i + 1;
        if (i > 0 && end[parent[i]] < end[i])
            end[parent[i]] = end[i];
    }
    return end;
}

/**
 * @param {ArrayLike<number>} parent
 * @returns {Int32Array} by node, how many are above it
 */
export function depths(parent) {
    const depth = new Int32Array(parent.length);
    for (let i = 1; i < depth.length; i++)
        depth[i] = depth[parent[i]] + 1;
    return depth;
}

/** Finds numbers for pairs of numbers, and gives new pairs the next one. */
export class PairTable {
    /** @param {number} expected how many pairs there may be at least */
    constructor(expected) {
        let size = 1024;
        while (size < 2 * expected)
            size *= 2;
        this.mask = size - 1;
        this.first = new Int32Array(size);
        this.second = new Int32Array(size);
        this.number = new Int32Array(size).fill(-1);
        this.count = 0;
    }

    /** @param {number} a @param {number} b @returns {number} */
    find(a, b) {
        let slot = (Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b)) >>> 0;
        slot = (slot ^ (slot >>> 15)) & this.mask;
        for (; this.number[slot] >= 0; slot = (slot + 1) & this.mask)
            if (this.first[slot] === a && this.second[slot] === b)
                return this.number[slot];
        this.first[slot] = a;
        this.second[slot] = b;
        return (this.number[slot] = this.count++);
    }
}
