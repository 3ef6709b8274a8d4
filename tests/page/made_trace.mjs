// Makes the data of a page (analyzer/report/page/DATA.md) without a trace: of any size, and the
// same each time.

import {deflateRawSync} from "node:zlib";

/** Numbers that look random. */
export function randomness(seed = 1) {
    let state = seed >>> 0;
    const next = () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
    };
    return {next, below: (n) => Math.floor(next() * n), small: (n) => Math.floor(n * next() ** 4)};
}

/** @param {number[]} out @param {number} value a varint */
function putVarint(out, value) {
    while (value > 127) {
        out.push((value % 128) | 128);
        value = Math.floor(value / 128);
    }
    out.push(value);
}

/** @param {{name: string, values: ArrayLike<number>, signed?: boolean, delta?: boolean}} column */
function encodeColumn({values, signed = false, delta = false}) {
    const out = [];
    let before = 0;
    for (let i = 0; i < values.length; i++) {
        let value = delta ? values[i] - before : values[i];
        before = values[i];
        if (signed)
            value = value < 0 ? -2 * value - 1 : 2 * value;
        putVarint(out, value);
    }
    return Buffer.from(out);
}

/**
 * @param {any} header without "columns"
 * @param {{name: string, values: ArrayLike<number>, signed?: boolean, delta?: boolean}[]} columns
 * @returns {Buffer} not yet compressed
 */
export function encode(header, columns) {
    const described = columns.map(({name, values, signed = false, delta = false}) => ({name, count: values.length, signed, delta}));
    const counts = Object.fromEntries(["frame", "node", "cell", "change", "part"].map((name) => [name, 0]));
    described.forEach(({name, count}) => counts[name.split(".")[0]] = count);
    const written = columns.filter(({values}) => Array.prototype.some.call(values, (value) => value !== 0));
    const json = Buffer.from(JSON.stringify({...header, counts, columns: described.filter((_, i) => written.includes(columns[i]))}));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(json.length);
    return Buffer.concat([size, json, ...written.map(encodeColumn)]);
}

/** @param {Buffer} bytes @returns {string} as it stands in a page */
export function packed(bytes) {
    return deflateRawSync(bytes, {level: 9}).toString("base64");
}

/** Names of functions and files, some of them as odd as a program can make them. */
const ODD = ["</script><b>bold</b>", "\"quoted\" & 'more'", "esc\u001b[31mred", "bidi\u202egnp.exe", "zero\u200bwidth", "tab\tand\nline", "名前", "operator<<"];
const VERBS = ["load", "parse", "read", "build", "merge", "encode", "scan", "index", "fit", "join", "filter", "group", "render", "flush", "copy", "resize"];
const NOUNS = ["table", "rows", "batch", "frame", "cache", "buffer", "tokens", "tree", "graph", "record", "block", "array", "orders", "model", "page"];
const PACKAGES = ["pandas", "numpy", "json", "sqlalchemy", "libc", "pyarrow", "re", "asyncio", "sklearn", "urllib3", "libz"];

class Strings {
    constructor() {
        this.all = [""];
        this.numbers = new Map([["", 0]]);
    }

    of(text) {
        let number = this.numbers.get(text);
        if (number === undefined) {
            this.numbers.set(text, number = this.all.length);
            this.all.push(text);
        }
        return number;
    }
}

/** Frames: the user's own, packages in Python and native, import machinery, odd names. */
function makeFrames(random, strings, count) {
    const names = ["name", "file", "line", "start", "module", "group", "kind", "flags"];
    const frames = Object.fromEntries(names.map((name) => [name, [0]]));
    const add = (row) => names.forEach((name) => frames[name].push(typeof row[name] === "string" ? strings.of(row[name]) : row[name] ?? 0));
    add({name: "<module>", file: "/home/ada/shop/report.py", line: 3, start: 1, group: "report.py", flags: 2});
    add({name: "_find_and_load", file: "<frozen importlib._bootstrap>", line: 1176, start: 1165, group: "importlib", flags: 1});
    ODD.forEach((name, i) => add({name, file: `/home/ada/shop/odd${i}${name.slice(0, 3)}.py`, line: 10 + i, start: 9, group: "odd", flags: 2}));
    for (let i = frames.name.length; i < count; i++) {
        const own = i % 7 === 0, group = own ? "shop" : PACKAGES[random.small(PACKAGES.length)];
        const native = !own && (group.startsWith("lib") || random.below(4) === 0), start = 5 + random.below(400);
        const verb = VERBS[random.below(VERBS.length)], noun = NOUNS[random.below(NOUNS.length)];
        add({
            name: native ? `${group}_${verb}_${noun}` : `${verb}_${noun}`, kind: native ? 1 + Number(random.below(5) === 0) : 0,
            file: own ? `/home/ada/shop/${noun}.py` : native ? `/src/${group}/${noun}.c` : `/usr/lib/python3/dist-packages/${group}/${noun}.py`,
            line: start + random.below(30), start, module: native ? `/usr/lib/${group}.so` : "", group, flags: own ? 2 : 0,
        });
    }
    return frames;
}

