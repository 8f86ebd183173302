// Judging: a verdict is shown at once, and kept until the server has it.

import { $, call, say, tell, orTell } from "./base.js";
import { nameOf, showVerdict } from "./card.js";
import * as grid from "./grid.js";
import { profilePath, state, imageOf } from "./state.js";
import { showTaste } from "./taste.js";

const viewer = $("#viewer");
const words = { like: "liked", dislike: "disliked", skip: "skipped" };

/** judge notes a verdict; toggle takes back the one that stands, as a pressed button does. */
export async function judge(image, verdict, score, toggle) {
  const path = `${profilePath()}/ratings/${image.id}`;
  const takeBack = toggle && image.verdict === verdict;
  if (!takeBack && image.verdict === verdict) return;
  if (takeBack) await send(path, { method: "DELETE" });
  else await send(path, { method: "PUT", body: bodyOf({ verdict }, score) });
  noted(image, takeBack ? undefined : verdict);
}

/** rate notes stars, from 1 to 5. */
export async function rate(image, stars, score) {
  if (image.stars === stars) return;
  await send(`${profilePath()}/ratings/${image.id}`, { method: "PUT", body: bodyOf({ stars }, score) });
  noted(image, verdictOf(stars), stars);
}

/** verdictOf is what stars mean, as the server has it. */
export const verdictOf = (stars) => stars > 3 ? "like" : stars < 3 ? "dislike" : "skip";

function noted(image, verdict, stars) {
  const before = image.verdict;
  state.done.push(null);
  Object.assign(image, { verdict, stars });
  showEverywhere(image);
  recount(before, verdict);
}

/** bodyOf is a rating with how the picture stood before the person. */
function bodyOf(rating, score) {
  const body = { ...rating, shown: state.view === "scores" ? "queue:top" : "gallery" };
  const version = grid.current()?.summary.probe_version;
  if (version && score !== undefined) Object.assign(body, { probe_version: version, score });
  return body;
}

/** recount changes the counts that are shown by one verdict; what a new taste says of itself is asked for now and then. */
export function recount(before, now) {
  const counts = state.counts;
  if (before in counts) counts[before]--;
  if (now in counts) counts[now]++;
  if (++state.judged % 10 === 0) return void orTell(showTaste());
  showCounts();
}

export function showCounts() {
  $("#taste").textContent = `${state.counts.like} liked, ${state.counts.dislike} disliked${state.taste}`;
}

export function showEverywhere({ id, verdict, stars }) {
  const card = grid.cardOf(id);
  if (card?.image) showVerdict(card, Object.assign(card.image, { verdict, stars }));
  if (viewer.image?.id === id) showVerdict($("figcaption"), Object.assign(viewer.image, { verdict, stars }));
}

/** undoVerdict takes the last verdict back and returns the picture it was of, and how that had been shown. */
export async function undoVerdict() {
  const undone = await call(`${profilePath()}/undo`, { method: "POST", body: {} });
  const image = await imageOf(undone.image_id);
  showEverywhere(image);
  await showTaste();
  say(undone.took_back ? `“${nameOf(image)}” is ${words[image.verdict]} again.` : `Taken back: ${undone.verdict} of “${nameOf(image)}”.`);
  return { image, shown: undone.shown ?? "gallery" };
}

/** send sends a verdict; while the server is away it is kept, and sent later in its order. */
export async function send(path, options) {
  if (state.unsent.length) return void keep(path, options);
  try {
    return await call(path, options);
  } catch (error) {
    if (error.status !== undefined && error.status !== 503) throw error;
    return void keep(path, options);
  }
}

function keep(path, options) {
  state.unsent.push({ path, options });
  tell(`The server can't be reached: ${state.unsent.length === 1 ? "a verdict is" : state.unsent.length + " verdicts are"} kept here and sent when it is back.`);
  keep.timer ??= setTimeout(sendKept, 2000);
}

async function sendKept() {
  keep.timer = undefined;
  try {
    while (state.unsent.length) {
      const { path, options } = state.unsent[0];
      await call(path, options);
      state.unsent.shift();
    }
    tell("");
    say("Everything that was kept is saved.");
    await showTaste();
  } catch (error) {
    if (error.status !== undefined && error.status !== 503) {
      state.unsent.shift(); // it can't be taken: the rest may
      tell(error.message);
    }
    keep.timer = setTimeout(sendKept, 2000);
  }
}

addEventListener("beforeunload", (event) => { if (state.unsent.length) event.preventDefault(); });
