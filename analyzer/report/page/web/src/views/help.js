// What keys do, and what the words mean.

import {MEASURES} from "../data/measures.js";
import {el} from "../ui/dom.js";

const KEYS = [
    ["Drag on the timeline", "choose a window, or change it at its edges or its middle"], ["Esc or double click", "the whole run again"], ["← → on the timeline", "move the window; with Shift, its end"],
    ["/", "search or filter"], ["Click, Enter", "flame graph: zoom; tables: the line's source"], ["← ↑ → ↓", "from call to call, from row to row"], ["Backspace", "flame graph: back to the zoom before"],
    ["S", "flame graph: the source of the call"], ["N", "flame graph: the next match"], ["F", "tables: the function in the flame graph"],
];
export function helpButton() {
    const list = (/** @type {string[][]} */ rows) => el("dl.help-list", {}, rows.map(([name, text]) => [el("dt", {}, name), el("dd", {}, text)]).flat());
    const dialog = el("dialog.help", {"aria-label": "Help", onclick: (/** @type {MouseEvent} */ event) => event.target === dialog && dialog.close()},
        el("div", {}, el("h2", {}, "Keys and mouse"), list(KEYS), el("h2", {}, "Measures"), list(MEASURES.map(({title, hint}) => [title, hint])), el("button", {onclick: () => dialog.close()}, "Close")));
    return [el("button.icon", {title: "Keys, and what the words mean", onclick: () => dialog.showModal()}, "Help"), dialog];
}
