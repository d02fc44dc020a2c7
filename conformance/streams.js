/** The story by `graphql-sse`: `node streams.js http://127.0.0.1:8000/graphql`. */

import { createClient } from "graphql-sse";

import { tell } from "./story.js";

const [url] = process.argv.slice(2);

await tell((token) =>
  createClient({
    url,
    headers: token ? { authorization: `Bearer ${token}` } : {},
    retryAttempts: 0,
  }),
);
