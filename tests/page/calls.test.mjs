// The call tree as it is drawn, and the sums of tables.

import assert from "node:assert/strict";
import {test} from "node:test";
import {buildCalls, callSums, FOLDED_IMPORTS, inclusive} from "../../analyzer/report/page/web/src/data/calls.js";
import {changesBetween} from "../../analyzer/report/page/web/src/data/changes.js";
import {parse} from "../../analyzer/report/page/web/src/data/decode.js";
import {Model} from "../../analyzer/report/page/web/src/data/model.js";
import {Numbers} from "../../analyzer/report/page/web/src/data/numbers.js";
import {addUp, depths, preorder, subtreeEnds} from "../../analyzer/report/page/web/src/data/preorder.js";
import {callGroups, lineGroups, RowNumbers, threadRows} from "../../analyzer/report/page/web/src/data/rows.js";
import {Sources} from "../../analyzer/report/page/web/src/data/sources.js";
import {offsetOf} from "../../analyzer/report/page/web/src/views/flame_canvas.js";
import {encode, makeTrace} from "./made_trace.mjs";

const modelOf = ({header, columns}) => new Model(parse(encode(header, columns)));
const table = (name, rows) => Object.entries(rows).map(([column, values]) => ({name: `${name}.${column}`, values}));

/**
 * A tree of frames by their numbers: main 1, helper 2 and 3 (two lines of it), import machinery 4
 * and 5.
 * @param {number[]} parent @param {number[]} frame @param {number[]} bytes by node
 */
function tree(parent, frame, bytes) {
    const nodes = parent.map((_, i) => i), zeros = nodes.map(() => 0);
    return modelOf({
        header: {strings: ["", "main", "helper", "_find", "_load", "a.py", "shop", "importlib"], steps_ns: [0, 10], peak_step: 1, files: [], threads: [], processes: null, totals: {peak_bytes: 1}},
        columns: [
            ...table("frame", {name: [0, 1, 2, 2, 3, 4], file: [0, 5, 5, 5, 5, 5], line: [0, 3, 7, 8, 1, 2], start: [0, 1, 6, 6, 1, 2], module: [0, 0, 0, 0, 0, 0],
                group: [0, 6, 6, 6, 7, 7], kind: [0, 0, 0, 0, 0, 0], flags: [0, 2, 2, 2, 1, 1]}),
            ...table("node", {parent, frame}),
            ...table("cell", {node: nodes, domain: zeros, leaf: zeros, user: nodes.map(() => 1), start_blocks: zeros, start_bytes: zeros, inherited_blocks: zeros, inherited_bytes: zeros}),
            ...table("change", {step: nodes.map(() => 1), cell: nodes, allocs: nodes.map(() => 1), bytes, frees: zeros, freed_bytes: zeros, temporary: zeros}),
        ],
    });
}

function drawn(model, options = {frames: "function", imports: false}) {
    const numbers = new Numbers(model), bytes = numbers.get("bytes"), calls = buildCalls([model], options, [bytes]);
    const values = inclusive(calls, callSums(calls, 0, numbers).get("bytes"));
    const names = [...calls.key].map((key) => (key === FOLDED_IMPORTS ? "imports" : key < 0 ? "all" : `${model.name(calls.examples[key].frame)}`));
    return {calls, rows: names.map((name, i) => `${"  ".repeat(calls.depth[i])}${name} ${values[i]}`), values};
}

test("a tree is visited parents first, the heaviest child first", () => {
    const parent = [0, 0, 0, 1, 2, 2];
    assert.deepEqual([...preorder(parent)], [0, 1, 3, 2, 4, 5]);
    assert.deepEqual([...preorder(parent, [0, 1, 5, 0, 2, 3])], [0, 2, 5, 4, 1, 3]);
    const ordered = [0, 0, 1, 0, 3, 3];
    assert.deepEqual([...addUp(ordered, Float64Array.of(1, 2, 4, 8, 16, 32))], [63, 6, 4, 56, 16, 32]);
    assert.deepEqual([...subtreeEnds(ordered)], [6, 3, 3, 6, 5, 6]);
    assert.deepEqual([...depths(ordered)], [0, 1, 2, 1, 2, 2]);
});

test("lines of one function are one call, or two", () => {
    const model = tree([0, 0, 1, 1, 3], [0, 1, 2, 3, 1], [0, 1, 10, 100, 1000]);
    assert.deepEqual(drawn(model).rows, ["all 1111", "  main 1111", "    helper 1110", "      main 1000"]);
    assert.deepEqual(drawn(model, {frames: "line", imports: false}).rows, ["all 1111", "  main 1111", "    helper 1100", "      main 1000", "    helper 10"]);
});

