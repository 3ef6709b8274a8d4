// The page of `vbtrace html`: decodes its data, and shows one of its views below the timeline.

import {decode} from "./data/decode.js";
import {DOMAIN_NAMES, Model} from "./data/model.js";
import {Numbers, stepAt} from "./data/numbers.js";
import {modulesOf, threadNames} from "./data/rows.js";
import {Sources} from "./data/sources.js";
import {announce, dropdown, el, empty, fill} from "./ui/dom.js";
import * as format from "./ui/format.js";
import {Store} from "./ui/state.js";
import {applyTheme, themeSwitch} from "./ui/theme.js";
import {addTip, hideTip} from "./ui/tip.js";
import {CompareView} from "./views/compare_view.js";
import {FlameView} from "./views/flame_view.js";
import {helpButton} from "./views/help.js";
import {OverviewView} from "./views/overview.js";
import {SectionsView} from "./views/sections_view.js";
import {SourceView} from "./views/source_view.js";
import {TableView} from "./views/table_view.js";
import {Timeline} from "./views/timeline.js";
import {WindowView} from "./views/window_view.js";

/**
 * @typedef {{toolbar?: HTMLElement, body: HTMLElement, footer?: HTMLElement,
 *     update: (changed: Set<string>) => void}} View
 */

/** @type {{id: string, title: string, make: (page: Page) => View}[]} */
const VIEWS = [
    {id: "overview", title: "Overview", make: (page) => new OverviewView(page)},
    {id: "flame", title: "Flame graph", make: (page) => new FlameView(page)},
    {id: "lines", title: "Lines", make: (page) => new TableView(page, "lines")},
    {id: "functions", title: "Functions", make: (page) => new TableView(page, "functions")},
    {id: "modules", title: "Modules", make: (page) => new TableView(page, "modules")},
    {id: "threads", title: "Threads", make: (page) => new TableView(page, "threads")},
    {id: "source", title: "Source", make: (page) => new SourceView(page)},
    {id: "sections", title: "Sections", make: (page) => new SectionsView(page)},
    {id: "compare", title: "Compare", make: (page) => new CompareView(page)},
];
const MODULES_LISTED = 200;

export class Page {
    /** @param {Model} model @param {Model | null} older */
    constructor(model, older) {
        this.store = new Store();
        this.numbers = new Numbers(model);
        this.old = older && new Numbers(older);
        this.sources = new Sources(model.header.files);
        this.oldSources = new Sources(older?.header.files ?? []);
        /**
         * Bytes by cell, of the whole run and without filters: what puts things in an order that
         * stays.
         */
        this.wholeBytes = /** @type {Float64Array} */ (this.numbers.get("bytes")).slice();
        /** Libraries and packages, as they are listed and coloured. */
        this.modules = modulesOf(this.numbers);
        this.scroller = el("div", {id: "panel", role: "tabpanel", tabindex: "-1"});
        this.tools = el("div", {id: "tools"});
        this.foot = el("div", {id: "foot"});
        this.filters = el("div.filters", {role: "group", "aria-label": "Filters"});
        this.tabs = el("nav.tabs", {role: "tablist", "aria-label": "Views"});
        /** @type {Map<string, View>} */
        this.views = new Map();
        /** @type {View | null} */
        this.view = null;
        /** @type {Set<string>} */
        this.waiting = new Set();
        this.asked = 0;
        this.timeline = new Timeline(this);
        this.window = new WindowView(this, this.timeline);
        this.store.subscribe((_, changed) => this.changed(changed));
    }

