// Teaching: one picture after the other, or twelve at once; those that tell
// most, those that are likeliest to please, or any.

import { $, call, orTell } from "./base.js";
import { pile } from "./batch.js";
import { firstSteps } from "./bring.js";
import { damage, described, nameOf } from "./card.js";
import { recount, verdictOf } from "./judge.js";
import * as lists from "./list.js";
import { profilePath, state } from "./state.js";
import { send } from "./unsent.js";

const section = $("#teach"), one = $("#one"), end = $("#end"), by = $("#by"), together = $("#together");
const reasons = { "queue:uncertain": "I learn most from this one", "queue:explore": "drawn at random", "queue:top": "I think you like this" };
export const atOnce = 12; // pictures of a pile

by.value = localStorage.getItem("palate.ask") ?? "queue";
if (!by.value) by.value = "queue";
together.checked = localStorage.getItem("palate.together") === "yes";

/** large is the address of a picture that fills a window. */
export const large = (image) => `${image.thumbnail_url.split("?")[0]}?width=1280`;

/** inPiles says that twelve are asked about at once. */
export const inPiles = () => state.view === "teach" && together.checked;

/** @type {{list: lists.List, places: Uint32Array, profile: string, order: string, at: number} | null} what is left to ask of a list */
let drawn = null;

/** draw gives the next pictures that are not judged, in the order that was chosen. */
async function draw(order, profile) {
  if (order === "queue") {
    const page = await call(`${profilePath()}/queue?limit=${atOnce}`);
    return page.items.map((item) => ({ ...item, probe_version: page.probe_version }));
  }
  const stale = order === "chance" && state.version && drawn?.list.summary.probe_version !== state.version;
  if (!drawn || drawn.profile !== profile || drawn.order !== order || stale) {
    const list = await lists.make(profilePath(), { order: order === "chance" ? "score" : "newest", judged: "unrated" });
    const places = list.order.slice();
    for (let i = places.length - 1; order === "random" && i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [places[i], places[j]] = [places[j], places[i]];
    }
    drawn = { list, places, profile, order, at: 0 };
  }
  const { list, places } = drawn, found = [], asked = new Set(state.queue.map((item) => item.image.id));
  while (found.length < atOnce && drawn.at < places.length) {
    const next = places.slice(drawn.at, drawn.at += atOnce);
    await list.load(next);
    for (const item of Array.from(next, (place) => list.known(place))) {
      if (!item || item.image.verdict || asked.has(item.image.id)) continue; // what was skipped is not asked again
      found.push({ ...item, shown: order === "chance" ? "queue:top" : "queue:explore", probe_version: list.summary.probe_version || undefined });
    }
  }
  return found;
}

/** more fetches the next pictures while the last ones are still being judged. */
function more() {
  const { profile } = state, order = by.value;
  state.asking ??= draw(order, profile).then((items) => {
    if (profile !== state.profile || state.view !== "teach" || order !== by.value) return;
    state.queue.push(...items);
    if (!together.checked) for (const item of items) new Image().src = large(item.image); // so that it is there at once
  }).finally(() => { state.asking = null; });
  return state.asking;
}

/** ask shows what the queue begins with. */
export async function ask() {
  const wanted = together.checked ? atOnce : 1;
  section.hidden = false;
  if (!state.queue.length) {
    one.hidden = true;
    pile([]);
  }
  if (state.queue.length < wanted) await more();
  if (state.view !== "teach") return;
  const item = state.queue[0];
  one.hidden = !item || together.checked;
  pile(together.checked ? state.queue.slice(0, atOnce) : []);
  end.hidden = true;
  if (!item) {
    end.hidden = await firstSteps() || state.view !== "teach";
    end.textContent = "There is nothing left to ask: everything is judged, or looks like what was.";
    return;
  }
  if (state.queue.length < wanted + 3) orTell(more());
  if (together.checked) return;
  const { image } = item, picture = $("img", one);
  picture.src = large(image);
  picture.alt = described(image);
  section.dataset.id = image.id;
  $(".title", one).textContent = nameOf(image);
  $(".artist", one).textContent = image.artist ?? "";
  $(".damaged", one).hidden = !image.damage;
  $(".damaged", one).textContent = image.damage ? damage(image) : "";
  $(".reason", one).textContent = reasons[item.shown] + (item.probability == null ? "" : ` · ${Math.round(100 * item.probability)}\u00a0%`);
}

/** answer judges the picture that is shown, by a verdict or stars, and goes on to the next. */
export async function answer(/** @type {{verdict?: string, stars?: number}} */ { verdict, stars }) {
  const item = state.queue.shift();
  if (!item) return;
  const { shown, probe_version, score } = item;
  const next = ask();
  try {
    await send(`${profilePath()}/ratings/${item.image.id}`, { method: "PUT", body: { verdict, stars, shown, probe_version, score } }, { was: { ...item.image } });
  } catch (error) {
    state.queue.unshift(item);
    await ask();
    throw error;
  }
  state.done.push(null);
  recount(undefined, verdict ?? verdictOf(stars));
  await next;
}

for (const choice of [by, together]) {
  choice.addEventListener("change", () => {
    localStorage.setItem("palate.ask", by.value);
    localStorage.setItem("palate.together", together.checked ? "yes" : "no");
    if (choice === by) [state.queue, state.asking] = [[], null];
    orTell(ask());
  });
}
for (const button of one.querySelectorAll("[data-verdict]")) {
  button.addEventListener("click", () => orTell(answer({ verdict: button.dataset.verdict })));
}

// A swipe to the right likes, one to the left dislikes, one upwards skips.
let touch = null;
one.addEventListener("pointerdown", (event) => { touch = event.pointerType === "mouse" ? null : { x: event.clientX, y: event.clientY }; });
one.addEventListener("pointerup", (event) => {
  if (!touch) return;
  const x = event.clientX - touch.x, y = event.clientY - touch.y;
  touch = null;
  if (Math.abs(x) > 60 && Math.abs(x) > 2 * Math.abs(y)) orTell(answer({ verdict: x > 0 ? "like" : "dislike" }));
  else if (y < -80 && -y > 2 * Math.abs(x)) orTell(answer({ verdict: "skip" }));
});
