// A page with an older trace to compare with.

import assert from "node:assert/strict";
import {test} from "node:test";
import {allRows, exact, made, openView, plain, settled, vbtrace, withPage} from "./open_page.mjs";

/**
 * @param {Iterable<[string, number]>} amounts
 * @returns {Map<string, number>} their sums, without zeros
 */
function summed(amounts) {
    const sums = new Map();
    for (const [key, amount] of amounts)
        sums.set(key, (sums.get(key) ?? 0) + amount);
    return new Map([...sums].filter(([, sum]) => sum !== 0).sort());
}

test("what changed is the difference of two reports", () => withPage(async (page) => {
    await openView(page, "Compare");
    const shown = (await allRows(page)).map((row) => [plain(row.name), exact(row.now) - exact(row.old)]);
    const of = (trace, sign) => vbtrace("functions", trace).functions.map((row) => [plain(row.function + row.file), sign * row.allocated_bytes]);
    assert.deepEqual(summed(shown), summed([...of(made.trace, 1), ...of(made.older, -1)]));
}, {file: made.compared, height: 3000}));

test("new, gone, grown and shrunk are told apart", () => withPage(async (page) => {
    await openView(page, "Compare");
    const kinds = async (name) => {
        await page.getByRole("group", {name: "Changes"}).getByRole("button", {name, exact: true}).click();
        await settled(page);
        return (await allRows(page)).map((row) => row.kind);
    };
    for (const [name, kind] of [["New", "+ new"], ["Gone", "× gone"], ["Grown", "▲ grown"], ["Shrunk", "▼ shrunk"]])
        assert.deepEqual([...new Set(await kinds(name))], [kind]);
}, {file: made.compared, height: 3000}));

test("both runs are drawn as one graph, by either one's widths", () => withPage(async (page) => {
    await openView(page, "Compare");
    const seen = new Set();
    await page.getByRole("group", {name: "Rows"}).getByRole("button", {name: "Flame graph"}).click();
    for (const run of ["This run", "Older run"]) {
        await page.getByRole("button", {name: run}).click();
        await settled(page);
        seen.add(await page.$eval(".flame-canvas", (canvas) => canvas.toDataURL()));
    }
    assert.equal(seen.size, 2);
    for (const rows of ["Lines", "Modules"]) {
        await page.getByRole("group", {name: "Rows"}).getByRole("button", {name: rows}).click();
        await settled(page);
        assert.ok(await page.locator("tr[data-at]").count() > 0);
    }
}, {file: made.compared, height: 3000}));
