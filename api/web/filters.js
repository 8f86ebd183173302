// What of a list is shown: filters to choose, and chips of those chosen that
// take them away again.

import { $, element } from "./base.js";
import * as route from "./route.js";
import { gridViews, state } from "./state.js";

const panel = $("#filters"), form = $("form", panel), chips = $("#chips");
const names = { artist: "Artist", licence: "Licence", site: "Source", category: "Category" };
const judged = { rated: "judged", unrated: "not judged yet", liked: "liked", disliked: "disliked", skipped: "skipped" };

/** changed tells the page that another list is wanted. */
function changed() {
  panel.dispatchEvent(new CustomEvent("filter"));
}

/** chosen lists the filters with what they are called and what takes each away. */
function chosen() {
  const f = state.filters, found = [];
  const drop = (...keys) => () => { for (const key of keys) delete f[key]; };
  if (f.judged) found.push([judged[f.judged], drop("judged")]);
  if (f.q) found.push([`“${f.q}”`, drop("q")]);
  for (const name of route.lists) {
    for (const value of f[name] ?? []) {
      found.push([`${names[name]}: ${value}`, () => {
        f[name] = f[name].filter((v) => v !== value);
        if (!f[name].length) delete f[name];
      }]);
    }
  }
  const span = (from, to, unit = "") => from === undefined ? `to ${to}${unit}` : to === undefined ? `from ${from}${unit}` : `${from}–${to}${unit}`;
  if (f.year_from !== undefined || f.year_to !== undefined) found.push([span(f.year_from, f.year_to), drop("year_from", "year_to")]);
  const percent = (p) => p === undefined ? p : Math.round(100 * p);
  const least = f.min_probability, most = f.max_probability;
  if (least !== undefined || most !== undefined) found.push([`Chance ${span(percent(least), percent(most), " %")}`, drop("min_probability", "max_probability")]);
  return found;
}

/** showFilters shows what is chosen, and how many pictures pass. */
export function showFilters(count) {
  const inGrid = gridViews.has(state.view), all = inGrid ? chosen() : [];
  chips.replaceChildren(...all.map(([text, drop]) => {
    const chip = element("button", { type: "button", className: "chip", textContent: text });
    chip.setAttribute("aria-label", `Take the filter away: ${text}`);
    chip.addEventListener("click", () => { drop(); changed(); });
    return chip;
  }));
  $("#count").textContent = count === undefined || !inGrid ? "" : count === 1 ? "1 picture" : `${count.toLocaleString()} pictures`;
}

function fillForm() {
  const f = state.filters, percent = (p) => p === undefined ? "" : Math.round(100 * p);
  form.judged.value = f.judged ?? "";
  form.year_from.value = f.year_from ?? "";
  form.year_to.value = f.year_to ?? "";
  form.least.value = percent(f.min_probability);
  form.most.value = percent(f.max_probability);
  for (const name of route.lists) form[name].value = "";
}

panel.addEventListener("toggle", () => { if (panel.open) fillForm(); });
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const f = state.filters;
  const number = (field, name, by = 1) => {
    if (form[field].value === "") delete f[name];
    else f[name] = Number(form[field].value) / by;
  };
  if (form.judged.value) f.judged = form.judged.value;
  else delete f.judged;
  number("year_from", "year_from");
  number("year_to", "year_to");
  number("least", "min_probability", 100);
  number("most", "max_probability", 100);
  for (const name of route.lists) {
    const value = form[name].value.trim();
    if (value) f[name] = [...new Set([...f[name] ?? [], value])];
  }
  panel.open = false;
  changed();
});
