// Crawls: what the form asks for, and what looking first found, in the row of its job.

import { element } from "./base.js";
import { button, counted, sentenceOf, words } from "./learn.js";

/** asked reads the form, as the API takes it; what is left open is the server's. */
export function asked(form) {
  const given = new FormData(form), text = (name) => String(given.get(name)).trim();
  /** @type {Record<string, any>} */
  const body = { kind: "crawl", seeds: text("seeds").split("\n").map((line) => line.trim()).filter(Boolean) };
  for (const name of ["max_pictures", "max_pages", "max_depth", "delay_seconds"]) if (text(name)) body[name] = Number(text(name));
  for (const name of ["contact", "want"]) if (text(name)) body[name] = text(name);
  for (const name of ["filter", "include", "exclude"]) if (text(name)) body[name] = [text(name)];
  if (text("rate")) body.limit_rate = 1000 * Number(text("rate"));
  return body;
}

/** isLook says whether a job finds out what a crawl would bring. */
export const isLook = (job) => Boolean(job.progress?.crawl);

/** lookState is the state of such a job, where it has one of its own. */
export const lookState = (job) => (isLook(job) && { running: "looking", succeeded: "what would come" }[job.state]) || "";

/** lookNews says in a sentence what was found. */
export const lookNews = ({ preview: p }) => `${p.pictures ? counted(p.pictures, "picture") : "Nothing new"} would come from ${counted(p.pages, "page")}.${p.known ? ` There already: ${p.known}.` : ""}`;

/**
 * lookParts are what such a job's row has below its name.
 * @param {Record<string, any>} job
 * @param {(body: Record<string, any>) => Promise<any>} begin
 */
export function lookParts(job, begin) {
  const { crawl } = job.progress, p = job.preview, parts = [words(crawl.seeds.join(", "), "subject")];
  if (job.state === "running") return job.done ? [...parts, words(`${job.done} found so far`)] : parts;
  if (job.error) parts.push(words(sentenceOf(job.error)));
  if (!p) return parts;
  parts.push(words(lookNews(job), "verdict"));
  if (p.pictures) parts.push(button("Crawl with these settings", () => begin(crawl), "again"));
  const picture = (e) => {
    const one = element("li");
    one.append(element("a", { href: e.url, target: "_blank", rel: "noopener noreferrer", textContent: e.title || e.url }), [e.artist, e.licence].filter(Boolean).map((fact) => ` · ${fact}`).join(""));
    return one;
  };
  parts.push(...folded(p.pictures > p.examples.length ? `The first ${p.examples.length}` : "Which", p.examples.map(picture)),
    ...folded("What would not come", p.left.map((l) => element("li", { textContent: `${l.count} ${l.what}${l.examples.length ? `, such as ${l.examples[0].url}` : ""}` }))));
  return parts;
}

/** folded is a list that opens, if there is anything in it. */
function folded(name, items) {
  if (!items.length) return [];
  const all = element("details", { className: "would" }), list = element("ul");
  list.append(...items);
  all.append(element("summary", { textContent: name }), list);
  return [all];
}
