package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api/client"
	"github.com/palate-art/palate/internal/catalog"
)

// witness validates every answer against the document and remembers which
// operations were called.
type witness struct {
	t      *testing.T
	router routers.Router
	right  map[string]int // answers below 400 by operation
	wrong  map[string]int // problems by operation
}

func newWitness(t *testing.T, spec *openapi3.T) *witness {
	t.Helper()
	spec.Servers = nil
	router, err := gorillamux.NewRouter(spec)
	must(t, err)
	return &witness{t: t, router: router, right: map[string]int{}, wrong: map[string]int{}}
}

// asFile reports a media type whose content says nothing to the document.
func asFile(mediaType string) bool {
	return strings.HasPrefix(mediaType, "image/") || strings.HasPrefix(mediaType, "application/atom+xml") || strings.HasPrefix(mediaType, "text/html")
}

func (w *witness) Do(r *http.Request) (*http.Response, error) {
	route, parameters, err := w.router.FindRoute(r)
	if err != nil {
		w.t.Fatalf("%s %s is not in the document: %v", r.Method, r.URL, err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	streams := strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream")
	var body []byte
	if streams { // which lasts
		body = make([]byte, 2)
		_, err = io.ReadFull(response.Body, body)
	} else {
		body, err = io.ReadAll(response.Body)
	}
	if err != nil {
		return nil, err
	}
	id := route.Operation.OperationID
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: parameters, Route: route},
		Status:                 response.StatusCode, Header: response.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: streams || asFile(response.Header.Get("Content-Type"))},
	}
	input.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(r.Context(), input); err != nil {
		w.t.Errorf("%s answered %d, which the document does not allow: %v\n%.300s", id, response.StatusCode, err, body)
	}
	if response.StatusCode < 400 {
		w.right[id]++
	} else {
		w.wrong[id]++
		if kind := response.Header.Get("Content-Type"); kind != "application/problem+json" && id != "getHealth" {
			w.t.Errorf("%s answered %d as %s", id, response.StatusCode, kind)
		}
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// unknown adds a query parameter that no operation has.
func unknown(_ context.Context, r *http.Request) error {
	r.URL.RawQuery += "&surprise=1"
	return nil
}

func TestEveryOperationAnswersAsTheDocumentSays(t *testing.T) {
	f := newFixture(t)
	reds, blues := f.add(t, 12, red, "Roth"), f.add(t, 12, blue, "Blau")
	spec := document(t)
	w := newWitness(t, spec)
	c, err := client.NewClient(f.url, client.WithHTTPClient(w))
	must(t, err)
	ctx, me := t.Context(), string(palate.DefaultProfile)
	one, other, gone := reds[0].String(), blues[0].String(), palate.ImageID{6: 0x80, 8: 0x80}.String()
	const binary = "application/octet-stream"
	upload := func(fields ...string) (string, io.Reader) {
		f.pictures++
		kind, body := form(t, paint(t, red, f.pictures), fields...)
		return kind, strings.NewReader(body)
	}
	empty := func() (string, io.Reader) {
		kind, body := form(t, nil, "title", "no file")
		return kind, strings.NewReader(body)
	}
	call := func(want int, response *http.Response, err error) {
		t.Helper()
		must(t, err)
		if response.StatusCode != want {
			body, _ := io.ReadAll(response.Body)
			t.Errorf("%s %s: got %d, want %d: %.300s", response.Request.Method, response.Request.URL, response.StatusCode, want, body)
		}
	}
	say := func(want int) func(*http.Response, error) {
		return func(response *http.Response, err error) { t.Helper(); call(want, response, err) }
	}
	ok, bad, missing := say(200), say(400), say(404)

	ok(c.GetHealth(ctx))
	bad(c.GetHealth(ctx, unknown))
	ok(c.GetLiveness(ctx))
	bad(c.GetLiveness(ctx, unknown))
	ok(c.GetReadiness(ctx))
	bad(c.GetReadiness(ctx, unknown))
	ok(c.GetVersion(ctx))
	bad(c.GetVersion(ctx, unknown))

	limit, year := 5, 1900
	judged := client.JudgedFilterUnrated
	ok(c.ListImages(ctx, &client.ListImagesParams{Limit: &limit, Artist: &[]string{"Roth"}, YearFrom: &year, Judged: &judged}))
	ok(c.ListImages(ctx, &client.ListImagesParams{ExternalID: pointer("M/3")}))
	bad(c.ListImages(ctx, &client.ListImagesParams{Cursor: pointer("never given")}))
	kind, body := upload("title", "Ein Titel", "year", "1899")
	say(201)(c.UploadImageWithBody(ctx, nil, kind, body))
	kind, body = empty()
	bad(c.UploadImageWithBody(ctx, nil, kind, body))
	ok(c.GetImage(ctx, one, &client.GetImageParams{Profile: &me}))
	missing(c.GetImage(ctx, gone, nil))
	ok(c.EditImage(ctx, one, &client.EditImageParams{Profile: &me}, client.ImageEdit{"title": "Der Mönch", "year": -300, "artist": nil}))
	say(412)(c.EditImage(ctx, one, &client.EditImageParams{IfMatch: pointer(`W/"another"`)}, client.ImageEdit{"title": nil}))
	bad(c.EditImage(ctx, one, nil, client.ImageEdit{"page": "https://museum.example"}))
	missing(c.EditImage(ctx, gone, nil, client.ImageEdit{"title": "None"}))
	ok(c.GetImageFile(ctx, one))
	missing(c.GetImageFile(ctx, gone))
	ok(c.GetImageThumbnail(ctx, one, nil))
	width := client.ThumbnailWidth(77)
	bad(c.GetImageThumbnail(ctx, one, &client.GetImageThumbnailParams{Width: &width}))

	ok(c.ListNeighbours(ctx, one, &client.ListNeighboursParams{Limit: &limit}))
	missing(c.ListNeighbours(ctx, gone, nil))
	ok(c.SearchByExamples(ctx, client.ExampleSearch{Positive: []string{one}, Negative: &[]string{other}}))
	bad(c.SearchByExamples(ctx, client.ExampleSearch{}))
	kind, body = upload()
	ok(c.SearchByUploadWithBody(ctx, nil, kind, body))
	kind, body = empty()
	bad(c.SearchByUploadWithBody(ctx, nil, kind, body))

	ok(c.PutRating(ctx, me, one, client.RatingInput{Verdict: pointer(client.VerdictLike), Shown: pointer(client.ShownQueueTop), ProbeVersion: pointer(1), Score: pointer(.5)}))
	bad(c.PutRating(ctx, me, one, client.RatingInput{Verdict: pointer(client.Verdict("adore"))}))
	ok(c.PutRatings(ctx, me, nil, client.RatingsInput{Ratings: []client.ImageRating{{ImageID: one, Verdict: pointer(client.VerdictLike)}}}))
	missing(c.PutRatings(ctx, me, nil, client.RatingsInput{Ratings: []client.ImageRating{{ImageID: one, Verdict: pointer(client.VerdictLike)}, {ImageID: gone, Verdict: pointer(client.VerdictLike)}}}))
	bad(c.PutRatings(ctx, me, nil, client.RatingsInput{Ratings: []client.ImageRating{}}))
	ok(c.PutRating(ctx, me, other, client.RatingInput{Stars: pointer(3)}))
	bad(c.PutRating(ctx, me, one, client.RatingInput{}))
	bad(c.PutRating(ctx, me, one, client.RatingInput{Stars: pointer(6)}))
	bad(c.PutRatings(ctx, me, nil, client.RatingsInput{Ratings: []client.ImageRating{{ImageID: one}}}))
	say(204)(c.DeleteRating(ctx, me, other))
	ok(c.UndoRating(ctx, me, nil, client.Undo{}))
	ok(c.UndoRating(ctx, me, nil, client.Undo{}))
	ok(c.GetRating(ctx, me, one))
	missing(c.GetRating(ctx, me, other))
	ok(c.ListRatings(ctx, me, &client.ListRatingsParams{Limit: &limit}))
	bad(c.ListRatings(ctx, "No Such Name", nil))
	ok(c.ListModels(ctx))
	bad(c.ListModels(ctx, unknown))
	ok(c.ListProfiles(ctx))
	bad(c.ListProfiles(ctx, unknown))
	ok(c.UndoRating(ctx, me, nil, client.Undo{}))
	ok(c.UndoRating(ctx, me, nil, client.Undo{}))
	missing(c.UndoRating(ctx, me, nil, client.Undo{}))
	ok(c.PutRating(ctx, me, one, client.RatingInput{Verdict: pointer(client.VerdictSkip)}))
	say(204)(c.DeleteRating(ctx, me, one))
	missing(c.DeleteRating(ctx, me, one))

	many := client.ImageSelection{ImageIds: []string{one, gone}}
	ok(c.PutRatings(ctx, me, nil, client.RatingsInput{Ratings: []client.ImageRating{{ImageID: one, Verdict: pointer(client.VerdictLike)}}}))
	ok(c.ClearRatings(ctx, me, many))
	bad(c.ClearRatings(ctx, me, client.ImageSelection{ImageIds: []string{}}))
	ok(c.UndoRatings(ctx, me, client.LogEntries{Entries: []int64{}}))
	bad(c.UndoRatings(ctx, me, client.LogEntries{Entries: []int64{0}}))
	missing(c.UndoRatings(ctx, me, client.LogEntries{Entries: []int64{1 << 40}}))
	ok(c.ClearRatings(ctx, me, many))
	ok(c.DeleteImages(ctx, client.Deletion{ImageIds: []string{other, gone}}))
	bad(c.DeleteImages(ctx, client.Deletion{ImageIds: []string{"none"}}))
	ok(c.RestoreImages(ctx, client.ImageSelection{ImageIds: []string{other, gone}}))
	bad(c.RestoreImages(ctx, client.ImageSelection{ImageIds: []string{}}))
	ok(c.ListFacetValues(ctx, client.FacetNameArtist, &client.ListFacetValuesParams{Limit: &limit, Q: pointer("RO")}))
	bad(c.ListFacetValues(ctx, "colour", nil))
	ok(c.ListFacetValues(ctx, client.FacetNameModel, nil))
	ok(c.GetLearning(ctx, me))
	bad(c.GetLearning(ctx, "No Such Name"))

	ok(c.ExportImages(ctx, me, nil))
	bad(c.ExportImages(ctx, me, &client.ExportImagesParams{Format: pointer(client.ExportFormatCsv), Embeddings: pointer(true)}))
	ok(c.ImportRatingsWithBody(ctx, "copy", nil, binary, strings.NewReader(`{"image_id":"`+one+`","verdict":"like"}`)))
	bad(c.ImportRatingsWithBody(ctx, "copy", nil, binary, strings.NewReader("{")))

	say(409)(c.ListScores(ctx, me, nil))
	say(409)(c.GetProbe(ctx, me))
	say(409)(c.TrainProbe(ctx, me, nil))
	f.rate(t, palate.Like, reds[:8]...)
	f.rate(t, palate.Dislike, blues[:8]...)
	job := f.train(t, c, me, say(202))
	ok(c.GetJob(ctx, job))
	missing(c.GetJob(ctx, job+1000))
	ok(c.ListJobLosses(ctx, job, &client.ListJobLossesParams{Limit: &limit, Reason: pointer("broken")}))
	missing(c.ListJobLosses(ctx, job+1000, nil))
	bad(c.ListJobLosses(ctx, job, &client.ListJobLossesParams{Cursor: pointer("x")}))
	ok(c.GetJobLog(ctx, job, &client.GetJobLogParams{Limit: &limit, Cursor: pointer("1")}))
	missing(c.GetJobLog(ctx, job+1000, nil))
	bad(c.GetJobLog(ctx, job, &client.GetJobLogParams{Cursor: pointer("x")}))
	ok(c.ListJobs(ctx, nil))
	bad(c.ListJobs(ctx, &client.ListJobsParams{Cursor: pointer("x")}))
	say(202)(c.StartJob(ctx, nil, client.JobInput{Kind: "reindex"}))
	missing(c.GetJobPage(ctx, job))
	ended, _, err := f.catalog.StartRun(ctx, "arena", palate.DefaultProfile)
	must(t, err)
	must(t, f.catalog.UpdateRun(ctx, ended.ID, 1, 1, json.RawMessage(`{"stage":"measuring","what":"greys, probe","cost":{"seconds":1,"pictures":2}}`)))
	must(t, f.catalog.FinishRun(ctx, ended.ID, catalog.Succeeded, json.RawMessage(`{"version":1,"profile":"me","cells":[{"version":1,"model":"greys","method":"probe"}]}`), ""))
	ok(c.GetJob(ctx, ended.ID))
	ok(c.GetJobPage(ctx, ended.ID))
	bad(c.StartJob(ctx, nil, client.JobInput{Kind: "crawl"}))
	ok(c.FollowEvents(ctx, nil))
	bad(c.FollowEvents(ctx, nil, unknown))
	lasting, _, err := f.catalog.StartRun(ctx, "import", "")
	must(t, err)
	say(202)(c.CancelJob(ctx, lasting.ID))
	missing(c.CancelJob(ctx, lasting.ID+1000))
	ok(c.GetProbe(ctx, me))
	ok(c.ListProbeVersions(ctx, me))
	bad(c.ListProbeVersions(ctx, "No Such Name"))
	ok(c.ListScores(ctx, me, &client.ListScoresParams{Limit: &limit, MinProbability: pointer(.5)}))
	bad(c.ListScores(ctx, me, &client.ListScoresParams{MinProbability: pointer(1.5)}))
	say(409)(c.CreateSnapshot(ctx, "nobody", client.SnapshotInput{Order: client.SnapshotOrderBestFirst}))
	say(410)(c.CreateSnapshot(ctx, me, client.SnapshotInput{Order: client.SnapshotOrderBestFirst, ProbeVersion: pointer(77)}))
	made, err := c.CreateSnapshot(ctx, me, client.SnapshotInput{Order: client.SnapshotOrderBestFirst, Judged: pointer(client.SnapshotJudgedNotJudged), MinProbability: pointer(.01)})
	call(201, made, err)
	var list client.Snapshot
	must(t, json.NewDecoder(made.Body).Decode(&list))
	none := strings.Repeat("0", 32)
	ok(c.GetSnapshot(ctx, me, list.ID))
	missing(c.GetSnapshot(ctx, me, none))
	ok(c.GetSnapshotEntries(ctx, me, list.ID))
	missing(c.GetSnapshotEntries(ctx, "you", list.ID))
	ok(c.ListSnapshotImages(ctx, me, list.ID, &client.ListSnapshotImagesParams{Offset: pointer(3), Limit: &limit}))
	bad(c.ListSnapshotImages(ctx, me, list.ID, &client.ListSnapshotImagesParams{Offset: pointer(-1)}))
	ok(c.GetMap(ctx))
	bad(c.GetMap(ctx, unknown))
	ok(c.GetCopies(ctx))
	bad(c.GetCopies(ctx, unknown))
	ok(c.GetImageCopies(ctx, one, nil))
	bad(c.GetImageCopies(ctx, one, nil, unknown))
	missing(c.GetImageCopies(ctx, gone, nil))
	say(201)(c.CreateSnapshot(ctx, me, client.SnapshotInput{Order: client.SnapshotOrderNewestFirst, Collapse: pointer(true)}))
	say(409)(c.GetSnapshotMap(ctx, me, list.ID))
	f.makeMap(t)
	ok(c.GetSnapshotMap(ctx, me, list.ID))
	missing(c.GetSnapshotMap(ctx, me, none))
	ok(c.GetMap(ctx))
	ok(c.GetFeed(ctx, me, &client.GetFeedParams{Days: pointer(3)}))
	bad(c.GetFeed(ctx, me, &client.GetFeedParams{Days: pointer(0)}))
	ok(c.GetFeedPicture(ctx, me, one))
	missing(c.GetFeedPicture(ctx, me, gone))
	say(201)(c.CreateFeedAddress(ctx, me, nil))
	bad(c.CreateFeedAddress(ctx, "No Such Name", nil))
	ok(c.RevokeFeedAddresses(ctx, me))
	bad(c.RevokeFeedAddresses(ctx, "No Such Name"))
	ok(c.GetScore(ctx, me, one))
	missing(c.GetScore(ctx, me, gone))
	kind, body = upload()
	ok(c.ScoreUploadWithBody(ctx, me, kind, body))
	kind, body = upload()
	say(409)(c.ScoreUploadWithBody(ctx, "nobody", kind, body))

	ok(c.GetQueue(ctx, me, &client.GetQueueParams{Limit: &limit}))
	bad(c.GetQueue(ctx, me, &client.GetQueueParams{Limit: pointer(101)}))
	ok(c.ExplainScore(ctx, me, one, &client.ExplainScoreParams{Limit: &limit}))
	missing(c.ExplainScore(ctx, me, gone, nil))
	ok(c.GetHeatMap(ctx, me, one))
	missing(c.GetHeatMap(ctx, me, gone))
	say(409)(c.GetHeatMap(ctx, "nobody", one))
	ok(c.ListMislabels(ctx, me, nil))
	say(409)(c.ListMislabels(ctx, "nobody", nil))
	ok(c.GetProbeVersion(ctx, me, 1))
	missing(c.GetProbeVersion(ctx, me, 77))
	ok(c.GetProbeQuality(ctx, me, 1))
	missing(c.GetProbeQuality(ctx, me, 77))
	ok(c.GetProbePlot(ctx, me, 1, client.PlotNameRoc, &client.GetProbePlotParams{Threshold: pointer(.5)}))
	bad(c.GetProbePlot(ctx, me, 1, "violin", nil))
	say(409)(c.GetProbePlot(ctx, me, 1, client.PlotNameLearningCurve, nil))
	ok(c.CompareProbeVersions(ctx, me, 1, &client.CompareProbeVersionsParams{Other: 1}))
	missing(c.CompareProbeVersions(ctx, me, 1, &client.CompareProbeVersionsParams{Other: 77}))
	ok(c.GetArenaVerdict(ctx, me))
	bad(c.GetArenaVerdict(ctx, "No Such Name"))
	ok(c.RollbackProbe(ctx, me, nil, client.Rollback{Version: 1}))
	missing(c.RollbackProbe(ctx, me, nil, client.Rollback{Version: 77}))
	missing(c.ExportProbe(ctx, me, 77))
	file, err := c.ExportProbe(ctx, me, 1)
	call(200, file, err)
	exported, err := io.ReadAll(file.Body)
	must(t, err)
	say(201)(c.ImportProbeWithBody(ctx, "you", nil, binary, bytes.NewReader(exported)))
	say(409)(c.GetProbeQuality(ctx, "you", 1))
	bad(c.ImportProbeWithBody(ctx, "you", nil, binary, bytes.NewReader(exported[:len(exported)-1])))
	say(413)(c.ImportProbeWithBody(ctx, "you", nil, binary, bytes.NewReader(make([]byte, 65<<20))))
	say(201)(c.CreateProfile(ctx, nil, client.ProfileInput{Profile: "new"}))
	say(409)(c.CreateProfile(ctx, nil, client.ProfileInput{Profile: "new"}))
	ok(c.CompareProfiles(ctx, me, &client.CompareProfilesParams{With: "new"}))
	missing(c.CompareProfiles(ctx, me, &client.CompareProfilesParams{With: "nobody"}))
	ok(c.RenameProfile(ctx, "new", client.ProfileInput{Profile: "newer"}))
	say(409)(c.RenameProfile(ctx, "newer", client.ProfileInput{Profile: me}))
	say(204)(c.DeleteProfile(ctx, "newer"))
	missing(c.DeleteProfile(ctx, "newer"))

	bad(c.DeleteImage(ctx, other, &client.DeleteImageParams{Reason: pointer("")}))
	say(204)(c.DeleteImage(ctx, other, nil))
	missing(c.DeleteImage(ctx, other, &client.DeleteImageParams{Reason: pointer("again")}))
	ok(c.ListTrash(ctx, nil))
	ok(c.ListTrash(ctx, &client.ListTrashParams{Order: pointer(client.ListOrderNewest), DeletedBefore: pointer(time.Now())}))
	bad(c.ListTrash(ctx, &client.ListTrashParams{Limit: pointer(0)}))
	ok(c.GetTrashThumbnail(ctx, other))
	ok(c.RestoreImage(ctx, other, nil))
	missing(c.RestoreImage(ctx, other, nil))
	missing(c.GetTrashThumbnail(ctx, other))
	say(204)(c.DeleteImage(ctx, other, &client.DeleteImageParams{Reason: pointer("taken down"), Purge: pointer(true)}))
	missing(c.RestoreImage(ctx, other, nil))
	ok(c.EmptyTrash(ctx, nil))
	bad(c.EmptyTrash(ctx, nil, func(_ context.Context, r *http.Request) error {
		r.URL.RawQuery = "deleted_before=yesterday"
		return nil
	}))

	for _, item := range spec.Paths.Map() {
		for _, op := range item.Operations() {
			if w.right[op.OperationID] == 0 || w.wrong[op.OperationID] == 0 {
				t.Errorf("%s was called %d times rightly and %d times wrongly, want both", op.OperationID, w.right[op.OperationID], w.wrong[op.OperationID])
			}
		}
	}
}

func pointer[T any](v T) *T { return &v }
