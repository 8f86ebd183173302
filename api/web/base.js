// What every part of the page uses.

/**
 * @param {string} selector
 * @param {ParentNode} within
 * @returns {any} of the kind of element that the page has there
 */
export const $ = (selector, within = document) => within.querySelector(selector);

/**
 * @typedef {object} Picture as the API tells of it (openapi.yaml, Image)
 * @property {string} id
 * @property {number} width
 * @property {number} height
 * @property {string} format
 * @property {string} [title]
 * @property {string} [artist]
 * @property {string} [damage]
 * @property {"like" | "dislike" | "skip"} [verdict]
 * @property {number} [stars] from 1 to 5
 * @property {boolean} embedded
 * @property {string} file_url
 * @property {string} thumbnail_url
 * @property {Record<string, any>[]} sources
 */

/**
 * call asks the API; a problem becomes an Error with its status.
 * @param {string} path
 * @param {{method?: string, body?: unknown, form?: FormData, signal?: AbortSignal, bytes?: boolean, whole?: boolean}} options form is a body with files; bytes asks for an ArrayBuffer, whole for the status too
 * @returns {Promise<any>}
 */
export async function call(path, { method = "GET", body, form, signal, bytes, whole } = {}) {
  const response = await fetch("/v1" + path, {
    method, signal,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? form : JSON.stringify(body),
  });
  if (response.status === 401) location.assign("/sign-in"); // the session is over
  if (bytes && response.ok) return response.arrayBuffer();
  const text = await response.text();
  const answer = parsed(text, response.ok);
  if (!response.ok) {
    throw Object.assign(new Error(answer?.detail || answer?.title || response.statusText), { status: response.status });
  }
  return whole ? { status: response.status, answer } : answer;
}

/** parsed reads JSON; what a proxy says in its own words is no answer of the API. */
function parsed(text, must) {
  try {
    return text ? JSON.parse(text) : null;
  } catch (error) {
    if (must) throw error;
    return null;
  }
}

/** inFront moves what is told to where it is seen: what lies below an open dialog is not. */
export function inFront() {
  const where = $("dialog[open]") ?? $("main"), told = $("#told");
  if (told.parentElement !== where) where.prepend(told);
}
document.addEventListener("close", inFront, true);

export function tell(message) {
  inFront();
  const notice = $("#notice");
  notice.textContent = message;
  notice.hidden = !message;
}

export function orTell(promise) {
  return promise.catch((error) => { if (error.name !== "AbortError") tell(error.message); });
}

let toastTimer; // until what was said goes

/**
 * say tells of what was done, where the eyes are, and for a while; it may offer one thing to do about it.
 * @param {string} text
 * @param {{name: string, title?: string, act: () => void}} [offer]
 */
export function say(text, offer) {
  inFront();
  const toast = $("#toast");
  toast.replaceChildren(text);
  if (offer) {
    const button = element("button", { type: "button", textContent: offer.name, title: offer.title ?? "" });
    button.addEventListener("click", () => { toast.hidden = true; offer.act(); });
    toast.append(" ", button);
  }
  toast.hidden = !text;
  clearTimeout(toastTimer);
  const hide = () => {
    if (toast.matches(":hover, :focus-within")) toastTimer = setTimeout(hide, 1000);
    else toast.hidden = true;
  };
  toastTimer = setTimeout(hide, offer ? 10000 : 5000);
}

/**
 * @param {string} name
 * @returns {any} of the kind of element that the name says
 */
export function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}
