// node build.mjs [OUT]: bundles src/ into OUT (default ../static), the same bytes on every machine.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { toolsFolder } from "./tools.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../static"));

function checkVendored() {
  for (const line of readFileSync(join(here, "vendor/SHA256SUMS"), "utf8").trim().split("\n")) {
    const [sum, file] = line.split(/\s+/);
    const found = createHash("sha256").update(readFileSync(join(here, "vendor", file))).digest("hex");
    if (found !== sum) throw new Error(`vendor/${file} has SHA-256 ${found}, but SHA256SUMS says ${sum}`);
  }
}

checkVendored();
const esbuild = createRequire(join(toolsFolder(), "package.json"))("esbuild");
const minifiedCss = {
  name: "minified-css",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await esbuild.transform(readFileSync(path, "utf8"), { loader: "css", minify: true, target: "chrome123" });
      return { contents: code.trim(), loader: "text" };
    });
  },
};
// Of marked only the lexer is bundled: the package's end, which makes a ready parser, is left out, and options that
// markdown.js never changes are constants, so that their branches fall away.
const CONSTANT = { pedantic: "false", gfm: "true", breaks: "true", extensions: "null", hooks: "null" };
const lexerOnly = {
  name: "lexer-only",
  setup(build) {
    build.onLoad({ filter: /marked\.esm\.js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const end = text.indexOf("var v=new ne;");
      const name = /export\{.*?(\w+) as Lexer,/.exec(text)?.[1];
      if (end < 0 || !name) throw new Error("marked changed its shape: look at the end of its file again");
      const options = new RegExp(`\\bthis\\.options\\.(${Object.keys(CONSTANT).join("|")})\\b(?!=)`, "g");
      const lexer = text.slice(0, end).replace(options, (_, option) => `(${CONSTANT[option]})`);
      return { contents: `${lexer}export{${name} as Lexer};`, loader: "js" };
    });
  },
};
const shared = { bundle: true, minify: true, charset: "utf8", write: false, absWorkingDir: here, plugins: [minifiedCss, lexerOnly], legalComments: "inline" };
const banner = { js: "/*! Parley, Apache-2.0. With marked, MIT, (c) 2018+ MarkedJS, 2011-2018 Christopher Jeffrey */" };
const chat = await esbuild.build({ ...shared, banner, entryPoints: ["src/main.js"], format: "esm", target: "es2022" });
const version = createHash("sha256").update(chat.outputFiles[0].contents).digest("hex").slice(0, 12);
const define = { __VERSION__: JSON.stringify(version) };
const loader = await esbuild.build({ ...shared, entryPoints: ["src/loader.js"], format: "iife", target: "es2020", define });
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "chat.js"), chat.outputFiles[0].contents);
writeFileSync(join(out, "widget.js"), loader.outputFiles[0].contents);
