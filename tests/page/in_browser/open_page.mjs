// Opens a page in Debian's Chromium, by Playwright, and watches it: what it prints, and what it
// asks the network for.

import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";
import {join} from "node:path";
import {after} from "node:test";
import {pathToFileURL} from "node:url";
import {inflateRawSync} from "node:zlib";
import {fromBase64, parse} from "../../../analyzer/report/page/web/src/data/decode.js";

const {chromium} = createRequire(join(process.env.PAGE_MODULES, "_"))("playwright-core");

/** What pytest made: the page, the traces in it, the tool. */
export const made = JSON.parse(process.env.PAGE_MADE);

/** @param {string} file of a page @returns {number[]} the moments at which a window can begin and end */
export function stepsOf(file) {
    return parse(inflateRawSync(fromBase64(/id="data">([^<]*)</.exec(readFileSync(file, "utf8"))[1]))).header.steps_ns;
}

export const steps = stepsOf(made.page);

/** @param {...string} args of vbtrace @returns {any} what it prints as JSON */
export function vbtrace(...args) {
    return JSON.parse(execFileSync(made.vbtrace, [...args, "--format", "json"], {encoding: "utf8", maxBuffer: 1 << 30}));
}

/** @type {any} */
let browser = null;
after(() => browser?.close());

/**
 * @param {(page: any) => Promise<void>} use
 * @param {{width?: number, height?: number, colorScheme?: string, fragment?: string, file?:
 *     string}} [options]
 */
export async function withPage(use, {width = 1400, height = 900, colorScheme = "light", fragment = "", file = made.page} = {}) {
    browser ??= await chromium.launch({executablePath: made.chromium, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]});
    const context = await browser.newContext({viewport: {width, height}, colorScheme, reducedMotion: "reduce"});
    try {
        const page = await context.newPage();
        const seen = {requests: [], errors: []};
        page.on("request", (request) => seen.requests.push(request.url()));
        page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.errors.push(message.text()));
        page.on("pageerror", (error) => seen.errors.push(String(error)));
        const url = pathToFileURL(file).href + (fragment && `#${fragment}`);
        await page.goto(url);
        await page.waitForSelector("nav.tabs");
        await use(page);
        assert.deepEqual(seen.errors, []);
        assert.deepEqual(seen.requests, [url.replace(/#.*/, "")], "nothing but the page itself is asked for");
    } finally {
        await context.close();
    }
}

/** Waits until the page has answered all that happened to it. */
export async function settled(page) {
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** @param {any} page @param {string} name of a tab */
export async function openView(page, name) {
    await page.getByRole("tab", {name, exact: true}).click();
    await settled(page);
}

/** @param {string} text "Bytes: 1,234" or "−5" @returns {number} */
export function exact(text) {
    return Number(text.replace(/^.*: /, "").replaceAll(",", "").replace("−", "-"));
}

/**
 * @param {string} text of the page or of a report
 * @returns {string} without what the page shows as ‹U+…›
 */
export function plain(text) {
    return text.replace(/‹U\+[0-9A-F]+›|[^ -~]/g, "");
}

/** The numbers beside the timeline, as they are exactly. */
export async function windowNumbers(page) {
    const titles = await page.$$eval(".window-numbers [data-quantity]", (items) => items.map((item) => [item.dataset.quantity, item.title]));
    return Object.fromEntries(titles.map(([name, title]) => [name, exact(title)]));
}

/** All rows of a long table, scrolled through: for each its cells' exact numbers, or texts. */
export async function allRows(page) {
    const rows = new Map();
    const height = await page.$eval("#panel", (panel) => panel.clientHeight);
    for (let top = 0; ; top += height - 100) {
        await page.$eval("#panel", (panel, y) => panel.scrollTo(0, y), top);
        await settled(page);
        const {seen, ended} = await page.evaluate(() => {
            const ids = [...document.querySelectorAll("table.virtual thead th")].map((th) => th.querySelector("button")?.dataset.column ?? th.textContent);
            const seen = [...document.querySelectorAll("table.virtual tr[data-at]")].map((tr) => [Number(tr.dataset.at), Object.fromEntries([...tr.cells].map((td, i) =>
                [ids[i], td.title || td.querySelector("[title]")?.title || td.textContent]))]);
            const panel = document.getElementById("panel");
            return {seen, ended: panel.scrollTop + panel.clientHeight >= panel.scrollHeight - 1};
        });
        seen.forEach(([at, row]) => rows.set(at, row));
        if (ended)
            break;
    }
    return [...rows].sort((a, b) => a[0] - b[0]).map(([, row]) => row);
}

/**
 * Drags a window on the timeline.
 * @param {any} page @param {number} from @param {number} to shares of its width
 */
export async function dragWindow(page, from, to) {
    const box = await page.locator(".u-over").boundingBox(), y = box.y + box.height / 2;
    await page.mouse.move(box.x + from * box.width, y);
    await page.mouse.down();
    await page.mouse.move(box.x + (from + to) / 2 * box.width, y, {steps: 4});
    await page.mouse.move(box.x + to * box.width, y, {steps: 4});
    await page.mouse.up();
    await settled(page);
}

/** @param {any} page @returns {Promise<string[]>} --from and --to of the window that is shown */
export async function windowOptions(page) {
    const fragment = new URLSearchParams((await page.evaluate(() => location.hash)).slice(1));
    return ["from", "to"].flatMap((end) => (fragment.has(end) ? [`--${end}`, `${fragment.get(end)}ns`] : []));
}
