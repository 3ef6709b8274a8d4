// The view of the call tree: what is drawn, what can be chosen, and what is said about a call.

import {buildCalls, callSums, FOLDED_IMPORTS, inclusive} from "../data/calls.js";
import {measureOf, MEASURES, NOT_KNOWN, whyUnknown} from "../data/measures.js";
import {checkbox, dropdown, el, empty, fill, fillLegend, searchField, segmented} from "../ui/dom.js";
import * as format from "../ui/format.js";
import {pairs} from "../ui/tip.js";
import {FlamePane} from "./flame_pane.js";
import {colorsBy} from "./palette.js";
/** @typedef {import("../ui/state.js").State} State */
/** @typedef {import("../main.js").Page} Page */
/** @typedef {import("../data/calls.js").Calls} Calls */

const FRAMES = [{value: "function", text: "Functions"}, {value: "line", text: "Lines"}];
const COLORINGS = [{value: "module", text: "Module"}, {value: "kind", text: "Kind of code"}, {value: "domain", text: "Domain"}, {value: "thread", text: "Thread"}];
const ROOTS = [{value: "top", text: "Icicle", hint: "The root on top"}, {value: "bottom", text: "Flame", hint: "The root at the bottom"}];

/**
 * @param {Calls} calls
 * @param {number} call
 * @param {string} frames "function" or "line"
 * @returns {string}
 */
export function labelOf(calls, call, frames) {
    if (call === 0)
        return "All";
    if (calls.key[call] === FOLDED_IMPORTS)
        return "Python imports";
    const {model, frame} = calls.examples[calls.key[call]], line = model.frames.line[frame];
    const name = format.visibleName(model.name(frame));
    return frames === "line" && line ? `${name}:${line}` : name;
}

/**
 * @param {Calls} calls
 * @param {number} call
 * @param {string} frames
 * @returns {string} file and line, or the module
 */
export function placeOf(calls, call, frames) {
    if (calls.key[call] < 0)
        return "";
    const {model, frame} = calls.examples[calls.key[call]], {line, start} = model.frames;
    const number = frames === "line" ? line[frame] : start[frame];
    return format.visibleName(model.file(frame)) + (number ? `:${number}` : "");
}

export class FlameView {
    /** @param {Page} page */
    constructor(page) {
        this.page = page;
        this.pane = new FlamePane(page.scroller, {zoom: (call) => this.zoomTo(call), focus: (call) => this.select(call), back: () => this.back(),
            open: (call) => this.openSource(call)});
        this.toolbar = el("div.toolbar");
        this.body = el("div.flame-body");
        this.footer = el("div.strip", {"aria-live": "off"});
        this.legend = el("div.legend");
        this.search = searchField("Search function or file", "Search the flame graph", page.store.state.search, (search) => page.store.set({search}));
        this.search.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#searchKey(event));
        this.matched = el("output.matched");
        /** @type {Calls | null} */
        this.calls = null;
        this.builtFor = "";
        this.selected = 0;
        /** @type {number[]} what was zoomed to before */
        this.trail = [];
        this.later = 0;
        this.makeToolbar();
    }

