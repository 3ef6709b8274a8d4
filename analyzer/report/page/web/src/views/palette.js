// Colours of frames: few, told apart by people who see colours differently, and the same in both
// themes with dark text on them.

import {dominant, FOLDED_IMPORTS} from "../data/calls.js";
import {DOMAIN_NAMES, IMPORTS, USER} from "../data/model.js";
import {threadNames} from "../data/rows.js";
import {visibleName} from "../ui/format.js";
/** @typedef {import("../data/calls.js").Calls} Calls */
/** @typedef {import("../data/numbers.js").Numbers} Numbers */

/** Okabe and Ito's colours, lightened, in an order in which neighbours differ in lightness too. */
export const COLORS = ["#f3b464", "#8cc4ec", "#6fcbaa", "#e9998a", "#cdb4e8", "#eedd7c", "#86a9f0", "#d8b89a"];
export const OTHER = "#c9cdd3";
const KINDS = [["Your code", COLORS[0]], ["Python", COLORS[1]], ["Native", COLORS[2]], ["Inlined", COLORS[5]], ["Other", OTHER]];

/** @typedef {{fill: (call: number) => string, legend: {text: string, color: string}[]}} Colors */

/**
 * @param {Calls} calls
 * @param {(model: import("../data/model.js").Model, frame: number) => string} pick
 */
function byFrame(calls, pick) {
    const colors = calls.examples.map(({model, frame}) => pick(model, frame));
    return (/** @type {number} */ call) => (calls.key[call] < 0 ? OTHER : colors[calls.key[call]]);
}

/** @param {Calls} calls @param {string[]} modules @returns {Colors} */
function byModule(calls, modules) {
    const names = modules.slice(0, COLORS.length);
    const colors = new Map(names.map((name, i) => [name, COLORS[i]]));
    const legend = names.map((name, i) => ({text: visibleName(name), color: COLORS[i]}));
    return {fill: byFrame(calls, (of, frame) => colors.get(of.group(frame)) ?? OTHER),
        legend: modules.length > names.length ? [...legend, {text: "Others", color: OTHER}] : legend};
}

/** @param {Calls} calls @returns {Colors} */
function byKind(calls) {
    const pick = (/** @type {any} */ model, /** @type {number} */ frame) => {
        const flags = model.frames.flags[frame], kind = model.frames.kind[frame];
        return KINDS[flags & IMPORTS ? 4 : flags & USER ? 0 : kind + 1][1];
    };
    return {fill: byFrame(calls, pick), legend: KINDS.map(([text, color]) => ({text, color}))};
}

/**
 * @param {Calls} calls
 * @param {ArrayLike<number>} property by cell
 * @param {string[]} names
 * @param {Numbers} numbers
 * @param {Float64Array} bytes
 */
function byMost(calls, property, names, numbers, bytes) {
    const most = dominant(calls, numbers.model, property, bytes, names.length);
    return {fill: (/** @type {number} */ call) => (most[call] < COLORS.length ? COLORS[most[call]] : OTHER),
        legend: names.slice(0, COLORS.length).map((text, i) => ({text, color: COLORS[i]}))};
}

/**
 * @param {Numbers} numbers
 * @param {{id: number}[]} threads
 * @returns {Int32Array} by cell: the thread that allocated most there
 */
function threadsOfCells(numbers, threads) {
    const {parts, cells, cellCount} = numbers.model, index = new Map(threads.map(({id}, i) => [id + 1, i])), best = new Float64Array(cellCount).fill(-1);
    const out = Int32Array.from(cells.owner, (owner) => index.get(owner) ?? -1);
    for (let i = 0; i < parts.cell.length; i++) {
        const cell = parts.cell[i];
        if (parts.bytes[i] > best[cell]) {
            best[cell] = parts.bytes[i];
            out[cell] = index.get(parts.owner[i]) ?? -1;
        }
    }
    return out;
}

/**
 * @param {string} by "module", "kind", "domain" or "thread"
 * @param {Calls} calls
 * @param {import("../main.js").Page} page whose whole run decides: colours do not change while a
 *     window is dragged
 * @returns {Colors}
 */
export function colorsBy(by, calls, {numbers, wholeBytes: bytes, modules}) {
    const threads = threadNames(numbers.model);
    if (by === "thread" && threads.length)
        return byMost(calls, threadsOfCells(numbers, threads), threads.map(({label}) => visibleName(label)), numbers, bytes);
    if (by === "domain")
        return byMost(calls, numbers.model.cells.domain, DOMAIN_NAMES, numbers, bytes);
    return by === "kind" ? byKind(calls) : byModule(calls, modules);
}

/**
 * Of a comparison: red grew, blue shrank, and the stronger the more.
 * @param {Calls} calls
 * @param {Float64Array} now
 * @param {Float64Array} before with all below
 * @returns {Colors}
 */
export function colorsOfChange(calls, now, before) {
    const most = Math.max(1, Math.abs(now[0] - before[0]), 0.02 * now[0]);
    const fill = (/** @type {number} */ call) => {
        const change = (now[call] - before[call]) / most, strength = Math.round(100 * Math.min(1, Math.sqrt(Math.abs(change))));
        return change === 0 || calls.key[call] === FOLDED_IMPORTS && strength < 5 ? "#dcdfe4" : mixed(change > 0 ? [238, 108, 90] : [88, 152, 232], strength);
    };
    return {fill, legend: [{text: "grew", color: mixed([238, 108, 90], 100)}, {text: "as before", color: "#dcdfe4"}, {text: "shrank", color: mixed([88, 152, 232], 100)}]};
}

/** @param {number[]} color @param {number} percent */
function mixed(color, percent) {
    const parts = color.map((c, i) => Math.round([228, 230, 234][i] + (c - [228, 230, 234][i]) * Math.max(0.18, percent / 100)));
    return `rgb(${parts.join(",")})`;
}
