/**
 * Refreshes the hashes in `app/web/static/page/cdn.json`: `npm run integrity`.
 *
 * A CDN hands out the files of an npm package as they are, so the hash of the file in the package is
 * the hash that the browser must see. To move to another version, change it in that file and run
 * this. GraphiQL 4 and React 18 are the last with files that a page can load without a build step.
 *
 * `node integrity.js --check <folder>` changes nothing: it exits 1 when a hash is wrong, and leaves
 * the files in the folder, at the paths that they have on the CDN.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const DATA = fileURLToPath(new URL("../app/web/static/page/cdn.json", import.meta.url));
const checkInto = process.argv[2] === "--check" ? process.argv[3] : null;

function unpack(name, folder) {
  const npm = ["pack", name, "--silent", "--ignore-scripts", "--pack-destination", folder];
  const archive = execFileSync("npm", npm, { encoding: "utf8" }).trim();
  execFileSync("tar", ["-xzf", join(folder, archive), "-C", folder]);
  return join(folder, "package");
}

const text = readFileSync(DATA, "utf8");
const data = JSON.parse(text);
const folder = mkdtempSync(join(tmpdir(), "explorer-"));
try {
  for (const name of new Set(data.files.map((file) => file.package))) {
    const unpacked = unpack(name, folder);
    for (const file of data.files.filter((each) => each.package === name)) {
      const path = join(unpacked, file.path);
      file.integrity = `sha384-${createHash("sha384").update(readFileSync(path)).digest("base64")}`;
      if (checkInto) cpSync(path, join(checkInto, "npm", name, file.path));
    }
    rmSync(unpacked, { recursive: true });
  }
} finally {
  rmSync(folder, { recursive: true });
}

const fresh = `${JSON.stringify(data, null, 2)}\n`;
if (!checkInto) {
  writeFileSync(DATA, fresh);
} else if (fresh !== text) {
  console.error("cdn.json does not have the hashes of these packages: npm run integrity");
  process.exitCode = 1;
}
