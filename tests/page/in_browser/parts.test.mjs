// Every part of the page is opened and used: by mouse, by keyboard, in both themes, at both widths.

import assert from "node:assert/strict";
import {test} from "node:test";
import {allRows, dragWindow, exact, made, openView, settled, vbtrace, withPage} from "./open_page.mjs";

const VIEWS = ["Overview", "Flame graph", "Lines", "Functions", "Modules", "Threads", "Source", "Sections"];

const fragment = async (page) => new URLSearchParams((await page.evaluate(() => location.hash)).slice(1));

for (const colorScheme of ["light", "dark"])
    for (const width of [1400, 700])
        test(`every view fits, ${colorScheme}, ${width} pixels`, () => withPage(async (page) => {
            const backgrounds = new Set();
            for (const view of VIEWS) {
                await openView(page, view);
                assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, `${view} is as wide as the window`);
                assert.ok((await page.locator("#panel").innerText()).length > 0 || view === "Flame graph", view);
                backgrounds.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
            }
            const [, r] = /rgb\((\d+)/.exec([...backgrounds][0]);
            assert.equal(backgrounds.size, 1);
            assert.equal(Number(r) < 128, colorScheme === "dark");
        }, {width, colorScheme}));

test("the switch changes the theme, and the page remembers it", () => withPage(async (page) => {
    await page.getByRole("button", {name: "Dark", exact: true}).click();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
    await page.getByRole("button", {name: "Light", exact: true}).click();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
}));

test("every choice of the flame graph draws something else", () => withPage(async (page) => {
    await openView(page, "Flame graph");
    const picture = () => page.$eval(".flame-canvas", (canvas) => canvas.toDataURL());
    const first = await picture(), changes = [
        () => page.getByRole("button", {name: "Allocations", exact: true}).click(), () => page.getByRole("button", {name: "Flame", exact: true}).click(),
        () => page.getByLabel("Frames").selectOption("line"), () => page.getByLabel("Colour", {exact: true}).selectOption("kind"), () => page.getByLabel("Python imports").check(),
        () => page.getByLabel("Search the flame graph").fill("load"),
    ];
    const seen = [first];
    for (const change of changes) {
        await change();
        await settled(page);
        seen.push(await picture());
    }
    assert.equal(new Set(seen).size, seen.length);
    assert.match(await page.locator(".matched").innerText(), /^\d+\.\d% · .* in [\d,]+ frames?$/);
    for (const name of ["At peak", "Live", "Left", "Grown", "Temporary"])
        await page.getByRole("button", {name, exact: true}).click();
}));

test("a flame graph is used by keyboard: in, zoom, source, back", () => withPage(async (page) => {
    await openView(page, "Flame graph");
    await page.locator(".flame-canvas").focus();
    for (const key of ["Home", "ArrowDown", "ArrowDown"])
        await page.keyboard.press(key);
    assert.match(await page.locator("#announcements").textContent(), /: Bytes .*%/);
    assert.equal(await page.locator("#tip").isVisible(), true);
    await page.keyboard.press("Enter");
    await settled(page);
    assert.ok(Number((await fragment(page)).get("zoom")) > 0);
    await page.keyboard.press("Backspace");
    await settled(page);
    assert.equal((await fragment(page)).has("zoom"), false);
}));

test("zooming by mouse, and back by the browser", () => withPage(async (page) => {
    await openView(page, "Flame graph");
    const box = await page.locator(".flame-canvas").boundingBox();
    await page.mouse.click(box.x + 20, box.y + 2.5 * 21);
    await settled(page);
    const zoom = (await fragment(page)).get("zoom");
    assert.ok(Number(zoom) > 0);
    await page.goBack();
    await settled(page);
    assert.equal((await fragment(page)).has("zoom"), false);
    await page.goForward();
    await settled(page);
    assert.equal((await fragment(page)).get("zoom"), zoom);
}));

