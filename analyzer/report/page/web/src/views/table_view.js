// The tables of lines, functions, modules and threads.

import {measureOf, NOT_KNOWN, whyUnknown} from "../data/measures.js";
import {callGroups, lineGroups, RowNumbers, threadRows} from "../data/rows.js";
import {el, empty, fill, searchField, segmented} from "../ui/dom.js";
import * as format from "../ui/format.js";
import {sortRows, VirtualTable} from "../ui/virtual_table.js";
import {patternOf} from "./flame_pane.js";
/** @typedef {import("../main.js").Page} Page */
/** @typedef {import("../ui/virtual_table.js").Column} Column */
/** @typedef {import("../data/sums.js").Quantity} Quantity */

/**
 * The quantities of each table, itself and with what is called; "*" marks what a narrow window
 * leaves out.
 */
const QUANTITIES = {
    lines: {own: ["bytes", "allocs", "peak", "live", "grown*", "temporary*", "frees*"], all: []},
    functions: {own: ["bytes", "allocs", "temporary*"], all: ["bytes", "allocs*", "peak*", "live"]},
    modules: {own: ["bytes", "allocs", "temporary*"], all: ["bytes", "allocs*", "peak*", "live"]},
    threads: {own: ["bytes", "allocs", "peak*", "live", "temporary*", "frees*"], all: []},
};
const EXTRA = {
    allocs: {...measureOf("allocs"), title: "Allocs"},
    temporary: {...measureOf("temporary"), title: "Temp"},
    frees: {title: "Frees", hint: "Blocks that were allocated here and freed in the window", format: format.count},
};
export const ATTRIBUTION = [
    {value: "user", text: "Your lines", hint: "Charge the nearest line of your own files"},
    {value: "leaf", text: "Allocating lines", hint: "Charge the line that allocated, whoever it belongs to"},
];

/**
 * What a column of a quantity is called, its unit, and what it means.
 * @param {string} quantity
 */
export function describe(quantity) {
    return /** @type {any} */ (EXTRA)[quantity] ?? measureOf(quantity);
}

/**
 * @param {string} quantity
 * @param {Float64Array | null} sums by row
 * @param {string} id
 * @param {boolean} all with what is called?
 * @param {boolean} wide @returns {Column}
 */
export function numberColumn(quantity, sums, id, all, wide) {
    const {title, hint, format: write} = describe(quantity);
    let most = 0;
    if (sums)
        for (const value of sums)
            most = Math.max(most, value);
    return {
        id, title: all ? `${title} in all` : title, hint: all ? `${hint}, with all that it calls` : hint, kind: "number", wide,
        cell: (row) => (sums ? (sums[row] === 0 ? el("span.zero", {}, "0") : write(sums[row])) : el("span.zero", {}, format.UNKNOWN)),
        exact: (row) => (sums ? format.count(sums[row]) : NOT_KNOWN),
        key: (row) => (sums ? sums[row] : 0), share: (row) => (sums && most > 0 ? sums[row] / most : 0),
    };
}

export class TableView {
    /**
     * @param {Page} page
     * @param {"lines" | "functions" | "modules" | "threads"} kind
     */
    constructor(page, kind) {
        this.page = page;
        this.kind = kind;
        this.toolbar = el("div.toolbar");
        this.body = el("div.table-body");
        this.filter = searchField("Filter rows", `Filter ${kind}`, "", (filter) => page.store.set({filter}));
        this.shown = el("output.matched");
        this.table = new VirtualTable({label: kind, scroller: page.scroller, sort: (sort) => page.store.set({sort}), open: (row) => this.open(row), key: (row, key) => this.key(row, key)});
        /** @type {Map<string, RowNumbers>} */
        this.known = new Map();
    }

    /** @returns {RowNumbers} */
    rowNumbers() {
        const {numbers, store} = this.page, {by} = store.state;
        const key = this.kind === "lines" ? by : this.kind === "functions" ? "function" : "group";
        let known = this.known.get(key);
        if (!known) {
            const groups = this.kind === "lines" ? lineGroups(numbers.model, by) : callGroups(numbers.model, /** @type {any} */ (key));
            this.known.set(key, known = new RowNumbers(groups, numbers));
        }
        return known;
    }

