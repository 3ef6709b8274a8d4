// Annotated source: each line of a file with what it cost.

import {NOT_KNOWN, whyUnknown} from "../data/measures.js";
import {lineGroups, ownSums, RowNumbers} from "../data/rows.js";
import {dropdown, el, empty, fill, segmented} from "../ui/dom.js";
import * as format from "../ui/format.js";
import {VirtualTable} from "../ui/virtual_table.js";
import {ATTRIBUTION, describe} from "./table_view.js";
/** @typedef {import("../main.js").Page} Page */
/** @typedef {import("../data/sums.js").Quantity} Quantity */

const QUANTITIES = /** @type {Quantity[]} */ (["bytes", "allocs", "peak", "live", "temporary"]);
/**
 * A line that is shown: one of source, or of what is left out.
 * @typedef {{line: number, text: string | null}} Shown
 */

export class SourceView {
    /** @param {Page} page */
    constructor(page) {
        this.page = page;
        this.toolbar = el("div.toolbar");
        this.body = el("div.table-body.source");
        /** @type {Shown[]} */
        this.lines = [];
        /** @type {Map<string, RowNumbers>} */
        this.known = new Map();
        this.table = new VirtualTable({label: "Source", scroller: page.scroller, sort: () => {}, open: (row) => this.open(row),
            rowClass: (row) => (this.lines[row].line && this.lines[row].line === page.store.state.line ? "marked" : this.lines[row].text === null && !this.lines[row].line ? "gap" : "")});
        this.shownFile = -2;
        this.revealed = "";
        this.profile = profileOf(page.numbers.model.header);
    }

    /** @returns {RowNumbers} */
    rowNumbers() {
        const {numbers, store} = this.page, {by} = store.state;
        let known = this.known.get(by);
        if (!known)
            this.known.set(by, known = new RowNumbers(lineGroups(numbers.model, by), numbers));
        return known;
    }

    /**
     * @returns {Map<number, number>} files that cost something, the costliest first, and their
     *     bytes
     */
    files() {
        const {groups} = this.rowNumbers(), {model} = this.page.numbers, sums = ownSums(groups, this.page.wholeBytes), files = new Map();
        for (let row = 0; row < groups.count; row++)
            if (groups.frame[row] >= 0 && model.frames.line[groups.frame[row]] > 0) {
                const file = model.frames.file[groups.frame[row]];
                files.set(file, (files.get(file) ?? 0) + sums[row]);
            }
        for (const file of this.page.sources.files.keys())
            if (!files.has(file))
                files.set(file, 0);
        return new Map([...files].sort((a, b) => b[1] - a[1]));
    }

    /** @param {Set<string>} changed */
    update(changed) {
        const {store, numbers} = this.page, {state} = store, files = this.files();
        if (!files.size) {
            fill(this.toolbar);
            fill(this.body, empty("No source lines", "Nothing in this trace is charged to a line of a source file. “Allocating lines” of the table of lines has the rest."));
            return;
        }
        const file = files.has(state.file) ? state.file : files.keys().next().value ?? -1;
        if (![...changed].every((key) => key === "from" || key === "to") || !changed.size) {
            const choices = [...files].map(([number, bytes]) => ({value: String(number), text: `${format.visibleName(numbers.model.strings[number])}  ·  ${format.bytes(bytes)}`}));
            fill(this.toolbar, el("div.source-file", {}, dropdown("File", choices, String(file), (text) => store.set({file: Number(text), line: 0}))),
                segmented("Charge", ATTRIBUTION, state.by, (by) => store.set({by})),
                this.page.sources.hasChanged(file) && el("p.warning", {}, "This file has changed since it ran."));
        }
        if (numbers.threadUnknown)
            fill(this.body, empty(NOT_KNOWN, whyUnknown(numbers, "bytes")));
        else
            this.show(file);
    }

