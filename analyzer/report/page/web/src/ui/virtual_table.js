// A table of any length, of which only the rows in sight are in the document.

import {el, fill} from "./dom.js";

export const ROW_HEIGHT = 28;
const SPARE = 6;

/**
 * @typedef {object} Column
 * @property {string} id
 * @property {string} title
 * @property {string} [hint]
 * @property {string} [kind] "number" is right-aligned, "text" takes what room is left, "code" too
 * @property {(row: number) => Node | string} cell
 * @property {(row: number) => string} [exact] the tooltip: the number that cell shortens
 * @property {(row: number) => number | string} [key] to sort by; without it, the column does not
 *     sort
 * @property {(row: number) => number} [share] 0 … 1, drawn as a bar if the table is sorted by it
 * @property {boolean} [wide] left out where there is little room
 */

/**
 * The order of rows by a column: numbers from the largest, texts from A.
 * @param {Int32Array} rows sorted in place
 * @param {(row: number) => number | string} key @param {boolean} reversed
 */
export function sortRows(rows, key, reversed) {
    const keys = /** @type {(number | string)[]} */ ([]);
    for (const row of rows)
        keys[row] = key(row);
    const sign = reversed ? -1 : 1;
    rows.sort((a, b) => {
        const x = keys[a], y = keys[b];
        const order = typeof x === "string" ? (x < y ? -1 : x > y ? 1 : 0) : Number(y) - x;
        return sign * order || a - b;
    });
    return rows;
}

