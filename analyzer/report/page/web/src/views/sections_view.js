// Sections and intervals: what one run and one iteration of each cost, and how they spread.

import {el, empty, fill, plainTable, searchField} from "../ui/dom.js";
import * as format from "../ui/format.js";
import {patternOf} from "./flame_pane.js";
/** @typedef {import("../main.js").Page} Page */

/** @type {[string, string, (n: number) => string][]} */
const ROWS = [["time_ns", "Time", format.time], ["allocs", "Allocations", mean], ["allocated_bytes", "Allocated", format.meanBytes], ["freed_bytes", "Freed", format.meanBytes],
    ["net_bytes", "Net", format.meanBytes], ["high_bytes", "Highest above start", format.meanBytes]];

/** @param {number} n */
function mean(n) {
    return Number.isInteger(n) ? format.count(n) : format.rate(n);
}

/** @param {any} place */
function placeText(place) {
    return place ? format.place(place.file ?? "", place.line) : "";
}

/**
 * Smallest, mean and largest on a line; with the standard deviation around the mean, where it is
 * known.
 * @param {any} spread @param {(n: number) => string} write @param {number} count of runs
 */
function distribution(spread, write, count) {
    const {min, max, mean: middle, std} = spread;
    if (min === null || max === null || min === undefined || !(max > min))
        return el("span.hint", {}, min === max && min !== null && min !== undefined ? (count === 1 ? "ran once" : "always the same") : "");
    const place = (/** @type {number} */ n) => `${(100 * Math.max(0, Math.min(1, (n - min) / (max - min)))).toFixed(2)}%`;
    const mark = el("i.mean"), band = el("i.band");
    mark.style.left = place(middle);
    if (std > 0) {
        band.style.left = place(middle - std);
        band.style.right = `calc(100% - ${place(middle + std)})`;
    }
    return el("span.spread", {role: "img", "aria-label": `from ${write(min)} to ${write(max)}, mean ${write(middle)}${std > 0 ? `, standard deviation ${write(std)}` : ""}`,
        title: `mean ${write(middle)}${std > 0 ? ` ± ${write(std)}` : ""}`}, std > 0 ? band : null, mark);
}

export class SectionsView {
    /** @param {Page} page */
    constructor(page) {
        this.page = page;
        this.body = el("div.sections");
        this.filter = searchField("Filter by label or place", "Filter sections", "", (filter) => page.store.set({filter}));
        this.toolbar = el("div.toolbar", {}, el("p.hint", {}, "Repetitions of the same section, or of the way between two clock readings, together"), el("div.search", {}, this.filter));
        this.shown = "";
    }

    /** @param {Set<string>} changed */
    update(changed) {
        const {header} = this.page.numbers.model, {state} = this.page.store, all = header.intervals ?? [], whole = this.page.numbers.isWhole;
        if (this.filter.value !== state.filter)
            this.filter.value = state.filter;
        const key = `${state.filter} ${whole}`;
        if (changed.size && key === this.shown)
            return;
        this.shown = key;
        if (!all.length) {
            fill(this.body, empty("No sections", "The program marked none, and did not read a clock twice. vbtrace.section(\"name\", iterations=n) in Python, or vbtrace_begin() and vbtrace_end() in C, make one."));
            return;
        }
        const pattern = patternOf(state.filter);
        const rows = all.filter((/** @type {any} */ row) => !pattern || pattern.test(`${row.label ?? ""} ${placeText(row.from)} ${placeText(row.to)}`));
        const open = header.unended_sections ?? [];
        fill(this.body, whole ? null : el("p.warning", {}, "Sections are known of the whole run only: these do not follow the window."),
            rows.length ? rows.slice(0, 200).map((/** @type {any} */ row) => this.card(row)) : empty("No sections match", "No label or place contains this text."),
            rows.length > 200 ? el("p.hint", {}, `${format.count(rows.length - 200)} more; a filter finds them.`) : null,
            open.length ? el("p.hint", {}, `Begun and not ended: ${open.map((/** @type {any} */ o) => `${format.visibleName(o.label ?? "")} (${format.count(o.count)})`).join(", ")}`) : null);
    }

    /** @param {any} row */
    card(row) {
        const {per_iteration: each, label, count, iterations} = row, byIteration = iterations > 0 && each?.allocs !== null, per = byIteration ? "iteration" : "run";
        const title = label ? format.visibleName(label) : `${placeText(row.from)} → ${placeText(row.to)}`;
        return el("article.card", {},
            el("header", {}, el("h3", {}, title, el("small", {}, row.kind === "section" ? "section" : "between clock readings")),
                el("p.card-place", {}, this.#placeButton(row.from), " → ", this.#placeButton(row.to)),
                el("dl.card-figures", {}, this.figure("Runs", format.count(count)), byIteration ? this.figure("Iterations", format.count(iterations)) : null,
                    this.figure(`Time / ${per}`, format.time(byIteration ? each.time_ns : row.time_ns.mean)),
                    this.figure(`Allocations / ${per}`, byIteration ? format.rate(each.allocs) : mean(row.allocs.mean)),
                    this.figure(`Bytes / ${per}`, format.meanBytes(byIteration ? each.allocated_bytes : row.allocated_bytes.mean)))),
            this.#spreadTable(row), this.sites(row.sites ?? []));
    }

    /** @param {string} name @param {string} value */
    figure(name, value) {
        return el("div", {}, el("dt", {}, name), el("dd", {}, value));
    }

    /** @param {any} row */
    #spreadTable(row) {
        const known = (/** @type {any} */ n, /** @type {(n: number) => string} */ write) => (n === null || n === undefined ? format.UNKNOWN : write(n));
        const rows = ROWS.filter(([key]) => row[key]).map(([key, title, write]) => {
            const {min, mean: middle, std, max} = row[key];
            return [title, known(min, write), known(middle, write), std === undefined ? "" : known(std, write), known(max, write), distribution(row[key], write, row.count)];
        });
        return plainTable(["One run", "#Min", "#Mean", "#± std", "#Max", "Distribution"], rows, ".spreads");
    }

    /** @param {any[]} sites */
    sites(sites) {
        if (!sites.length)
            return null;
        const rows = [...sites].sort((a, b) => b.allocated_bytes - a.allocated_bytes).slice(0, 20);
        return el("details", {}, el("summary", {}, `${format.counted(sites.length, "line")} that allocated or freed inside`),
            plainTable(["Line", "#Allocations", "#Bytes", "#Frees"], rows.map((site) => [el("span", {}, this.#placeButton(site), " ", el("small", {}, format.visibleName(site.function ?? ""))),
                format.count(site.allocs), format.bytes(site.allocated_bytes), format.count(site.frees)])));
    }

    /** @param {any} place */
    #placeButton(place) {
        const {model} = this.page.numbers, file = place ? model.strings.indexOf(place.file) : -1;
        const text = placeText(place) || "?";
        if (file < 0 || !this.page.sources.has(file) || !place.line)
            return el("span", {title: place?.file ? format.visibleName(place.file) : null}, text);
        return el("button.link", {title: format.visibleName(place.file), onclick: () => this.page.openSource(file, place.line)}, text);
    }
}
