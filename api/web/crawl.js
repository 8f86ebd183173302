// Crawls: what the form asks for, and what looking first found, in the row of its job.

import { button, counted, sentenceOf, words } from "./learn.js";

/** asked reads the form, as the API takes it; what is left open is the server's. */
export function asked(form) {
  /** @type {Record<string, any>} */
  const body = { kind: "crawl" };
  for (const { name, type, value } of form.elements) {
    const text = value.trim();
    if (!name || !text) continue;
    if (name === "width") (body.filter ??= []).push(`width>=${text}`);
    else body[name] = name === "seeds" ? text.split(/\s*\n\s*/) : type === "number" ? Number(text) : name === "contact" || name === "want" ? text : [text];
  }
  return body;
}

/** isLook says whether a job finds out what a crawl would bring. */
export const isLook = (job) => job.progress?.crawl;

/** lookState is the state of such a job, where it has one of its own. */
export const lookState = (job) => isLook(job) && job.state === "succeeded" && "what would come";

/**
 * lookNews says in a sentence what was found.
 * @param {Record<string, any>} job
 */
export const lookNews = ({ preview: p }) => `${counted(p.pictures, "picture")} would come from ${counted(p.pages, "page")}; ${p.known} are here.`;

/**
 * lookParts are what such a job's row has below its name.
 * @param {Record<string, any>} job
 * @param {(body: Record<string, any>) => Promise<any>} begin
 */
export function lookParts(job, begin) {
  const { crawl } = job.progress, p = job.preview, parts = [words(crawl.seeds.join(", "))];
  if (job.state === "running") parts.push(words(`${job.done} found`));
  if (job.error) parts.push(words(sentenceOf(job.error)));
  if (!p) return parts;
  parts.push(words(lookNews(job), "verdict"));
  if (p.pictures) parts.push(button("Crawl with these settings", () => begin(crawl), "again"));
  parts.push(...[p.examples.map((e) => e.title || e.url).join(", "), p.left.map((l) => `${l.count} ${l.what}`).join("; ")].filter(Boolean).map((text) => words(text)));
  return parts;
}
