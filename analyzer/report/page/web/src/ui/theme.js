// Dark or light: as the system has it, unless the switch says otherwise. The page remembers it
// where the browser lets it.

import {el} from "./dom.js";

const KEY = "vbtrace-theme", dark = matchMedia("(prefers-color-scheme: dark)");

/** @returns {string | null} */
function remembered() {
    try {
        const theme = localStorage.getItem(KEY);
        return theme === "dark" || theme === "light" ? theme : null;
    } catch {
        return null; // a page from disk may be refused its storage
    }
}

/** @param {string} theme */
function remember(theme) {
    try {
        localStorage.setItem(KEY, theme);
    } catch {
        // then it is forgotten when the page is closed
    }
}

/** Sets the theme before anything is drawn in its colours. */
export function applyTheme() {
    document.documentElement.dataset.theme = remembered() ?? (dark.matches ? "dark" : "light");
}

/** @param {() => void} changed called after the colours have changed */
export function themeSwitch(changed) {
    const {dataset} = document.documentElement;
    const show = () => {
        const other = dataset.theme === "dark" ? "light" : "dark";
        button.textContent = other === "dark" ? "Dark" : "Light";
        button.title = `Use the ${other} theme`;
    };
    const button = el("button.icon", {onclick: () => {
        dataset.theme = dataset.theme === "dark" ? "light" : "dark";
        remember(dataset.theme);
        show();
        changed();
    }});
    dark.addEventListener("change", () => {
        applyTheme();
        show();
        changed();
    });
    show();
    return button;
}
