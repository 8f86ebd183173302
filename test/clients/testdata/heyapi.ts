// The scenario by what @hey-api/openapi-ts generates.
import { client } from "./hey/client.gen.js";
import * as palate from "./hey/index.js";
import { check, isJPEG, nothing, picture, profile, url, wait } from "./check.js";

client.setConfig({ baseUrl: url });

const uploaded = await palate.uploadImage({ body: { title: "Uploaded", file: new Blob([picture]) } });
check(uploaded.response?.status === 201 && uploaded.data?.title === "Uploaded", "the upload answers 201 with the image");
const id = uploaded.data.id;

const list = await palate.listImages({ query: { limit: 50, order: "newest" } });
check(list.data && list.data.images.some((image) => image.id === id), "the upload is in the list");
const others = list.data.images.filter((image) => image.id !== id);
for (const [i, image] of others.entries()) {
  const verdict: palate.Verdict = i % 2 ? "like" : "dislike";
  const rated = await palate.putRating({ path: { profile, image: image.id }, body: { verdict } });
  check(rated.data?.verdict === verdict, "a rating answers with itself");
}

const begun = await palate.trainProbe({ path: { profile } });
check(begun.data, "the training begins");
let job = begun.data;
while (job.state === "running") {
  await wait(100);
  const asked = await palate.getJob({ path: { job: job.id } });
  check(asked.data, "the job is told");
  job = asked.data;
}
check(job.state === "succeeded", "the training succeeds");
const scores = await palate.listScores({ path: { profile }, query: { limit: 5 } });
check(scores.data?.scores.length === 5 && scores.data.probe_version >= 1, "five scores come from a probe");
check(typeof scores.data.scores[0]!.probability === "number", "a score has a probability");
const near = await palate.listNeighbours({ path: { image: others[0]!.id } });
check(near.data && near.data.hits.length > 0 && near.data.hits[0]!.similarity <= 1.001, "an image has neighbours");

const missing = await palate.getImage({ path: { image: nothing } });
check(missing.data === undefined && missing.error?.status === 404 && missing.error.type === "urn:palate:problem:not-found", "404 is a problem");
const early = await palate.getProbe({ path: { profile: "nobody" } });
check(early.error?.status === 409 && early.error.detail, "no probe yet is a problem of 409");
const wrong = await palate.listImages({ query: { limit: 1000 } });
check(wrong.error?.errors?.[0]?.parameter === "limit", "a problem names the parameter");

const thumbnail = await palate.getImageThumbnail({ path: { image: id }, query: { width: 160 } });
check(thumbnail.data instanceof Blob && isJPEG(new Uint8Array(await thumbnail.data.arrayBuffer())), "a thumbnail is the bytes of a JPEG");
const file = await palate.getImageFile({ path: { image: id } });
check(file.data instanceof Blob && Buffer.from(await file.data.arrayBuffer()).equals(picture), "the file is what was uploaded");
const gone = await palate.deleteImage({ path: { image: id } });
check(gone.response?.status === 204, "a delete needs no reason");
console.log("the scenario holds");
