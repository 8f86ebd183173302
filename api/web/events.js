// What the server tells by itself, in every view: of jobs, pictures and tastes.

import { call } from "./base.js";
import { stream } from "./stream.js";

const long = 60e3; // milliseconds for which a tab that nobody sees goes on listening

/** @type {Set<{type: string, act: (value: any) => void}>} */
const listeners = new Set();

/**
 * on calls act with each event of a type; what it returns ends that.
 * @param {"job" | "images" | "taste" | "open"} type open is each time that the server is heard anew, with whether that is the first time
 * @param {(value: any) => void} act
 */
export function on(type, act) {
  const listener = { type, act };
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let heard = false; // the server, before

/** @param {import("./stream.js").Heard} heard */
function hear({ type, value = !heard }) {
  heard ||= type === "open";
  for (const listener of [...listeners]) if (listener.type === type) listener.act(value);
}

/** ended waits for the end of a job, and tells going how it goes until then. */
export function ended(job, going = (_) => {}) {
  return new Promise((resolve, reject) => {
    const finish = (then, value) => { for (const stop of stops) stop(); then(value); };
    const see = (now) => {
      if (now.id === job.id) now.state === "running" ? going(now) : finish(resolve, now);
    };
    // A server that is away is heard again.
    const look = () => call("/jobs/" + job.id).then(see, (error) => { if (error.status) finish(reject, error); });
    const stops = [on("job", see), on("open", look)];
    look();
  });
}

// ---- one stream for all tabs where the browser can share one, else one of this tab

/** @type {(wanted: boolean) => void} */
let want, hiding = 0;
function alone() {
  want = stream(hear);
  look();
}

function look() {
  clearTimeout(hiding);
  if (document.visibilityState === "visible") want(true);
  else hiding = setTimeout(() => want(false), long);
}

try {
  const worker = new SharedWorker("/worker.js", { type: "module" });
  worker.port.onmessage = ({ data }) => hear(data);
  worker.onerror = alone;
  want = (wanted) => worker.port.postMessage(wanted);
  look();
} catch {
  alone();
}
document.addEventListener("visibilitychange", look);
addEventListener("pagehide", () => want(false));
addEventListener("pageshow", (event) => { if (event.persisted) look(); });
