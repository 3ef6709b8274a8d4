// Makes elements. Text becomes text and nothing else: no function here, and none of the page,
// parses markup.

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @param {string} tag with classes: "button.primary"
 * @param {Object<string, any>} [attributes] "on…" are listeners; true and false set and leave out
 * @param {...(Child | Child[])} children
 * @returns {any} the element
 */
export function el(tag, attributes = {}, ...children) {
    const [name, ...classes] = tag.split(".");
    const element = document.createElement(name);
    if (classes.length)
        element.className = classes.join(" ");
    if (name === "button")
        element.setAttribute("type", name); // it submits nothing
    for (const [key, value] of Object.entries(attributes)) {
        if (key.startsWith("on"))
            element.addEventListener(key.slice(2), value);
        else if (value === true)
            element.setAttribute(key, "");
        else if (value !== false && value !== null && value !== undefined)
            element.setAttribute(key, value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return element;
}

/** @param {Element} parent @param {...(Child | Child[])} children */
export function fill(parent, ...children) {
    parent.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
}

/**
 * A choice among few, as buttons side by side.
 * @param {string} label
 * @param {{value: string, text: string, hint?: string}[]} choices
 * @param {string} chosen
 * @param {(value: string) => void} choose
 */
export function segmented(label, choices, chosen, choose) {
    return el("div.segmented", {role: "group", "aria-label": label}, choices.map(({value, text, hint}) =>
        el("button", {"aria-pressed": String(value === chosen), title: hint, "data-value": value, onclick: () => choose(value)}, text)));
}

/**
 * A choice among many.
 * @param {string} label
 * @param {{value: string, text: string}[]} choices
 * @param {string} chosen
 * @param {(value: string) => void} choose
 */
export function dropdown(label, choices, chosen, choose) {
    const select = el("select", {"aria-label": label, onchange: () => choose(select.value)},
        choices.map(({value, text}) => el("option", {value, selected: value === chosen}, text)));
    return el("label.field", {}, el("span", {}, label), select);
}

/**
 * @param {string} label
 * @param {boolean} on
 * @param {(on: boolean) => void} set
 * @param {string} [hint]
 */
export function checkbox(label, on, set, hint) {
    const box = el("input", {type: "checkbox", checked: on, onchange: () => set(box.checked)});
    return el("label.check", {title: hint}, box, el("span", {}, label));
}

/**
 * What colours mean.
 * @param {Element} list @param {{text: string, color: string}[]} entries @param {...Child} more
 */
export function fillLegend(list, entries, ...more) {
    fill(list, entries.map(({text, color}) => el("span", {}, swatch(color), text)), ...more);
}

/** @param {string} color @param {string} [kind] */
export function swatch(color, kind = "") {
    const made = el(`i.swatch${kind}`);
    made.style.background = color;
    return made;
}

/** Says something to a screen reader. @param {string} text */
export function announce(text) {
    const region = document.getElementById("announcements");
    if (region)
        region.textContent = text;
}

/**
 * @param {string} placeholder @param {string} label @param {string} value
 * @param {(text: string) => void} input called whenever the text changes
 */
export function searchField(placeholder, label, value, input) {
    const field = el("input", {type: "search", placeholder, "aria-label": label, spellcheck: "false", oninput: () => input(field.value)});
    field.value = value;
    return field;
}

/**
 * A short table; the first cell of a row is its heading.
 * @param {string[]} heads those that begin with "#" stand above numbers
 * @param {Child[][]} rows
 * @param {string} [kind] more classes
 */
export function plainTable(heads, rows, kind = "") {
    const cell = (/** @type {string} */ tag, /** @type {Child} */ child, /** @type {number} */ i, /** @type {string | undefined} */ scope = undefined) =>
        el(heads[i][0] === "#" ? `${tag}.number` : tag, {scope}, child);
    return el(`table.plain${kind}`, {}, el("thead", {}, el("tr", {}, heads.map((head, i) => cell("th", head.replace("#", ""), i, "col")))),
        el("tbody", {}, rows.map((row) => el("tr", {}, row.map((child, i) => (i ? cell("td", child, i) : cell("th", child, i, "row")))))));
}

/**
 * Why there is nothing to see.
 * @param {string} title @param {string} reason
 */
export function empty(title, reason) {
    return el("div.empty", {}, el("p.empty-title", {}, title), el("p", {}, reason));
}
