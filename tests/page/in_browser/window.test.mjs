// A window is dragged: whatever the page then says is what `vbtrace` says with --from and --to.

import assert from "node:assert/strict";
import {test} from "node:test";
import {allRows, dragWindow, exact, made, openView, plain, settled, steps, vbtrace, windowNumbers, windowOptions, withPage} from "./open_page.mjs";

/**
 * Two moments between states, neither of them before the first nor after the last but one, in
 * shares of the run.
 */
const middle = steps.slice(1, -1).map((ns, i) => [ns, steps[i + 2]]).sort((a, b) => b[1] - b[0] - (a[1] - a[0])).slice(0, 2)
    .map(([before, after]) => (before + after) / 2 / steps[steps.length - 1]).sort((a, b) => a - b);

/** @param {any} totals of a report @returns what stands beside the timeline */
function expectedNumbers({allocated_bytes: bytes, allocs, freed_bytes: freed, live_bytes: live, temporary_allocs: temporary}) {
    return {bytes, allocs, freed, live, temporary};
}

/** Sums of rows by a key: what is listed twice, once for each of two kinds, is one. */
function summed(rows, keyOf, names) {
    const sums = new Map();
    for (const row of rows) {
        const key = keyOf(row), sum = sums.get(key) ?? Object.fromEntries(names.map((name) => [name, 0]));
        names.forEach((name) => sum[name] += row[name]);
        sums.set(key, sum);
    }
    return new Map([...sums].filter(([, sum]) => Object.values(sum).some((n) => n !== 0)).sort());
}

/** The table of lines, against the report's. */
async function compareLines(page, report, rows, tab) {
    await openView(page, "Lines");
    await page.getByRole("button", {name: tab}).click();
    await settled(page);
    const shown = (await allRows(page)).map((row) => ({place: row.name, allocs: exact(row.allocs), bytes: exact(row.bytes), live: exact(row.live), temporary: exact(row.temporary), frees: exact(row.frees)}));
    const expected = report[rows].map((row) => ({place: row.file === "(outside user code)" ? row.file : row.function + row.file, allocs: row.allocs, bytes: row.allocated_bytes, live: row.live_bytes, temporary: row.temporary_allocs, frees: row.frees}));
    const keyOf = (row) => plain(row.place), names = ["allocs", "bytes", "live", "temporary", "frees"];
    assert.deepEqual(summed(shown, keyOf, names), summed(expected, keyOf, names));
}

async function compareAll(page) {
    const options = await windowOptions(page), report = vbtrace("report", ...options, made.trace), {totals} = report;
    const {bytes, allocs, freed, live, temporary} = await windowNumbers(page);
    assert.deepEqual({bytes, allocs, freed, live, temporary}, expectedNumbers(totals));
    await compareLines(page, report, "user_lines", "Your lines");
    await compareLines(page, report, "lines", "Allocating lines");
    await openView(page, "Flame graph");
    await page.waitForSelector(".strip-numbers [data-measure=bytes]");
    await page.locator(".flame-canvas").focus();
    await page.keyboard.press("Home");
    const strip = Object.fromEntries(await page.$$eval(".strip-numbers [data-measure]", (items) => items.map((item) => [item.dataset.measure, item.title])));
    assert.deepEqual([exact(strip.bytes), exact(strip.allocs), exact(strip.live), exact(strip.temporary)], [totals.allocated_bytes, totals.allocs, totals.live_bytes, totals.temporary_allocs]);
    return options;
}

test("the whole run is what vbtrace report says", () => withPage(async (page) => {
    assert.deepEqual(await compareAll(page), []);
    assert.equal((await windowNumbers(page)).peak_bytes, vbtrace("report", made.trace).totals.peak_bytes);
}, {height: 3000}));

test("a dragged window is what vbtrace report says with --from and --to", () => withPage(async (page) => {
    await dragWindow(page, ...middle);
    assert.equal((await compareAll(page)).length, 4);
    await page.keyboard.press("Escape");
    await settled(page);
    assert.deepEqual(await windowOptions(page), []);
    await dragWindow(page, middle[0], 1);
    assert.equal((await compareAll(page)).length, 2);
    await page.locator(".u-over").dblclick();
    await settled(page);
    assert.deepEqual(await windowOptions(page), []);
}, {height: 3000}));

test("grown, functions and modules of a window are what vbtrace functions says", () => withPage(async (page) => {
    await dragWindow(page, ...middle);
    const options = await windowOptions(page);
    const grown = vbtrace("report", ...options, made.trace).user_lines.reduce((sum, row) => sum + row.grown_bytes, 0);
    assert.equal((await windowNumbers(page)).grown, grown);
    for (const [tab, by] of [["Functions", []], ["Modules", ["--by", "module"]]]) {
        await openView(page, tab);
        const shown = (await allRows(page)).map((row) => [exact(row.bytes), exact(row.allocs), exact(row.all_bytes), exact(row.all_allocs), exact(row.all_live)].join(" ")).filter((row) => row !== "0 0 0 0 0").sort();
        const rows = vbtrace("functions", ...by, ...options, made.trace).functions;
        const expected = rows.filter((row) => row.cumulative_allocs || row.cumulative_live_bytes).map((row) =>
            [row.allocated_bytes, row.allocs, row.cumulative_allocated_bytes, row.cumulative_allocs, row.cumulative_live_bytes].join(" ")).sort();
        assert.deepEqual(shown, expected);
    }
}, {height: 3000}));

test("filters for a domain and for a thread count what the tool counts", () => withPage(async (page) => {
    for (const [name, domain] of [["Heap", "heap"], ["Python", "python"], ["Mapped", "map"]]) {
        await page.getByLabel("Domain").selectOption({label: name});
        await settled(page);
        const of = vbtrace("report", made.trace).totals.domains[domain], numbers = await windowNumbers(page);
        assert.deepEqual([numbers.bytes, numbers.allocs, numbers.live], [of.allocated_bytes, of.allocs, of.live_bytes]);
    }
    await page.getByRole("button", {name: "Clear filters"}).click();
    for (const {label, allocs, allocated_bytes: bytes} of vbtrace("report", made.trace).threads) {
        await page.getByLabel("Thread").selectOption({label});
        await settled(page);
        const numbers = await windowNumbers(page);
        assert.deepEqual([numbers.allocs, numbers.bytes], [allocs, bytes]);
    }
}, {height: 3000}));

test("ends of a window can be typed, and the keyboard moves it", () => withPage(async (page) => {
    await page.getByLabel("From:").fill(`${steps[1]}ns`);
    await page.getByLabel("To:").fill(`${steps[steps.length - 2]}ns`);
    await page.keyboard.press("Enter");
    await settled(page);
    const typed = await windowOptions(page);
    assert.equal(typed.length, 4);
    await page.locator(".chart").focus();
    await page.keyboard.press("ArrowRight");
    await settled(page);
    const moved = await windowOptions(page);
    assert.notDeepEqual(moved, typed);
    await page.keyboard.press("ArrowLeft");
    await settled(page);
    assert.deepEqual(await windowOptions(page), typed);
}, {height: 3000}));
