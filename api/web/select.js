// Selecting many pictures of the list, and doing one thing with all of them:
// a list has all its ids, so that a selection reaches beyond what is in the page.

import { $, call, orTell, say } from "./base.js";
import { nameOf } from "./card.js";
import * as grid from "./grid.js";
import { shownAs } from "./judge.js";
import { profilePath, state } from "./state.js";
import { showTaste } from "./taste.js";
import { hold } from "./unsent.js";

const bar = $("#selection"), atOnce = 1000; // pictures in a request
const longPress = 500; // milliseconds

/** @type {Set<number>} places of the list */
let chosen = new Set();
let anchor = -1; // where a range begins, as a number in the list
let before = new Set(); // what was chosen besides the range

/** What others do. */
export const hooks = {
  emptied() {}, // nothing is left of the list
  async reload() {}, // shows the list anew
};

/** size is how many are chosen. */
export const size = () => chosen.size;

/** toggle chooses the i-th picture of the list, or no more. */
export function toggle(i) {
  const place = grid.current().order[i];
  if (!chosen.delete(place)) chosen.add(place);
  anchor = i;
  before = new Set(chosen);
  show(i);
}

/** extend chooses all from where the last one was chosen to the i-th, and beside them what was chosen before. */
export function extend(i, from = i) {
  if (anchor < 0) [anchor, before] = [from, new Set(chosen)];
  const { order } = grid.current();
  chosen = new Set(before);
  for (let k = Math.min(anchor, i); k <= Math.max(anchor, i); k++) chosen.add(order[k]);
  show(i);
}

/** all chooses the whole list. */
export function all() {
  chosen = new Set(grid.current().order);
  [anchor, before] = [-1, new Set(chosen)];
  show();
}

/** clear chooses nothing. */
export function clear() {
  if (!chosen.size && anchor < 0) return;
  chosen = new Set();
  [anchor, before] = [-1, new Set()];
  show();
}

/** show marks what is chosen; i is the picture that it is about. */
function show(i) {
  const n = chosen.size, had = !bar.hidden;
  for (const card of document.querySelectorAll(".rows > .card")) mark(card);
  bar.hidden = !n;
  document.body.classList.toggle("selecting", n > 0);
  if (!n && bar.contains(document.activeElement)) grid.focus(Math.max(0, i ?? grid.place()?.index ?? 0));
  if (!n && !had) return;
  const name = i === undefined ? "" : nameOf(grid.current()?.known(grid.current().order[i])?.image);
  $(".count", bar).textContent = n ? `${n.toLocaleString()} selected` : "";
  $(".said", bar.parentElement).textContent = !n ? "Nothing is selected." : `${name && chosen.has(grid.current().order[i]) ? name + " is selected, " : ""}${n} of ${grid.current().length} in all.`;
}

/** mark shows on a card whether it is chosen. */
function mark(card) {
  const is = chosen.has(card.place);
  card.classList.toggle("picked", is);
  $(".select", card)?.setAttribute("aria-pressed", is);
}
grid.hooks.placed = mark;
grid.hooks.opened = clear;

/** parts are the ids of what is chosen, as many together as a request takes. */
function* parts(list, places) {
  for (let k = 0; k < places.length; k += atOnce) yield places.slice(k, k + atOnce).map((place) => ({ id: list.id(place), item: list.known(place) }));
}

const pictures = (n) => n === 1 ? "1 picture" : `${n.toLocaleString()} pictures`;

let busy = false; // what is done with them is on its way

/**
 * act does one thing with all that is chosen, and offers to take it back.
 * @param {"like" | "dislike" | "skip" | "clear" | "delete" | number} what a number gives stars
 */
export async function act(what) {
  if (!chosen.size || busy) return;
  busy = true;
  const list = grid.current(), places = [...chosen].sort((a, b) => a - b);
  const done = what === "delete" ? deleted : rated;
  try {
    await hold(); // what was said before goes before
    await done(list, places, what);
  } finally {
    busy = false;
  }
}

const words = { like: "liked", dislike: "disliked", skip: "skipped", clear: "not judged any more" };

async function rated(list, places, what) {
  const path = profilePath(), entries = [], probe_version = list.summary.probe_version || undefined, shown = shownAs();
  const takeBack = async () => {
    for (let k = 0; k < entries.length; k += atOnce) await call(`${path}/ratings-undo`, { method: "POST", body: { entries: entries.slice(k, k + atOnce) } });
    await changed(list);
  };
  try {
    for (const part of parts(list, places)) {
      const image_ids = part.map((one) => one.id), said = typeof what === "number" ? { stars: what } : { verdict: what };
      const answer = what === "clear" ? await call(`${path}/ratings-clear`, { method: "POST", body: { image_ids } })
        : await call(`${path}/ratings`, { method: "POST", body: { ratings: part.map(({ id, item }) => ({ image_id: id, ...said, shown, ...item?.score === undefined ? {} : { probe_version, score: item.score } })) } });
      entries.push(...answer.added ?? answer.entries);
    }
  } finally {
    if (entries.length) offer(`${pictures(entries.length)}: ${words[what] ?? "★".repeat(what)}.`, takeBack);
    await changed(list);
  }
  if (!entries.length) say("Nothing was to be changed.");
  clear();
}

