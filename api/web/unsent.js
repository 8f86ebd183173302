// What was said goes into the browser's storage before it goes to the server,
// and stays there until the server has it: a verdict outlives a server that is
// away, a tab that is closed, and an answer that got lost. Saying it again
// changes nothing on the server, so that what may have arrived is sent again.

import { $, call, element } from "./base.js";

/**
 * @typedef {object} Saying one request that says something
 * @property {string} id
 * @property {string} path
 * @property {string} method
 * @property {Record<string, any>} [body]
 * @property {number} [pictures] how many it is about, 1 where it says nothing
 * @property {import("./base.js").Picture} [was] the picture as it was before
 * @property {boolean} [tried] it has been sent, and may have arrived
 */

const slow = 1000; // milliseconds after which the page goes on without an answer
const dead = 20000; // after which no answer is awaited
const soon = 2000, seldom = 30000; // between two tries
const refused = new Set([400, 404, 409, 410, 413, 415, 422]); // statuses that the same request would get again

let key = "palate.unsent"; // of the storage, with the collection
/** @type {Saying[] | null} where the browser stores nothing, what is kept as long as the page is open */
let unstored = null;
/** @type {Map<string, {outcome: Promise<any>, resolve: (answer?: any) => void, reject: (error: Error) => void}>} */
const awaited = new Map();
let pause = soon, timer, running = false, told = false;

/** What others do. */
export const hooks = {
  async saved() {}, // what was kept has arrived
  lost(_message) {}, // what was kept can't be taken
};

/** @returns {Saying[]} */
function kept() {
  if (unstored) return unstored;
  try {
    const all = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(all) ? all.filter((one) => typeof one?.id === "string" && /^\/profiles\//.test(one.path)) : [];
  } catch {
    return [];
  }
}

/** @param {(all: Saying[]) => Saying[]} to changes what is kept, also by another tab since */
function change(to) {
  const all = to(kept());
  try {
    if (!unstored) return void (all.length ? localStorage.setItem(key, JSON.stringify(all)) : localStorage.removeItem(key));
  } catch { /* no storage, or it is full */ }
  unstored = all;
  return undefined;
}

/**
 * send says something. It returns the server's answer, or nothing where none
 * has come in a moment: then it is kept, and sent later in its order.
 * @param {string} path
 * @param {{method: string, body?: Record<string, any>}} request
 * @param {{pictures?: number, was?: Saying["was"]}} about
 * @returns {Promise<any>}
 */
export function send(path, request, about = {}) {
  const saying = { id: `${Date.now()}.${Math.random()}`, path, ...request, ...about };
  change((all) => [...all, saying]);
  /** @type {{resolve: (answer: any) => void, reject: (error: Error) => void}} */
  let caller;
  const outcome = new Promise((resolve, reject) => { caller = { resolve, reject }; });
  awaited.set(saying.id, { outcome, ...caller });
  setTimeout(() => { if (awaited.has(saying.id)) goOn({ slow }); }, slow);
  if (told) goOn();
  flush();
  return outcome;
}

/** settled waits until everything that was said has arrived or is kept. */
export const settled = () => Promise.allSettled([...awaited.values()].map((one) => one.outcome));

/** hold waits until all has arrived that was said; what is said together goes behind it, or not at all. */
export async function hold() {
  await settled();
  if (kept().length) throw new Error("Verdicts wait for the server: many pictures are judged together when it is back. They stay selected.");
}

/** goOn lets everybody who waits go on: what is kept is told. */
function goOn(why) {
  told = true;
  for (const { resolve } of awaited.values()) resolve();
  awaited.clear();
  show(why);
}

/** flush sends what is kept, one after the other; of several tabs one at a time. */
export async function flush() {
  if (running) return;
  running = true;
  clearTimeout(timer);
  try {
    await (navigator.locks ? navigator.locks.request(key, sendAll) : sendAll());
    pause = soon;
    for (const { resolve } of awaited.values()) resolve(); // another tab has sent them
    awaited.clear();
    const late = told;
    told = false;
    show();
    if (late) await hooks.saved();
  } catch (error) {
    goOn(error);
    timer = setTimeout(flush, pause);
    pause = Math.min(2 * pause, seldom);
  } finally {
    running = false;
  }
  if (kept().length && pause === soon) flush(); // said meanwhile
}

async function sendAll() {
  for (let first; (first = kept()[0]);) {
    const { id, path, method, body } = first;
    let answer, refusal;
    change((all) => all.map((one) => one.id === id ? { ...one, tried: true } : one));
    try {
      answer = await call(path, { method, body, signal: AbortSignal.timeout(dead) });
    } catch (error) {
      if (!refused.has(error.status)) throw error;
      if (method !== "DELETE" || error.status !== 404) refusal = error; // what is taken back already is taken back
    }
    change((all) => all.filter((one) => one.id !== id));
    const caller = awaited.get(id);
    awaited.delete(id);
    if (refusal && caller) caller.reject(refusal);
    else if (refusal) hooks.lost(refusal.message);
    else caller?.resolve(answer);
  }
}

/**
 * takeBack takes the last of a profile that is kept back before it is sent,
 * and gives it. What may have arrived is followed by how it was before.
 * @param {string} profilePath
 * @returns {Saying | undefined}
 */
export function takeBack(profilePath) {
  const last = told ? kept().findLast((one) => one.path.startsWith(profilePath + "/")) : undefined;
  if (!last?.was) return undefined;
  const { verdict, stars } = last.was;
  const before = { id: last.id + "-", path: last.path, ...verdict ? { method: "PUT", body: { verdict, stars } } : { method: "DELETE" } };
  change((all) => all.flatMap((one) => one.id !== last.id ? [one] : last.tried ? [before] : []));
  show();
  return last;
}

let reasonTold; // why the last attempt failed

/** show says what is kept, as long as there is any. */
function show(why = reasonTold) {
  reasonTold = why;
  const notice = $("#unsent"), n = kept().reduce((sum, one) => sum + (one.pictures ?? 1), 0);
  notice.hidden = !n || !told;
  if (notice.hidden) return;
  const what = n === 1 ? "1 verdict is" : `${n} verdicts are`;
  const where = unstored ? "on this page, and would be lost with it: leave it open" : "in this browser";
  const reason = why?.slow ? "The server has not answered yet" : why?.status === undefined || why.status >= 502 ? "The server can't be reached" : why.message.replace(/\.$/, "");
  const again = element("button", { type: "button", textContent: "Try now" });
  again.addEventListener("click", () => { pause = soon; flush(); });
  notice.replaceChildren(`${reason}: ${what} kept ${where} and sent when it is back. `, again);
}

/** begin sends what an earlier visit to the same collection has left. */
export async function begin(collection) {
  key = `palate.unsent.${collection}`;
  if (!kept().length) return;
  told = true;
  await Promise.race([flush(), new Promise((resolve) => { setTimeout(resolve, slow); })]);
}

addEventListener("online", () => { if (kept().length) flush(); });
addEventListener("storage", (event) => { if (event.key === key) show(); });
addEventListener("beforeunload", (event) => { if (unstored?.length) event.preventDefault(); });
