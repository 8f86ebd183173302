// The page of palate. It uses nothing but the public API (openapi.yaml).
// Here is what leads where: views, addresses, keys and clicks.

import { $, call, orTell, say, tell } from "./base.js";
import { pileKey } from "./batch.js";
import * as bring from "./bring.js";
import { showFilters } from "./filters.js";
import * as fresh from "./fresh.js";
import * as grid from "./grid.js";
import { heat } from "./heat.js";
import { judge, rate, undoVerdict } from "./judge.js";
import { showLearned } from "./learned.js";
import * as lists from "./list.js";
import { fromTrash, hooks as removing, remove, takeBackDeletion } from "./remove.js";
import * as news from "./news.js";
import { hideMap, hooks as mapping, showMap } from "./map.js";
import * as route from "./route.js";
import * as select from "./select.js";
import { gridViews, profilePath, state } from "./state.js";
import { hooks as tasting, learn, showOrder, showTaste } from "./taste.js";
import { answer, ask, inPiles } from "./teach.js";
import { emptyTrash, showTrash } from "./trash.js";
import * as unsent from "./unsent.js";
import * as large from "./viewer.js";
import { fit, zoom } from "./zoom.js";
import { leaveWork, showWork } from "./work.js";

const end = $("#end"), viewer = $("#viewer");
const tabs = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".tab"));
let coming = null; // AbortController of the list on its way

/** wanted is what the list of the present view is of, as the API takes it. */
function wanted(version) {
  /** @type {Record<string, any>} */
  const input = { ...state.filters, order: state.view === "scores" || state.view === "map" && state.version || state.view === "news" && (state.version || state.counts.like) ? "score" : "newest" };
  if (state.view === "liked") input.judged = "liked";
  if (state.view === "news") Object.assign(input, news.wanted());
  if (version && state.view === "scores") input.probe_version = version;
  return input;
}

/**
 * showList shows the list of the present view.
 * @param {{at?: object, snapshot?: string, version?: number}} from the place in it, the list that was shown there, the taste that ranked it
 */
async function showList({ at, snapshot, version } = {}) {
  const abort = coming = new AbortController();
  let list;
  try {
    list = snapshot ? await lists.find(profilePath(), snapshot, abort.signal).catch((error) => { if (error.status !== 404) throw error; }) : undefined;
    list ??= await lists.make(profilePath(), wanted(version), abort.signal);
  } catch (error) {
    if (error.status === 410 && version) return showList({ at });
    if (error.status === 409 && state.view === "scores") {
      if (await bring.firstSteps()) return undefined;
      tellEnd(state.filters.min_probability === undefined && state.filters.max_probability === undefined
        ? "Like a few pictures under “Newest”, and those nearest to them come first here; with a few dozen likes and dislikes “Learn my taste” learns what you like."
        : error.message);
      return undefined;
    }
    throw error;
  }
  if (abort.signal.aborted) return undefined;
  showFilters(list.length, list.summary);
  if (state.view === "map") return showMap(list, () => !abort.signal.aborted && state.view === "map");
  list.reasons = state.view === "news";
  grid.open(list);
  fresh.opened();
  showOrder();
  news.showNews(list.reasons && list);
  route.remember({ snapshot: list.summary.id, version: list.summary.probe_version });
  tellEnd(list.length ? "That is all." : await nothingHere());
  if (at) grid.goTo(at);
  return undefined;
}

function tellEnd(text) {
  end.hidden = !text;
  end.textContent = text;
}

async function nothingHere() {
  if (state.filters.q && Object.keys(state.filters).length === 1) return "No title and no artist matches.";
  if (await bring.firstSteps()) return "";
  if (Object.keys(state.filters).some((name) => name !== "judged" && name !== "collapse")) return "Nothing passes all of these filters.";
  if (state.view === "liked") return "Nothing is liked yet.";
  if (state.view === "news") return "What crawls bring from now on comes here. Work starts one; “palate subscribe” has one run again and again.";
  if (state.filters.judged === "unrated") return "Everything has been judged.";
  if (state.filters.judged) return "Nothing is judged so.";
  return "Nothing is embedded yet: palate embed.";
}

/** show shows the present view from its beginning, or from where one was. */
function show(from = {}) {
  coming?.abort();
  grid.close();
  end.hidden = true;
  bring.hideFirstSteps();
  tell("");
  showOrder();
  const { view } = state, inGrid = gridViews.has(view);
  for (const tab of tabs) {
    tab.setAttribute("aria-pressed", String(tab.dataset.view === view));
    if (tab.dataset.view === view) document.title = `${tab.textContent} · palate`;
  }
  $("#filters").hidden = !inGrid;
  $("#search").hidden = $("#by-picture").hidden = !inGrid;
  $("#search").value = state.filters.q ?? "";
  $(".unrated").hidden = view === "liked" || !inGrid;
  $("#unrated").checked = state.filters.judged === "unrated";
  $("#size").parentElement.hidden = !inGrid || view === "map";
  hideMap();
  fresh.hideFresh();
  news.showNews();
  $("#teach").hidden = true;
  $("#trash").hidden = view !== "trash";
  $("#work").hidden = view !== "work";
  $("#learned").hidden = view !== "taste";
  showFilters();
  state.queue = [];
  state.asking = null;
  if (view === "work") return orTell(showWork(() => state.view === "work", state.profile));
  leaveWork();
  if (view === "trash") return orTell(showTrash(() => state.view === "trash"));
  if (view === "teach") return orTell(ask());
  if (view === "taste") return orTell(showLearned(() => state.view === "taste"));
  return state.begun ? orTell(showList(from)) : undefined;
}

