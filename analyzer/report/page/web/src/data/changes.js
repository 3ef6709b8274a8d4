// What changed from an older trace to this one, by function, line or module.

import {callGroups, lineGroups, RowNumbers} from "./rows.js";
/** @typedef {import("./numbers.js").Numbers} Numbers */
/** @typedef {import("./sums.js").Quantity} Quantity */

/**
 * @typedef {object} Change
 * @property {string} name
 * @property {string} place
 * @property {number} file of the newer trace, -1: only in the older one
 * @property {number} line
 * @property {number} old
 * @property {number} now
 * @property {string} kind "new", "gone", "grown", "shrunk" or "same"
 */

/** @param {number} old @param {number} now @param {boolean} wasThere @param {boolean} isThere */
export function kindOf(old, now, wasThere, isThere) {
    if (!wasThere && isThere)
        return "new";
    if (wasThere && !isThere)
        return "gone";
    return now > old ? "grown" : now < old ? "shrunk" : "same";
}

/**
 * What is the same in both traces: a function by its name, file and module, wherever it moved to in
 * the file; a line by its function and its text, or, without sources, its number.
 * @param {Numbers} numbers
 * @param {"functions" | "lines" | "modules"} rows
 * @param {import("./sources.js").Sources} sources
 * @param {number} frame @returns {string}
 */
function identity({model}, rows, sources, frame) {
    if (frame < 0)
        return "(outside user code)";
    const {line, file, module} = model.frames;
    if (rows === "modules")
        return model.group(frame);
    const place = `${model.name(frame)}\n${model.file(frame)}\n${model.strings[module[frame]]}`;
    return rows === "functions" ? place : `${place}\n${sources.lineOf(file[frame], line[frame])?.trim() ?? line[frame]}`;
}

/**
 * @param {Numbers} numbers
 * @param {import("./sources.js").Sources} sources
 * @param {"functions" | "lines" | "modules"} rows
 * @param {Quantity} quantity one that is known
 * @returns {Map<string, {frame: number, value: number}>}
 */
function sumsBy(numbers, sources, rows, quantity) {
    const groups = rows === "lines" ? lineGroups(numbers.model, "user") : callGroups(numbers.model, rows === "modules" ? "group" : "function");
    const own = new RowNumbers(groups, numbers).own([quantity, "allocs"]), [sums, counts] = /** @type {Float64Array[]} */ ([own[quantity], own.allocs]);
    const out = new Map();
    for (let row = 0; row < groups.count; row++) {
        if (!sums[row] && !counts[row])
            continue;
        const key = identity(numbers, rows, sources, groups.frame[row]), known = out.get(key);
        if (known)
            known.value += sums[row];
        else
            out.set(key, {frame: groups.frame[row], value: sums[row]});
    }
    return out;
}

/**
 * @param {Numbers} now @param {Numbers} old
 * @param {{now: import("./sources.js").Sources, old: import("./sources.js").Sources}} sources
 * @param {{rows: "functions" | "lines" | "modules", quantity: Quantity}} options
 * @returns {Change[]}
 */
export function changesBetween(now, old, sources, {rows, quantity}) {
    const after = sumsBy(now, sources.now, rows, quantity), before = sumsBy(old, sources.old, rows, quantity);
    return [...new Set([...after.keys(), ...before.keys()])].map((key) => {
        const a = after.get(key), b = before.get(key), {model} = a ? now : old, frame = (a ?? b)?.frame ?? -1;
        const value = a?.value ?? 0, earlier = b?.value ?? 0;
        return {
            name: frame < 0 ? key : rows === "modules" ? model.group(frame) || "(no module)" : model.name(frame), place: frame < 0 || rows === "modules" ? "" : model.file(frame),
            file: a && frame >= 0 ? model.frames.file[frame] : -1,
            line: frame < 0 ? 0 : rows === "lines" ? model.frames.line[frame] : model.frames.start[frame] || model.frames.line[frame],
            old: earlier, now: value, kind: kindOf(earlier, value, Boolean(b), Boolean(a)),
        };
    });
}
