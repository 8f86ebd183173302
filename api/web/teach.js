// Teaching: one picture after the other, those that tell most.

import { $, call, orTell } from "./base.js";
import { damage, described, nameOf } from "./card.js";
import { recount, send, verdictOf } from "./judge.js";
import { profilePath, state } from "./state.js";

const section = $("#teach"), end = $("#end");
const reasons = { "queue:uncertain": "I learn most from this one", "queue:explore": "drawn at random", "queue:top": "I think you like this" };

/** large is the address of a picture that fills a window. */
export const large = (image) => `${image.thumbnail_url.split("?")[0]}?width=1280`;

/** more fetches the next pictures while the last ones are still being judged. */
function more() {
  const profile = state.profile;
  state.asking ??= call(`${profilePath()}/queue?limit=10`).then((page) => {
    if (profile !== state.profile || state.view !== "teach") return;
    state.queue.push(...page.items.map((item) => ({ ...item, probe_version: page.probe_version })));
    for (const item of page.items) new Image().src = large(item.image); // so that it is there at once
  }).finally(() => { state.asking = null; });
  return state.asking;
}

/** ask shows the first picture of the queue. */
export async function ask() {
  if (!state.queue.length) await more();
  if (state.view !== "teach") return;
  const item = state.queue[0];
  section.hidden = !item;
  end.hidden = Boolean(item);
  if (!item) {
    end.textContent = "There is nothing left to ask: everything is judged, or looks like what was.";
    return;
  }
  const { image } = item, picture = $("img", section);
  picture.src = large(image);
  picture.alt = described(image);
  section.dataset.id = image.id;
  $(".title", section).textContent = nameOf(image);
  $(".artist", section).textContent = image.artist ?? "";
  $(".damaged", section).hidden = !image.damage;
  $(".damaged", section).textContent = image.damage ? damage(image) : "";
  $(".reason", section).textContent = reasons[item.shown] + (item.probability == null ? "" : ` · ${Math.round(100 * item.probability)} %`);
  if (state.queue.length < 4) orTell(more());
}

/** answer judges the picture that is shown, by a verdict or stars, and goes on to the next. */
export async function answer({ verdict, stars }) {
  const item = state.queue.shift();
  if (!item) return;
  const { shown, probe_version, score } = item;
  const next = ask();
  try {
    await send(`${profilePath()}/ratings/${item.image.id}`, { method: "PUT", body: { verdict, stars, shown, probe_version, score } });
  } catch (error) {
    state.queue.unshift(item);
    await ask();
    throw error;
  }
  state.done.push(null);
  recount(undefined, verdict ?? verdictOf(stars));
  await next;
}

for (const button of document.querySelectorAll("#teach [data-verdict]")) {
  button.addEventListener("click", () => orTell(answer({ verdict: button.dataset.verdict })));
}

// A swipe to the right likes, one to the left dislikes, one upwards skips.
let touch = null;
section.addEventListener("pointerdown", (event) => { touch = event.pointerType === "mouse" ? null : { x: event.clientX, y: event.clientY }; });
section.addEventListener("pointerup", (event) => {
  if (!touch) return;
  const x = event.clientX - touch.x, y = event.clientY - touch.y;
  touch = null;
  if (Math.abs(x) > 60 && Math.abs(x) > 2 * Math.abs(y)) orTell(answer({ verdict: x > 0 ? "like" : "dislike" }));
  else if (y < -80 && -y > 2 * Math.abs(x)) orTell(answer({ verdict: "skip" }));
});
