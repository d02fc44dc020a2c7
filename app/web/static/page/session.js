/**
 * Who is signed in on this page.
 *
 * The access token lives in sessionStorage, so it ends with the tab; the refresh token only in
 * memory; neither is ever part of a URL. Signing in and out tells the listeners, a silent refresh
 * does not: it is the same person.
 */

const KEY = "kubeorch:session";
const MARGIN_MS = 30_000;

const LOGIN = `mutation Login($input: LoginInput!) {
  login(input: $input) {
    ... on LoginPayload { session { accessToken refreshToken expiresAt } user { email } }
    ... on UserError { message }
  }
}`;

const REFRESH = `mutation RefreshSession($input: RefreshSessionInput!) {
  refreshSession(input: $input) {
    ... on RefreshSessionPayload { session { accessToken refreshToken expiresAt } user { email } }
    ... on UserError { message }
  }
}`;

const LOGOUT = `mutation Logout($input: LogoutInput!) { logout(input: $input) { __typename } }`;

const VIEWER = "query Viewer { viewer { email } }";

const SIGNED_OUT = Object.freeze({ token: null, email: null, expiresAt: null });

export class Session {
  #endpoint;
  #state = SIGNED_OUT;
  #refreshToken = null;
  #refreshing = null;
  #listeners = new Set();

  constructor(endpoint) {
    this.#endpoint = endpoint;
    try {
      this.#state = { ...SIGNED_OUT, ...JSON.parse(sessionStorage.getItem(KEY) ?? "{}") };
    } catch {
      sessionStorage.removeItem(KEY);
    }
  }

  /** `{token, email, expiresAt}`; the same object until something changes. */
  snapshot = () => this.#state;

  /** Whether a token that the server refused can be replaced without asking the person. */
  get renewable() {
    return this.#refreshToken !== null;
  }

  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  async signIn(email, password) {
    const { login } = await this.#ask(LOGIN, { input: { email, password } });
    this.#enter(login);
    this.#tell();
  }

  /** Takes a pasted access token once the server has said whose it is. */
  async paste(token) {
    const { viewer } = await this.#ask(VIEWER, {}, token);
    if (!viewer) throw new Error("This token is not valid, or no longer.");
    this.#refreshToken = null;
    this.#keep({ token, email: viewer.email, expiresAt: null });
    this.#tell();
  }

  /** Ends the session on the server too, if it began on this page: a pasted token is shared. */
  async signOut() {
    const { token, expiresAt } = this.#state;
    const refreshToken = this.#refreshToken;
    this.#forget();
    if (expiresAt) await this.#ask(LOGOUT, { input: { refreshToken } }, token);
  }

  /** A token that is good for a while yet, or null; refreshes one that is about to expire. */
  async token() {
    const { token, expiresAt } = this.#state;
    if (!token || !expiresAt || Date.parse(expiresAt) - Date.now() > MARGIN_MS) return token;
    if (this.#refreshToken) {
      this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = null));
      await this.#refreshing;
    } else if (Date.parse(expiresAt) <= Date.now()) {
      this.#forget();
    }
    return this.#state.token;
  }

  async #refresh() {
    const before = this.#refreshToken;
    try {
      const { refreshSession } = await this.#ask(REFRESH, { input: { refreshToken: before } });
      if (before === this.#refreshToken) this.#enter(refreshSession);
    } catch (error) {
      // fetch throws a TypeError when the network fails: no reason to sign anybody out.
      if (!(error instanceof TypeError) && before === this.#refreshToken) this.#forget();
    }
  }

  #enter({ message, session, user }) {
    if (!session) throw new Error(message);
    this.#refreshToken = session.refreshToken;
    this.#keep({ token: session.accessToken, email: user.email, expiresAt: session.expiresAt });
  }

  #forget() {
    this.#refreshToken = null;
    this.#keep(SIGNED_OUT);
    this.#tell();
  }

  #keep(state) {
    this.#state = state;
    if (state.token) sessionStorage.setItem(KEY, JSON.stringify(state));
    else sessionStorage.removeItem(KEY);
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }

  async #ask(query, variables, token) {
    const { data, errors } = await post(this.#endpoint, { query, variables }, token);
    if (errors?.length) throw new Error(errors[0].message);
    return data;
  }
}

/** POSTs one GraphQL request; an answer that is not JSON becomes an error that says its status. */
export async function post(endpoint, request, token, headers = {}) {
  const response = await fetch(endpoint, {
    method: "POST",
    credentials: "same-origin",
    headers: {
      "content-type": "application/json",
      accept: "application/graphql-response+json, application/json;q=0.9",
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify(request),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    const message = `The server answered ${response.status} ${response.statusText}, not JSON.`;
    return { errors: [{ message }] };
  }
}
