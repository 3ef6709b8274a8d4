// What is counted in a window, against sums worked out by hand and against slower ways to compute
// them.

import assert from "node:assert/strict";
import {test} from "node:test";
import {parse} from "../../analyzer/report/page/web/src/data/decode.js";
import {Model} from "../../analyzer/report/page/web/src/data/model.js";
import {Numbers, stepAt} from "../../analyzer/report/page/web/src/data/numbers.js";
import {encode, makeTrace, randomness} from "./made_trace.mjs";

const modelOf = ({header, columns}) => new Model(parse(encode(header, columns)));

/** Two cells at one node and a third in mapped memory; four steps. */
function small(more = [], processes = null) {
    const table = (name, rows) => Object.entries(rows).map(([column, values]) => ({name: `${name}.${column}`, values}));
    return modelOf({
        header: {strings: ["", "main", "a.py", "shop", "lib"], steps_ns: [0, 10, 20, 30], peak_step: 2, files: [], threads: [], processes, totals: {peak_bytes: 180}},
        columns: [
            ...table("frame", {name: [0, 1, 1], file: [0, 2, 2], line: [0, 5, 6], start: [0, 1, 1], module: [0, 0, 0], group: [0, 3, 4], kind: [0, 0, 0], flags: [0, 2, 0]}),
            ...table("node", {parent: [0, 0, 1], frame: [0, 1, 2]}),
            ...table("cell", {node: [1, 2, 2], domain: [0, 1, 2], leaf: [0, 0, 0], user: [1, 2, 2], start_blocks: [1, 0, 0], start_bytes: [100, 0, 0],
                inherited_blocks: [1, 0, 0], inherited_bytes: [100, 0, 0], at_peak_bytes: [150, 30, 0]}),
            ...table("change", {step: [1, 1, 2, 3, 3], cell: [0, 2, 1, 0, 1], allocs: [2, 1, 3, 0, 1], bytes: [50, 4096, 30, 0, 8], frees: [0, 0, 1, 2, 0],
                freed_bytes: [0, 0, 10, 120, 0], temporary: [1, 0, 1, 0, 0]}),
            ...more,
        ],
    });
}

test("the whole run is what happened in all steps", () => {
    const numbers = new Numbers(small());
    assert.deepEqual([...numbers.get("bytes")], [50, 38, 0]);
    assert.deepEqual([...numbers.get("frees")], [2, 1, 0]);
    assert.deepEqual([...numbers.get("live")], [30, 28, 0]);
    assert.deepEqual([...numbers.get("live_blocks")], [1, 3, 0]);
    assert.deepEqual([...numbers.get("left")], [0, 28, 0]); // 30 live, of the 100 that were inherited
    assert.deepEqual([...numbers.get("grown")], [-70, 28, 0]);
    assert.deepEqual([...numbers.get("peak")], [150, 30, 0]);
    assert.equal(numbers.total("allocs"), 6);
});

test("a window is what happened after its first step until its last", () => {
    const numbers = new Numbers(small());
    numbers.setWindow(1, 2);
    assert.deepEqual([...numbers.get("bytes")], [0, 30, 0]);
    assert.deepEqual([...numbers.get("live")], [150, 20, 0]);
    assert.deepEqual([...numbers.get("grown")], [0, 20, 0]);
    assert.deepEqual([...numbers.get("peak")], [150, 30, 0]); // the peak is in it
    numbers.setWindow(2, 3);
    assert.equal(numbers.get("peak"), null);
    assert.deepEqual([...numbers.get("freed")], [120, 0, 0]);
});

test("mapped memory is counted where it is asked for", () => {
    const numbers = new Numbers(small());
    numbers.setFilter({domain: "2", group: "", thread: ""});
    assert.equal(numbers.total("bytes"), 4096);
    numbers.setFilter({domain: "1", group: "", thread: ""});
    assert.equal(numbers.total("bytes"), 38);
});

test("a filter for a module takes the call paths with a frame of it", () => {
    const numbers = new Numbers(small());
    numbers.setFilter({domain: "", group: "lib", thread: ""});
    assert.equal(numbers.total("bytes"), 38);
    numbers.setFilter({domain: "", group: "shop", thread: ""});
    assert.equal(numbers.total("bytes"), 88);
});

