/** The bundle's entry: the page from the server's own folder, with the packages from npm. */

import "./workers.js";
import "graphiql/style.css";
import "../../app/web/static/page/page.css";

import { GraphiQL } from "graphiql";
import { parse } from "graphql";
import { createClient } from "graphql-ws";
import * as React from "react";
import { createRoot } from "react-dom/client";

import { mount } from "../../app/web/static/page/page.js";

const element = document.getElementById("explorer");
mount(element, { React, createRoot, GraphiQL, parse, createClient });
