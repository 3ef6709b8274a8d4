// Bundles the page of vbtrace html: index.html with its style and script in it, and the marks
// {{data}} and {{against}}, at which the tool puts what it shows.
//
// usage: node build.mjs --modules node_modules --out FILE
//
// The browser takes only the style and the script whose hashes the page's policy names. The same
// sources give the same bytes.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
    options: { modules: { type: "string" }, out: { type: "string" } },
});
const web = path.dirname(fileURLToPath(import.meta.url));
const modules = path.resolve(values.modules);
const esbuild = createRequire(path.join(modules, "_"))("esbuild");

async function bundle(entry) {
    const result = await esbuild.build({
        absWorkingDir: web,
        entryPoints: [entry],
        bundle: true,
        minify: true,
        write: false,
        format: "iife",
        target: ["es2022"],
        charset: "utf8",
        legalComments: "inline",
        nodePaths: [modules],
        logLevel: "warning",
    });
    // "</script" in a string would end the element; in a script, "<\/" means the same.
    if (result.warnings.length > 0) process.exit(1);
    return result.outputFiles[0].text.trim().replaceAll(/<(?=\/(script|style))/gi, "<\\");
}

const hashOf = (text) => "sha256-" + createHash("sha256").update(text).digest("base64");

const [script, style] = await Promise.all([bundle("src/main.js"), bundle("style/main.css")]);
const marks = { script, style, "script-hash": hashOf(script), "style-hash": hashOf(style) };
const page = (await readFile(path.join(web, "index.html"), "utf8")).replaceAll(
    /\{\{(script|style|script-hash|style-hash)\}\}/g,
    (_, name) => marks[name],
);
for (const mark of ["{{data}}", "{{against}}"])
    if (page.split(mark).length !== 2) throw new Error(`index.html: expected ${mark} once`);
await writeFile(values.out, page);
