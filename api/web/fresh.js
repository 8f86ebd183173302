// Pictures that came after the list that is shown: how many, and an offer to show
// them. What is looked at stays where it is.

import { $, element } from "./base.js";
import { on } from "./events.js";
import * as grid from "./grid.js";
import * as lists from "./list.js";
import { profilePath, state } from "./state.js";

const line = $("#fresh"), views = new Set(["news", "newest"]);
const pause = 5000; // milliseconds between two counts
const most = 1000; // that are counted
let next = 0, counted = 0;
let missed = false; // something came while a list was on its way

/** What the page asks for a list of the view with, and what it does to show it anew. */
export const hooks = { /** @returns {Record<string, any>} */ wanted: () => ({}), show() {} };

/** hideFresh offers nothing any more, of another list. */
export function hideFresh() {
  line.hidden = true;
}

/** opened counts what came while the list was on its way. */
export function opened() {
  if (missed) come();
}

function come() {
  if (views.has(state.view)) next ||= setTimeout(() => count().catch(() => {}), counted + pause - Date.now()); // the next event tries again
}

async function count() {
  next = 0;
  counted = Date.now();
  const list = grid.current();
  missed = !list;
  if (!list || !views.has(state.view)) return;
  const input = hooks.wanted();
  input.added_after ??= new Date(lists.madeAt(list) - 1000).toISOString();
  const now = await lists.make(profilePath(), input);
  let found = 0;
  for (let i = 0; i < now.length && found < most; i++) if (list.index(now.id(i)) < 0) found++;
  if (grid.current() !== list || !found) return;
  const button = element("button", { type: "button", textContent: `${found}${found < most ? "" : " or more"} new: show` });
  button.addEventListener("click", () => hooks.show());
  line.replaceChildren(button);
  line.hidden = false;
}

on("images", come);
on("open", (first) => { if (!first) come(); });
