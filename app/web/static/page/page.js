/**
 * The page: a bar to sign in with, and GraphiQL below it.
 *
 * React, GraphiQL and the like are handed in, because they come from our own bundle or, without
 * one, from the CDN; everything here is the same in both.
 */

import { createFetcher } from "./fetcher.js";
import { Session } from "./session.js";
import { welcome } from "./welcome.js";

/** Draws the page into `element`; the rest are the packages' own functions of these names. */
export function mount(element, { React, createRoot, GraphiQL, parse, createClient }) {
  const h = React.createElement;
  const endpoint = new URL(location.pathname.split("/").pop() || "graphql", location.href).href;
  const session = new Session(endpoint);
  const fetcher = createFetcher({ endpoint, session, parse, createClient });

  const field = (name, type, label, autoComplete, width) =>
    h("input", { name, type, placeholder: label, "aria-label": label, autoComplete, required: true,
                 spellCheck: false, style: { width } });

  function Bar() {
    const { email } = React.useSyncExternalStore(session.subscribe, session.snapshot);
    const [problem, setProblem] = React.useState("");
    const [busy, setBusy] = React.useState(false);

    const submit = (action) => async (event) => {
      event.preventDefault();
      const form = event.currentTarget;
      setBusy(true);
      setProblem("");
      try {
        await action(new FormData(form));
        form.reset();
      } catch (error) {
        setProblem(error.message);
      } finally {
        setBusy(false);
      }
    };

    // method=post: should the script ever fail, a browser must not put a password into the URL.
    const form = (id, action, ...children) =>
      h("form", { id, method: "post", onSubmit: submit(action) },
        h("fieldset", { disabled: busy }, ...children));

    return h("header", { className: "bar" },
      h("h1", null, "KubeOrch"),
      h("span", { className: "problem", role: "alert" }, problem),
      email
        ? form("sign-out", () => session.signOut(),
            h("output", { id: "account" }, "Signed in as ", h("strong", null, email)),
            h("button", null, "Sign out"))
        : [
            h(React.Fragment, { key: "in" },
              form("sign-in", (data) => session.signIn(data.get("email"), data.get("password")),
                field("email", "email", "E-mail", "username", "13em"),
                field("password", "password", "Password", "current-password", "9em"),
                h("button", null, "Sign in"))),
            h(React.Fragment, { key: "token" },
              form("token", (data) => session.paste(data.get("token").trim()),
                field("token", "password", "or an access token", "off", "11em"),
                h("button", null, "Use token"))),
          ]);
  }

  createRoot(element).render(
    h(React.Fragment, null,
      h(Bar),
      h("main", null,
        h(GraphiQL,
          { fetcher, defaultQuery: welcome, defaultEditorToolsVisibility: "variables",
            // Headers may hold a token: they are never written to localStorage.
            shouldPersistHeaders: false },
          h(GraphiQL.Logo, null, " ")))));
}
