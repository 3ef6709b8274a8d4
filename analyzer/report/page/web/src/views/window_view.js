// What happened in the window, in numbers, beside the timeline; and its ends as text that can be
// changed.

import {el, fill} from "../ui/dom.js";
import * as format from "../ui/format.js";
import {parseTime} from "./timeline.js";
/** @typedef {import("../main.js").Page} Page */

export class WindowView {
    /** @param {Page} page @param {import("./timeline.js").Timeline} timeline */
    constructor(page, timeline) {
        this.page = page;
        this.timeline = timeline;
        this.from = this.end("From");
        this.to = this.end("To");
        /** @type {EventTarget | null} */
        this.edited = null; // what is being typed stays
        this.title = el("h2");
        this.clear = el("button.quiet", {onclick: () => page.clearWindow(), title: "Show the whole run (Escape)"}, "Clear");
        this.numbers = el("dl.window-numbers");
        this.element = el("section.window", {"aria-label": "The window"},
            el("div.window-head", {}, this.title, el("div.window-ends", {}, this.from, el("span", {"aria-hidden": "true"}, "–"), this.to), this.clear), this.numbers);
    }

    /** @param {string} label */
    end(label) {
        return el("input", {type: "text", "aria-label": `${label}: a time such as 1.5s, 250ms or 90%`, spellcheck: "false", size: "9", oninput: (/** @type {Event} */ event) => { this.edited = event.target; }, onchange: () => this.#typed()});
    }

    #typed() {
        const {numbers} = this.page, {steps} = numbers.model;
        const read = (/** @type {HTMLInputElement} */ input, /** @type {number} */ step) =>
            (input.value === format.moment(steps[step]) ? steps[step] : parseTime(input.value, this.timeline.duration));
        const from = read(this.from, numbers.from), to = read(this.to, numbers.to);
        this.edited = null;
        if (from !== null && to !== null && from < to)
            this.timeline.choose(from, to);
        this.update();
    }

    update() {
        const {numbers, store} = this.page, {steps, header} = numbers.model, whole = numbers.isWhole;
        this.title.textContent = whole ? "Whole run" : "Window";
        this.clear.hidden = whole;
        for (const [input, step] of [[this.from, numbers.from], [this.to, numbers.to]])
            if (input !== this.edited)
                input.value = format.moment(steps[step]);
        const total = (/** @type {any} */ quantity) => numbers.total(quantity);
        const item = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ data, /** @type {string} */ hint) =>
            el("div", {title: hint, "data-quantity": data}, el("dt", {}, name), el("dd", {}, value));
        const row = (/** @type {string} */ name, /** @type {any} */ quantity, /** @type {(n: number) => string} */ write, /** @type {string} */ hint) => {
            const value = total(quantity);
            return item(name, value === null ? format.UNKNOWN : write(value), quantity, value === null ? "Not known of one thread in a part of the run" : `${hint}: ${format.count(value)}`);
        };
        fill(this.numbers,
            row("Allocated", "bytes", format.bytes, "Bytes allocated"),
            row("Allocations", "allocs", format.count, "Allocations"),
            row("Freed", "freed", format.bytes, "Bytes of blocks that ended"),
            row("Live at end", "live", format.bytes, "Bytes live at the end of the window"),
            whole ? item("Peak", format.bytes(header.totals.peak_bytes), "peak_bytes", `The heap's highest point, whatever the filter, bytes: ${format.count(header.totals.peak_bytes)}`)
                : row("Grown", "grown", format.bytes, "Live at the end less live at the beginning, bytes"),
            row("Temporary", "temporary", format.count, "Allocations freed before their thread allocated again"));
        this.element.classList.toggle("filtered", Boolean(store.state.thread || store.state.module || store.state.domain));
    }
}