/** visit goes to another view, filter or profile, as a step that Back takes back. */
function visit(replace) {
  route.go(route.address(), { push: !replace, kept: {} });
  if (!replace) scrollTo(0, 0);
  return show();
}

/** reload shows the list anew at the same place, by the same taste where it is there still. */
function reload() {
  return show({ at: grid.place(), version: grid.current()?.summary.probe_version });
}

removing.reload = select.hooks.reload = reload;
bring.hooks.added = async () => { if (gridViews.has(state.view) || state.view === "teach") await (grid.current()?.length ? reload() : show()); };
removing.emptied = select.hooks.emptied = () => orTell(nothingHere().then(tellEnd));
news.hooks.seen = () => show();
fresh.hooks.wanted = () => wanted();
fresh.hooks.show = () => { scrollTo(0, 0); visit(true); };
mapping.made = () => show();
tasting.showNewest = () => visit(true);
unsent.hooks.saved = async () => {
  say("Everything that was kept is saved.");
  if (state.begun) await orTell(showTaste());
};
unsent.hooks.lost = (message) => tell(`A verdict that was kept can't be saved. ${message}`);
grid.hooks.failed = (error) => {
  if (error.status === 404) return orTell(reload()); // the server keeps the list no more
  return error.name === "AbortError" ? undefined : tell(error.message);
};
grid.hooks.rested = () => { if (grid.current() && !viewer.open) route.remember({ at: grid.place() }); };

async function undo() {
  const last = state.done.pop();
  if (last?.undo) {
    try {
      return await last.undo();
    } catch (error) {
      state.done.push(last); // U tries again
      throw error;
    }
  }
  if (last) return takeBackDeletion(last);
  const undone = await undoVerdict();
  if (state.view !== "teach" || undone.image.verdict) return undefined;
  state.queue.unshift(undone);
  return ask();
}

async function train() {
  await learn();
  state.view = "scores";
  await visit();
}

// ---- events

for (const tab of tabs) {
  tab.addEventListener("click", () => { state.view = tab.dataset.view; state.chosen = true; visit(); });
}
$("#unrated").addEventListener("change", (event) => {
  if (event.target.checked) state.filters.judged = "unrated";
  else delete state.filters.judged;
  visit();
});
$("#profile").addEventListener("change", (event) => { state.profile = event.target.value; state.done = []; visit(); orTell(showTaste()); });
$("#filters").addEventListener("filter", () => visit());
$("#empty-trash").addEventListener("click", () => orTell(emptyTrash(() => { state.done = state.done.filter((d) => !d); })));
$("#train").addEventListener("click", () => orTell(train()));
$("#teach .delete").addEventListener("click", () => { if (state.queue[0]) orTell(remove(state.queue[0].image)); });
for (const back of document.querySelectorAll("#teach .back")) back.addEventListener("click", () => orTell(undo()));
$("#size-holder").append(grid.slider());

let typing;
$("#search").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    const q = event.target.value.trim(), before = state.filters.q;
    if (q) state.filters.q = q;
    else delete state.filters.q;
    visit(before !== undefined && q !== "");
  }, 250);
});

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const holder = /** @type {import("./card.js").Card | null} */ (target.closest(".card, dialog"));
  if (holder?.trashed && target.closest("button")) orTell(fromTrash(holder));
  if (!holder || holder.trashed || select.clicked(event, holder)) return;
  const button = target.closest(".verdicts button"), star = /** @type {HTMLButtonElement | null} */ (target.closest(".stars button"));
  if (target.closest("button.delete")) orTell(withImage(holder, remove));
  else if (button) orTell(withImage(holder, (image, score) => judge(image, button.classList.contains("like") ? "like" : "dislike", score, true)));
  else if (star) orTell(withImage(holder, (image, score) => rate(image, Number(star.value), score)));
  else if (holder !== viewer) orTell(withImage(holder, large.look));
  else if (target === viewer) viewer.close();
});

/** withImage does something with the picture of a card or of the large view, as soon as it is known. */
async function withImage(holder, act) {
  const { image, score } = await grid.known(holder);
  if (image) await act(image, score);
}

const sheet = $("#keys");
$("#show-keys").addEventListener("click", () => sheet.showModal());
sheet.addEventListener("click", (event) => { if (event.target === sheet || event.target.closest(".close")) sheet.close(); });

