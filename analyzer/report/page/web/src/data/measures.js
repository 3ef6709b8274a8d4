// What can be measured, its name, its unit, and why it is not known where it is not.

import * as format from "../ui/format.js";
/** @typedef {import("./numbers.js").Numbers} Numbers */
/** @typedef {import("./sums.js").Quantity} Quantity */
/** @typedef {{id: Quantity, title: string, hint: string, format: (n: number) => string}} Measure */

export const NOT_KNOWN = "Not known of this part of the run";

/** @type {Measure[]} */
export const MEASURES = [
    {id: "bytes", title: "Bytes", hint: "Bytes allocated in the window, whether freed since or not", format: format.bytes},
    {id: "allocs", title: "Allocations", hint: "Allocations in the window", format: format.count},
    {id: "peak", title: "At peak", hint: "What was live when the heap was largest", format: format.bytes},
    {id: "live", title: "Live", hint: "What was live at the end of the window, whenever it was allocated", format: format.bytes},
    {id: "left", title: "Left", hint: "What the process allocated itself and had not freed at the end of the window", format: format.bytes},
    {id: "grown", title: "Grown", hint: "Live at the end of the window, less live at its beginning", format: format.bytes},
    {id: "temporary", title: "Temporary", hint: "Allocations that were freed before their thread allocated again", format: format.count},
];

const THREADS_UNKNOWN = "What each thread did is known of the whole run only. Clear the window, or the filter for a thread.";

/** @param {string} id @returns {Measure} */
export function measureOf(id) {
    return MEASURES.find((measure) => measure.id === id) ?? MEASURES[0];
}

/**
 * @param {Numbers} numbers
 * @param {Quantity} quantity
 * @returns {string} why the quantity is not known
 */
export function whyUnknown(numbers, quantity) {
    if (numbers.threadUnknown)
        return THREADS_UNKNOWN;
    if (numbers.filter.thread !== "")
        return "This is not known of a single thread.";
    if (quantity === "peak")
        return "The heap's peak lies outside the window, so what was live at the window's own highest point is not known. “Live” shows what was live at its end.";
    return "This is known of the whole run only.";
}
