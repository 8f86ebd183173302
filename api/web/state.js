// What every part of the page knows of where one is and who one is.

import { call } from "./base.js";

export const state = {
  view: "newest", // scores, news, newest, liked, map, taste, teach, trash or work
  profile: "me",
  /** @type {Record<string, any>} as the API takes them (SnapshotInput): judged, q, artist … */
  filters: {},
  queue: [], // what Teach asks next; the first is shown
  asking: null, // the promise of more of it
  chosen: false, // the person chose a view: the page chooses none then
  begun: false, // the first view is known
  counts: { like: 0, dislike: 0 }, // standing verdicts of the profile
  taste: "", // what is said of the taste behind the counts
  version: 0, // of the taste that serves
  judged: 0, // verdicts since the page was opened
  unsent: [], // verdicts that wait for the server
  done: [], // what U takes back, the last at the end: deletions, and null for what the server undoes
};

export const gridViews = new Set(["scores", "news", "newest", "liked", "map"]);

export const profilePath = () => "/profiles/" + encodeURIComponent(state.profile);

/** imageOf reads what is known of one picture, with the profile's verdict. */
export const imageOf = (id) => call(`/images/${id}?profile=${encodeURIComponent(state.profile)}`);
