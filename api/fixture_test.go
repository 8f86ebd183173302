package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/internal/atlas"
	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/starter"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/internal/verify"
	"github.com/palate-art/palate/internal/works"
)

// colours embeds a picture as its mean colour: quick, and enough to tell red
// pictures from blue ones.
type colours struct{}

const coloursDim = 4

func (colours) Prepare(img image.Image) (embedder.Input, error) {
	m, err := picture.Resize(picture.FromImage(img), 4, 4)
	if err != nil {
		return embedder.Input{}, err
	}
	in := embedder.Input{Channels: 3, Height: 4, Width: 4, Pixels: make([]float32, 48)}
	for i, v := range m.Pix {
		in.Pixels[i%3*16+i/3] = float32(v) / 255
	}
	return in, nil
}

func (colours) Embed(ctx context.Context, inputs []embedder.Input) ([]palate.Embedding, error) {
	out := make([]palate.Embedding, len(inputs))
	for i, in := range inputs {
		e := palate.Embedding{0, 0, 0, .2}
		norm := float64(e[3] * e[3])
		for c := range 3 {
			for _, v := range in.Pixels[16*c : 16*c+16] {
				e[c] += v/16 - .5/16
			}
			norm += float64(e[c] * e[c])
		}
		for j := range e {
			e[j] /= float32(math.Sqrt(norm))
		}
		out[i] = e
	}
	return out, ctx.Err()
}

// EmbedPatches gives each of the 16 pixels as a patch: the embedding is their
// mean.
func (colours) EmbedPatches(ctx context.Context, inputs []embedder.Input) ([]embedder.Patches, error) {
	out := make([]embedder.Patches, len(inputs))
	for i, in := range inputs {
		out[i] = embedder.Patches{Columns: 4, Rows: 4, Shown: embedder.Area{MaxX: 1, MaxY: 1}}
		for k := range 16 {
			out[i].Tokens = append(out[i].Tokens, []float32{in.Pixels[k] - .5, in.Pixels[16+k] - .5, in.Pixels[32+k] - .5, .2})
		}
	}
	return out, ctx.Err()
}

func (colours) Reading() picture.Reading { return picture.Reading{} }
func (colours) Dim() int                 { return coloursDim }
func (colours) Model() palate.ModelID    { return palate.ModelID(strings.Repeat("c0", 32)) }
func (colours) Name() string             { return "colours" }
func (colours) Provider() string         { return "cpu" }

// fixture is a server on loopback with real parts below it.
type fixture struct {
	catalog    *sqlite.Catalog
	store      *disk.Store
	collection *ingest.Collection
	index      *flat.Index
	follower   *ingest.Follower
	tastes     *taste.Tastes
	url        string
	pictures   int
	importRoot string
	backups    string // the folder of backups
	models     string // the folder of models
	drawn      bool   // there is a model that is an .onnx file
	mapFile    string
	server     *api.Server
	jobs       *starter.Starter
}

func newFixture(t testing.TB, adjust ...func(*taste.Config)) *fixture {
	t.Helper()
	dir := t.TempDir()
	quiet := slog.New(slog.DiscardHandler)
	c, err := sqlite.Open(t.Context(), filepath.Join(dir, "catalog.db"), sqlite.DefaultConfig())
	must(t, err)
	store, err := disk.Open(filepath.Join(dir, "images"))
	must(t, err)
	must(t, c.PutModel(t.Context(), catalog.Model{ID: colours{}.Model(), Name: "colours", Dim: coloursDim}))
	ix, err := flat.New(colours{}.Model(), coloursDim)
	must(t, err)
	config := taste.DefaultConfig()
	config.RetrainAfter, config.LookEvery = 0, 10*time.Millisecond
	for _, change := range adjust {
		change(&config)
	}
	tastes, err := taste.New(c, ix, config, quiet)
	must(t, err)
	f := &fixture{catalog: c, store: store, index: ix, tastes: tastes,
		follower:   ingest.NewFollower(c, ix, "", quiet),
		collection: ingest.NewCollection(c, store, picture.DefaultLimits())}
	apiConfig := api.DefaultConfig()
	apiConfig.MaxUploadBytes = 1 << 20
	f.importRoot = filepath.Join(dir, "import")
	must(t, os.MkdirAll(f.importRoot, 0o700))
	opened := starter.DefaultConfig()
	opened.ImportRoots = []string{f.importRoot}
	f.backups, f.mapFile = filepath.Join(dir, "backups"), filepath.Join(dir, "maps", "colours.map")
	opened.BackupFolder, opened.Backup.Keep = f.backups, 3
	f.models = filepath.Join(dir, "models")
	opened.Crawler.Contact, opened.Crawler.PrivateHosts, opened.Crawler.Site.Delay = "operator@palate.test", []string{"localhost"}, 0
	opened.Crawler.Retries, opened.CallersContact = 0, true
	jobs := starter.New(starter.Parts{Catalog: c, Tastes: tastes, Steps: steps{f}}, opened, quiet)
	server, err := api.New(api.Services{Starter: jobs, Catalog: c, Store: store, Collection: f.collection, Index: ix,
		Follower: f.follower, Embedder: colours{}, Tastes: tastes, Map: atlas.NewKept(f.mapFile).Map,
		HeatMaps: true, Patches: func(context.Context) (embedder.PatchEmbedder, error) { return colours{}, nil }}, apiConfig, quiet)
	must(t, err)
	web := httptest.NewServer(server.Handler())
	f.url, f.server, f.jobs = web.URL, server, jobs
	ctx, stop := context.WithCancel(context.Background())
	var group errgroup.Group
	group.Go(func() error { return tastes.Run(ctx) })
	group.Go(func() error { return jobs.Run(ctx) })
	t.Cleanup(func() {
		web.Close()
		stop()
		if err := group.Wait(); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		must(t, c.Close())
	})
	return f
}

