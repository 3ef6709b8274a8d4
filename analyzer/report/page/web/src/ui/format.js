// How numbers, sizes, times and names are written: as the tool's tables do (analyzer/base/units.c).

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
/** @type {[number, string][]} */
const TIMES = [[1, "ns"], [1e3, "µs"], [1e6, "ms"], [1e9, "s"]];
const grouped = new Intl.NumberFormat("en-US", {maximumFractionDigits: 0});
const MINUS = "−";

/** What is written where a number is not known. */
export const UNKNOWN = "–";

/** @param {number} n @returns {string} 12,345 */
export function count(n) {
    return n < 0 ? MINUS + grouped.format(-n) : grouped.format(n);
}

/** @param {number} n @param {string} noun @returns {string} 1 thread, 2 threads, 3 processes */
export function counted(n, noun) {
    return `${count(n)} ${noun}${n === 1 ? "" : noun.endsWith("s") ? "es" : "s"}`;
}

/** @param {number} n @returns {string} 1.5 MiB */
export function bytes(n) {
    let size = Math.abs(n), unit = 0;
    for (; size >= (unit ? 1023.95 : 1024) && unit < 6; unit++)
        size /= 1024;
    return `${n < 0 ? MINUS : ""}${size.toFixed(unit ? 1 : 0)} ${UNITS[unit]}`;
}

/** @param {number} n a mean, which small numbers of bytes can be @returns {string} 12.5 B */
export function meanBytes(n) {
    return Math.abs(n) < 1024 && !Number.isInteger(n) ? `${n.toFixed(1)} B` : bytes(Math.round(n));
}

/** @param {number} ns @returns {string} 1.52 ms */
export function time(ns) {
    const size = Math.abs(ns);
    if (size >= 3600e9)
        return `${Math.trunc(ns / 3600e9)} h ${Math.floor(size / 60e9) % 60} min`;
    if (size >= 119.5e9)
        return `${Math.trunc(ns / 60e9)} min ${Math.floor(size / 1e9) % 60} s`;
    let unit = 0;
    while (unit < 3 && size >= 999.5 * TIMES[unit][0])
        unit++;
    const scaled = ns / TIMES[unit][0], shown = Math.abs(scaled);
    const decimals = unit === 0 && Number.isInteger(scaled) ? 0 : shown < 9.995 ? 2 : shown < 99.95 ? 1 : 0;
    return `${scaled.toFixed(decimals)} ${TIMES[unit][1]}`;
}

/** @param {number} n a number of things per something @returns {string} 2.000 */
export function rate(n) {
    return Math.abs(n) >= 1000 ? count(Math.round(n)) : n.toLocaleString("en-US", {maximumSignificantDigits: 4});
}

/** @param {number} n @returns {string} −12.3% */
export function percent(n) {
    return `${n < 0 ? MINUS : ""}${Math.abs(n).toFixed(1)}%`;
}

/** @param {number} part @param {number} whole @returns {string} 12.3% */
export function share(part, whole) {
    if (!(whole > 0))
        return UNKNOWN;
    const percent = 100 * part / whole;
    if (percent > 0 && percent < 0.05)
        return "<0.1%";
    return `${percent.toFixed(percent >= 99.95 ? 0 : 1)}%`;
}

// What a name or a source line may hold and a browser would hide, or obey: control characters,
// those that change the direction of text, and those without a width.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** @param {string} character */
function named(character) {
    return `‹U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}›`;
}

/**
 * Text in which nothing is hidden: ESC is ‹U+001B›, a change of direction ‹U+202E›.
 * @param {string} text
 */
export function visible(text) {
    return text.replace(HIDDEN, named);
}

/** @param {string} name a name that stands on one line: tabs and line ends are shown too */
export function visibleName(name) {
    return visible(name).replace(/[\t\n]/g, named);
}

/** @param {string} path @returns {string} what is behind the last slash */
export function baseName(path) {
    return path.slice(path.lastIndexOf("/") + 1) || path;
}

/**
 * A place in short: the name of its file, and its line.
 * @param {string} file
 * @param {number} line 0: none
 */
export function place(file, line) {
    return visibleName(baseName(file)) + (line ? `:${line}` : "");
}

/**
 * @param {number} ns a moment since the start, fit for an axis or a window's end
 * @returns {string} 1.25 s
 */
export function moment(ns) {
    if (ns >= 119.5e9)
        return `${Math.floor(ns / 60e9)}:${String(Math.floor(ns / 1e9) % 60).padStart(2, "0")} min`;
    if (ns >= 1e9)
        return `${(ns / 1e9).toFixed(ns < 20e9 ? 2 : 1)} s`;
    return ns === 0 ? "0 s" : `${(ns / 1e6).toFixed(ns < 20e6 ? 2 : 0)} ms`;
}
