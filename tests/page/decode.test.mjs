// The way from text to numbers: base64, deflate, varints.

import assert from "node:assert/strict";
import {test} from "node:test";
import {decode, parse} from "../../analyzer/report/page/web/src/data/decode.js";
import {encode, packed} from "./made_trace.mjs";

const column = (values, coding = {}) => ({name: "table.column", values, ...coding});
const roundTrip = (values, coding) => [...parse(encode({}, [column(values, coding)])).columns.get("table.column")];

test("numbers of every length come back", () => {
    const values = [0, 1, 127, 128, 16383, 16384, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40 + 3, Number.MAX_SAFE_INTEGER];
    assert.deepEqual(roundTrip(values, {}), values);
});

test("signed numbers and differences come back", () => {
    const values = [0, -1, 1, -64, 64, -(2 ** 40), 2 ** 40, 5];
    assert.deepEqual(roundTrip(values, {signed: true}), values);
    assert.deepEqual(roundTrip(values, {signed: true, delta: true}), values);
    assert.deepEqual(roundTrip([3, 3, 9, 2 ** 33], {delta: true}), [3, 3, 9, 2 ** 33]);
});

test("known bytes mean known numbers", () => {
    // 300 is ac 02; zigzag of -2 is 03
    const plain = Buffer.concat([encode({}, [column([300])])]);
    assert.deepEqual([...plain.subarray(-2)], [0xac, 0x02]);
    assert.deepEqual([...encode({}, [column([-2], {signed: true})]).subarray(-1)], [0x03]);
});

test("small numbers take four bytes in memory, large ones eight", () => {
    const {columns} = parse(encode({}, [{name: "a.a", values: [1, 2 ** 31 - 1]}, {name: "a.b", values: [-(2 ** 31) + 1], signed: true}, {name: "a.c", values: [5, 2 ** 31, 7]}, {name: "a.d", values: [5, 2 ** 31, 7], signed: true, delta: true}]));
    assert.equal(columns.get("a.a").constructor, Int32Array);
    assert.equal(columns.get("a.b").constructor, Int32Array);
    assert.deepEqual(columns.get("a.c"), Float64Array.of(5, 2 ** 31, 7));
    assert.deepEqual(columns.get("a.d"), Float64Array.of(5, 2 ** 31, 7));
});

const old = (() => {
    try {
        return new DecompressionStream("deflate-raw") && false;
    } catch {
        return "this node cannot inflate raw streams; browsers can";
    }
})();

test("a header with any text comes back, compressed", {skip: old}, async () => {
    const header = {title: "</script> 名前 \u202e \u0000 \"", list: [1.5, null, true]};
    const data = await decode(`\n  ${packed(encode(header, [column([7, 8])]))}\n`);
    assert.deepEqual(data.header.title, header.title);
    assert.deepEqual(data.header.list, header.list);
    assert.deepEqual([...data.columns.get("table.column")], [7, 8]);
});

test("data that ends early, or goes on, is refused", () => {
    const bytes = encode({}, [column([1, 2, 300])]);
    assert.throws(() => parse(bytes.subarray(0, bytes.length - 1)), /ends within a column/);
    assert.throws(() => parse(Buffer.concat([bytes, Buffer.from([0])])), /1 bytes follow the last column/);
});