    /** @returns {import("../data/rows.js").Groups} */
    #groupsNow() {
        return this.rowNumbers().groups;
    }

    /** @param {Set<string>} changed */
    update(changed) {
        const {store, numbers} = this.page, dragged = changed.size > 0 && [...changed].every((key) => key === "from" || key === "to");
        if (this.filter.value !== store.state.filter)
            this.filter.value = store.state.filter;
        if (!dragged)
            fill(this.toolbar, this.kind === "lines" && segmented("Charge", ATTRIBUTION, store.state.by, (by) => store.set({by})), el("div.search", {}, this.filter, this.shown));
        if (this.kind === "threads")
            this.#showThreads();
        else if (numbers.threadUnknown)
            fill(this.body, empty(NOT_KNOWN, whyUnknown(numbers, "bytes")));
        else
            this.#showGroups();
    }

    #showGroups() {
        const groups = this.#groupsNow(), {own, all} = QUANTITIES[this.kind];
        const bare = (/** @type {string[]} */ list) => /** @type {Quantity[]} */ (list.map((name) => name.replace("*", "")));
        const sums = {own: this.rowNumbers().own(bare(own)), all: this.rowNumbers().all(bare(all))};
        const columns = [
            ...own.map((name) => numberColumn(name.replace("*", ""), sums.own[name.replace("*", "")], name.replace("*", ""), false, name.endsWith("*"))),
            ...all.map((name) => numberColumn(name.replace("*", ""), sums.all[name.replace("*", "")], `all_${name.replace("*", "")}`, true, name.endsWith("*"))),
        ];
        const counted = [...Object.values(sums.own), ...Object.values(sums.all)].filter((values) => values !== null);
        const isSomething = (/** @type {number} */ row) => counted.some((values) => values[row] !== 0);
        if (this.kind === "functions" || this.kind === "modules") // what is known with all that is called comes first
            columns.sort((a, b) => Number(b.id.startsWith("all_")) - Number(a.id.startsWith("all_")));
        this.#showRows([...columns, ...this.#nameColumns(groups)], isSomething, groups.count);
    }

    /** @param {import("../data/rows.js").Groups} groups @returns {Column[]} */
    #nameColumns(groups) {
        const {model} = this.page.numbers, {frame} = groups;
        if (this.kind === "modules")
            return [{id: "name", title: "Module", cell: (row) => format.visibleName(model.group(frame[row]) || "(no module)"), key: (row) => model.group(frame[row])}];
        const name = (/** @type {number} */ row) => (frame[row] < 0 ? "(outside user code)" : format.visibleName(model.name(frame[row])));
        const place = (/** @type {number} */ row) => this.placeOf(frame[row]);
        const named = {id: "name", title: this.kind === "lines" ? "Line" : "Function", kind: this.kind === "lines" ? "place" : "text", key: (/** @type {number} */ row) => `${place(row)} ${name(row)}`,
            cell: (/** @type {number} */ row) => el("span.who", {title: `${name(row)}\n${frame[row] < 0 ? "" : format.visibleName(model.file(frame[row]))}`},
                this.kind === "lines" ? [el("b", {}, place(row) || name(row)), " ", el("small", {}, place(row) ? name(row) : "")]
                    : [el("b", {}, name(row)), " ", el("small", {}, place(row))])};
        if (this.kind !== "lines")
            return [named];
        return [named, {id: "source", title: "Source", kind: "code", wide: true,
            cell: (row) => (frame[row] < 0 ? "" : format.visible(this.page.sources.lineOf(model.frames.file[frame[row]], model.frames.line[frame[row]]) ?? "").trim())}];
    }

    /** @param {number} frame @returns {string} short: file name and line */
    placeOf(frame) {
        if (frame < 0)
            return "";
        const {model} = this.page.numbers, {line, start} = model.frames, number = this.kind === "lines" ? line[frame] : start[frame];
        return format.place(model.file(frame), number);
    }

    /**
     * @param {Column[]} columns
     * @param {(row: number) => boolean} isSomething
     * @param {number} count
     */
    #showRows(columns, isSomething, count) {
        const {state} = this.page.store, pattern = patternOf(state.filter), reversed = state.sort.startsWith("-");
        const first = columns.find(({id}) => id === state.sort.replace("-", "")) ?? columns[0];
        const rows = [];
        for (let row = 0; row < count; row++)
            if (isSomething(row) && (!pattern || pattern.test(this.#textOf(row))))
                rows.push(row);
        this.shown.textContent = state.filter ? `${format.counted(rows.length, "row")} match` : format.counted(rows.length, "row");
        if (!rows.length) {
            fill(this.body, empty("No rows", state.filter ? "No row contains this text. Clear the filter to see all." : "Nothing was counted in this window by what the filters let pass."));
            return;
        }
        if (!this.table.element.isConnected)
            fill(this.body, this.table.element);
        this.table.setColumns(columns, reversed ? `-${first.id}` : first.id);
        this.table.setRows(sortRows(Int32Array.from(rows), first.key ?? (() => 0), reversed));
    }

    /** @param {number} row @returns {string} what the filter is compared with */
    #textOf(row) {
        if (this.kind === "threads")
            return this.threads?.[row].label ?? "";
        const {model} = this.page.numbers, frame = this.#groupsNow().frame[row];
        if (this.kind === "modules")
            return model.group(frame);
        return frame < 0 ? "(outside user code)" : `${model.name(frame)} ${model.file(frame)}:${model.frames.line[frame]}`;
    }

    #showThreads() {
        const {numbers} = this.page, {model} = numbers;
        if (!model.hasOwners) {
            fill(this.body, model.header.part ? empty(NOT_KNOWN, "What each thread did is known of whole runs only, and this page shows a part of one.")
                : empty("One thread", "The program had one thread, which did all of it."));
            this.shown.textContent = "";
            return;
        }
        if (!numbers.isWhole) {
            fill(this.body, empty(NOT_KNOWN, "What each thread did is known of the whole run only. Clear the window to see it."));
            this.shown.textContent = "";
            return;
        }
        const rows = this.threads = threadRows(numbers);
        const columns = QUANTITIES.threads.own.map((name) => numberColumn(name.replace("*", ""), Float64Array.from(rows, (row) => row.values[name.replace("*", "")] ?? 0),
            name.replace("*", ""), false, name.endsWith("*")));
        const name = {id: "name", title: model.isMerged ? "Process" : "Thread", cell: (/** @type {number} */ row) => format.visibleName(rows[row].label), key: (/** @type {number} */ row) => rows[row].label};
        this.#showRows([...columns, name], () => true, rows.length);
    }

    /** @param {number} row shows more of it */
    open(row) {
        const {store, numbers} = this.page, {model} = numbers;
        if (this.kind === "threads") {
            store.set({view: "flame", thread: String(this.threads?.[row].id), zoom: 0}, {push: true});
            return;
        }
        const frame = this.#groupsNow().frame[row];
        if (frame < 0)
            return;
        if (this.kind === "modules")
            store.set({view: "flame", module: model.group(frame), zoom: 0}, {push: true});
        else if (model.frames.line[frame] && this.page.sources.has(model.frames.file[frame]))
            this.page.openSource(model.frames.file[frame], this.kind === "lines" ? model.frames.line[frame] : model.frames.start[frame] || model.frames.line[frame]);
        else
            this.page.openFlame(model.name(frame));
    }

    /** @param {number} row @param {string} key @returns {boolean} */
    key(row, key) {
        if (key !== "f" || this.kind === "threads")
            return false;
        const frame = this.#groupsNow().frame[row];
        if (frame >= 0)
            this.page.openFlame(this.page.numbers.model.name(frame));
        return true;
    }
}
