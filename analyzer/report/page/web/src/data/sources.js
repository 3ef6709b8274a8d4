// Source text that the page has, by file and line.

/** @typedef {{line: number, text: string[]}} SourcePart */

export class Sources {
    /** @param {{file: number, changed: boolean, parts: SourcePart[]}[]} files */
    constructor(files) {
        /** @type {Map<number, {changed: boolean, parts: SourcePart[]}>} */
        this.files = new Map((files ?? []).map((file) => [file.file, file]));
    }

    /** @param {number} file a string @returns {boolean} */
    has(file) {
        return this.files.has(file);
    }

    /** @param {number} file @param {number} line @returns {string | undefined} */
    lineOf(file, line) {
        const part = this.files.get(file)?.parts.find(({line: first, text}) => line >= first && line < first + text.length);
        return part?.text[line - part.line];
    }

    /** @param {number} file @returns {SourcePart[]} in their order */
    partsOf(file) {
        return this.files.get(file)?.parts ?? [];
    }

    /** @param {number} file @returns {boolean} has the file changed since it ran? */
    hasChanged(file) {
        return this.files.get(file)?.changed ?? false;
    }
}