test("a thread is known of the whole run only", () => {
    const part = {cell: [0, 0, 1], owner: [2, 3, 3], allocs: [1, 1, 4], bytes: [20, 30, 38], frees: [0, 2, 1], freed_bytes: [0, 120, 10], temporary: [0, 1, 1],
        live_blocks: [0, 1, 3], live_bytes: [0, 30, 28], at_peak_bytes: [75, 75, 30]};
    const numbers = new Numbers(small(Object.entries(part).map(([column, values]) => ({name: `part.${column}`, values}))));
    numbers.setFilter({domain: "", group: "", thread: "2"});
    assert.deepEqual([...numbers.get("bytes")], [30, 38, 0]);
    assert.equal(numbers.total("peak"), 105);
    numbers.setWindow(0, 2);
    assert.equal(numbers.get("bytes"), null);
    assert.ok(numbers.threadUnknown);
});

test("kept blocks of other processes stay live", () => {
    const kept = [{name: "change.kept_blocks", values: [0, 0, 0, 1, 0]}, {name: "change.kept_bytes", values: [0, 0, 0, 100, 0]}];
    const numbers = new Numbers(small(kept, [{}, {}]));
    assert.deepEqual([...numbers.get("live")], [130, 28, 0]);
    assert.deepEqual([...numbers.get("left")], [130, 28, 0]); // of several processes, inherited blocks are in nothing
    numbers.setWindow(1, 3);
    assert.deepEqual([...numbers.get("grown")], [-20, 28, 0]);
    assert.equal(numbers.total("grown"), 8);
    assert.deepEqual(numbers.totalsOf(Uint8Array.of(1, 0, 0)).live, 130);
});

test("whichever way a window is dragged, it counts the same", () => {
    const made = makeTrace({paths: 300, steps: 30}), numbers = new Numbers(modelOf(made)), {model} = numbers, random = randomness(7);
    const slowly = (column, cell, from, to) => {
        let sum = 0;
        for (let i = 0; i < model.changes.step.length; i++)
            if (model.changes.cell[i] === cell && model.changes.step[i] > from && model.changes.step[i] <= to)
                sum += model.changes[column][i];
        return sum;
    };
    for (let drag = 0; drag < 25; drag++) {
        const from = random.below(29), to = from + 1 + random.below(29 - from), cell = random.below(model.cellCount);
        numbers.setWindow(from, to);
        if (model.cells.domain[cell] === 2)
            continue;
        for (const [quantity, column] of [["bytes", "bytes"], ["allocs", "allocs"], ["frees", "frees"], ["freed", "freed_bytes"], ["temporary", "temporary"]])
            assert.equal(numbers.get(quantity)[cell], slowly(column, cell, from, to));
        assert.equal(numbers.total("bytes"), numbers.get("bytes").reduce((a, b) => a + b));
        assert.equal(numbers.total("grown"), numbers.get("grown").reduce((a, b) => a + b));
        const inside = Uint8Array.from(model.cells.node, (_, i) => Number(i % 3 === 0)), only = (quantity) => numbers.get(quantity).reduce((sum, n, i) => sum + (inside[i] ? n : 0), 0);
        const {bytes, allocs, live, grown, temporary} = numbers.totalsOf(inside);
        assert.deepEqual([bytes, allocs, live, grown, temporary], ["bytes", "allocs", "live", "grown", "temporary"].map(only));
        assert.equal(numbers.get("live")[cell], slowly("bytes", cell, 0, to) - slowly("freed_bytes", cell, 0, to));
    }
    numbers.setWindow(0, model.lastStep);
    assert.equal(numbers.total("bytes"), made.header.totals.allocated_bytes);
    assert.equal(numbers.total("live"), made.header.totals.live_bytes);
});

test("parts of a run that follow one another add up to the whole", () => {
    const numbers = new Numbers(modelOf(makeTrace({paths: 500, steps: 40})));
    const whole = numbers.total("bytes"), grown = numbers.total("grown");
    let bytes = 0, growth = 0;
    for (const [from, to] of [[0, 7], [7, 8], [8, 33], [33, 39]]) {
        numbers.setWindow(from, to);
        bytes += numbers.total("bytes");
        growth += numbers.total("grown");
    }
    assert.deepEqual([bytes, growth], [whole, grown]);
});

test("a moment belongs to the last state that is not after it", () => {
    assert.deepEqual([0, 9, 10, 11, 19, 30, 99].map((ns) => stepAt([0, 10, 20, 30], ns)), [0, 0, 1, 1, 1, 3, 3]);
});
