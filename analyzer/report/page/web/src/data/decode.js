// From the text in the page to numbers: base64, deflate, a header in JSON, columns of varints.
// What each column means is in ../../../DATA.md.

/** @typedef {Int32Array | Uint32Array | Float64Array} Numbers */
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
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Varints from a position on: seven bits a byte, lowest first. Exact up to 2^53. */
class Reader {
    /** @param {Uint8Array} bytes @param {number} at */
    constructor(bytes, at) {
        this.bytes = bytes;
        this.at = at;
    }

    /** A number of more than 28 bits, or the end of the data. @returns {number} */
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

    /** @param {Float64Array} out */
    unsigned(out) {
        const {bytes} = this;
        for (let i = 0; i < out.length; i++) {
            const byte = bytes[this.at];
            if (byte < 128) {
                out[i] = byte;
                this.at++;
            } else {
                out[i] = this.#long();
            }
        }
    }

    /** Zigzag: 0, -1, 1, -2 … @param {Float64Array} out */
    signed(out) {
        this.unsigned(out);
        for (let i = 0; i < out.length; i++) {
            const coded = out[i];
            out[i] = coded % 2 ? -(coded + 1) / 2 : coded / 2;
        }
    }
}

/**
 * The same numbers in 32 bits each, where they fit.
 * @param {Float64Array} wide
 * @returns {Numbers}
 */
function narrowed(wide) {
    let low = 0, high = 0;
    for (const value of wide) {
        if (value < low)
            low = value;
        else if (value > high)
            high = value;
    }
    if (low >= -0x80000000 && high < 0x80000000)
        return Int32Array.from(wide);
    return low >= 0 && high <= 0xffffffff ? Uint32Array.from(wide) : wide;
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
    for (const {name, count, signed, delta} of header.columns) {
        const values = new Float64Array(count);
        if (signed)
            reader.signed(values);
        else
            reader.unsigned(values);
        if (delta)
            for (let i = 1; i < count; i++)
                values[i] += values[i - 1];
        columns.set(name, narrowed(values));
    }
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
