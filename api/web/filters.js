// What of a list is shown: filters to choose, and chips of those chosen that
// take them away again.

import { $, call, element, orTell, tell } from "./base.js";
import { ended } from "./events.js";
import * as route from "./route.js";
import { gridViews, state } from "./state.js";

const panel = $("#filters"), form = $("form", panel), chips = $("#chips");
const names = { artist: "Artist", licence: "Licence", site: "Source", category: "Category", model: "Model" };
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
  if (f.collapse) found.push(["one of each work", drop("collapse")]);
  if (f.q) found.push([`“${f.q}”`, drop("q")]);
  for (const name of route.lists) {
    for (const value of f[name] ?? []) {
      found.push([`${names[name]}: ${name === "model" ? modelName(value) : value}`, () => {
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

function showChips(all) {
  chips.replaceChildren(...all.map(([text, drop]) => {
    const chip = element("button", { type: "button", className: "chip", textContent: text });
    chip.setAttribute("aria-label", `Take the filter away: ${text}`);
    chip.addEventListener("click", () => { drop(); changed(); });
    return chip;
  }));
}

/**
 * showFilters shows what is chosen, and how many pictures pass.
 * @param {number} [count]
 * @param {{collapsed?: number, not_looked_at?: number}} summary of the list
 */
export function showFilters(count, { collapsed, not_looked_at } = {}) {
  const inGrid = gridViews.has(state.view), all = inGrid ? chosen() : [];
  if (inGrid && state.filters.model && !models.length) orTell(readModels().then(() => { if (models.length) showChips(chosen()); }));
  showChips(all);
  const told = [count === 1 ? "1 picture" : `${count?.toLocaleString()} pictures`];
  if (collapsed) told.push(collapsed === 1 ? "1 copy is left out" : `${collapsed.toLocaleString()} copies are left out`);
  if (not_looked_at) told.push(`${not_looked_at.toLocaleString()} not looked at for copies yet`);
  $("#count").textContent = count === undefined || !inGrid ? "" : told.join(" · ");
}

function fillForm() {
  const f = state.filters, percent = (p) => p === undefined ? "" : Math.round(100 * p);
  form.judged.value = f.judged ?? "";
  form.collapse.checked = Boolean(f.collapse);
  orTell(showKnown());
  form.year_from.value = f.year_from ?? "";
  form.year_to.value = f.year_to ?? "";
  form.least.value = percent(f.min_probability);
  form.most.value = percent(f.max_probability);
  for (const name of route.typed) {
    form[name].value = "";
    orTell(offer(name));
  }
  orTell(offerModels());
  orTell(offerYears());
}

// ---- copies

const known = $(".known", form), look = $(".look", form);

/** showKnown says how far copies are known. */
async function showKnown() {
  const { works, images, not_looked_at } = await call("/copies");
  known.textContent = (works ? `${works.toLocaleString()} ${works === 1 ? "work has" : "works have"} ${images.toLocaleString()} pictures.` : "No copies are known.")
    + (not_looked_at ? ` Not looked at for copies yet: ${not_looked_at.toLocaleString()}.` : "");
  look.hidden = !not_looked_at;
}

/** lookForCopies has a job look at what was not looked at. */
async function lookForCopies() {
  look.disabled = true;
  try {
    known.textContent = "Looking for copies …";
    const job = await ended(await call("/jobs", { method: "POST", body: { kind: "copies" } }), ({ done, total }) => {
      if (total) known.textContent = `Looking for copies: ${Math.round(100 * done / total)} % …`;
    });
    if (job.state !== "succeeded") tell(job.error || "Copies were not looked for.");
    await showKnown();
    if (state.filters.collapse) changed();
  } finally {
    look.disabled = false;
  }
}
look.addEventListener("click", () => orTell(lookForCopies()));

// ---- the values that there are

const offered = 6; // values of a kind

/** choice is a button that filters by a value, or no more. */
function choice(text, images, is, act) {
  const button = element("button", { type: "button", className: "value", title: text });
  button.append(element("bdi", { textContent: text }), " ", element("small", { textContent: images.toLocaleString() }));
  button.setAttribute("aria-pressed", is);
  button.addEventListener("click", () => { act(); changed(); fillForm(); });
  return button;
}

/** put shows values in the place of others; the one that has the focus keeps it. */
function put(name, ...values) {
  const holder = $(`[data-values=${name}]`, form), had = holder.contains(document.activeElement) && $(":focus", holder).title;
  holder.replaceChildren(...values);
  if (had) [...holder.children].find((/** @type {HTMLElement} */ one) => one.title === had)?.focus();
}

/** offer shows the values of one kind that most pictures have, and that contain what is typed. */
async function offer(name) {
  const typed = form[name].value.trim();
  const { values, more } = await call(`/facets/${name}?${new URLSearchParams({ limit: String(offered), ...typed ? { q: typed } : {} })}`);
  if (form[name].value.trim() !== typed) return;
  const f = state.filters, has = f[name] ?? [];
  put(name, ...values.map(({ value, images }) => choice(value, images, has.includes(value), () => {
    f[name] = has.includes(value) ? has.filter((v) => v !== value) : [...has, value];
    if (!f[name].length) delete f[name];
  })), more ? "…" : values.length ? "" : "none");
}

// ---- models

let models = []; // those that have embedded pictures

async function readModels() {
  models = (await call("/facets/model?limit=50")).values;
}

/** modelName is what a model is called, with the beginning of its fingerprint where another is called the same. */
function modelName(value) {
  const name = models.find((m) => m.value === value)?.name, short = value.slice(0, 8);
  return !name ? short : models.filter((m) => m.name === name).length > 1 ? `${name} (${short})` : name;
}

/** offerModels shows which models have embedded pictures, where several have. */
async function offerModels() {
  await readModels();
  const f = state.filters, has = f.model ?? [];
  $(".models", form).hidden = models.length < 2 && !has.length;
  put("model", ...models.map(({ value, images }) => choice(modelName(value), images, has.includes(value), () => {
    f.model = has.includes(value) ? has.filter((v) => v !== value) : [...has, value];
    if (!f.model.length) delete f.model;
  })));
}

/** offerYears shows the decades that most pictures are of. */
async function offerYears() {
  const decades = new Map(), f = state.filters;
  for (const { value, images } of (await call("/facets/year?limit=1000")).values) {
    const from = 10 * Math.floor(value / 10);
    decades.set(from, (decades.get(from) ?? 0) + images);
  }
  const most = [...decades].sort((a, b) => b[1] - a[1]).slice(0, offered).sort((a, b) => a[0] - b[0]);
  put("year", ...most.map(([from, images]) => {
    const is = f.year_from === from && f.year_to === from + 9;
    return choice(`${from}–${from + 9}`, images, is, () => {
      if (is) [delete f.year_from, delete f.year_to];
      else [f.year_from, f.year_to] = [from, from + 9];
    });
  }));
}

let typing;
form.addEventListener("input", (event) => {
  if (!route.typed.includes(event.target.name)) return;
  clearTimeout(typing);
  typing = setTimeout(() => orTell(offer(event.target.name)), 150);
});
panel.addEventListener("toggle", () => { if (panel.open) fillForm(); });
panel.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !panel.open) return;
  panel.open = false;
  $("summary", panel).focus();
});
document.addEventListener("pointerdown", (event) => { if (panel.open && !panel.contains(event.target)) panel.open = false; });
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const f = state.filters;
  const number = (field, name, by = 1) => {
    if (form[field].value === "") delete f[name];
    else f[name] = Number(form[field].value) / by;
  };
  if (form.judged.value) f.judged = form.judged.value;
  else delete f.judged;
  if (form.collapse.checked) f.collapse = true;
  else delete f.collapse;
  number("year_from", "year_from");
  number("year_to", "year_to");
  number("least", "min_probability", 100);
  number("most", "max_probability", 100);
  for (const name of route.typed) {
    const value = form[name].value.trim();
    if (value) f[name] = [...new Set([...f[name] ?? [], value])];
  }
  panel.open = false;
  changed();
});
