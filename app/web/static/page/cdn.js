/** Without a bundle: the same page, with the globals that the CDN's files define. */

import { mount } from "./page.js";

const { React, ReactDOM, GraphiQL, graphqlWs } = window;
const element = document.getElementById("explorer");

if (React && ReactDOM && GraphiQL && graphqlWs) {
  const { createRoot } = ReactDOM;
  const { parse } = GraphiQL.GraphQL;
  mount(element, { React, createRoot, GraphiQL, parse, createClient: graphqlWs.createClient });
} else {
  element.textContent =
    "GraphiQL could not be loaded from the CDN. Run `make explorer` where KubeOrch's source is, " +
    "restart the server, and it comes from here.";
}
