"""The scenario by what openapi-python-client generates."""

import io
import os
import time

from palate_client import Client
from palate_client.api.images import delete_image, get_image, get_image_file, get_image_thumbnail, list_images, upload_image
from palate_client.api.jobs import get_job
from palate_client.api.probe import get_probe, train_probe
from palate_client.api.ratings import put_rating
from palate_client.api.scores import list_scores
from palate_client.api.search import list_neighbours
from palate_client.models import Image, ImageUpload, JobState, Problem, RatingInput, ScoreList, ThumbnailWidth, Verdict
from palate_client.types import File

client = Client(base_url=os.environ["PALATE_URL"], raise_on_unexpected_status=True)
profile = os.environ["PALATE_PROFILE"]
with open(os.environ["PALATE_PICTURE"], "rb") as opened:
    picture = opened.read()

uploaded = upload_image.sync_detailed(
    client=client, body=ImageUpload(title="Uploaded", file=File(payload=io.BytesIO(picture), file_name="picture.jpg"))
)
assert uploaded.status_code == 201 and isinstance(uploaded.parsed, Image) and uploaded.parsed.title == "Uploaded", uploaded
mine = uploaded.parsed.id

images = list_images.sync(client=client, limit=50).images
assert mine in [image.id for image in images]
others = [image for image in images if image.id != mine]
for i, image in enumerate(others):
    verdict = Verdict.LIKE if i % 2 else Verdict.DISLIKE
    rated = put_rating.sync(profile, image.id, client=client, body=RatingInput(verdict=verdict))
    assert rated.verdict == verdict, rated

job = train_probe.sync(profile, client=client)
while job.state == JobState.RUNNING:
    time.sleep(0.1)
    job = get_job.sync(job.id, client=client)
assert job.state == JobState.SUCCEEDED, job
scores = list_scores.sync(profile, client=client, limit=5)
assert isinstance(scores, ScoreList) and len(scores.scores) == 5 and scores.probe_version >= 1, scores
assert isinstance(scores.scores[0].probability, float), scores.scores[0]
near = list_neighbours.sync(others[0].id, client=client)
assert near.hits and near.hits[0].similarity <= 1.001, near

missing = get_image.sync("00000000-0000-8000-8000-000000000000", client=client)
assert isinstance(missing, Problem) and missing.status == 404 and missing.type_ == "urn:palate:problem:not-found", missing
early = get_probe.sync("nobody", client=client)
assert isinstance(early, Problem) and early.status == 409 and early.detail, early
wrong = list_images.sync(client=client, limit=1000)
assert isinstance(wrong, Problem) and wrong.errors[0].parameter == "limit", wrong

thumbnail = get_image_thumbnail.sync(mine, client=client, width=ThumbnailWidth.VALUE_160)
assert isinstance(thumbnail, File) and thumbnail.payload.read(2) == b"\xff\xd8", thumbnail
kept = get_image_file.sync(mine, client=client)
assert isinstance(kept, File) and kept.payload.read() == picture
assert delete_image.sync_detailed(mine, client=client).status_code == 204
print("the scenario holds")