// steps are the work of jobs on the fixture's parts.
type steps struct{ *fixture }

func (s steps) CrawlAs(ctx context.Context, j *job.Job, name string, config crawler.Config, seeds []crawler.Seed) (crawler.Report, error) {
	c, err := crawler.New(config, s.catalog, s.collection, crawler.Options{Logger: slog.New(slog.DiscardHandler),
		Progress: func(r crawler.Report) { j.Progress(ctx, int64(r.Kept+r.Known), int64(r.Candidates)) }})
	if err != nil {
		return crawler.Report{}, err
	}
	return c.Run(ctx, name, seeds)
}

func (s steps) DryRunOf(ctx context.Context, name string, config crawler.Config, seeds []crawler.Seed, found func(crawler.Task)) (crawler.Report, error) {
	config.DryRun = true
	c, err := crawler.New(config, crawler.NewMemory(), s.collection, crawler.Options{Logger: slog.New(slog.DiscardHandler), Found: found})
	if err != nil {
		return crawler.Report{}, err
	}
	report, err := c.Run(ctx, name, seeds)
	if errors.Is(err, crawler.ErrNothingKept) && report.Lost[crawler.ReasonDryRun] > 0 {
		err = nil
	}
	return report, err
}

func (s steps) ImportAs(ctx context.Context, j *job.Job, files ingest.Import) (ingest.ImportReport, error) {
	files.Run = j.Run.ID
	files.Progress = func(done, total int) { j.Progress(ctx, int64(done), int64(total)) }
	return s.collection.Import(ctx, files)
}

func (s steps) EmbedAs(ctx context.Context, j *job.Job, _ bool) (ingest.EmbedReport, error) {
	return s.collection.EmbedAs(ctx, j, colours{}, embedder.DefaultPipelineConfig())
}

// Another model by the name of "greys" is known; passing the collection on to it
// embeds what is not embedded.
func (s steps) Choices(context.Context) (starter.Choices, error) {
	choices := starter.Choices{Upgrade: &starter.RulesUpgrade{From: "as it was", To: "as it is"}, Models: []starter.Choice{
		{Name: "colours", What: "mean colours", State: starter.Here, Embedded: 1, Serves: true, Untrainable: "it is made of formulas and has no weights"},
		{Name: "greys", What: "mean greys", State: starter.NotPulled, Bytes: 88e6, Licence: "MIT", LicenceURL: "https://example.org/mit"},
		{Name: "gone", What: "a file", State: starter.Missing, Problem: "no such file", Guessed: []string{"mean"}}}}
	if s.drawn {
		choices.Models = append(choices.Models, starter.Choice{Name: "drawn", What: "a graph", State: starter.Here, Untrainable: "it is an .onnx file, whose weights can't be told from its operators"})
	}
	made, err := models.OpenStore(s.models).Locals()
	for _, m := range made {
		if m.Tuned != nil {
			choices.Models = append(choices.Models, starter.Choice{Name: m.Name, What: m.Architecture, State: starter.Here})
		}
	}
	return choices, err
}

func (s steps) Known(model string) error {
	if model == "greys" {
		return nil
	}
	_, err := models.OpenStore(s.models).Local(model)
	return err
}

func (s steps) Trainable(model string) error {
	if model == "drawn" {
		return models.UntrainableONNX(model)
	}
	return s.Known(model)
}

func (s steps) PassAs(ctx context.Context, j *job.Job, model string) (any, error) {
	report, err := s.EmbedAs(ctx, j, false)
	return map[string]any{"to": model, "embedding": report}, err
}

func (s steps) ReindexAs(ctx context.Context, j *job.Job) (done starter.Indexed, err error) {
	err = s.follower.Rebuild(ctx, ingest.Rebuilding{Loaded: func(points, total int) {
		done.Points = points
		j.Progress(ctx, int64(points), int64(total))
	}})
	return done, err
}

func (s steps) VerifyAs(ctx context.Context, j *job.Job, config verify.Config) (verify.Result, error) {
	config.Progress = func(_ string, done, total int) { j.Progress(ctx, int64(done), int64(total)) }
	report, err := verify.Run(ctx, verify.Parts{Catalog: s.catalog, Store: s.store, Collection: s.collection, Budget: picture.NewDefaultBudget(),
		Index: func(context.Context, catalog.Model) (verify.Index, error) {
			return verify.Index{Index: s.index, Follow: s.follower, Close: func() error { return nil }}, nil
		}}, config)
	return verify.Result{Report: report, Whole: report.Well()}, err
}

