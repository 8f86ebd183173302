// Pictures that a person brings: those that are chosen or dropped are added to
// the collection, one that is pasted is looked for and scored, and not kept.

import { $, call, element, inFront, orTell, say, tell } from "./base.js";
import { gridViews, profilePath, state } from "./state.js";
import { links } from "./viewer.js";

const found = $("#found"), canvas = $("canvas", found), chance = $(".chance", found), first = $("#first");
const isPicture = (file) => file.type.startsWith("image/") || /\.(avif|bmp|heic|heif|p[bgnp]m|pam|tga|tiff?)$/i.test(file.name);
const waiting = []; // files that are to be added
let total = 0; // of them, with those that have been

/** What others do. */
export const hooks = {
  async added() {}, // there are pictures more
};

/** open says whether a picture is shown that was pasted. */
export const open = () => found.open;

/** form is a file as the API takes it. */
function form(file) {
  const parts = new FormData();
  parts.append("file", file, file.name);
  return parts;
}

/** add adds files to the collection, one after the other. */
async function add(files) {
  waiting.push(...files);
  total += files.length;
  if (!files.length || total > files.length) return; // they come after those before
  let added = 0, known = 0;
  const lost = [];
  try {
    for (let file = waiting[0]; file; waiting.shift(), file = waiting[0]) {
      if (total > 1) say(`Adding ${total - waiting.length + 1} of ${total} …`);
      try {
        const { status } = await call("/images", { method: "POST", form: form(file), whole: true });
        if (status === 201) added++;
        else known++;
      } catch (error) {
        if (![400, 409, 413, 415, 422].includes(error.status)) throw error; // none of the others would be taken either
        lost.push(`${file.name}: ${error.message}`);
      }
    }
  } finally {
    waiting.length = total = 0;
    if (added) await hooks.added();
    say(`${added === 1 ? "1 picture was" : `${added} pictures were`} added${known ? `, ${known} had been there` : ""}.`);
    tell(lost.length ? `${lost.length} could not be added. ${lost[0]}` : "");
  }
}

/** find shows what a picture is most like, and what its chance is. */
async function find(file) {
  found.file = file;
  chance.textContent = "It is being compared …";
  $(".strip", found).replaceChildren();
  canvas.hidden = true;
  if (!found.open) found.showModal();
  inFront();
  tell("");
  show(file).catch(() => {}); // of a kind that only the server can read
  try {
    const [near, score] = await Promise.all([
      call(`/search/upload?limit=24&profile=${encodeURIComponent(state.profile)}`, { method: "POST", form: form(file) }),
      call(`${profilePath()}/upload-score`, { method: "POST", form: form(file) }).catch((error) => { if (error.status !== 409) throw error; }), // nothing is judged
    ]);
    if (found.file !== file) return;
    chance.textContent = score?.probability == null ? "" : `${Math.round(100 * score.probability)} % likely that you like it`;
    $(".strip", found).replaceChildren(...links(near.hits));
    if (!near.hits.length) chance.textContent = "There is nothing yet that it could be like.";
  } catch (error) {
    if (found.file !== file) return;
    chance.textContent = "";
    throw error;
  }
}

/** show draws the picture, which never leaves the page for that. */
async function show(file) {
  const bitmap = await createImageBitmap(file);
  if (found.file !== file) return;
  const scale = Math.min(1, 480 / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, Math.round(scale * bitmap.width));
  canvas.height = Math.max(1, Math.round(scale * bitmap.height));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  canvas.hidden = false;
}

/** filesOf are the pictures of what was dropped, with those in folders. */
async function filesOf(entry) {
  if (entry.isFile) {
    const file = await new Promise((done, fail) => entry.file(done, fail));
    return isPicture(file) ? [file] : [];
  }
  const reader = entry.createReader(), all = [];
  for (;;) { // as many at once as the browser likes
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!some.length) return all;
    for (const one of some) all.push(...await filesOf(one));
  }
}

async function dropped(data) {
  // What was dropped is there for as long as the event is.
  const items = [...data.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const files = [];
  for (const item of items) files.push(...item instanceof File ? [item] : item.isFile ? [await new Promise((done, fail) => item.file(done, fail))] : await filesOf(item));
  if (!files.length) return tell("There are no pictures in it.");
  return add(files);
}

/** firstSteps says how pictures come, where there are none; it says whether that is so. */
export async function firstSteps() {
  const { images } = await call("/images?limit=1");
  first.hidden = images.length > 0 || !gridViews.has(state.view) && state.view !== "teach"; // one may have gone on
  return !images.length;
}

export const hideFirstSteps = () => { first.hidden = true; };

/** choose lets the person choose files on this device. */
function choose(multiple, act) {
  const input = element("input", { type: "file", id: "files", multiple, accept: "image/*,.heic,.heif,.avif,.tif,.tiff,.tga,.ppm,.pgm", hidden: true });
  $("#files")?.remove();
  document.body.append(input); // or Safari forgets it
  input.addEventListener("change", () => { input.remove(); if (input.files.length) orTell(act([...input.files])); });
  input.click();
}

for (const button of document.querySelectorAll(".choose")) button.addEventListener("click", () => choose(true, add));
$("#by-picture").addEventListener("click", () => choose(false, ([file]) => find(file)));
for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (first.querySelectorAll("[value]"))) {
  button.addEventListener("click", () => {
    $("[data-view=work]").click();
    const form = $(button.value);
    form.scrollIntoView();
    $("textarea, input", form).focus();
  });
}
$(".close", found).addEventListener("click", () => found.close());
$(".keep", found).addEventListener("click", () => { const { file } = found; found.close(); orTell(add([file])); });
$(".strip", found).addEventListener("click", (event) => { if (event.defaultPrevented) found.close(); }); // it is shown large
found.addEventListener("click", (event) => { if (event.target === found) found.close(); });
found.addEventListener("close", () => { found.file = undefined; });

let own = false; // what is dragged is of the page itself
document.addEventListener("dragstart", () => { own = true; });
document.addEventListener("dragend", () => { own = false; });
const brings = (event) => !own && event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (!brings(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); });
document.addEventListener("drop", (event) => {
  document.body.classList.remove("dropping");
  if (!brings(event)) return;
  event.preventDefault();
  orTell(dropped(event.dataTransfer));
});
document.addEventListener("paste", (event) => {
  const file = [...event.clipboardData?.files ?? []].find(isPicture);
  if (!file) return; // a text goes where it is pasted
  event.preventDefault();
  orTell(find(file));
});
