// What was deleted: it is listed, brought back, or removed for good.

import { $, call, element, orTell, say } from "./base.js";

const grid = $("#grid"), end = $("#end");
const atOnce = 200;
let latest = ""; // when the one that is shown first was deleted

/** showTrash lists what can be restored, the last deleted first; still says whether that is wanted when it comes. */
export async function showTrash(still, before) {
  const query = new URLSearchParams({ order: "newest", limit: String(atOnce) });
  if (before) query.set("deleted_before", before);
  const { images } = await call("/trash?" + query);
  if (!still()) return;
  if (!before) latest = images[0]?.deleted_at ?? "";
  grid.append(...images.map(card));
  $("#trash-more")?.remove();
  if (images.length === atOnce) {
    const more = element("button", { type: "button", id: "trash-more", textContent: "More" });
    more.addEventListener("click", () => orTell(showTrash(still, images.at(-1).deleted_at)));
    end.replaceChildren(more);
    end.hidden = false;
  } else {
    tellEnd();
  }
  $("#empty-trash").disabled = !grid.childElementCount;
}

function tellEnd() {
  end.hidden = false;
  end.textContent = grid.childElementCount ? "That is all." : "The trash is empty.";
}

function card(image) {
  const node = $("#trashed").content.cloneNode(true).firstElementChild;
  const name = image.title || "Untitled", until = new Date(image.until);
  node.dataset.id = image.id;
  node.trashed = image;
  const picture = $("img", node);
  picture.src = image.thumbnail_url;
  picture.alt = image.artist ? `${name} by ${image.artist}` : name;
  $(".title", node).textContent = name;
  $(".title", node).title = name;
  $(".until", node).textContent = "until " + until.toLocaleDateString(undefined, { day: "numeric", month: "short" });
  $(".until", node).title = `Deleted on ${new Date(image.deleted_at).toLocaleString()}: ${image.reason}`;
  $("button", node).setAttribute("aria-label", `Restore ${name}`);
  return node;
}

/** restore brings an image back from the trash. */
export async function restore({ id, title }) {
  await call(`/images/${id}/restore`, { method: "POST" });
  say(`“${title || "Untitled"}” is back.`);
}

/** restoreCard brings back what a card of the trash shows. */
export async function restoreCard(node) {
  if (node.busy) return;
  node.busy = true;
  try {
    await restore(node.trashed);
  } finally {
    node.busy = false;
  }
  const next = node.nextElementSibling ?? node.previousElementSibling;
  const focused = node.contains(document.activeElement);
  node.remove();
  if (focused) next?.focus();
  $("#empty-trash").disabled = !grid.childElementCount;
  if (!grid.childElementCount) tellEnd();
}

let calmer; // calms the button down that asks again

/** emptyTrash removes for good what is shown and what was deleted before it, if the button is pressed again when it asks; emptied is called then. */
export async function emptyTrash(emptied) {
  const button = $("#empty-trash");
  if (!button.classList.contains("sure")) {
    button.classList.add("sure");
    button.textContent = "Really delete all for good?";
    calmer = setTimeout(calm, 5000);
    return;
  }
  calm();
  // The time is told to the nanosecond, a Date knows milliseconds.
  const before = new Date(Date.parse(latest) + 1).toISOString();
  const { purged } = await call("/trash?" + new URLSearchParams({ deleted_before: before }), { method: "DELETE" });
  emptied();
  grid.replaceChildren();
  button.disabled = true;
  tellEnd();
  say(purged === 1 ? "1 picture is gone for good." : `${purged} pictures are gone for good.`);
}

function calm() {
  clearTimeout(calmer);
  const button = $("#empty-trash");
  button.classList.remove("sure");
  button.textContent = "Empty the trash";
}