export class VirtualTable {
    /**
     * @param {object} options
     * @param {string} options.label for screen readers
     * @param {HTMLElement} options.scroller
     * @param {(id: string) => void} options.sort called with a column, or "-" and a column
     * @param {(row: number) => void} [options.open] a row was clicked, or Enter pressed in it
     * @param {(row: number, key: string) => boolean} [options.key] another key was pressed; true:
     *     it means something
     * @param {(row: number) => string} [options.rowClass]
     */
    constructor(options) {
        this.options = options;
        this.head = el("thead");
        this.rows = el("tbody", {onclick: (/** @type {MouseEvent} */ event) => this.click(event), onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event)});
        this.element = el("table.virtual", {"aria-label": options.label}, this.head, this.rows);
        /** @type {Column[]} */
        this.columns = [];
        /** @type {Int32Array} */
        this.order = new Int32Array(0);
        this.sorted = "";
        this.focused = -1;
        this.asked = 0;
        const again = () => {
            if (!this.asked && this.element.isConnected)
                this.asked = requestAnimationFrame(() => {
                    this.asked = 0;
                    this.draw();
                });
        };
        options.scroller.addEventListener("scroll", again, {passive: true});
        new ResizeObserver(again).observe(options.scroller);
    }

    /** @param {Column[]} columns @param {string} sorted as given to options.sort */
    setColumns(columns, sorted) {
        this.columns = columns;
        this.sorted = sorted.replace("-", "");
        const active = document.activeElement instanceof HTMLElement && this.head.contains(document.activeElement) ? document.activeElement.dataset.column : null;
        fill(this.head, el("tr", {"aria-rowindex": "1"}, columns.map((column) => this.#headCell(column, sorted))));
        if (active)
            this.head.querySelector(`[data-column="${CSS.escape(active)}"]`)?.focus();
    }

    /** @param {Column} column @param {string} sorted */
    #headCell({id, title, hint, kind, key, wide}, sorted) {
        const isSorted = sorted === id || sorted === `-${id}`, reversed = sorted === `-${id}`, number = kind === "number";
        const up = number === reversed;
        return el(`th.${kind ?? "text"}${wide ? ".wide" : ""}`, {scope: "col", title: hint, "aria-sort": isSorted ? (up ? "ascending" : "descending") : key ? "none" : null},
            key ? el("button", {"data-column": id, onclick: () => this.options.sort(isSorted && !reversed ? `-${id}` : id)},
                title, el("span.arrow", {"aria-hidden": "true"}, isSorted ? (up ? "↑" : "↓") : "")) : title);
    }

    /** @param {Int32Array} order rows in their order */
    setRows(order) {
        this.order = order;
        this.element.setAttribute("aria-rowcount", String(order.length + 1));
        if (this.focused >= order.length)
            this.focused = -1;
        this.draw();
    }

    draw() {
        const {scroller} = this.options, above = this.rows.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
        const first = Math.max(0, Math.floor(-above / ROW_HEIGHT) - SPARE);
        const last = Math.min(this.order.length, Math.ceil((scroller.clientHeight - above) / ROW_HEIGHT) + SPARE);
        const hadFocus = this.rows.contains(document.activeElement);
        const shown = [];
        for (let at = Math.min(first, Math.max(0, last)); at < last; at++)
            shown.push(this.row(at));
        fill(this.rows, spacer(first), shown, spacer(this.order.length - Math.max(first, last)));
        if (hadFocus)
            this.#rowElement(this.focused)?.focus({preventScroll: true});
    }

    /** @param {number} at */
    row(at) {
        const row = this.order[at], extra = this.options.rowClass?.(row);
        const cells = this.columns.map((column) => {
            const cell = el(`td.${column.kind ?? "text"}${column.wide ? ".wide" : ""}`, {title: column.exact?.(row)}, column.cell(row));
            const part = column.id === this.sorted && column.share ? column.share(row) : 0;
            if (part > 0) {
                cell.classList.add("bar");
                cell.style.setProperty("--share", `${(100 * Math.min(1, part)).toFixed(1)}%`);
            }
            return cell;
        });
        return el(`tr${at % 2 ? ".odd" : ""}${extra ? `.${extra}` : ""}`, {"data-at": at, "aria-rowindex": at + 2,
            tabindex: at === Math.max(0, this.focused) ? "0" : "-1"}, cells);
    }

    /** @param {number} at @returns {HTMLElement | null} */
    #rowElement(at) {
        return this.rows.querySelector(`[data-at="${at}"]`);
    }

    /** @param {number} at scrolls there and gives it the focus */
    #focusRow(at) {
        if (at < 0 || at >= this.order.length)
            return;
        this.focused = at;
        this.reveal(at, 0);
        this.draw();
        this.#rowElement(at)?.focus({preventScroll: true});
    }

    /**
     * Scrolls a row into sight.
     * @param {number} at
     * @param {number} margin rows above and below it that should be seen too
     */
    reveal(at, margin) {
        const {scroller} = this.options, headHeight = this.head.offsetHeight;
        const top = this.rows.getBoundingClientRect().top - scroller.getBoundingClientRect().top + at * ROW_HEIGHT, room = margin * ROW_HEIGHT;
        if (top - room < headHeight)
            scroller.scrollBy(0, top - room - headHeight);
        else if (top + ROW_HEIGHT + room > scroller.clientHeight)
            scroller.scrollBy(0, top + ROW_HEIGHT + room - scroller.clientHeight);
    }

    /** @param {Event} event @returns {number} */
    static placeOf(event) {
        const row = /** @type {HTMLElement} */ (event.target).closest?.("tr[data-at]");
        return row instanceof HTMLElement ? Number(row.dataset.at) : -1;
    }

    /** @param {MouseEvent} event */
    click(event) {
        const at = VirtualTable.placeOf(event);
        if (at < 0 || !getSelection()?.isCollapsed || /** @type {HTMLElement} */ (event.target).closest("button"))
            return;
        this.focused = at;
        this.options.open?.(this.order[at]);
    }

    /** @param {KeyboardEvent} event */
    key(event) {
        const at = VirtualTable.placeOf(event), page = Math.max(1, Math.floor(this.options.scroller.clientHeight / ROW_HEIGHT) - 2);
        const target = {ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(this.order.length - 1, at + page), PageUp: Math.max(0, at - page), Home: 0,
            End: this.order.length - 1}[event.key];
        if (at < 0 || event.ctrlKey || event.metaKey || event.altKey || /** @type {HTMLElement} */ (event.target).closest("button"))
            return;
        if (target !== undefined)
            this.#focusRow(target);
        else if (event.key === "Enter")
            this.options.open?.(this.order[at]);
        else if (!this.options.key?.(this.order[at], event.key))
            return;
        event.preventDefault();
    }
}

/** @param {number} rows that are not drawn */
function spacer(rows) {
    const cell = el("td");
    cell.style.height = `${Math.max(0, rows) * ROW_HEIGHT}px`;
    return el("tr.spacer", {"aria-hidden": "true", hidden: rows <= 0}, cell);
}
