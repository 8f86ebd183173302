// A pile of pictures of which those that are liked are picked: the rest is
// disliked, in one act that is taken back as one.

import { $, call, element, orTell, say } from "./base.js";
import { described } from "./card.js";
import { profilePath, state } from "./state.js";
import { showTaste } from "./taste.js";
import { ask } from "./teach.js";
import { hold } from "./unsent.js";

const section = $("#many"), holder = $(".pile", section), rest = $(".rest", section);
let shown = []; // items of the queue

/** pile shows some pictures; those that are shown already stay as they are picked. */
export function pile(items) {
  section.hidden = !items.length;
  if (items.length === shown.length && items.every((item, i) => item === shown[i])) return;
  shown = items;
  holder.replaceChildren(...items.map(({ image }) => {
    const button = element("button", { type: "button", ariaPressed: "false", title: described(image) });
    button.append(element("img", { src: `${image.thumbnail_url.split("?")[0]}?width=640`, alt: described(image), draggable: false }));
    return button;
  }));
  name();
}

const picked = () => [...holder.children].map((button) => button.ariaPressed === "true");

function name() {
  const n = picked().filter(Boolean).length;
  rest.textContent = n === 0 ? "None of these " : n === 1 ? "Like 1, dislike the rest " : `Like ${n}, dislike the rest `;
  rest.append(element("kbd", { textContent: "D" }));
}

function pick(button) {
  button.ariaPressed = String(button.ariaPressed !== "true");
  name();
}

let busy = false; // a pile is on its way

/** done judges the pile and shows the next. */
async function done(skip) {
  if (!shown.length || busy) return;
  busy = true;
  const items = shown, path = profilePath(), likes = picked();
  const ratings = items.map(({ image, shown: how, probe_version, score }, i) => ({ image_id: image.id, verdict: skip ? "skip" : likes[i] ? "like" : "dislike", shown: how, probe_version, score }));
  try {
    await hold();
    const { added } = await call(`${path}/ratings`, { method: "POST", body: { ratings } });
    state.queue = state.queue.filter((item) => !items.includes(item));
    const n = likes.filter(Boolean).length;
    const step = { async undo() {
      await call(`${path}/ratings-undo`, { method: "POST", body: { entries: added } });
      if (state.view === "teach") {
        state.queue.unshift(...items);
        await ask();
      }
      await showTaste();
      say("All of that is taken back.");
    } };
    state.done.push(step);
    say(skip ? `${items.length} skipped.` : `${n} liked, ${items.length - n} disliked.`, { name: "Undo", title: "Take all of it back (U)", act: () => { state.done = state.done.filter((d) => d !== step); orTell(step.undo()); } });
    await Promise.all([ask(), showTaste()]);
  } finally {
    busy = false;
  }
}

/** pileKey does what a key says to a pile. */
export function pileKey(event, key) {
  const here = holder.contains(document.activeElement) ? [...holder.children].indexOf(document.activeElement) : -1;
  const columns = getComputedStyle(holder).gridTemplateColumns.split(" ").length;
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
  if (step) holder.children[here < 0 ? 0 : Math.max(0, Math.min(shown.length - 1, here + step))]?.focus();
  else if (key === "l" && here >= 0) pick(holder.children[here]);
  else if (key === "d" && !event.repeat) orTell(done(false));
  else if (key === "s" && !event.repeat) orTell(done(true));
  else return;
  event.preventDefault();
}

holder.addEventListener("click", (event) => { if (event.target.closest("button")) pick(event.target.closest("button")); });
rest.addEventListener("click", () => orTell(done(false)));
$(".skip", section).addEventListener("click", () => orTell(done(true)));
