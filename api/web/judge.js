// Judging one picture, and taking that back.

import { $, call, element, say, orTell } from "./base.js";
import { nameOf, showVerdict } from "./card.js";
import * as grid from "./grid.js";
import { profilePath, state, imageOf } from "./state.js";
import { showTaste } from "./taste.js";
import { send, settled, takeBack } from "./unsent.js";

const viewer = $("#viewer");
const words = { like: "liked", dislike: "disliked", skip: "skipped" };

/** judge notes a verdict; toggle takes back the one that stands, as a pressed button does. */
export async function judge(image, verdict, score, toggle) {
  const path = `${profilePath()}/ratings/${image.id}`;
  const takeAway = toggle && image.verdict === verdict;
  if (!takeAway && image.verdict === verdict) return;
  const saying = takeAway ? { method: "DELETE" } : { method: "PUT", body: bodyOf({ verdict }, score) };
  await send(path, saying, { was: { ...image } });
  noted(image, takeAway ? undefined : verdict);
}

/** rate notes stars, from 1 to 5. */
export async function rate(image, stars, score) {
  if (image.stars === stars) return;
  await send(`${profilePath()}/ratings/${image.id}`, { method: "PUT", body: bodyOf({ stars }, score) }, { was: { ...image } });
  noted(image, verdictOf(stars), stars);
}

/** verdictOf is what stars mean, as the server has it. */
export const verdictOf = (stars) => stars > 3 ? "like" : stars < 3 ? "dislike" : "skip";

function noted(image, verdict, stars) {
  const was = image.verdict;
  state.done.push(null);
  Object.assign(image, { verdict, stars });
  showEverywhere(image);
  recount(was, verdict);
}

/** shownAs is how the pictures of the grid stand before the person. */
export const shownAs = () => state.view === "scores" ? "queue:top" : "gallery";

/** bodyOf is a rating with how the picture stood before the person. */
function bodyOf(rating, score) {
  const body = { ...rating, shown: shownAs() };
  const version = grid.current()?.summary.probe_version;
  if (version && score !== undefined) Object.assign(body, { probe_version: version, score });
  return body;
}

/** recount changes the counts that are shown by one verdict; what is missing for a first taste is asked for now and then. */
export function recount(was, now) {
  const counts = state.counts;
  if (was in counts) counts[was]--;
  if (now in counts) counts[now]++;
  if (was in counts || now in counts) state.learning.said++;
  if (++state.judged % 10 === 0 && state.learning.likes_missing + state.learning.dislikes_missing > 0) return void orTell(showTaste());
  showCounts();
}

export function showCounts() {
  showLearning();
  $("#taste").textContent = `${state.counts.like} liked, ${state.counts.dislike} disliked${state.taste}`;
}

/** showLearning says how far it is to the next taste. */
function showLearning() {
  const { said, wanted, likes_missing: likes, dislikes_missing: dislikes } = state.learning, holder = $("#learning");
  const missing = /** @type {[number, string][]} */ ([[likes, "like"], [dislikes, "dislike"]]);
  const more = missing.filter(([n]) => n > 0).map(([n, what]) => `${n} ${what}${n === 1 ? "" : "s"}`);
  const text = more.length ? `${more.join(" and ")} more, and I can learn` : wanted ? `${Math.min(said, wanted)} of ${wanted} to the next learning` : "";
  holder.replaceChildren(text);
  if (text && !more.length) holder.prepend(element("progress", { max: wanted, value: Math.min(said, wanted), ariaLabel: "To the next learning" }), " ");
}

/** @param {Pick<import("./base.js").Picture, "id" | "verdict" | "stars">} picture */
export function showEverywhere({ id, verdict, stars }) {
  const card = grid.cardOf(id);
  if (card?.image) showVerdict(card, Object.assign(card.image, { verdict, stars }));
  if (viewer.image?.id === id) showVerdict($("figcaption"), Object.assign(viewer.image, { verdict, stars }));
}

/** undoVerdict takes the last verdict back and returns the picture it was of, and how that had been shown. */
export async function undoVerdict() {
  await settled();
  const unsent = takeBack(profilePath());
  if (unsent) {
    const image = unsent.was, said = unsent.body?.verdict ?? verdictOf(unsent.body?.stars);
    showEverywhere(image);
    recount(said, image.verdict);
    say(`Taken back: ${said} of “${nameOf(image)}”.`);
    return { image, shown: unsent.body?.shown ?? "gallery" };
  }
  const undone = await call(`${profilePath()}/undo`, { method: "POST", body: {} });
  const image = await imageOf(undone.image_id);
  showEverywhere(image);
  await showTaste();
  say(undone.took_back ? `“${nameOf(image)}” is ${words[image.verdict]} again.` : `Taken back: ${undone.verdict} of “${nameOf(image)}”.`);
  return { image, shown: undone.shown ?? "gallery" };
}