/** A call tree: deep in the middle, wide at some nodes. */
function makeNodes(random, count, frameCount) {
    const parent = [0], frame = [0], depth = [0];
    for (let i = 1; i < count; i++) {
        let above = i < 3 ? i - 1 : random.below(3) ? i - 1 - random.small(Math.min(i, 40)) : random.small(i);
        while (depth[above] > 60)
            above = parent[above];
        parent.push(above);
        depth.push(depth[above] + 1);
        frame.push(above === 0 ? 1 : i % 97 === 0 ? 2 : i < 40 ? 3 + (i % ODD.length) : 1 + random.small(frameCount - 1));
    }
    return {parent, frame};
}

/** What a cell does over time: how much and how often, in a few steps of its own. */
function makeChanges(random, cells, stepCount, each) {
    const rows = [];
    for (let cell = 0; cell < cells.node.length; cell++) {
        const size = 16 + random.small(cell % 500 === 0 ? 40_000_000 : 4000), begin = 1 + random.below(stepCount - 1);
        const times = Math.min(stepCount - begin, 1 + random.below(2 * each - 1));
        for (let k = 0; k < times; k++) {
            const allocs = 1 + random.small(300), step = Math.min(stepCount - 1, begin + k * (1 + random.below(3)));
            const frees = k === 0 ? 0 : Math.min(allocs, random.below(allocs + 1));
            if (rows.length && rows[rows.length - 1].cell === cell && rows[rows.length - 1].step === step)
                continue;
            rows.push({step, cell, allocs, bytes: allocs * size, frees, freed_bytes: frees * size, temporary: random.below(frees + 1)});
        }
    }
    rows.sort((a, b) => a.step - b.step || a.cell - b.cell);
    return rows;
}

function makeCells(random, nodes, frames) {
    const cells = {node: [], domain: [], leaf: [], user: []};
    for (let node = 1; node < nodes.parent.length; node++) {
        if (random.below(10) === 0 && node > 1)
            continue;
        let up = 0, leaf = -1, user = -1;
        for (let at = node; at > 0; at = nodes.parent[at], up++) {
            if (leaf < 0 && frames.kind[nodes.frame[at]] === 0)
                leaf = up;
            if (user < 0 && frames.flags[nodes.frame[at]] === 2)
                user = up;
        }
        cells.node.push(node);
        cells.domain.push(random.below(40) === 0 ? 2 : random.below(2));
        cells.leaf.push(Math.max(0, leaf));
        cells.user.push(user + 1);
    }
    return cells;
}

/** Which thread did what of a cell: of most all of it, of every fifth two threads a part. */
function makeParts(random, cells, changes, threads) {
    const names = ["allocs", "bytes", "frees", "freed_bytes", "temporary"];
    const sums = cells.node.map(() => Object.fromEntries(names.map((name) => [name, 0])));
    for (const row of changes)
        for (const name of names)
            sums[row.cell][name] += row[name];
    const parts = Object.fromEntries(["cell", "owner", ...names, "live_blocks", "live_bytes", "at_peak_bytes"].map((name) => [name, []]));
    const add = (cell, owner, sum) => {
        parts.cell.push(cell);
        parts.owner.push(owner);
        for (const name of names)
            parts[name].push(sum[name]);
        parts.live_blocks.push(sum.allocs - sum.frees);
        parts.live_bytes.push(sum.bytes - sum.freed_bytes);
        parts.at_peak_bytes.push(sum.peak);
    };
    cells.owner = sums.map((sum, cell) => {
        const owner = 2 + random.small(threads), peak = peakOf(sum);
        if (threads === 1 || cell % 5)
            return threads === 1 ? 0 : owner;
        const one = Object.fromEntries([...names.map((name) => [name, Math.floor(sum[name] / 3)]), ["peak", Math.floor(peak / 3)]]);
        add(cell, owner, one);
        add(cell, 2 + (owner - 1) % threads, Object.fromEntries([...names.map((name) => [name, sum[name] - one[name]]), ["peak", peak - one.peak]]));
        return 0;
    });
    return {parts, sums};
}

