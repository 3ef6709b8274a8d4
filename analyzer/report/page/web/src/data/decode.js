// From the text in the page to numbers: base64, deflate, a header in JSON, columns of varints.
// What each column means is in ../../../DATA.md.

/** @typedef {Int32Array | Float64Array} Numbers */
/** @typedef {{name: string, count: number, signed: boolean, delta: boolean}} ColumnInfo */

/**
 * @param {string} text base64, whitespace allowed around it
 * @returns {Uint8Array}
 */
export function fromBase64(text) {
    const binary = atob(text.trim());
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < bytes.length; i++)
        bytes[i] = binary.charCodeAt(i);
    return bytes;
}

/**
 * @param {Uint8Array} bytes raw deflate
 * @returns {Promise<Uint8Array>}
 */
export async function inflate(bytes) {
    const stream = new Blob([/** @type {any} */ (bytes)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Varints from a position on: seven bits a byte, lowest first. Exact up to 2^53. */
class Reader {
    /** @param {Uint8Array} bytes @param {number} at */
    constructor(bytes, at) {
        this.bytes = bytes;
        this.at = at;
    }

    /** A number of any length, or the end of the data. @returns {number} */
    #long() {
        let value = 0, scale = 1, byte;
        do {
            if (this.at >= this.bytes.length)
                throw new Error("the data ends within a column");
            byte = this.bytes[this.at++];
            value += (byte & 127) * scale;
            scale *= 128;
        } while (byte > 127);
        return value;
    }

    /**
     * Goes on with a column until it ends, or a number does not fit.
     * @param {Numbers} out
     * @param {number} begin
     * @param {{signed: boolean, delta: boolean}} coding
     * @param {number} largest what fits
     * @returns {number} how many are there
     */
    #fill(out, begin, {signed, delta}, largest) {
        const {bytes} = this;
        for (let i = begin, before = delta && begin ? out[begin - 1] : 0; i < out.length; i++) {
            const start = this.at, byte = bytes[start];
            let value = byte;
            if (byte < 128)
                this.at = start + 1;
            else
                value = this.#long();
            if (signed)
                value = value % 2 ? -(value + 1) / 2 : value / 2;
            value += before;
            if (value > largest || value < -largest) {
                this.at = start;
                return i;
            }
            out[i] = value;
            if (delta)
                before = value;
        }
        return out.length;
    }

    /** @param {ColumnInfo} column @returns {Numbers} in 32 bits each where all of them fit */
    column(column) {
        const narrow = new Int32Array(column.count), done = this.#fill(narrow, 0, column, 0x7fffffff);
        if (done === column.count)
            return narrow;
        const wide = new Float64Array(column.count);
        wide.set(narrow.subarray(0, done));
        this.#fill(wide, done, column, Infinity);
        return wide;
    }
}

/**
 * @param {Uint8Array} bytes what inflate() gave
 * @returns {{header: any, columns: Map<string, Numbers>}}
 */
export function parse(bytes) {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
    const reader = new Reader(bytes, 4 + length);
    const columns = new Map();
    for (const column of header.columns)
        columns.set(column.name, reader.column(column));
    if (reader.at !== bytes.length)
        throw new Error(`${bytes.length - reader.at} bytes follow the last column`);
    return {header, columns};
}

/**
 * @param {string} text the page's data
 */
export async function decode(text) {
    return parse(await inflate(fromBase64(text)));
}
