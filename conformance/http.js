/**
 * What the `graphql-http` audit says of a server: `node http.js http://127.0.0.1:8000/graphql`.
 *
 * Prints a line per audit; exits 1 unless every one of them is ok.
 */

import { auditServer } from "graphql-http";

const [url] = process.argv.slice(2);
const results = await auditServer({ url });
for (const { status, id, name, reason } of results) {
  console.log(`${status.padEnd(6)} ${id}  ${name}${reason ? `\n       ${reason}` : ""}`);
}
const ok = results.filter(({ status }) => status === "ok").length;
console.log(`${ok} of ${results.length} ok`);
process.exit(ok === results.length ? 0 : 1);
