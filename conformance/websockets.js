/** The story by `graphql-ws`: `node websockets.js http://127.0.0.1:8000/graphql`. */

import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { tell } from "./story.js";

const [url] = process.argv.slice(2);

await tell((token) =>
  createClient({
    url: url.replace(/^http/, "ws"),
    webSocketImpl: WebSocket,
    connectionParams: token ? { authorization: `Bearer ${token}` } : undefined,
    retryAttempts: 0,
  }),
);
