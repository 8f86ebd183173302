// The server's events as they come (openapi.yaml, followEvents): for the worker
// that the tabs share, and for a tab that has none.

const least = 1000, most = 30e3; // milliseconds until it is tried again
const silence = 45e3; // the server says four times a minute that it is there

/**
 * @typedef {{type: string, value?: any}} Heard an event of the server's; "open" says that some may have been missed before
 */

/**
 * stream gives what switches the events on and off; it goes on where it ended.
 * @param {(heard: Heard) => void} tell
 * @returns {(wanted: boolean) => void}
 */
export function stream(tell) {
  /** @type {AbortController | undefined} */
  let abort;
  let last = "", pause = least;

  /** @param {AbortSignal} signal */
  async function read(signal) {
    const response = await fetch("/v1/events", { signal, cache: "no-store", headers: last ? { "Last-Event-ID": last } : {} });
    if (!response.ok) {
      last = "";
      throw new Error(response.statusText);
    }
    tell({ type: "open" });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = "", type = ""; ;) {
      const gone = setTimeout(() => reader.cancel(), silence);
      const { value, done } = await reader.read().finally(() => clearTimeout(gone));
      if (done) return;
      pause = least;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        const [, field, text] = /^(id|event|data): (.*)/.exec(line) ?? [];
        if (field === "id") last = text;
        else if (field === "event") type = text;
        else if (field) tell({ type, value: JSON.parse(text) });
      }
    }
  }

  /** @param {AbortSignal} signal */
  async function run(signal) {
    while (!signal.aborted) {
      await read(signal).catch(() => {}); // it is tried again
      await new Promise((resolve) => { setTimeout(resolve, signal.aborted ? 0 : pause); });
      pause = Math.min(2 * pause, most);
    }
  }

  return (wanted) => {
    if (wanted && !abort) {
      abort = new AbortController();
      pause = least;
      run(abort.signal);
    } else if (!wanted) {
      abort?.abort();
      abort = undefined;
    }
  };
}
