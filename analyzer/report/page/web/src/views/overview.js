// The first view: what ran, its totals, what the resident set consisted of, and where to look
// first.

import {callGroups, lineGroups, RowNumbers} from "../data/rows.js";
import {el, fill, plainTable, swatch} from "../ui/dom.js";
import * as format from "../ui/format.js";
/** @typedef {import("../main.js").Page} Page */

/** Parts of a resident set, in the order in which they are drawn. */
const RESIDENT = [
    ["in_use_bytes", "Heap in use", "#5b8def"], ["fragmentation_bytes", "Heap, free or fragmented", "#a9c4f5"], ["anonymous_bytes", "Mapped, anonymous", "#6fcbaa"],
    ["file_bytes", "Mapped files", "#b9dfd0"], ["stack_bytes", "Stacks", "#f3b464"], ["program_bytes", "Program and libraries", "#e9998a"],
    ["vbtrace_bytes", "vbtrace itself", "#cdb4e8"], ["unknown_bytes", "Not known", "#c9cdd3"],
];
const TOP = 6;

/** @param {string} name @param {string} value @param {string} [detail] */
function figure(name, value, detail) {
    return el("div.figure", {}, el("dt", {}, name), el("dd", {}, value, detail ? el("small", {}, detail) : null));
}

/** @param {any} header @returns {[string, string][]} */
function whatRan(header) {
    const {program, end_reason: reason} = header;
    const known = (/** @type {any} */ text) => (text === null || text === undefined || text === "" ? null : String(text));
    /** @type {[string, string | null][]} */
    const rows = [
        ["Command", known(program.command)], ["Executable", known(program.exe)], ["Folder", known(program.cwd)], ["Host", known(program.host)],
        ["Process", known(program.pid)], ["Python", known(program.python)], ["C library", known(program.libc)], ["Started", known(program.started?.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC"))],
        ["Ran for", typeof program.duration_ns === "number" ? format.time(program.duration_ns) : null], ["Ended", reason === "exit" ? "by itself" : known(reason)],
        ["Native stacks", known(program.native)],
        ["Options", known(program.options?.join(" "))], ["Trace", known(header.trace)], ["Written by", `vbtrace ${header.vbtrace}`],
    ];
    return /** @type {[string, string][]} */ (rows.filter(([, value]) => value !== null));
}

/** @param {any} of a domain or a process @returns {string[]} */
function counts(of) {
    return [format.count(of.allocs), format.bytes(of.allocated_bytes), format.bytes(of.peak_bytes), format.bytes(of.live_bytes)];
}

export class OverviewView {
    /** @param {Page} page */
    constructor(page) {
        this.page = page;
        this.top = el("div.top-lists");
        this.scope = el("p.hint", {}, "The lists follow the window, as the numbers beside the timeline do; all else is of the whole run.");
        this.body = el("div.overview");
        this.made = false;
        const {model} = page.numbers;
        this.lines = new RowNumbers(lineGroups(model, "user"), page.numbers);
        this.functions = new RowNumbers(callGroups(model, "function"), page.numbers);
    }

    /** @param {Set<string>} changed */
    update(changed) {
        if (!this.made) {
            this.made = true;
            this.make();
        }
        this.#showTop();
    }

    make() {
        const {header} = this.page.numbers.model, {totals} = header;
        const notes = [header.part_text, ...(header.notes ?? [])].filter(Boolean);
        fill(this.body,
            el("dl.figures", {},
                figure("Peak of the heap", format.bytes(totals.peak_bytes), totals.peak_time_ns ? `at ${format.moment(totals.peak_time_ns)}` : undefined),
                figure("Largest resident set", totals.max_rss_bytes ? format.bytes(totals.max_rss_bytes) : format.UNKNOWN, "vbtrace included"),
                figure("Allocated", format.bytes(totals.allocated_bytes), format.counted(totals.allocs, "allocation")),
                figure("Left at the end", format.bytes(totals.live_bytes), format.counted(totals.live_blocks, "block")),
                figure("Temporary", format.count(totals.temporary_allocs), `${format.share(totals.temporary_allocs, totals.allocs)} of allocations`)),
            header.complete === false || header.damage ? el("p.warning", {}, header.damage ? `The trace is damaged at byte ${format.count(header.damage.byte)}: what stands before is shown.` : "The trace is not complete: the process was still running, or was ended from outside.") : null,
            this.scope,
            this.top,
            el("div.columns", {}, this.domains(totals), this.resident(header.resident)),
            header.processes ? this.processes(header.processes) : null,
            el("div.columns", {},
                el("section", {}, el("h2", {}, "What ran"), el("dl.facts", {}, whatRan(header).map(([name, value]) => [el("dt", {}, name), el("dd", {}, format.visibleName(value))]).flat())),
                el("section", {}, el("h2", {}, "Notes"), notes.length ? el("ul.notes", {}, notes.map((note) => el("li", {}, format.visible(note)))) : el("p.hint", {}, "Nothing was lost, cut off or left out."))));
    }

    /** @param {any} totals */
    domains(totals) {
        const rows = [["Heap", "malloc and its family", totals.domains.heap], ["Python", "Python's own allocators", totals.domains.python], ["Mapped", "mmap and brk: the others take theirs from it", totals.domains.map]];
        return el("section", {}, el("h2", {}, "Who served"), plainTable(["Domain", "#Allocations", "#Bytes", "#Peak", "#Left"],
            rows.map(([name, hint, domain]) => [el("span", {}, name, el("small", {}, hint)), ...counts(domain)])));
    }

    /** @param {any} resident */
    resident(resident) {
        const shown = resident?.highest ?? resident?.latest;
        if (!shown)
            return el("section", {}, el("h2", {}, "Resident set"), el("p.hint", {}, "It was not broken down: the process was too short, or /proc could not be read."));
        const parts = RESIDENT.map(([key, text, color]) => ({bytes: shown[key] ?? 0, text, color})).filter(({bytes}) => bytes > 0);
        const sum = parts.reduce((a, {bytes}) => a + bytes, 0);
        const bar = el("div.stack", {role: "img", "aria-label": `Resident set of ${format.bytes(shown.rss_bytes)}`}, parts.map(({bytes, text, color}) => {
            const piece = swatch(color);
            piece.title = `${text}: ${format.bytes(bytes)}`;
            piece.style.flexGrow = String(bytes / sum);
            return piece;
        }));
        return el("section", {}, el("h2", {}, "Resident set", el("small", {}, `${format.bytes(shown.rss_bytes)} at ${format.moment(shown.time_ns)}, ${resident.highest ? "its highest" : "its last"}`)), bar,
            el("dl.parts", {}, parts.map(({bytes, text, color}) => {
                return el("div", {}, el("dt", {}, swatch(color), text), el("dd", {}, format.bytes(bytes), el("small", {}, format.share(bytes, sum))));
            })));
    }

    /** @param {any[]} processes */
    processes(processes) {
        return el("section", {}, el("h2", {}, format.counted(processes.length, "process")), plainTable(["Process", "#Allocations", "#Bytes", "#Peak", "#Left", "#Largest RSS"],
            processes.map((p) => [`${format.visibleName(p.program)} (${p.pid})`, ...counts(p), format.bytes(p.max_rss_bytes)])));
    }

    /** The costliest lines and functions of the window. */
    #showTop() {
        const {numbers} = this.page, {model} = numbers;
        this.scope.hidden = numbers.isWhole;
        if (numbers.threadUnknown) {
            fill(this.top);
            return;
        }
        const {file, line} = model.frames, total = numbers.total("bytes") ?? 0;
        fill(this.top,
            this.list("Hottest lines", "lines", this.lines, total, (frame) => format.place(model.file(frame), line[frame]),
                (frame) => this.page.sources.lineOf(file[frame], line[frame])?.trim() || model.name(frame)),
            this.list("Functions that allocate most", "functions", this.functions, total, (frame) => model.name(frame), (frame) => format.baseName(model.file(frame))));
    }

    /**
     * @param {string} title
     * @param {string} view
     * @param {RowNumbers} rowNumbers
     * @param {number} total
     * @param {(frame: number) => string} name @param {(frame: number) => string} detail
     */
    list(title, view, rowNumbers, total, name, detail) {
        const {groups} = rowNumbers, sums = /** @type {Float64Array} */ (rowNumbers.rows.get("bytes")), rows = [...sums.keys()].filter((row) => sums[row] > 0).sort((a, b) => sums[b] - sums[a]).slice(0, TOP), {store, numbers} = this.page;
        const open = (/** @type {number} */ frame) => {
            const {model} = numbers;
            if (frame >= 0 && this.page.sources.has(model.frames.file[frame]) && model.frames.line[frame])
                this.page.openSource(model.frames.file[frame], model.frames.line[frame]);
            else if (frame >= 0)
                this.page.openFlame(model.name(frame));
        };
        return el("section", {}, el("h2", {}, title, el("button.quiet", {onclick: () => store.set({view}, {push: true})}, "All")),
            rows.length ? el("ol.hot", {}, rows.map((row) => {
                const frame = groups.frame[row], item = el("button.hot-row", {onclick: () => open(frame)},
                    el("span.hot-number", {}, format.bytes(sums[row])), el("span.hot-share", {}, format.share(sums[row], total)),
                    el("span.hot-name", {}, format.visibleName(frame < 0 ? "(outside user code)" : name(frame))), el("span.hot-detail", {}, frame < 0 ? "" : format.visibleName(detail(frame))));
                item.style.setProperty("--share", `${(100 * sums[row] / Math.max(1, sums[rows[0]])).toFixed(1)}%`);
                return el("li", {}, item);
            })) : el("p.hint", {}, "Nothing was allocated in this window by what the filters let pass."));
    }
}