test("a row leads to its source, and the source is the file's", () => withPage(async (page) => {
    await openView(page, "Lines");
    await page.getByLabel("Filter lines").fill("load_rows");
    await settled(page);
    await page.locator("tr[data-at='0']").click();
    await page.waitForSelector(".source tr.marked");
    assert.match(await page.locator("tr.marked td.code").textContent(), /rows\.append\(bytes\(/);
    const row = (await allRows(page)).find((shown) => shown.Source?.includes("rows.append(bytes("));
    const expected = vbtrace("report", made.trace).user_lines.find((line) => line.source?.includes("rows.append(bytes("));
    assert.equal(exact(row.Bytes), expected.allocated_bytes);
}));

test("tables sort both ways, and keys walk through them", () => withPage(async (page) => {
    await openView(page, "Functions");
    const bytes = async () => (await allRows(page)).map((row) => exact(row.allocs));
    await page.locator("th button[data-column=allocs]").click();
    await settled(page);
    const down = await bytes();
    assert.deepEqual(down, [...down].sort((a, b) => b - a));
    assert.equal(await page.locator("th[aria-sort=descending]").count(), 1);
    await page.locator("th button[data-column=allocs]").click();
    await settled(page);
    assert.deepEqual(await bytes(), down.reverse());
    await page.$eval("#panel", (panel) => panel.scrollTo(0, 0));
    await page.locator("tr[data-at='0']").focus();
    await page.keyboard.press("ArrowDown");
    assert.equal(await page.evaluate(() => document.activeElement.dataset.at), "1");
    await page.keyboard.press("End");
    assert.equal(await page.evaluate(() => document.activeElement.dataset.at), String(down.length - 1));
    await page.keyboard.press("f");
    await page.waitForSelector(".flame-canvas");
}));

test("tabs are walked through by arrow keys", () => withPage(async (page) => {
    await page.getByRole("tab", {name: "Overview"}).focus();
    for (const view of VIEWS.slice(1)) {
        await page.keyboard.press("ArrowRight");
        await settled(page);
        assert.equal(await page.evaluate(() => document.activeElement.textContent), view);
        assert.equal(await page.locator("[role=tab][aria-selected=true]").innerText(), view);
    }
}));

test("sections show what the report says of an iteration", () => withPage(async (page) => {
    await openView(page, "Sections");
    const card = page.locator("article.card", {hasText: "round 1"}).first();
    const expected = vbtrace("report", made.trace).intervals.find((row) => row.label === "round 1");
    assert.match(await card.innerText(), new RegExp(`Iterations\\s+${expected.iterations}\\b`));
    await card.locator("summary").click();
    assert.ok(await card.locator("details table tbody tr").count() > 0);
}));

test("the address holds all that is shown", () => withPage(async (page) => {
    await dragWindow(page, 0.5, 0.9);
    await openView(page, "Flame graph");
    await page.getByRole("button", {name: "Live", exact: true}).click();
    await page.getByLabel("Search the flame graph").fill("parse");
    await settled(page);
    const shown = [await page.locator(".window-numbers").innerText(), await page.locator(".matched").innerText()], address = await page.evaluate(() => location.hash.slice(1));
    await withPage(async (again) => {
        await settled(again);
        assert.deepEqual([await again.locator(".window-numbers").innerText(), await again.locator(".matched").innerText()], shown);
        assert.equal(await again.getByRole("button", {name: "Live", exact: true}).getAttribute("aria-pressed"), "true");
    }, {fragment: address});
}));

test("help opens and closes", () => withPage(async (page) => {
    await page.getByRole("button", {name: "Help"}).click();
    assert.ok(await page.getByRole("dialog").isVisible());
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("dialog[open]").count(), 0);
    await page.keyboard.press("/");
}));

test("names and sources stay text, whatever is in them", () => withPage(async (page) => {
    for (const view of VIEWS) {
        await openView(page, view);
        const strange = await page.evaluate(() => ({elements: document.querySelectorAll("#page :is(script, img, b[onclick], marquee)").length,
            hidden: /[\u0000-\u0008\u000e-\u001f\u200b\u202e]/.test(document.body.innerText), happened: "happened" in window}));
        assert.deepEqual(strange, {elements: 0, hidden: false, happened: false}, view);
    }
    await openView(page, "Functions");
    await page.getByLabel("Filter functions").fill("img src");
    await settled(page);
    assert.match(await page.locator("tr[data-at='0']").innerText(), /<\/script><img src=x onerror=/);
    await page.getByLabel("Filter functions").fill("gnp");
    await settled(page);
    assert.match(await page.locator("tr[data-at='0']").innerText(), /‹U\+202E›/);
}));