    /** @param {HTMLElement} root */
    start(root) {
        const {title} = this.numbers.model.header;
        document.title = `${format.visibleName(title)} · vbtrace`;
        fill(root,
            el("header.top", {}, el("span.brand", {}, "vbtrace"), el("h1", {title: format.visibleName(title)}, format.visibleName(title)), themeSwitch(() => this.#themeChanged()), ...helpButton()),
            el("div.course", {}, this.timeline.element, this.window.element),
            el("div.views-bar", {}, this.tabs, this.filters), this.tools, this.scroller, this.foot);
        this.#applyWindow();
        this.#makeFilters();
        this.#makeTabs();
        this.timeline.make();
        this.window.update();
        this.#showView();
        document.addEventListener("keydown", (event) => this.key(event));
        new MutationObserver(hideTip).observe(this.scroller, {childList: true});
    }

    #themeChanged() {
        this.timeline.make();
        this.view?.update(new Set());
    }

    #makeTabs() {
        const {view} = this.store.state, hadFocus = this.tabs.contains(document.activeElement);
        const there = VIEWS.filter(({id}) => id !== "compare" || this.old);
        fill(this.tabs, there.map(({id, title}) => el("button.tab", {role: "tab", id: `tab-${id}`, "aria-selected": String(id === view), "aria-controls": "panel",
            tabindex: id === view ? "0" : "-1", onclick: () => this.store.set({view: id}, {push: true}), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#tabKey(event, there.map((v) => v.id))}, title)));
        const selected = document.getElementById(`tab-${view}`);
        selected?.scrollIntoView({block: "nearest", inline: "nearest"});
        if (hadFocus)
            selected?.focus();
        this.scroller.setAttribute("aria-labelledby", `tab-${view}`);
    }

    /** @param {KeyboardEvent} event @param {string[]} ids */
    #tabKey(event, ids) {
        const at = ids.indexOf(this.store.state.view), to = {ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: ids.length - 1}[event.key];
        if (to === undefined)
            return;
        event.preventDefault();
        this.store.set({view: ids[(to + ids.length) % ids.length]});
    }

    #makeFilters() {
        const {state} = this.store, {model} = this.numbers, threads = threadNames(model);
        const modules = this.modules.slice(0, MODULES_LISTED);
        if (state.module && !modules.includes(state.module))
            modules.push(state.module);
        const all = {value: "", text: "All"};
        fill(this.filters,
            dropdown("Domain", [{value: "", text: "Heap + Python"}, ...DOMAIN_NAMES.map((text, i) => ({value: String(i), text}))], state.domain, (domain) => this.store.set({domain})),
            dropdown("Module", [all, ...modules.map((name) => ({value: name, text: format.visibleName(name)}))], state.module, (module) => this.store.set({module})),
            threads.length ? dropdown(model.isMerged ? "Process" : "Thread", [all, ...threads.map(({id, label}) => ({value: String(id), text: format.visibleName(label)}))], state.thread, (thread) => this.store.set({thread})) : null,
            el("button.quiet", {hidden: !(state.domain || state.module || state.thread), onclick: () => this.store.set({domain: "", module: "", thread: ""})}, "Clear filters"));
    }

    #applyWindow() {
        const {state} = this.store, {steps, lastStep} = this.numbers.model;
        let from = state.from === null ? 0 : stepAt(steps, state.from), to = state.to === null ? lastStep : stepAt(steps, state.to);
        if (to <= from)
            [from, to] = [0, lastStep];
        this.numbers.setWindow(from, to);
        this.numbers.setFilter({domain: state.domain, group: state.module, thread: state.thread});
        this.old?.setFilter({domain: state.domain, group: state.module, thread: ""});
    }

    /** @param {Set<string>} changed */
    changed(changed) {
        for (const key of changed)
            this.waiting.add(key);
        if (!this.asked)
            this.asked = requestAnimationFrame(() => this.#refresh());
    }

    /** Brings everything that is seen up to date. */
    #refresh() {
        const changed = this.waiting;
        this.asked = 0;
        this.waiting = new Set();
        const has = (/** @type {string[]} */ ...keys) => keys.some((key) => changed.has(key));
        if (has("from", "to", "domain", "module", "thread")) {
            this.#applyWindow();
            this.window.update();
            if (has("from", "to"))
                this.timeline.showWindow();
        }
        if (has("domain", "module", "thread"))
            this.#makeFilters();
        if (has("view")) {
            this.#makeTabs();
            this.#showView();
        } else {
            this.view?.update(changed);
        }
    }

    #showView() {
        const {view: id} = this.store.state, known = VIEWS.find((view) => view.id === id && (id !== "compare" || this.old)) ?? VIEWS[0];
        let view = this.views.get(known.id);
        if (!view)
            this.views.set(known.id, view = known.make(this));
        this.view = view;
        hideTip();
        fill(this.tools, view.toolbar);
        fill(this.scroller, view.body);
        fill(this.foot, view.footer);
        this.filters.hidden = known.id === "sections"; // which no filter changes
        this.scroller.scrollTop = 0;
        this.scroller.dataset.view = known.id;
        view.update(new Set());
    }

    clearWindow() {
        this.store.set({from: null, to: null});
        announce("Whole run");
    }

    /** @param {number} file a string @param {number} line */
    openSource(file, line) {
        this.store.set({view: "source", file, line}, {push: true});
    }

    /** @param {string} name a function to mark in the flame graph */
    openFlame(name) {
        this.store.set({view: "flame", search: `^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`, zoom: 0}, {push: true});
    }

    /** Keys that work wherever the focus is. @param {KeyboardEvent} event */
    key(event) {
        const target = /** @type {HTMLElement} */ (event.target), types = target.matches?.("input, select, textarea");
        if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
            hideTip();
            if (target.matches?.("input[type=search]") && /** @type {HTMLInputElement} */ (target).value) {
                /** @type {HTMLInputElement} */ (target).value = "";
                target.dispatchEvent(new Event("input"));
            } else {
                this.clearWindow();
            }
        } else if (event.key === "/" && !types) {
            event.preventDefault();
            /** @type {HTMLElement | null} */ (this.tools.querySelector("input[type=search]"))?.focus();
        }
    }
}

/** @param {string} id */
async function modelIn(id) {
    const text = document.getElementById(id)?.textContent?.trim();
    return text ? new Model(await decode(text)) : null;
}

async function main() {
    const root = /** @type {HTMLElement} */ (document.getElementById("page"));
    applyTheme();
    addTip(document.body);
    try {
        const [model, older] = [await modelIn("data"), await modelIn("against")];
        if (!model)
            throw new Error("there is none");
        new Page(model, older).start(root);
    } catch (error) {
        fill(root, empty("The data of this page cannot be read", error instanceof Error ? error.message : String(error)));
        throw error;
    }
}

main();
