"""The scenario by what openapi-generator generates for Python."""

import os
import time

import palate_generated as palate

client = palate.ApiClient(palate.Configuration(host=os.environ["PALATE_URL"]))
images, ratings, probe = palate.ImagesApi(client), palate.RatingsApi(client), palate.ProbeApi(client)
jobs, scoring, search = palate.JobsApi(client), palate.ScoresApi(client), palate.SearchApi(client)
profile = os.environ["PALATE_PROFILE"]
with open(os.environ["PALATE_PICTURE"], "rb") as opened:
    picture = opened.read()


def problem(call, status):
    """The problem that a call answers with."""
    try:
        call()
    except palate.ApiException as error:
        assert error.status == status and isinstance(error.data, palate.Problem), error
        return error.data
    raise AssertionError(f"{call} succeeded, want {status}")


uploaded = images.upload_image_with_http_info(file=("picture.jpg", picture), title="Uploaded")
assert uploaded.status_code == 201 and uploaded.data.title == "Uploaded", uploaded
mine = uploaded.data.id

listed = images.list_images(limit=50).images
assert mine in [image.id for image in listed]
others = [image for image in listed if image.id != mine]
for i, image in enumerate(others):
    verdict = palate.Verdict.LIKE if i % 2 else palate.Verdict.DISLIKE
    rated = ratings.put_rating(profile, image.id, palate.RatingInput(verdict=verdict))
    assert rated.verdict == verdict, rated

job = probe.train_probe(profile)
while job.state == palate.JobState.RUNNING:
    time.sleep(0.1)
    job = jobs.get_job(job.id)
assert job.state == palate.JobState.SUCCEEDED, job
scores = scoring.list_scores(profile, limit=5)
assert len(scores.scores) == 5 and scores.probe_version >= 1, scores
assert isinstance(scores.scores[0].probability, float), scores.scores[0]
near = search.list_neighbours(others[0].id)
assert near.hits and near.hits[0].similarity <= 1.001, near

missing = problem(lambda: images.get_image("00000000-0000-8000-8000-000000000000"), 404)
assert missing.type == "urn:palate:problem:not-found", missing
assert problem(lambda: probe.get_probe("nobody"), 409).detail
assert problem(lambda: images.list_images(external_id="x", q="y"), 400).errors[0].parameter == "q"

thumbnail = images.get_image_thumbnail(mine, width=palate.ThumbnailWidth.NUMBER_160)
assert bytes(thumbnail[:2]) == b"\xff\xd8", thumbnail[:20]
assert bytes(images.get_image_file(mine)) == picture
assert images.delete_image_with_http_info(mine).status_code == 204
print("the scenario holds")