const peakOf = (sum) => Math.floor((sum.bytes - sum.freed_bytes) / 2);

function totalsOf(cells, sums) {
    const zero = () => ({allocs: 0, frees: 0, allocated_bytes: 0, freed_bytes: 0, live_blocks: 0, live_bytes: 0, peak_bytes: 0, temporary_allocs: 0,
        inherited_blocks: 0, inherited_bytes: 0});
    const domains = [zero(), zero(), zero()], totals = zero();
    sums.forEach((sum, cell) => {
        for (const out of cells.domain[cell] === 2 ? [domains[2]] : [domains[cells.domain[cell]], totals]) {
            out.allocs += sum.allocs;
            out.frees += sum.frees;
            out.allocated_bytes += sum.bytes;
            out.freed_bytes += sum.freed_bytes;
            out.live_blocks += sum.allocs - sum.frees;
            out.live_bytes += sum.bytes - sum.freed_bytes;
            out.temporary_allocs += sum.temporary;
        }
    });
    totals.peak_bytes = Math.floor(1.1 * totals.live_bytes);
    return {...totals, peak_error_bytes: 0, peak_time_ns: 0, max_rss_bytes: Math.floor(1.4 * totals.live_bytes), rss_bytes: totals.live_bytes, threads: 1,
        lost_events: 0, pauses: 0, paused_ns: 0, domains: {heap: domains[0], python: domains[1], map: domains[2]}};
}

function makeTimeline(seconds, points, totals) {
    const out = {time_ns: [], rss_bytes: [], heap_bytes: [], python_bytes: []};
    for (let i = 0; i <= points; i++) {
        const share = i / points, wave = 0.5 * share + 0.3 * Math.abs(Math.sin(9 * share)) + 0.1 * Math.abs(Math.sin(70 * share));
        out.time_ns.push(Math.round(share * seconds * 1e9));
        out.heap_bytes.push(Math.round(totals.peak_bytes * wave));
        out.python_bytes.push(Math.round(totals.peak_bytes * 0.4 * wave ** 2));
        out.rss_bytes.push(Math.round(totals.max_rss_bytes * (0.12 + 0.75 * share ** 0.5 + 0.1 * wave)));
    }
    return out;
}

/**
 * @param {{paths?: number, seconds?: number, steps?: number, threads?: number, frames?: number,
 *     each?: number, seed?: number}} [options]
 * each: how often a cell changes, about
 * @returns {{header: any, columns: any[]}}
 */
export function makeTrace({paths = 2000, seconds = 12, steps = 120, threads = 3, frames: frameCount = 400, each = 3, seed = 1} = {}) {
    const random = randomness(seed), strings = new Strings();
    const frames = makeFrames(random, strings, frameCount), nodes = makeNodes(random, paths, frameCount);
    const cells = makeCells(random, nodes, frames), changes = makeChanges(random, cells, steps, each);
    const {parts, sums} = makeParts(random, cells, changes, threads), totals = totalsOf(cells, sums);
    totals.peak_time_ns = Math.round(0.82 * seconds * 1e9);
    totals.threads = threads;
    const stepsNs = Array.from({length: steps}, (_, i) => Math.round(i / (steps - 1) * seconds * 1e9));
    const header = {
        schema: 1, vbtrace: "0.1.0", view: "html", title: "python3 report.py --month 2026-11", trace: "vbtrace.report.4711.vbt",
        program: {command: "python3 report.py --month 2026-11", pid: 4711, python: "3.11.2", exe: "/usr/bin/python3.11", cwd: "/home/ada/shop", host: "loom",
            native: "full", libc: "glibc 2.36", started: "2026-11-30T21:11:36.604955951Z", duration_ns: Math.round(seconds * 1e9), options: []},
        processes: null, together: null, totals, part: null, part_text: null, filters: [], complete: true, damage: null, end_reason: "exit",
        conservation: {checked: true, holds: true, difference: null}, stacks: {captured: 1, truncated: 0}, verify: null, unended_sections: [],
        notes: ["Python's allocator keeps memory of objects that were freed for later ones.", "12 frees of blocks from before recording."],
        resident: residentOf(totals, seconds), threads: Array.from({length: threads}, (_, i) => ({thread: i + 1, label: i ? `worker-${i} (thread ${i + 1})` :
            "main (thread 1)", name: "python3", tid: 4711 + i, threads: 1, begun_ns: 1, ended_ns: null})),
        intervals: makeIntervals(), strings: strings.all, files: makeFiles(strings, frames), steps_ns: stepsNs, peak_step: Math.round(0.82 * (steps - 1)),
        timeline: makeTimeline(seconds, 900, totals), folded: null,
    };
    return {header, columns: columnsOf(frames, nodes, cells, changes, parts, sums)};
}

