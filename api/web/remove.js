// Deleting: to the trash, and back.

import { $, call, orTell, say } from "./base.js";
import { nameOf } from "./card.js";
import * as grid from "./grid.js";
import { state } from "./state.js";
import { showTaste } from "./taste.js";
import { ask } from "./teach.js";
import { restore, restoreCard } from "./trash.js";

const viewer = $("#viewer");

/** What others do. */
export const hooks = {
  async reload() {}, // shows the list anew, at the same place
  emptied() {}, // says that nothing is left of the list
};

let busy = false; // a deletion is on its way

/** remove moves a picture to the trash, and says how it comes back. */
export async function remove(image) {
  if (busy) return; // a second press meant the same picture
  busy = true;
  try {
    await call(`/images/${image.id}?${new URLSearchParams({ reason: "deleted on the page" })}`, { method: "DELETE" });
  } finally {
    busy = false;
  }
  const list = grid.current(), card = grid.cardOf(image.id), seen = viewer.image?.id === image.id;
  const index = list ? list.index(image.id) : -1;
  const deletion = { image, list, place: index < 0 ? undefined : list.order[index] };
  const moves = seen || card?.contains(document.activeElement);
  if (seen) viewer.close();
  if (index >= 0) grid.remove([deletion.place]);
  if (moves && index >= 0) grid.focus(index);
  if (list && !list.length) hooks.emptied();
  if (state.queue[0]?.image.id === image.id) {
    deletion.asked = state.queue.shift();
    await ask();
  }
  state.done.push(deletion);
  const act = () => {
    state.done = state.done.filter((d) => d !== deletion);
    orTell(takeBackDeletion(deletion));
  };
  say(`Deleted “${nameOf(image)}”. It stays in the trash for 30 days.`, { name: "Undo", title: "Bring it back (U)", act });
  await showTaste();
}

/** takeBackDeletion brings a picture back to where it was. */
export async function takeBackDeletion(deletion) {
  const { image, place, list, asked } = deletion;
  try {
    await restore(image);
  } catch (error) {
    if (error.status === undefined || error.status === 503) state.done.push(deletion); // U tries again
    throw error;
  }
  if (state.view === "teach") {
    if (asked) state.queue.unshift(asked);
    await ask();
  } else if (list && list === grid.current()) {
    if (place !== undefined) {
      grid.insert([place]);
      grid.focus(list.index(image.id));
    }
  } else {
    await hooks.reload();
  }
  await showTaste();
}

/** fromTrash restores what a card of the trash shows; U has nothing to do about it then. */
export async function fromTrash(card) {
  await restoreCard(card);
  state.done = state.done.filter((d) => d?.image?.id !== card.dataset.id);
  await showTaste();
}
