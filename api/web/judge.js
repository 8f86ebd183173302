// Judging: a verdict is shown at once, and kept until the server has it.

import { $, call, say, tell, orTell } from "./base.js";
import { nameOf, showVerdict } from "./card.js";
import * as grid from "./grid.js";
import { profilePath, state, imageOf } from "./state.js";
import { showTaste } from "./taste.js";

const viewer = $("#viewer");

/** judge notes a verdict; toggle takes back the one that stands, as a pressed button does. */
export async function judge(image, verdict, score, toggle) {
  const path = `${profilePath()}/ratings/${image.id}`;
  const takeBack = toggle && image.verdict === verdict;
  if (!takeBack && image.verdict === verdict) return;
  if (takeBack) await send(path, { method: "DELETE" });
  else await send(path, { method: "PUT", body: bodyOf(verdict, score) });
  const before = image.verdict;
  state.done.push(takeBack ? { image, withdrawn: verdict, score } : null);
  image.verdict = takeBack ? undefined : verdict;
  showEverywhere(image.id, image.verdict);
  recount(before, image.verdict);
}

/** bodyOf is a rating with how the picture stood before the person. */
export function bodyOf(verdict, score) {
  const body = { verdict, shown: state.view === "scores" ? "queue:top" : "gallery" };
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

export function showEverywhere(id, verdict) {
  const card = grid.cardOf(id);
  if (card?.image) {
    card.image.verdict = verdict;
    showVerdict(card, verdict);
  }
  if (viewer.image?.id === id) {
    viewer.image.verdict = verdict;
    showVerdict($("figcaption"), verdict);
  }
}

/** undoVerdict takes the last verdict back and returns the picture it was of, and how that had been shown. */
export async function undoVerdict() {
  const undone = await call(`${profilePath()}/undo`, { method: "POST", body: {} });
  const image = await imageOf(undone.image_id);
  showEverywhere(image.id, image.verdict);
  await showTaste();
  say(`${undone.took_back ? `Again ${image.verdict}` : `Taken back: ${undone.verdict} of`} “${nameOf(image)}”.`);
  return { image, shown: undone.shown ?? "gallery" };
}

/** judgeAgain gives a picture the verdict back that was taken from it. */
export async function judgeAgain(last) {
  const { image, withdrawn: verdict, score } = last;
  try {
    await send(`${profilePath()}/ratings/${image.id}`, { method: "PUT", body: bodyOf(verdict, score) });
  } catch (error) {
    state.done.push(last); // U tries again
    throw error;
  }
  const before = image.verdict;
  image.verdict = verdict;
  showEverywhere(image.id, verdict);
  recount(before, verdict);
  say(`“${nameOf(image)}” is ${verdict === "like" ? "liked" : "disliked"} again.`);
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