function residentOf(totals, seconds) {
    const rss = totals.max_rss_bytes, part = (share) => Math.floor(rss * share);
    const at = (time) => ({time_ns: Math.round(time * 1e9), rss_bytes: rss, heap_bytes: part(0.7), live_bytes: part(0.6), not_resident_bytes: 0,
        in_use_bytes: part(0.6), fragmentation_bytes: part(0.7) - part(0.6), anonymous_bytes: part(0.1), file_bytes: part(0.08), stack_bytes: part(0.01),
        program_bytes: part(0.05), vbtrace_bytes: part(0.04), unknown_bytes: rss - part(0.7) - part(0.1) - part(0.08) - part(0.01) - part(0.05) - part(0.04)});
    return {latest: at(seconds), highest: at(0.85 * seconds)};
}

function makeIntervals() {
    const spread = (mean) => ({min: Math.floor(mean * 0.8), mean, max: Math.floor(mean * 1.9), total: mean * 40});
    return ["parse orders", "</script>", "render"].map((label, i) => ({
        kind: i === 2 ? "interval" : "section", label: i === 2 ? null : label, from: {file: "/home/ada/shop/report.py", line: 20 + i, function: "main"},
        to: {file: "/home/ada/shop/report.py", line: 30 + i, function: "main"}, count: 40, iterations: i === 2 ? 0 : 4000,
        time_ns: {...spread(2_000_000 * (i + 1)), std: 310_000}, allocs: spread(900), frees: spread(880), allocated_bytes: spread(90_000 * (i + 1)),
        freed_bytes: spread(88_000), net_bytes: spread(2000), high_bytes: spread(60_000),
        per_iteration: i === 2 ? {time_ns: null, allocs: null, allocated_bytes: null} : {time_ns: 20_000.5, allocs: 9, allocated_bytes: 900 * (i + 1)},
        sites: [{file: "/home/ada/shop/report.py", line: 22, function: "main", allocs: 900, frees: 880, allocated_bytes: 90_000, freed_bytes: 88_000}],
    }));
}

/** Source text of the user's own files, with text that means something to HTML. */
function makeFiles(strings, frames) {
    const files = new Map();
    frames.file.forEach((file, i) => frames.flags[i] & 2 && files.set(file, Math.max(files.get(file) ?? 0, frames.line[i])));
    return [...files].map(([file, last]) => ({file, changed: false, parts: [{line: 1, text: Array.from({length: last + 3}, (_, i) =>
        i % 9 === 0 ? `def line_${i + 1}(rows):` : i % 9 === 4 ? `    html = "</script><img src=x onerror=alert(1)>"  # ${strings.all[file]}` :
            `    total += rows[${i}].price * rows[${i}].count`)}]}));
}

function columnsOf(frames, nodes, cells, changes, parts, sums) {
    const zeros = cells.node.map(() => 0);
    const table = (name, rows, coded = {}) => Object.entries(rows).map(([column, values]) => ({name: `${name}.${column}`, values, ...coded[column]}));
    const ofChanges = Object.fromEntries(["step", "cell", "allocs", "bytes", "frees", "freed_bytes", "temporary"].map((name) => [name, changes.map((row) => row[name])]));
    return [
        ...table("frame", frames),
        ...table("node", nodes, {parent: {signed: true, delta: true}}),
        ...table("cell", {...cells, start_blocks: zeros, start_bytes: zeros, inherited_blocks: zeros, inherited_bytes: zeros,
            at_peak_bytes: sums.map(peakOf)},
        {node: {delta: true}}),
        ...table("change", ofChanges, {step: {delta: true}, cell: {signed: true, delta: true}}),
        ...table("part", parts),
    ];
}
