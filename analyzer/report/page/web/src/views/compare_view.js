// This trace against an older one: a flame graph of both, red where it grew and blue where it
// shrank, and a table of what is new, gone, grown and shrunk.

import {buildCalls, callSums, inclusive} from "../data/calls.js";
import {changesBetween} from "../data/changes.js";
import {measureOf, MEASURES, NOT_KNOWN, whyUnknown} from "../data/measures.js";
import {dropdown, el, empty, fill, fillLegend, searchField, segmented} from "../ui/dom.js";
import * as format from "../ui/format.js";
import {pairs} from "../ui/tip.js";
import {sortRows, VirtualTable} from "../ui/virtual_table.js";
import {FlamePane, patternOf} from "./flame_pane.js";
import {labelOf, placeOf} from "./flame_view.js";
import {colorsOfChange} from "./palette.js";
/** @typedef {import("../main.js").Page} Page */

const ROWS = [{value: "flame", text: "Flame graph"}, {value: "functions", text: "Functions"}, {value: "lines", text: "Lines"}, {value: "modules", text: "Modules"}];
const KINDS = [{value: "", text: "All"}, {value: "new", text: "New"}, {value: "gone", text: "Gone"}, {value: "grown", text: "Grown"}, {value: "shrunk", text: "Shrunk"}];
const WIDTHS = [{value: "new", text: "This run"}, {value: "old", text: "Older run"}];
const ARROWS = {new: "+", gone: "×", grown: "▲", shrunk: "▼", same: "="};

/** @param {number} n @param {(n: number) => string} write */
function signed(n, write) {
    return n > 0 ? `+${write(n)}` : write(n);
}

export class CompareView {
    /** @param {Page} page */
    constructor(page) {
        this.page = page;
        this.toolbar = el("div.toolbar");
        this.body = el("div.compare");
        this.legend = el("div.legend");
        this.summary = el("p.summary");
        this.pane = new FlamePane(page.scroller, {zoom: (call) => this.zoomTo(call), focus: () => {}, back: () => this.zoomTo(0), open: () => {}});
        this.table = new VirtualTable({label: "Changes", scroller: page.scroller, sort: (sort) => page.store.set({sort}), open: (row) => this.open(row)});
        this.filter = searchField("Function or file", "Search the comparison", "", (search) => page.store.set({search}));
        this.shown = el("output.matched");
        /** @type {import("../data/changes.js").Change[]} */
        this.changes = [];
        this.known = "";
        this.zoomed = 0;
        /** @type {import("../data/calls.js").Calls | undefined} */
        this.calls = undefined;
        /** @type {import("../data/sums.js").Sums[] | undefined} of this run and of the older one */
        this.sums = undefined;
    }

    makeToolbar() {
        const {store} = this.page, {state} = store, isFlame = state.rows === "flame";
        const measures = MEASURES.filter(({id}) => id !== "grown").map(({id, title, hint}) => ({value: id, text: title, hint}));
        this.filter.value = state.search;
        fill(this.toolbar, segmented("Rows", ROWS, state.rows, (rows) => store.set({rows, sort: ""})), dropdown("Measure", measures, state.measure, (measure) => store.set({measure})),
            isFlame ? segmented("Widths", WIDTHS, state.width, (width) => store.set({width}))
                : segmented("Changes", KINDS, state.kind, (kind) => store.set({kind})), el("div.search", {}, this.filter, this.shown));
    }

    /** @param {Set<string>} changed */
    update(changed) {
        const {store, numbers, old} = this.page, {state} = store, measure = measureOf(state.measure);
        if (!old) {
            fill(this.body, empty("Nothing to compare with", "vbtrace html --against OLDER puts a second trace into the page."));
            return;
        }
        if (!(changed.size === 1 && changed.has("search")))
            this.makeToolbar();
        const now = numbers.total(measure.id), before = old.total(measure.id);
        if (now === null || before === null) {
            fill(this.body, empty(NOT_KNOWN, whyUnknown(now === null ? numbers : old, measure.id)));
            return;
        }
        fill(this.summary, `${measure.title}: `, el("b", {}, measure.format(before)), " → ", el("b", {}, measure.format(now)),
            ` (${signed(now - before, measure.format)}${before > 0 ? `, ${signed(now / before * 100 - 100, format.percent)}` : ""})`,
            el("small", {}, numbers.isWhole ? ` against ${format.visibleName(old.model.header.trace ?? old.model.header.title)}` : " · the window of this run against the whole older run"));
        if (state.rows === "flame")
            this.#showFlame(measure);
        else
            this.#showTable(measure);
    }

