// The scenario by openapi-typescript's types and openapi-fetch.
import createClient from "openapi-fetch";
import type { paths, components } from "./schema.js";
import { check, isJPEG, nothing, picture, profile, url, wait } from "./check.js";

const client = createClient<paths>({ baseUrl: url });

const form = new FormData();
form.append("title", "Uploaded");
form.append("file", new Blob([picture]), "picture.jpg");
const uploaded = await client.POST("/v1/images", { body: form as never, bodySerializer: (body) => body });
check(uploaded.response.status === 201 && uploaded.data?.title === "Uploaded", "the upload answers 201 with the image");
const id = uploaded.data.id;

const list = await client.GET("/v1/images", { params: { query: { limit: 50, order: "newest" } } });
check(list.data && list.data.images.some((image) => image.id === id), "the upload is in the list");
const others = list.data.images.filter((image) => image.id !== id);
for (const [i, image] of others.entries()) {
  const verdict: components["schemas"]["Verdict"] = i % 2 ? "like" : "dislike";
  const rated = await client.PUT("/v1/profiles/{profile}/ratings/{image}", { params: { path: { profile, image: image.id } }, body: { verdict } });
  check(rated.data?.verdict === verdict, "a rating answers with itself");
}

const begun = await client.POST("/v1/profiles/{profile}/probe", { params: { path: { profile } } });
check(begun.data, "the training begins");
let job = begun.data;
while (job.state === "running") {
  await wait(100);
  const asked = await client.GET("/v1/jobs/{job}", { params: { path: { job: job.id } } });
  check(asked.data, "the job is told");
  job = asked.data;
}
check(job.state === "succeeded", "the training succeeds");
const scores = await client.GET("/v1/profiles/{profile}/scores", { params: { path: { profile }, query: { limit: 5 } } });
check(scores.data?.scores.length === 5 && scores.data.probe_version >= 1, "five scores come from a probe");
check(typeof scores.data.scores[0]!.probability === "number", "a score has a probability");
const near = await client.GET("/v1/images/{image}/neighbours", { params: { path: { image: others[0]!.id } } });
check(near.data && near.data.hits.length > 0 && near.data.hits[0]!.similarity <= 1.001, "an image has neighbours");

const missing = await client.GET("/v1/images/{image}", { params: { path: { image: nothing } } });
check(missing.data === undefined && missing.error.status === 404 && missing.error.type === "urn:palate:problem:not-found", "404 is a problem");
const early = await client.GET("/v1/profiles/{profile}/probe", { params: { path: { profile: "nobody" } } });
check(early.error?.status === 409 && early.error.detail, "no probe yet is a problem of 409");
const wrong = await client.GET("/v1/images", { params: { query: { limit: 1000 } } });
check(wrong.error?.errors?.[0]?.parameter === "limit", "a problem names the parameter");

const thumbnail = await client.GET("/v1/images/{image}/thumbnail", { params: { path: { image: id }, query: { width: 160 } }, parseAs: "arrayBuffer" });
check(thumbnail.data && isJPEG(new Uint8Array(thumbnail.data)), "a thumbnail is the bytes of a JPEG");
const file = await client.GET("/v1/images/{image}/file", { params: { path: { image: id } }, parseAs: "arrayBuffer" });
check(file.data && Buffer.from(file.data).equals(picture), "the file is what was uploaded");
const gone = await client.DELETE("/v1/images/{image}", { params: { path: { image: id } } });
check(gone.response.status === 204, "a delete needs no reason");
console.log("the scenario holds");
