// What keys do, and what the words mean.

import {el} from "../ui/dom.js";

const KEYS = [
    ["Drag on the timeline", "choose a window; drag its edges or its middle to change it"], ["Esc or double click", "the whole run again"], ["← → on the timeline", "move the window; with Shift, its end"],
    ["/", "search or filter"], ["Click, Enter", "flame graph: zoom; tables: the line's source"], ["← ↑ → ↓", "from call to call, from row to row"], ["Backspace", "flame graph: back to the zoom before"],
    ["S", "flame graph: the source of the call"], ["N", "flame graph: the next match"], ["F", "tables: the function in the flame graph"],
];
const WORDS = [
    ["Bytes, allocations", "what was asked for in the window, whether freed since or not"], ["Live", "not freed at the end of the window, whenever it was allocated"],
    ["Left", "of what is live, what the process did not inherit from its parent"], ["At peak", "live when the heap was largest"], ["Temporary", "freed before its thread allocated again"],
    ["Your lines", "costs of libraries are charged to the line of yours that called them"],
];

export function helpButton() {
    const list = (/** @type {string[][]} */ rows) => el("dl.help-list", {}, rows.map(([name, text]) => [el("dt", {}, name), el("dd", {}, text)]).flat());
    const dialog = el("dialog.help", {"aria-label": "Help", onclick: (/** @type {MouseEvent} */ event) => event.target === dialog && dialog.close()},
        el("div", {}, el("h2", {}, "Keys and mouse"), list(KEYS), el("h2", {}, "Words"), list(WORDS), el("button", {onclick: () => dialog.close()}, "Close")));
    return [el("button.icon", {title: "Keys, and what the words mean", onclick: () => dialog.showModal()}, "Help"), dialog];
}
