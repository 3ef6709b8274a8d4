// The one tooltip of the page, beside the mouse or beside what the keyboard is at.

import {el, fill} from "./dom.js";

const tip = el("div", {id: "tip", role: "tooltip", hidden: true});

/** @param {Element} page */
export function addTip(page) {
    page.append(tip);
    window.addEventListener("blur", hideTip);
}

export function hideTip() {
    tip.hidden = true;
}

/**
 * @param {number} x @param {number} y of the window
 * @param {(Node | string)[]} content
 */
export function showTip(x, y, content) {
    fill(tip, content);
    tip.hidden = false;
    const {offsetWidth: width, offsetHeight: height} = tip;
    const left = Math.max(6, Math.min(x + 14, window.innerWidth - width - 8));
    const top = y + 18 + height > window.innerHeight - 6 ? Math.max(6, y - height - 12) : y + 18;
    tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
}

/**
 * Names and their values below each other.
 * @param {[string, string][]} rows
 */
export function pairs(rows) {
    return el("dl.pairs", {}, rows.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]).flat());
}
