// One picture, large: what is known of it, what is like it, and why it is
// liked or not.

import { $, call, element, inFront, orTell } from "./base.js";
import { described, nameOf, showVerdict } from "./card.js";
import { caption } from "./caption.js";
import * as grid from "./grid.js";
import { heat } from "./heat.js";
import * as route from "./route.js";
import { imageOf, profilePath, state } from "./state.js";
import { large } from "./teach.js";
import { fit, sharpen, watch, zoomed } from "./zoom.js";

const viewer = $("#viewer"), canvas = $(".canvas", viewer), picture = $("figure img", viewer);
watch(canvas, picture);

/** stepTo is the number in the list that a step leads to from the picture that is shown, or -1. */
function stepTo(step) {
  const list = grid.current();
  const at = list && viewer.image ? list.index(viewer.image.id) : -1;
  return at < 0 || at + step < 0 || at + step >= list.length ? -1 : at + step;
}

/** turn shows the next picture of the list large, or with -1 the one before. */
export async function turn(step) {
  const to = stepTo(step), list = grid.current();
  if (to < 0) return;
  const place = list.order[to];
  await list.load([place]);
  const item = list.known(place);
  if (!item || !viewer.open) return;
  viewer.last = item.image.id;
  await look(item.image, item.score);
}

/** showTurns says whether there is a picture on either side; a button that was truly disabled would swallow the keys while it has the focus. */
function showTurns() {
  $(".previous", viewer).setAttribute("aria-disabled", stepTo(-1) < 0);
  $(".next", viewer).setAttribute("aria-disabled", stepTo(1) < 0);
}

/** open shows the picture that an address names. */
export async function open(id) {
  if (viewer.open && viewer.image?.id === id) return;
  const image = await imageOf(id);
  if (route.read().picture === id) await look(image);
}

/** look shows a picture large. */
export async function look(image, score) {
  viewer.image = image;
  viewer.score = score;
  canvas.style.setProperty("--width", Math.min(image.width, 2560)); // it has its size before the picture comes: nothing moves away from under a finger
  canvas.style.setProperty("--ratio", image.width / image.height);
  picture.src = large(image);
  picture.alt = described(image);
  fit(image);
  $("#heat").hidden = true;
  $("figcaption", viewer).replaceChildren(...caption(image, () => orTell(heat())));
  showVerdict($("figcaption"), image);
  const judged = state.counts.like + state.counts.dislike > 0;
  $(".why", viewer).hidden = !image.embedded || !judged;
  $(".similar", viewer).hidden = !image.embedded;
  $(".copied", viewer).hidden = true;
  for (const strip of viewer.querySelectorAll(".strip")) strip.replaceChildren();
  if (!viewer.open) {
    const to = route.address(image.id);
    if (to !== location.hash) route.go(to, { push: true, kept: { ...history.state, opened: true } }); // else the address has led here
    viewer.showModal();
    inFront();
    viewer.last = image.id;
  } else {
    route.go(route.address(image.id));
  }
  viewer.scrollTop = 0;
  if (canvas.clientWidth * devicePixelRatio > 1.2 * 1280) sharpen(); // wider than the thumbnail
  showTurns();
  if (!image.embedded) return;
  await Promise.all([similar(image), copied(image), judged ? why(image) : undefined]);
}

/** links are small pictures that lead to the large ones, each with how near it is or what else is said of it. */
export function links(hits, said = (hit) => hit.similarity.toFixed(2)) {
  return hits.map((hit) => {
    const link = element("a", { href: route.address(hit.image.id), title: nameOf(hit.image) });
    link.append(element("img", { src: hit.image.thumbnail_url, alt: nameOf(hit.image), loading: "lazy" }), said(hit));
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      orTell(look(hit.image));
    });
    return link;
  });
}

async function similar(image) {
  const near = await call(`/images/${image.id}/neighbours?limit=12&profile=${encodeURIComponent(state.profile)}`);
  if (viewer.image === image) $(".similar .strip", viewer).replaceChildren(...links(near.hits));
}

/** copied shows the other pictures of the work, whatever the list shows of it. */
async function copied(image) {
  const { images } = await call(`/images/${image.id}/copies?profile=${encodeURIComponent(state.profile)}`);
  if (viewer.image !== image) return;
  $(".copied .strip", viewer).replaceChildren(...links(images.map((one) => ({ image: one })), (hit) => `${hit.image.width} × ${hit.image.height}`));
  $(".copied", viewer).hidden = !images.length;
}

/** why tells the chance of a like, and what was said of the pictures that are most like this one. */
async function why(image) {
  const reasons = await call(`${profilePath()}/scores/${image.id}/why?limit=4`);
  if (viewer.image !== image) return;
  const chance = $(".chance", viewer);
  chance.textContent = reasons.probability == null ? "" : `${Math.round(100 * reasons.probability)} % likely that you like it`;
  for (const side of ["liked", "disliked"]) {
    $(`.${side} .strip`, viewer).replaceChildren(...links(reasons[side]));
    $(`.${side}`, viewer).hidden = !reasons[side].length;
  }
}

viewer.addEventListener("close", () => {
  const last = viewer.last;
  viewer.image = undefined;
  if (route.read().picture) { // else Back has closed it
    if (history.state?.opened) history.back();
    else route.go(route.address());
  }
  // One is back at the picture that one came to.
  const at = grid.current() && last ? grid.current().index(last) : -1;
  if (at >= 0) grid.focus(at);
});
$(".close", viewer).addEventListener("click", () => viewer.close());
$(".previous", viewer).addEventListener("click", () => orTell(turn(-1)));
$(".next", viewer).addEventListener("click", () => orTell(turn(1)));

// A swipe over the whole picture leads to the one beside it.
let swipe = null;
canvas.addEventListener("pointerdown", (event) => { swipe = event.pointerType === "mouse" || zoomed() || !event.isPrimary ? null : { x: event.clientX, y: event.clientY }; });
canvas.addEventListener("pointerup", (event) => {
  if (!swipe || !event.isPrimary || zoomed()) return;
  const x = event.clientX - swipe.x, y = event.clientY - swipe.y;
  swipe = null;
  if (Math.abs(x) > 60 && Math.abs(x) > 2 * Math.abs(y)) orTell(turn(x < 0 ? 1 : -1));
});
