// How things are written, and what of the page's state stands in its address.

import assert from "node:assert/strict";
import {test} from "node:test";
import * as format from "../../analyzer/report/page/web/src/ui/format.js";
import {DEFAULTS, readFragment, writeFragment} from "../../analyzer/report/page/web/src/ui/state.js";

test("sizes are written as the tool writes them", () => {
    assert.deepEqual([0, 1, 1023, 1024, 1536, 1048525, 1048576, -2048, 3 * 2 ** 40].map(format.bytes),
        ["0 B", "1 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "1.0 MiB", "−2.0 KiB", "3.0 TiB"]);
    assert.deepEqual([12.5, 12, 1024].map(format.meanBytes), ["12.5 B", "12 B", "1.0 KiB"]);
});

test("times are written as the tool writes them", () => {
    assert.deepEqual([0, 5, 1.25, 999.4, 1500, 12_345_678, 1.5e9, 130e9, 7300e9].map(format.time),
        ["0 ns", "5 ns", "1.25 ns", "999 ns", "1.50 µs", "12.3 ms", "1.50 s", "2 min 10 s", "2 h 1 min"]);
    assert.deepEqual([0, 1_500_000, 250e6, 1.25e9, 61e9, 600e9].map(format.moment), ["0 s", "1.50 ms", "250 ms", "1.25 s", "61.0 s", "10:00 min"]);
});

test("numbers have commas, shares one digit", () => {
    assert.deepEqual([0, 1234567, -1000].map(format.count), ["0", "1,234,567", "−1,000"]);
    assert.deepEqual([format.share(1, 3), format.share(1, 1e6), format.share(5, 5), format.share(1, 0)], ["33.3%", "<0.1%", "100%", "–"]);
    assert.equal(format.percent(-18.64), "−18.6%");
    assert.deepEqual([format.counted(1, "process"), format.counted(2, "process"), format.counted(3, "row")], ["1 process", "2 processes", "3 rows"]);
});

test("nothing hides in a name", () => {
    assert.equal(format.visible("a\u001b[31mb"), "a‹U+001B›[31mb");
    assert.equal(format.visible("x\u202egnp.exe"), "x‹U+202E›gnp.exe");
    assert.equal(format.visible("a\u200bb\ufeffc\u2066d\u0000e\u{e0041}"), "a‹U+200B›b‹U+FEFF›c‹U+2066›d‹U+0000›e‹U+E0041›");
    assert.equal(format.visible("名前 é \u{1f600} \t"), "名前 é \u{1f600} \t");
    assert.equal(format.visibleName("a\tb\nc"), "a‹U+0009›b‹U+000A›c");
});

test("what differs from the defaults stands in the fragment, and comes back", () => {
    const state = {...DEFAULTS, view: "flame", from: 1_500_000_000, search: "a&b=#c %", zoom: 12, imports: true};
    assert.deepEqual(readFragment(`#${writeFragment(state)}`), state);
    assert.equal(writeFragment(DEFAULTS), "");
});

test("a fragment that means nothing changes nothing", () => {
    assert.deepEqual(readFragment("#constructor=1&__proto__=2&zoom=x&from=&nonsense"), DEFAULTS);
});
