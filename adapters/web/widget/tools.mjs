// node tools.mjs: prints the folder of the pinned npm tools (esbuild, axe-core). npm installs them once into the user's
// cache, checked against package-lock.json; the checkout stays free of node_modules.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

export function toolsFolder() {
  const lock = createHash("sha256").update(readFileSync(join(here, "package-lock.json"))).digest("hex");
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "parley");
  const folder = join(cache, `npm-${lock.slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, "npm-"));
  for (const file of ["package.json", "package-lock.json"]) cpSync(join(here, file), join(fresh, file));
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--silent"], { cwd: fresh, stdio: ["ignore", 2, 2] });
  if (npm.status !== 0) {
    rmSync(fresh, { recursive: true });
    throw new Error(`npm ci failed (${npm.error ?? `exit ${npm.status}`}): the widget's build tools need npm and its registry`);
  }
  try {
    renameSync(fresh, folder);
  } catch (error) {
    // Another build was quicker; its folder is the same.
    rmSync(fresh, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(toolsFolder());