const verdictKeys = { l: "like", d: "dislike", s: "skip" };
const starKeys = /^[1-5]$/;
const teachKeys = { ArrowRight: "like", ArrowLeft: "dislike", ArrowDown: "skip" };
document.addEventListener("keydown", (event) => {
  if (/** @type {Element} */ (event.target).matches("input:not([type=checkbox]), select, textarea") || bring.open()) return;
  const here = /** @type {import("./card.js").Card | null} */ (document.activeElement?.closest(".card"));
  if (!viewer.open && !sheet.open && !here?.trashed && select.key(event, here)) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "?") return void (sheet.open ? sheet.close() : sheet.showModal());
  if (sheet.open) return;
  if (key === "/" && !viewer.open) return void (event.preventDefault(), $("#search").focus());
  if (key === "u") return void orTell(undo());
  const doing = select.size() && !viewer.open && (verdictKeys[key] ?? { c: "clear", delete: "delete", backspace: "delete" }[key] ?? (starKeys.test(key) ? Number(key) : undefined));
  if (doing) {
    event.preventDefault();
    if (!event.repeat) orTell(select.act(doing));
    return;
  }
  if (inPiles() && !viewer.open) return void pileKey(event, key);
  if (key === "delete" || key === "backspace") {
    const holder = viewer.open ? viewer : state.view === "teach" ? state.queue[0] : here;
    if (!holder || holder.trashed || event.repeat) return;
    event.preventDefault();
    return void orTell(withImage(holder, remove));
  }
  if (key === "r" && here?.trashed && !event.repeat) return void orTell(fromTrash(here));
  if (state.view === "teach" && !viewer.open) {
    const verdict = verdictKeys[key] ?? teachKeys[event.key];
    if (!verdict && !starKeys.test(key) || event.repeat) return;
    event.preventDefault();
    return void orTell(answer(verdict ? { verdict } : { stars: Number(key) }));
  }
  if (verdictKeys[key] || starKeys.test(key)) {
    const holder = viewer.open ? viewer : here;
    if (!holder || holder.trashed) return;
    orTell(withImage(holder, (image, score) => verdictKeys[key] ? judge(image, verdictKeys[key], score) : rate(image, Number(key), score)));
    if (!viewer.open) grid.focus(grid.indexOf(here) + 1);
    return;
  }
  if (viewer.open) return void viewerKey(event, key);
  if (event.key === "Enter" && here && !here.trashed && here === document.activeElement) {
    event.preventDefault(); // the view's focus is on its picture: on ×, the same press would close it
    return void orTell(withImage(here, large.look));
  }
  if (!grid.moves.has(event.key)) return;
  if (state.view === "trash") {
    event.preventDefault();
    const step = { ArrowLeft: "previousElementSibling", ArrowUp: "previousElementSibling" }[event.key] ?? "nextElementSibling";
    return void (here ? here[step] : $("#grid .card"))?.focus();
  }
  if (!grid.current()?.length || !here && event.key.length < 5) return; // Home and End scroll
  event.preventDefault();
  grid.focus(here ? grid.beside(grid.indexOf(here), event.key) : grid.place().index);
});

function viewerKey(event, key) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], size = { "+": 1, "=": 1, "-": -1 }[event.key];
  if (step) {
    event.preventDefault();
    return orTell(large.turn(step));
  }
  if (size) return zoom(size);
  if (event.key === "0") return fit(viewer.image);
  if (key === "h" && viewer.image?.embedded && !state.noHeat && !event.repeat) return orTell(heat());
  return undefined;
}

// ---- addresses

history.scrollRestoration = "manual";

/** follow goes to where an address leads, with what was remembered of the place. */
async function follow(remembered = history.state) {
  const to = route.read();
  const same = to.view === state.view && to.profile === state.profile && route.same(to.filters, state.filters);
  if (!same && to.view) {
    const other = to.profile !== state.profile;
    Object.assign(state, { view: to.view, profile: to.profile, filters: to.filters, chosen: true });
    await show(remembered ?? {});
    if (other) await showTaste();
  }
  if (to.picture) await large.open(to.picture);
  else if (viewer.open) viewer.close();
}
addEventListener("popstate", () => orTell(follow()));

// ---- begin: where the address leads; else by score where there is a taste or a like, else the newest

orTell((async () => {
  const to = route.read(), remembered = history.state ?? {};
  const [navigation] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  const again = navigation?.type === "reload";
  if (to.view) Object.assign(state, { view: to.view, chosen: true, filters: to.filters });
  state.profile = to.profile;
  const about = await call("/version");
  state.noHeat = !about.heat_maps;
  await unsent.begin(about.collection);
  await showTaste();
  if (!state.chosen && (state.taste || state.counts.like)) state.view = "scores";
  state.begun = true;
  route.go(route.address(to.picture));
  await show(again ? { ...remembered, snapshot: undefined } : remembered);
  if (to.picture) await large.open(to.picture);
})());