    /** @param {number} file */
    show(file) {
        const {model} = this.page.numbers, {groups, rows: sumsOf} = this.rowNumbers(), sums = new Map();
        for (const quantity of QUANTITIES) {
            const rows = sumsOf.get(quantity), lines = new Map();
            for (let row = 0; rows && row < groups.count; row++) {
                const frame = groups.frame[row];
                if (frame >= 0 && model.frames.file[frame] === file)
                    lines.set(model.frames.line[frame], (lines.get(model.frames.line[frame]) ?? 0) + rows[row]);
            }
            sums.set(quantity, rows && lines);
        }
        this.lines = this.#linesOf(file, sums.get("bytes") ?? new Map());
        const note = this.page.sources.has(file) ? null : el("p.hint", {}, "The page has no source text of this file: it was not found, or --no-source left it out.");
        if (!this.table.element.isConnected || this.shownFile !== file)
            fill(this.body, note, this.table.element);
        this.shownFile = file;
        this.table.setColumns(this.columns(file, sums), "bytes");
        this.table.setRows(Int32Array.from(this.lines, (_, i) => i));
        this.#revealLine(file);
    }

    /** @param {number} file */
    #revealLine(file) {
        const {line} = this.page.store.state, key = `${file} ${line}`;
        if (this.revealed === key)
            return;
        this.revealed = key;
        const at = this.lines.findIndex((shown) => shown.line === line);
        if (at >= 0)
            this.table.reveal(at, 8);
        else
            this.page.scroller.scrollTop = 0;
    }

    /** @param {number} file @param {Map<number, number>} counted @returns {Shown[]} */
    #linesOf(file, counted) {
        const {sources} = this.page, out = /** @type {Shown[]} */ ([]);
        const parts = sources.partsOf(file);
        if (!parts.length)
            return [...counted.keys()].sort((a, b) => a - b).map((line) => ({line, text: null}));
        let next = 1;
        for (const {line, text} of parts) {
            if (line > next)
                out.push({line: 0, text: null});
            text.forEach((one, i) => out.push({line: line + i, text: one}));
            next = line + text.length;
        }
        return out;
    }

    /**
     * @param {number} file
     * @param {Map<Quantity, Map<number, number> | null>} sums
     * @returns {import("../ui/virtual_table.js").Column[]}
     */
    columns(file, sums) {
        const lines = this.lines, profile = this.profile.get(this.page.numbers.model.strings[file]);
        const numbers = QUANTITIES.map((quantity) => {
            const values = sums.get(quantity), most = values ? Math.max(0, ...values.values()) : 0;
            const {title, hint, format: write} = describe(quantity);
            const of = (/** @type {number} */ row) => values?.get(lines[row].line) ?? 0;
            return {id: quantity, exact: (/** @type {number} */ row) => (values && of(row) ? format.count(of(row)) : ""), title, hint, kind: "number", wide: quantity === "peak" || quantity === "temporary",
                cell: (/** @type {number} */ row) => (values === null ? (lines[row].line ? format.UNKNOWN : "") : of(row) ? write(of(row)) : ""),
                share: (/** @type {number} */ row) => (most > 0 ? of(row) / most : 0)};
        });
        const counted = profile ? [
            {id: "hits", title: "Hits", hint: "Executions of the line, of the whole run", kind: "number", cell: (/** @type {number} */ row) => (profile.get(lines[row].line) ? format.count(profile.get(lines[row].line).hits) : "")},
            {id: "time", title: "Time", hint: "Time in the line and what it called, of the whole run", kind: "number", cell: (/** @type {number} */ row) => (profile.get(lines[row].line) ? format.time(profile.get(lines[row].line).time_ns) : "")},
        ] : [];
        return [...counted, ...numbers,
            {id: "line", title: "Line", kind: "line", cell: (/** @type {number} */ row) => (lines[row].line ? String(lines[row].line) : "⋯")},
            {id: "text", title: "Source", kind: "code", cell: (/** @type {number} */ row) => format.visible(lines[row].text ?? (lines[row].line ? "" : "lines without costs are left out"))}];
    }

    /** @param {number} row marks a line, so that a link leads to it */
    open(row) {
        const {line} = this.lines[row];
        this.revealed = `${this.shownFile} ${line}`;
        if (line)
            this.page.store.set({file: this.shownFile, line});
    }
}

/**
 * Counted lines: hits and time.
 * @param {any} header @returns {Map<string, Map<number, any>>} by file, by line
 */
function profileOf(header) {
    const out = new Map();
    for (const {file, lines} of header.line_profile ?? []) {
        const known = out.get(file) ?? new Map();
        for (const line of lines) {
            const before = known.get(line.line);
            known.set(line.line, before ? {hits: before.hits + line.hits, time_ns: before.time_ns + line.time_ns} : {hits: line.hits, time_ns: line.time_ns});
        }
        out.set(file, known);
    }
    return out;
}
