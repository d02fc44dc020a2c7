/**
 * Builds the explorer into `app/web/static/explorer/`, and only when something it is made of changed.
 *
 * The result is swapped in whole, with the hash of its sources beside it, so that a build that is
 * interrupted is never served. Exits 1 with one line when it cannot build.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, gzipSync } from "node:zlib";

const HERE = dirname(fileURLToPath(import.meta.url));
const STATIC = join(HERE, "../app/web/static");
const OUT = join(STATIC, "explorer");
const STAMP = join(OUT, "sources.sha256");
const SOURCES = ["package-lock.json", "vite.config.js", "build.js", "index.html", "src"];
const COMPRESSED = new Set([".js", ".css", ".ttf"]);

function files(path) {
  const entries = readdirSync(path, { withFileTypes: true, recursive: true });
  return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath ?? e.path, e.name)).sort();
}

function sourcesHash() {
  const hash = createHash("sha256");
  const named = SOURCES.map((name) => join(HERE, name));
  const all = named.flatMap((path) => (extname(path) ? [path] : files(path)));
  for (const path of [...all, ...files(join(STATIC, "page"))]) {
    hash.update(`${relative(HERE, path)}\0`).update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}

function run(command, ...args) {
  execFileSync(command, args, { cwd: HERE, stdio: ["ignore", "ignore", "inherit"] });
}

function install() {
  const installed = join(HERE, "node_modules", ".installed.sha256");
  const wanted = createHash("sha256").update(readFileSync(join(HERE, "package-lock.json"))).digest("hex");
  if (existsSync(installed) && readFileSync(installed, "utf8") === wanted) return;
  console.log("explorer: installing its packages …");
  run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error",
      "--fetch-retries=1", "--fetch-timeout=60000");
  writeFileSync(installed, wanted);
}

function build(hash) {
  install();
  console.log("explorer: building …");
  const dist = join(HERE, "dist");
  run(process.execPath, join(HERE, "node_modules/vite/bin/vite.js"), "build");
  for (const path of files(dist).filter((name) => COMPRESSED.has(extname(name)))) {
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION }));
  }
  writeFileSync(join(dist, "sources.sha256"), hash);
  rmSync(OUT, { recursive: true, force: true });
  renameSync(dist, OUT);
}

const hash = sourcesHash();
if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === hash) {
  console.log("explorer: up to date");
} else {
  try {
    build(hash);
    console.log("explorer: ready");
  } catch (error) {
    console.error(`explorer: not built: ${error.message}`);
    process.exitCode = 1;
  }
}
