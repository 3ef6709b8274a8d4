// What the page shows, all of it in the URL's fragment: a link to a page opens it as it was.

/**
 * @typedef {object} State
 * @property {string} view
 * @property {number | null} from in nanoseconds, null: the start
 * @property {number | null} to null: the end
 * @property {string} measure
 * @property {string} color
 * @property {string} root "top" or "bottom"
 * @property {string} frames "function" or "line"
 * @property {boolean} imports are Python's imports shown?
 * @property {string} thread "" for all
 * @property {string} module
 * @property {string} domain "" for heap and Python
 * @property {string} search
 * @property {number} zoom a node
 * @property {string} by "user" or "leaf"
 * @property {string} sort
 * @property {string} filter
 * @property {number} file whose source is shown; -1 for the costliest
 * @property {number} line
 * @property {string} width of a comparison's frames: "new" or "old"
 * @property {string} rows of a comparison
 * @property {string} kind of change, "" for all
 */

/** @type {State} */
export const DEFAULTS = {
    view: "overview", from: null, to: null, measure: "bytes", color: "module", root: "top", frames: "function", imports: false, thread: "",
    module: "", domain: "", search: "", zoom: 0, by: "user", sort: "", filter: "", file: -1, line: 0, width: "new", rows: "functions", kind: "",
};

/** @param {string} fragment @returns {State} what is not understood stays as it is by default */
export function readFragment(fragment) {
    const state = {...DEFAULTS};
    for (const [key, text] of new URLSearchParams(fragment.replace(/^#/, ""))) {
        if (!Object.hasOwn(DEFAULTS, key))
            continue;
        const standard = /** @type {any} */ (DEFAULTS)[key], number = Number(text);
        if (typeof standard === "boolean")
            /** @type {any} */ (state)[key] = text === "1";
        else if (typeof standard === "string")
            /** @type {any} */ (state)[key] = text;
        else if (text !== "" && Number.isFinite(number))
            /** @type {any} */ (state)[key] = number;
    }
    return state;
}

/** @param {State} state @returns {string} only what differs from the defaults */
export function writeFragment(state) {
    const out = new URLSearchParams();
    for (const [key, standard] of Object.entries(DEFAULTS)) {
        const value = /** @type {any} */ (state)[key];
        if (value !== standard && value !== null)
            out.set(key, typeof value === "boolean" ? (value ? "1" : "0") : String(value));
    }
    return out.toString();
}

/** The state, and who wants to know of its changes. */
export class Store {
    constructor() {
        this.state = readFragment(location.hash);
        /** @type {((state: State, changed: Set<string>) => void)[]} */
        this.listeners = [];
        this.written = location.hash;
        window.addEventListener("hashchange", () => {
            if (location.hash !== this.written)
                this.#apply(readFragment(location.hash));
        });
    }

    /** @param {(state: State, changed: Set<string>) => void} listener */
    subscribe(listener) {
        this.listeners.push(listener);
    }

    /** @param {State} next */
    #apply(next) {
        const before = /** @type {any} */ (this.state), after = /** @type {any} */ (next);
        const changed = new Set(Object.keys(DEFAULTS).filter((key) => before[key] !== after[key]));
        if (!changed.size)
            return;
        this.state = next;
        for (const listener of this.listeners)
            listener(next, changed);
    }

    /**
     * @param {Partial<State>} patch
     * @param {{push?: boolean, quiet?: boolean}} [how] push: the browser's Back undoes it; quiet:
     *     the fragment is
     *     not written yet, as while a mouse is dragged
     */
    set(patch, how = {}) {
        this.#apply({...this.state, ...patch});
        if (how.quiet)
            return;
        const fragment = writeFragment(this.state);
        this.written = fragment ? `#${fragment}` : "";
        if (this.written === location.hash)
            return;
        const url = this.written || location.pathname + location.search;
        if (how.push)
            history.pushState(null, "", url);
        else
            history.replaceState(null, "", url);
    }
}
