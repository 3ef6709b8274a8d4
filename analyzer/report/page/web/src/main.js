/** The page of vbtrace html: decodes its data and shows what ran. */
import { unpack } from "./unpack.js";

const page = document.getElementById("page");

function show(tag, text) {
    const element = document.createElement(tag);
    element.textContent = text;
    page.append(element);
}

async function main() {
    const { header } = await unpack(document.getElementById("data").textContent);
    const { allocs, allocated_bytes: bytes } = header.totals;
    document.title = header.title;
    show("h1", header.title);
    show("p", `${allocs.toLocaleString("en")} allocations, ${bytes.toLocaleString("en")} bytes`);
    for (const note of header.notes) show("p", note);
}

main().catch((error) => show("p", `The data of this page cannot be read: ${error.message}`));
