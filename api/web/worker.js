// One stream of events for all tabs of a browser, which has few connections to a server.

import { stream } from "./stream.js";

/** @type {Set<MessagePort>} of the tabs that want them */
const wanting = new Set();
const want = stream((heard) => { for (const port of wanting) port.postMessage(heard); });

/** @type {any} */ (self).onconnect = (/** @type {MessageEvent} */ { ports: [port] }) => {
  port.onmessage = ({ data: wanted }) => {
    if (wanted && wanting.size && !wanting.has(port)) port.postMessage({ type: "open" }); // it is, and this tab may have missed some
    if (wanted) wanting.add(port);
    else wanting.delete(port);
    want(wanting.size > 0);
  };
};