async function deleted(list, places) {
  const gone = [];
  const takeBack = async () => {
    for (const part of parts(list, gone)) await call("/trash-restore", { method: "POST", body: { image_ids: part.map((one) => one.id) } });
    if (list === grid.current()) grid.insert(gone);
    else await hooks.reload();
    await showTaste();
  };
  try {
    for (const part of parts(list, places)) {
      await call("/trash", { method: "POST", body: { image_ids: part.map((one) => one.id), reason: "deleted on the page" } });
      gone.push(...places.slice(gone.length, gone.length + part.length));
    }
  } finally {
    clear();
    if (list === grid.current()) grid.remove(gone);
    if (gone.length) offer(`${pictures(gone.length)} deleted. They stay in the trash for 30 days.`, takeBack);
    if (!list.length) hooks.emptied();
    await showTaste();
  }
}

/** changed reads anew what is shown of a list. */
async function changed(list) {
  list.forget();
  if (list === grid.current()) grid.refresh();
  await showTaste();
}

/** offer says what was done, and lets U and a button take all of it back. */
function offer(text, undo) {
  const step = { undo: () => undo().then(() => say("All of that is taken back.")) };
  state.done.push(step);
  const taken = () => {
    state.done = state.done.filter((d) => d !== step);
    orTell(step.undo());
  };
  say(text, { name: "Undo", title: "Take all of it back (U)", act: taken });
}

bar.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.value === "none") clear();
  else if (button.value === "all") all();
  else if (button.value === "next") next();
  else orTell(act(button.value));
});
$("select", bar).addEventListener("change", (event) => {
  const stars = Number(event.target.value);
  event.target.value = "";
  if (stars) orTell(act(stars));
});

/** next goes to one of the chosen after the other. */
function next() {
  const list = grid.current(), from = grid.place().index;
  let to = -1;
  for (let k = 1; k <= list.length && to < 0; k++) if (chosen.has(list.order[(from + k) % list.length])) to = (from + k) % list.length;
  if (to >= 0) grid.focus(to);
}

// A finger that rests on a picture chooses it; on a further one, all between.

let resting, touched = null, pressed = false;
const holder = $("#grid");

/** rested is the end of a long press: by our clock, or by the browser's that would open its menu. */
function rested() {
  clearTimeout(resting);
  if (!touched || pressed) return;
  pressed = true;
  if (chosen.size) extend(grid.indexOf(touched));
  else toggle(grid.indexOf(touched));
}
holder.addEventListener("pointerdown", (event) => {
  const card = event.pointerType === "mouse" ? null : event.target.closest(".card");
  clearTimeout(resting);
  [pressed, touched] = [false, card?.place === undefined ? null : card];
  if (touched) resting = setTimeout(rested, longPress);
});
for (const kind of ["pointerup", "pointercancel"]) holder.addEventListener(kind, () => { clearTimeout(resting); touched = null; });
holder.addEventListener("contextmenu", (event) => {
  if (!touched && !pressed) return;
  event.preventDefault();
  rested();
});

/** clicked says whether a click on a card was about choosing it, and does that. */
export function clicked(event, card) {
  if (card.place === undefined) return false;
  const i = grid.indexOf(card), onButton = event.target.closest("button");
  if (pressed) pressed = false; // the end of a long press
  else if (event.shiftKey && !onButton?.closest(".verdicts, .delete")) extend(i);
  else if (onButton?.classList.contains("select") || !onButton && (event.ctrlKey || event.metaKey || chosen.size)) toggle(i);
  else return false;
  event.preventDefault();
  return true;
}

/** key says whether a key was about choosing, and does that. */
export function key(event, card) {
  const list = grid.current();
  if (!list?.length) return false;
  const here = card ? grid.indexOf(card) : -1;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") all();
  else if (event.ctrlKey || event.metaKey || event.altKey) return false;
  else if (event.key === "Escape" && chosen.size) clear();
  else if (event.key === " " && here >= 0 && card === document.activeElement) toggle(here);
  else if (event.shiftKey && here >= 0 && grid.moves.has(event.key)) {
    const to = Math.max(0, Math.min(list.length - 1, grid.beside(here, event.key)));
    extend(to, here);
    grid.focus(to);
  } else return false;
  event.preventDefault();
  return true;
}
