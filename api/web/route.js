// Addresses: where one is stands behind the # of the address, so that it can
// be kept, sent, and come back to.

import { gridViews, state } from "./state.js";

const views = new Set([...gridViews, "taste", "teach", "trash", "work"]);
/** typed are the filters of which a person types values, lists those that take several. */
export const typed = ["artist", "licence", "site", "category"];
export const lists = [...typed, "model"];
const numbers = ["year_from", "year_to", "min_probability", "max_probability"];
const judged = new Set(["rated", "unrated", "liked", "disliked", "skipped"]);

/** read says what an address leads to; an address that says nothing leads nowhere. */
export function read(hash = location.hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const p = new URLSearchParams(query ?? "");
  const filters = {};
  for (const name of lists) if (p.has(name)) filters[name] = p.getAll(name).filter(Boolean).slice(0, 50);
  for (const name of numbers) if (p.get(name) && Number.isFinite(Number(p.get(name)))) filters[name] = Number(p.get(name));
  if (judged.has(p.get("judged"))) filters.judged = p.get("judged");
  if (p.get("collapse") === "true") filters.collapse = true;
  if (p.get("q")) filters.q = p.get("q").slice(0, 200);
  const profile = /^[a-z0-9][a-z0-9_-]{0,62}$/.test(p.get("profile") ?? "") ? p.get("profile") : "me";
  return { view: views.has(path) ? path : null, filters, profile, picture: p.get("picture") };
}

/** address of where one is. */
export function address(picture) {
  const p = new URLSearchParams();
  if (state.profile !== "me") p.set("profile", state.profile);
  if (gridViews.has(state.view)) {
    for (const [name, value] of Object.entries(state.filters)) for (const one of [value].flat()) p.append(name, String(one));
  }
  if (picture) p.set("picture", picture);
  const query = p.toString();
  return `#/${state.view}${query ? "?" + query : ""}`;
}

/** same says whether two sets of filters are. */
export const same = (a, b) => sorted(a) === sorted(b);

const sorted = (filters) => JSON.stringify(Object.entries(filters).sort());

/** go makes an address the present one: a step that Back takes back, or in the place of the one before. */
export function go(to, { push = false, kept = history.state } = {}) {
  return push && to !== location.hash ? history.pushState(kept, "", to) : history.replaceState(kept, "", to);
}

/** remember notes something of where one is in the present entry of the history. */
export function remember(what) {
  history.replaceState({ ...history.state, ...what }, "", location.hash || undefined);
}