    /** @param {import("../data/measures.js").Measure} measure */
    #showFlame(measure) {
        const {store, numbers} = this.page, old = /** @type {import("../data/numbers.js").Numbers} */ (this.page.old), {state} = store;
        this.calls ??= buildCalls([numbers.model, old.model], {frames: "function", imports: false}, [this.page.wholeBytes, /** @type {Float64Array} */ (old.get("bytes")).slice()]);
        const {calls} = this;
        this.sums ??= [numbers, old].map((of, m) => callSums(calls, m, of));
        const [now, before] = this.sums.map((sums) => inclusive(calls, /** @type {Float64Array} */ (sums.get(measure.id)))), colors = colorsOfChange(calls, now, before);
        fillLegend(this.legend, colors.legend, el("span.hint", {}, state.width === "new" ? "Widths are of this run: what is gone is not seen." : "Widths are of the older run: what is new is not seen."));
        const values = state.width === "old" ? before : now;
        if (!(values[0] > 0)) {
            fill(this.body, this.summary, empty("Nothing to draw", "There is nothing of this measure in that run."));
            return;
        }
        if (!this.pane.element.isConnected)
            fill(this.body, this.summary, this.legend, this.pane.element);
        const label = (/** @type {number} */ call) => `${now[call] > before[call] ? "▲ " : now[call] < before[call] ? "▼ " : ""}${labelOf(calls, call, "function")}`;
        const told = (/** @type {number} */ call) => `${measure.format(before[call])} → ${measure.format(now[call])}`;
        this.pane.show({
            calls, values, label, place: (call) => placeOf(calls, call, "function"), fill: colors.fill, fromTop: true,
            describe: (call) => [el("p.tip-name", {}, labelOf(calls, call, "function")), el("p.tip-place", {}, placeOf(calls, call, "function")),
                pairs([["before", measure.format(before[call])], ["now", measure.format(now[call])], ["change", signed(now[call] - before[call], measure.format)]])],
            say: (call) => `${labelOf(calls, call, "function")}: ${told(call)}`,
        }, this.zoomed < calls.parent.length ? this.zoomed : 0);
        const found = this.pane.search(state.search);
        this.shown.textContent = found ? `${format.share(found.sum, values[this.zoomed])} in ${format.counted(found.count, "frame")}` : "";
    }

    /** @param {number} call */
    zoomTo(call) {
        this.zoomed = call;
        this.pane.zoom(call);
    }

    /** @param {import("../data/measures.js").Measure} measure */
    #showTable(measure) {
        const {store, numbers, sources, oldSources} = this.page, {state} = store, old = /** @type {import("../data/numbers.js").Numbers} */ (this.page.old);
        const rows = /** @type {"functions" | "lines" | "modules"} */ (state.rows), key = `${rows} ${measure.id} ${numbers.version} ${old.version}`;
        if (this.known !== key) {
            this.known = key;
            this.changes = changesBetween(numbers, old, {now: sources, old: oldSources}, {rows, quantity: measure.id});
        }
        const {changes} = this, pattern = patternOf(state.search), reversed = state.sort.startsWith("-");
        const shown = [...changes.keys()].filter((i) => changes[i].kind !== "same" && (!state.kind || changes[i].kind === state.kind) && (!pattern || pattern.test(`${changes[i].name} ${changes[i].place}`)));
        this.shown.textContent = format.counted(shown.length, "row");
        if (!shown.length) {
            fill(this.body, this.summary, empty("No such changes", "Nothing in this table differs in this way."));
            return;
        }
        if (!this.table.element.isConnected)
            fill(this.body, this.summary, this.table.element);
        const columns = this.columns(measure), first = columns.find(({id}) => id === state.sort.replace("-", "")) ?? columns[0];
        this.table.setColumns(columns, reversed ? `-${first.id}` : first.id);
        this.table.setRows(sortRows(Int32Array.from(shown), first.key ?? (() => 0), reversed));
    }

    /**
     * @param {import("../data/measures.js").Measure} measure
     * @returns {import("../ui/virtual_table.js").Column[]}
     */
    columns(measure) {
        const {changes} = this, most = Math.max(1, ...changes.slice(0, 50_000).map(({old, now}) => Math.abs(now - old)));
        const number = (/** @type {string} */ id, /** @type {string} */ title, /** @type {(row: number) => number} */ value, /** @type {(row: number) => string} */ write) =>
            ({id, title, kind: "number", key: value, exact: (/** @type {number} */ row) => format.count(value(row)), cell: (/** @type {number} */ row) => write(row)});
        return [
            {...number("change", "Change", (row) => Math.abs(changes[row].now - changes[row].old), () => ""), share: (row) => Math.abs(changes[row].now - changes[row].old) / most,
                kind: "number.delta", cell: (row) => el(`span.change.${changes[row].kind}`, {}, signed(changes[row].now - changes[row].old, measure.format))},
            {...number("old", "Before", (row) => changes[row].old, (row) => measure.format(changes[row].old)), wide: true},
            number("now", "Now", (row) => changes[row].now, (row) => measure.format(changes[row].now)),
            {id: "kind", title: "What", kind: "kind", key: (row) => changes[row].kind, cell: (row) => el(`span.change.${changes[row].kind}`, {}, `${ARROWS[/** @type {keyof typeof ARROWS} */ (changes[row].kind)]} ${changes[row].kind}`)},
            {id: "name", title: this.page.store.state.rows === "modules" ? "Module" : "Function", key: (row) => changes[row].name, cell: (row) => el("span.who", {title: `${format.visibleName(changes[row].name)}\n${format.visibleName(changes[row].place)}`},
                el("b", {}, format.visibleName(changes[row].name)), " ", el("small", {}, changes[row].place ? format.place(changes[row].place, changes[row].line) : ""))},
        ];
    }

    /** @param {number} row */
    open(row) {
        const {file, line, name} = this.changes[row];
        if (file >= 0 && line && this.page.sources.has(file))
            this.page.openSource(file, line);
        else if (file >= 0)
            this.page.openFlame(name);
    }
}
