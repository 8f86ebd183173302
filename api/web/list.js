// A list as the server keeps it for an hour: all ids with shapes and chances
// at once, what is known of the pictures by parts (openapi.yaml, Snapshot).

import { call } from "./base.js";

const block = 60; // pictures that are asked about together
const mostBlocks = 50; // that are remembered
const none = 255; // no chance is told

/**
 * @typedef {object} Item one picture of the list, as it stands
 * @property {number} place
 * @property {import("./base.js").Picture} image
 * @property {number} [score]
 * @property {number} [probability]
 * @property {number} [copies] how many others of its work are left out
 */

export class List {
  /**
   * @param {string} path of the snapshot
   * @param {object} summary as the API gives it
   * @param {ArrayBuffer} packed its entries
   */
  constructor(path, summary, packed) {
    const view = new DataView(packed), n = view.getUint32(4, true);
    if (view.getUint32(0) !== 0x504c5331 || packed.byteLength !== 8 + 19 * n) throw new Error("The list can't be read: reload the page.");
    this.path = path;
    this.summary = summary;
    this.reasons = false; // whether each picture comes with the like that it is most like
    this.ids = new Uint8Array(packed, 8, 16 * n);
    this.shapes = new Uint16Array(packed, 8 + 16 * n, n);
    this.chances = new Uint8Array(packed, 8 + 18 * n, n);
    /** The places that are shown, in their order: what was deleted is not among them. */
    this.order = Uint32Array.from({ length: n }, (_, i) => i);
    /** @type {Map<number, Map<number, Item>>} */
    this.blocks = new Map();
    /** @type {Map<number, Promise<void>>} */
    this.coming = new Map();
  }

  get length() { return this.order.length; }

  /** id of a place, as the API writes it. */
  id(place) {
    let text = "";
    for (let i = 0; i < 16; i++) {
      text += (256 + this.ids[16 * place + i]).toString(16).slice(1);
      if (i === 3 || i === 5 || i === 7 || i === 9) text += "-";
    }
    return text;
  }

  /** index of an id among what is shown, or -1. */
  index(id) {
    const digits = String(id).replaceAll("-", "");
    if (!/^[0-9a-f]{32}$/.test(digits)) return -1;
    const bytes = Uint8Array.from(digits.match(/../g), (two) => parseInt(two, 16));
    search: for (let i = 0; i < this.order.length; i++) {
      const at = 16 * this.order[i];
      for (let k = 15; k >= 0; k--) if (this.ids[at + k] !== bytes[k]) continue search;
      return i;
    }
    return -1;
  }

  /** chance of a place in percent, or undefined. */
  chance(place) {
    return this.chances[place] === none ? undefined : this.chances[place];
  }

  /** known is what has been read of a place. */
  known(place) {
    return this.blocks.get(Math.floor(place / block))?.get(place);
  }

  /**
   * load reads what is known of the pictures at some places, as far as that has not been done.
   * @param {Iterable<number>} places
   */
  async load(places) {
    const wanted = new Set();
    for (const place of places) wanted.add(Math.floor(place / block));
    await Promise.all([...wanted].map((b) => this.#read(b)));
  }

  #read(b) {
    const had = this.blocks.get(b);
    if (had) { // the one that was read the longest ago is forgotten first
      this.blocks.delete(b);
      this.blocks.set(b, had);
      return undefined;
    }
    if (!this.coming.has(b)) {
      const { blocks, coming } = this;
      coming.set(b, call(`${this.path}/images?offset=${b * block}&limit=${block}${this.reasons ? "&nearest_likes=1" : ""}`).then(({ items }) => {
        blocks.set(b, new Map(items.map((item) => [item.place, item])));
        if (blocks.size > mostBlocks) blocks.delete(blocks.keys().next().value);
      }).finally(() => coming.delete(b)));
    }
    return this.coming.get(b);
  }

  /** forget lets everything be read anew that is known of the pictures. */
  forget() {
    this.blocks = new Map();
    this.coming = new Map();
  }

  /** remove takes places out of what is shown. */
  remove(places) {
    const gone = new Set(places);
    this.order = this.order.filter((p) => !gone.has(p));
  }

  /** insert brings places back to where they were. */
  insert(places) {
    this.order = Uint32Array.from(new Set([...this.order, ...places])).sort();
  }
}

/** madeAt is when the server made a list, by its clock. */
export const madeAt = (list) => Date.parse(list.summary.expires_at) - 3600e3;

/**
 * make asks the server for a list.
 * @param {string} profilePath
 * @param {object} input what the list is of (openapi.yaml, SnapshotInput)
 * @param {AbortSignal} [signal]
 */
export async function make(profilePath, input, signal) {
  const summary = await call(`${profilePath}/snapshots`, { method: "POST", body: input, signal });
  return read(profilePath, summary, signal);
}

/** find gives a list that the server keeps still. */
export async function find(profilePath, id, signal) {
  return read(profilePath, await call(`${profilePath}/snapshots/${id}`, { signal }), signal);
}

async function read(profilePath, summary, signal) {
  const path = `${profilePath}/snapshots/${summary.id}`;
  return new List(path, summary, await call(`${path}/entries`, { signal, bytes: true }));
}