func (s steps) MapAs(ctx context.Context, j *job.Job) (atlas.Made, error) {
	config := atlas.DefaultConfig()
	config.Epochs = 50
	config.Progress = func(done, total int) { j.Progress(ctx, int64(done), int64(total)) }
	made, err := atlas.Make(ctx, s.catalog, colours{}.Model(), config)
	if err != nil {
		return atlas.Made{}, err
	}
	return made.Made, made.Write(s.mapFile)
}

func (s steps) CopiesAs(ctx context.Context, j *job.Job) (works.Report, error) {
	return works.Look(ctx, works.Parts{Catalog: s.catalog, Index: s.index, Sketch: s.collection.Sketch, Progress: func(done, total int64) { j.Progress(ctx, done, total) }})
}

func (s steps) BackupAs(ctx context.Context, j *job.Job, folder string, options backup.Options) (backup.Summary, error) {
	options.Progress = func(done, total int) { j.Progress(ctx, int64(done), int64(total)) }
	report, err := backup.Collection{Catalog: s.catalog, Store: s.store, Open: func(ctx context.Context, path string) (backup.Snapshot, error) {
		return sqlite.OpenReadOnly(ctx, path, sqlite.DefaultConfig())
	}}.ToFolder(ctx, folder, options)
	return report.Summary(), err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// paint draws a picture of about one colour; the seed makes it its own.
func paint(t testing.TB, base color.RGBA, seed int) []byte {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(seed), 7))
	m := image.NewRGBA(image.Rect(0, 0, 60, 40))
	var light [4][6]int // lighter and darker fields: without them all of a colour were copies
	for i := range 12 {
		by := random.IntN(61) - 30
		light[i/6][i%6], light[3-i/6][5-i%6] = by, -by // the mean stays
	}
	for y := range 40 {
		for x := range 60 {
			value := func(base uint8) uint8 { return uint8(int(base^uint8(random.UintN(32))) + light[y/10][x/10]) }
			m.SetRGBA(x, y, color.RGBA{value(base.R), value(base.G), value(base.B), 255})
		}
	}
	var out bytes.Buffer
	must(t, jpeg.Encode(&out, m, nil))
	return out.Bytes()
}

var (
	red  = color.RGBA{200, 40, 40, 255}
	blue = color.RGBA{40, 40, 200, 255}
)

// add puts pictures of one colour into the collection, embedded.
func (f *fixture) add(t testing.TB, n int, base color.RGBA, artist string) []palate.ImageID {
	t.Helper()
	var ids []palate.ImageID
	for range n {
		f.pictures++
		added, err := f.collection.Add(t.Context(), paint(t, base, f.pictures), palate.Source{
			Site: "museum.example", Address: fmt.Sprintf("https://museum.example/%d.jpg", f.pictures), Title: fmt.Sprintf("Nº %d — 夜", f.pictures),
			Artist: artist, Year: 1900 + f.pictures%100, ExternalID: fmt.Sprintf("M/%d", f.pictures), Licence: "CC0", Categories: []string{artist + "s"},
		})
		must(t, err)
		ids = append(ids, added.ID)
	}
	f.embed(t)
	return ids
}

func (f *fixture) embed(t testing.TB) {
	t.Helper()
	_, err := f.collection.EmbedPending(t.Context(), colours{}, embedder.DefaultPipelineConfig(), nil)
	must(t, err)
	f.follow(t)
}

// follow does what a running server does every moment.
func (f *fixture) follow(t testing.TB) {
	t.Helper()
	_, err := f.follower.CatchUp(t.Context())
	must(t, err)
}

// rate rates for the default profile, as another process would.
func (f *fixture) rate(t *testing.T, verdict palate.Verdict, ids ...palate.ImageID) {
	t.Helper()
	for _, id := range ids {
		_, err := f.catalog.Rate(t.Context(), catalog.Rating{Profile: palate.DefaultProfile, Image: id, Verdict: verdict, Shown: palate.ShownGallery})
		must(t, err)
	}
	f.follow(t)
}

// answer is what the server said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) field(t *testing.T, name string) any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(a.body, &object); err != nil {
		t.Fatalf("status %d, no JSON: %v: %.200s", a.status, err, a.body)
	}
	return object[name]
}

// do asks the server; headers are given in pairs.
func (f *fixture) do(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, f.url+path, strings.NewReader(body))
	must(t, err)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	must(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	must(t, err)
	return answer{response.StatusCode, response.Header, content}
}

// form makes a multipart body with a file and fields, given in pairs.
func form(t *testing.T, file []byte, fields ...string) (contentType, body string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for i := 0; i < len(fields); i += 2 {
		must(t, w.WriteField(fields[i], fields[i+1]))
	}
	if file != nil {
		part, err := w.CreateFormFile("file", "Bild №1.jpg")
		must(t, err)
		_, err = part.Write(file)
		must(t, err)
	}
	must(t, w.Close())
	return w.FormDataContentType(), out.String()
}