test("the import machinery is one frame, and nothing is lost in it", () => {
    const model = tree([0, 0, 1, 2, 3, 3], [0, 1, 4, 5, 1, 4], [0, 1, 2, 4, 8, 16]);
    assert.deepEqual(drawn(model).rows, ["all 31", "  main 31", "    imports 30", "      main 8"]);
    assert.deepEqual(drawn(model, {frames: "function", imports: true}).rows, ["all 31", "  main 31", "    _find 30", "      _load 28", "        _find 16", "        main 8"]);
});

test("siblings stand side by side, each where the ones before it end", () => {
    const {calls, values} = drawn(tree([0, 0, 1, 0, 3], [0, 1, 2, 2, 1], [0, 5, 5, 40, 2]));
    assert.deepEqual([...calls.depth.keys()].map((call) => offsetOf(calls, values, call)), [0, 0, 0, 42, 42]);
});

test("a tree that is not in pre-order is numbered anew, with its cells", () => {
    const model = tree([0, 0, 0, 1, 2], [0, 1, 2, 2, 1], [0, 1, 2, 4, 8]);
    assert.deepEqual([...model.parent], [0, 0, 1, 0, 3]);
    assert.deepEqual([...model.cells.node], [0, 1, 3, 2, 4]);
});

test("a recursive function counts once on each path", () => {
    const model = tree([0, 0, 1, 2, 3], [0, 1, 2, 1, 1], [0, 1, 2, 4, 8]), numbers = new Numbers(model);
    const groups = callGroups(model, "function"), rows = new RowNumbers(groups, numbers), own = rows.own(["bytes"]), all = rows.all(["bytes", "allocs"]);
    const row = (name) => [...groups.frame].findIndex((frame) => model.name(frame) === name);
    assert.deepEqual([own.bytes[row("main")], all.bytes[row("main")], all.allocs[row("main")]], [13, 15, 4]);
    assert.deepEqual([own.bytes[row("helper")], all.bytes[row("helper")]], [2, 14]);
});

test("lines are charged as the cells say, and add up to the totals", () => {
    const {header, columns} = makeTrace({paths: 800}), model = modelOf({header, columns}), numbers = new Numbers(model);
    for (const by of ["user", "leaf"]) {
        const groups = lineGroups(model, by), own = new RowNumbers(groups, numbers).own(["bytes", "allocs"]);
        assert.equal(own.bytes.reduce((a, b) => a + b), header.totals.allocated_bytes);
        assert.equal(own.allocs.reduce((a, b) => a + b), header.totals.allocs);
        assert.equal(new Set(groups.frame).size, groups.count);
    }
    const charged = model.charged("user");
    for (let i = 0; i < model.cellCount; i += 37) {
        let node = model.cells.node[i];
        while (node && !(model.frames.flags[model.frame[node]] & 2))
            node = model.parent[node];
        assert.equal(charged[i], node ? model.frame[node] : -1);
    }
});

test("threads add up to the totals", () => {
    const {header, columns} = makeTrace({paths: 500, threads: 4}), rows = threadRows(new Numbers(modelOf({header, columns})));
    assert.equal(rows.length, 4);
    assert.equal(rows.reduce((sum, row) => sum + row.values.bytes, 0), header.totals.allocated_bytes);
    assert.equal(rows.reduce((sum, row) => sum + row.values.live, 0), header.totals.live_bytes);
    const numbers = new Numbers(modelOf({header, columns})), peak = numbers.total("peak");
    assert.equal(rows.reduce((sum, row) => sum + row.values.peak, 0), peak);
    for (const row of rows) {
        numbers.setFilter({domain: "", group: "", thread: String(row.id)});
        assert.deepEqual([numbers.total("bytes"), numbers.total("live"), numbers.total("peak")], [row.values.bytes, row.values.live, row.values.peak]);
    }
});

test("the drawn tree adds up to the totals, folded or not", () => {
    const {header, columns} = makeTrace({paths: 3000}), model = modelOf({header, columns});
    for (const options of [{frames: "function", imports: false}, {frames: "line", imports: true}])
        assert.equal(drawn(model, options).values[0], header.totals.allocated_bytes);
});

test("two traces are one tree, and what changed is new, gone, grown or shrunk", () => {
    const now = tree([0, 0, 1], [0, 1, 2], [0, 10, 30]), old = tree([0, 0, 1], [0, 1, 4], [0, 4, 7]);
    const both = [new Numbers(now), new Numbers(old)], calls = buildCalls([now, old], {frames: "function", imports: true}, both.map((numbers) => numbers.get("bytes")));
    assert.equal(calls.parent.length, 4);
    const sources = {now: new Sources([]), old: new Sources([])};
    const changes = changesBetween(both[0], both[1], sources, {rows: "functions", quantity: "bytes"});
    assert.deepEqual(changes.map(({name, old: before, now: after, kind}) => [name, before, after, kind]).sort(),
        [["_find", 7, 0, "gone"], ["helper", 0, 30, "new"], ["main", 4, 10, "grown"]]);
});
