/** How GraphiQL reaches the API: POST for queries and mutations, one websocket for subscriptions. */

import { post } from "./session.js";

const FORBIDDEN = 4403;

/**
 * `parse` is graphql's, `createClient` graphql-ws's. A new person gets a new socket, and the old
 * one is closed.
 */
export function createFetcher({ endpoint, session, parse, createClient }) {
  let client = null;
  session.subscribe(() => {
    client?.dispose();
    client = null;
  });

  const socket = () =>
    (client ??= createClient({
      url: endpoint.replace(/^http/, "ws"),
      lazy: true,
      // Asked again at every reconnect: the server closes a socket whose token expired.
      connectionParams: async () => {
        const token = await session.token();
        return token ? { Authorization: `Bearer ${token}` } : {};
      },
      shouldRetry: (event) => event.code !== FORBIDDEN || session.renewable,
    }));

  return async function fetcher(request, { headers } = {}) {
    if (isSubscription(parse, request)) {
      // An observable, not an async generator: stopping must not wait for the next event.
      return {
        subscribe: (sink) => ({
          unsubscribe: socket().subscribe(request, {
            ...bound(sink),
            error: (cause) => sink.error(readable(cause)),
          }),
        }),
      };
    }
    return post(endpoint, request, await session.token(), lowerCase(headers));
  };
}

/** Parsed again, because GraphiQL's own document lags behind a quick paste. */
function isSubscription(parse, { query, operationName }) {
  try {
    const operations = parse(query).definitions.filter((d) => d.kind === "OperationDefinition");
    const chosen = operationName
      ? operations.find((each) => each.name?.value === operationName)
      : operations[0];
    return chosen?.operation === "subscription";
  } catch {
    return false; // the server says what is wrong with it
  }
}

function bound(sink) {
  return { next: (value) => sink.next(value), complete: () => sink.complete() };
}

function readable(cause) {
  if (!(cause instanceof Event)) return cause;
  const { code = "no connection", reason } = cause;
  return new Error(`The subscription ended: ${reason || "the server cannot be reached"} (${code}).`);
}

/** So that an Authorization typed into the headers tab replaces ours instead of joining it. */
function lowerCase(headers = {}) {
  return Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v]));
}