    /** @param {KeyboardEvent} event */
    #searchKey(event) {
        if (event.key !== "Enter" || !this.pane.matches)
            return;
        this.pane.canvas.focus();
        this.pane.focus(this.pane.nextMatch());
    }

    makeToolbar() {
        const {store, numbers} = this.page, {state} = store;
        const measures = MEASURES.map(({id, title, hint}) => ({value: id, text: title, hint}));
        const colorings = COLORINGS.filter(({value}) => value !== "thread" || numbers.model.hasOwners);
        fill(this.toolbar,
            segmented("Measure", measures, state.measure, (measure) => store.set({measure})),
            segmented("Layout", ROOTS, state.root, (root) => store.set({root})),
            dropdown("Frames", FRAMES, state.frames, (frames) => store.set({frames, zoom: 0})),
            dropdown("Colour", colorings, state.color, (color) => store.set({color})),
            checkbox("Python imports", state.imports, (imports) => store.set({imports, zoom: 0}), "Show the frames of Python's import machinery instead of folding them into one"),
            el("div.search", {}, this.search, this.matched));
    }

    /** Builds the tree, if another one is asked for. */
    #build() {
        const {store, numbers} = this.page, {frames, imports} = store.state, key = `${frames} ${imports}`;
        if (this.calls && this.builtFor === key)
            return this.calls;
        this.builtFor = key;
        this.calls = buildCalls([numbers.model], {frames, imports}, [this.page.wholeBytes]);
        this.sums = callSums(this.calls, 0, numbers);
        return this.calls;
    }

    /** @param {Set<string>} changed what of the state; empty: everything */
    update(changed) {
        const {store, numbers} = this.page, {state} = store, measure = measureOf(state.measure);
        const only = (/** @type {string[]} */ ...keys) => changed.size > 0 && [...changed].every((key) => keys.includes(key));
        if (only("zoom") && this.calls && this.pane.data) {
            this.#showZoom();
            return;
        }
        if (only("search") && this.pane.data) {
            this.#showSearch();
            return;
        }
        if (!only("from", "to"))
            this.makeToolbar();
        const calls = this.#build();
        this.own = /** @type {import("../data/sums.js").Sums} */ (this.sums).get(measure.id);
        if (!this.own) {
            this.#showEmpty(NOT_KNOWN, whyUnknown(numbers, measure.id));
            return;
        }
        this.values = inclusive(calls, this.own);
        if (!(this.values[0] > 0))
            this.#showEmpty("Nothing to draw", `${measure.title}: nothing in this window passes the filters.`);
        else
            this.#showTree(calls, measure, !only("from", "to"));
    }

    /** @param {string} title @param {string} reason */
    #showEmpty(title, reason) {
        this.pane.data = null;
        fill(this.body, empty(title, reason));
        fill(this.footer);
        this.matched.textContent = "";
    }

    /**
     * @param {Calls} calls
     * @param {import("../data/measures.js").Measure} measure
     * @param {boolean} anew are other colours asked for?
     */
    #showTree(calls, measure, anew) {
        const {numbers, store} = this.page, {state} = store;
        if (anew || !this.colors || !this.pane.data)
            this.colors = colorsBy(state.color, calls, this.page);
        const {fill: fillOf, legend} = this.colors;
        if (!this.pane.element.isConnected)
            fill(this.body, this.legend, this.pane.element);
        fillLegend(this.legend, legend);
        this.pane.show({
            calls, values: /** @type {Float64Array} */ (this.values), label: (call) => labelOf(calls, call, state.frames), place: (call) => placeOf(calls, call, state.frames),
            fill: fillOf, fromTop: state.root !== "bottom", describe: (call) => this.describe(call), say: (call) => this.say(call, measure),
        }, this.zoomed(calls));
        this.#showSearch();
        if (anew)
            this.select(this.selected < calls.parent.length ? this.selected : 0);
        clearTimeout(this.later); // all measures of a call take longer than what is drawn
        this.later = setTimeout(() => this.pane.data && this.calls === calls && this.select(this.selected), 120);
    }

    /** @param {Calls} calls @returns {number} */
    zoomed(calls) {
        return calls.ofNode[0][this.page.store.state.zoom] ?? 0;
    }

    #showZoom() {
        const calls = /** @type {Calls} */ (this.calls);
        this.pane.zoom(this.zoomed(calls));
        this.#showSearch();
        this.select(this.zoomed(calls));
    }

    #showSearch() {
        const {state} = this.page.store;
        if (this.search.value !== state.search)
            this.search.value = state.search;
        const found = this.pane.search(state.search), values = /** @type {Float64Array} */ (this.values);
        this.matched.textContent = found && `${format.share(found.sum, values[this.pane.drawing.zoomed])} · ${measureOf(state.measure).format(found.sum)} in ${format.counted(found.count, "frame")}`;
    }

    /** @param {number} call */
    zoomTo(call) {
        const calls = /** @type {Calls} */ (this.calls), zoom = call === 0 ? 0 : calls.sample[0][call];
        if (zoom === this.page.store.state.zoom)
            return;
        this.trail.push(this.page.store.state.zoom);
        this.page.store.set({zoom}, {push: true});
    }

    /** As before the last zoom. */
    back() {
        this.page.store.set({zoom: this.trail.pop() ?? 0}, {push: true});
    }

    /** @param {number} call */
    openSource(call) {
        const calls = /** @type {Calls} */ (this.calls);
        if (calls.key[call] < 0)
            return;
        const {model, frame} = calls.examples[calls.key[call]];
        this.page.openSource(model.frames.file[frame], model.frames.line[frame]);
    }

    /**
     * @param {number} call
     * @param {import("../data/measures.js").Measure} measure
     * @returns {string}
     */
    say(call, measure) {
        const calls = /** @type {Calls} */ (this.calls), values = /** @type {Float64Array} */ (this.values), {frames} = this.page.store.state;
        return `${labelOf(calls, call, frames)}, ${placeOf(calls, call, frames)}: ${measure.title} ${measure.format(values[call])}, ${format.share(values[call], values[0])}`;
    }

    /** @param {number} call @returns {(Node | string)[]} */
    describe(call) {
        const {state} = this.page.store, calls = /** @type {Calls} */ (this.calls), values = /** @type {Float64Array} */ (this.values);
        const own = /** @type {Float64Array} */ (this.own), measure = measureOf(state.measure);
        return [el("p.tip-name", {}, labelOf(calls, call, state.frames)), el("p.tip-place", {}, placeOf(calls, call, state.frames)),
            pairs([[measure.title, `${measure.format(values[call])} · ${format.share(values[call], values[0])}`], ["itself", measure.format(own[call])]])];
    }

    /** What is known of a call, below the graph. @param {number} call */
    select(call) {
        const calls = /** @type {Calls} */ (this.calls), {numbers, store} = this.page, {frames} = store.state;
        this.selected = call;
        const path = [];
        for (let at = call; at > 0; at = calls.parent[at])
            path.unshift(at);
        const crumb = (/** @type {number} */ at) => el("button.crumb", {onclick: () => this.zoomTo(at), title: placeOf(calls, at, frames)}, labelOf(calls, at, frames));
        const shown = path.length > 7 ? [...path.slice(0, 2), -1, ...path.slice(-4)] : path;
        fill(this.footer,
            el("nav.crumbs", {"aria-label": "Callers"}, [0, ...shown].map((at) => (at < 0 ? el("span.crumb-gap", {}, "…") : crumb(at)))),
            el("div.strip-numbers", {}, this.#numbersOf(call)),
            el("div.strip-actions", {},
                el("button", {disabled: store.state.zoom === 0, onclick: () => this.back(), title: "As before the last zoom"}, "Back"),
                el("button", {disabled: store.state.zoom === 0, onclick: () => this.zoomTo(0)}, "Reset zoom"),
                el("button", {disabled: calls.key[call] < 0 || !numbers.model.file(calls.examples[calls.key[call]].frame), onclick: () => this.openSource(call)}, "Source")));
    }

    /** @param {number} call @returns {Node[]} all measures of the call and of what is below it */
    #numbersOf(call) {
        const calls = /** @type {Calls} */ (this.calls), {numbers} = this.page, index = /** @type {Int32Array} */ (this.sums?.index);
        const inside = new Uint8Array(index.length), end = calls.end[call];
        for (let i = 0; i < inside.length; i++)
            inside[i] = Number(index[i] >= call && index[i] < end);
        const totals = numbers.totalsOf(inside);
        return MEASURES.filter(({id}) => id in totals).map(({id, title, hint, format: write}) => {
            const value = totals[id];
            return el("span.number", {title: value === null ? hint : `${hint}: ${format.count(value)}`, "data-measure": id}, el("small", {}, title), el("b", {}, value === null ? format.UNKNOWN : write(value)));
        });
    }
}
