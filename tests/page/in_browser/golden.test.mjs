// A page of each kind of program: C, C++ and Rust, Python with counted lines, a server, one that was
// killed, several processes.

import assert from "node:assert/strict";
import {test} from "node:test";
import {allRows, exact, made, openView, plain, settled, stepsOf, vbtrace, windowNumbers, withPage} from "./open_page.mjs";

for (const [name, {page: file, trace}] of Object.entries(made.golden))
    test(`${name}: every view opens, and the totals are the report's`, () => withPage(async (page) => {
        for (const view of await page.getByRole("tab").allInnerTexts())
            await openView(page, view);
        const {allocs, allocated_bytes: bytes, freed_bytes: freed, live_bytes: live, temporary_allocs: temporary} = vbtrace("report", trace).totals;
        const numbers = await windowNumbers(page);
        assert.deepEqual([numbers.allocs, numbers.bytes, numbers.freed, numbers.live, numbers.temporary], [allocs, bytes, freed, live, temporary]);
    }, {file}));

test("a program that was killed says so", () => withPage(async (page) => {
    assert.match(await page.locator("#panel").innerText(), /Ended\s+signal 9/);
}, {file: made.golden.killed.page}));

test("counted lines have their hits and times in the source", () => withPage(async (page) => {
    await openView(page, "Source");
    const shown = (await allRows(page)).filter((row) => row.Hits).map((row) => [Number(row.Line), exact(row.Hits)]);
    const expected = new Map();
    for (const {file, lines} of vbtrace("lines", made.golden.counted.trace).line_profile)
        if (file.endsWith("customers.py"))
            lines.forEach(({line, hits}) => expected.set(line, (expected.get(line) ?? 0) + hits));
    assert.deepEqual(shown.sort((a, b) => a[0] - b[0]), [...expected].sort((a, b) => a[0] - b[0]));
}, {file: made.golden.counted.page}));

test("processes are told apart", () => withPage(async (page) => {
    const {processes} = vbtrace("report", made.golden.workers.trace);
    assert.ok(processes.length > 1);
    for (const {program, pid, allocs, allocated_bytes: bytes} of processes) {
        await page.getByLabel("Process").selectOption({label: `${program} (${pid})`});
        await settled(page);
        const numbers = await windowNumbers(page);
        assert.deepEqual([numbers.allocs, numbers.bytes], [allocs, bytes]);
    }
    await page.getByRole("button", {name: "Clear filters"}).click();
    await openView(page, "Threads");
    assert.deepEqual((await allRows(page)).map((row) => plain(row.name)).sort(), processes.map(({program, pid}) => `${program} (${pid})`).sort());
}, {file: made.golden.workers.page}));

test("a window of several processes is what vbtrace report says of them", () => {
    const steps = stepsOf(made.golden.workers.page), from = steps[1], to = steps[steps.length - 2];
    return withPage(async (page) => {
        const report = vbtrace("report", "--from", `${from}ns`, "--to", `${to}ns`, made.golden.workers.trace), numbers = await windowNumbers(page);
        const {allocs, allocated_bytes: bytes, freed_bytes: freed, live_bytes: live} = report.totals;
        const grown = report.user_lines.reduce((sum, row) => sum + row.grown_bytes, 0);
        assert.deepEqual([numbers.allocs, numbers.bytes, numbers.freed, numbers.live, numbers.grown], [allocs, bytes, freed, live, grown]);
    }, {file: made.golden.workers.page, fragment: `from=${from}&to=${to}`});
});

test("without sources, lines have their numbers, and the page says why no text", () => withPage(async (page) => {
    await openView(page, "Source");
    assert.match(await page.locator(".hint").innerText(), /no source text/);
    assert.ok((await allRows(page)).some((row) => row.Bytes && !row.Source));
}, {file: made.without_source}));
