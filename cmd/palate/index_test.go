package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/demo"
	"github.com/palate-art/palate/internal/models"
)

func addressOf(s *qdranttest.Server) string { return "qdrant://" + s.Address() + "/palate" }

// copyOfDemo is a collection that a test may change.
func copyOfDemo(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(demoCollection(t))); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestTheDemoOnAQdrantServer(t *testing.T) {
	race.Long(t)
	const pictures, rated = 40, 34
	server := qdranttest.Run(t)
	folder := t.TempDir()
	report := program.JSONRun[demo.Report](t, "demo", "--once", "--keep", "--data", folder, "--pictures", fmt.Sprint(pictures), "--ratings", fmt.Sprint(rated), "--index", addressOf(server))
	if report.Indexed != pictures || report.Probe.NeverRated != pictures-rated || report.Neighbors.PrecisionAt10 < .2 { // four of a style are three neighbours
		t.Errorf("got %+v, want all %d pictures indexed and neighbours of a style", report, pictures)
	}
	if got := program.JSONRun[verification](t, "index", "verify", "--data", folder, "--index", addressOf(server)); !got.Clean || got.Points != pictures || got.Checked != pictures {
		t.Errorf("got %+v, want a clean index", got)
	}
	// Both indexes rank and find the same.
	for _, command := range [][]string{{"scores", "--limit", "40"}, {"scores", "--limit", "40", "--unrated"}, {"similar", report.Top[0].ID, "--limit", "20"}} {
		args := append(command, "--data", folder, "--json", "--index")
		embedded, server := program.MustRun(t, append(args, "embedded")...), program.MustRun(t, append(args, addressOf(server))...)
		if a, b := program.JSONValues[[]collection.Scored](t, embedded)[0], program.JSONValues[[]collection.Scored](t, server)[0]; !sameRanking(a, b) {
			t.Errorf("palate %s: got from the server\n%v\nwant\n%v", strings.Join(command, " "), b, a)
		}
	}
	kept := len(server.Collections())
	program.JSONRun[demo.Report](t, "demo", "--once", "--pictures", "30", "--ratings", "24", "--index", addressOf(server))
	if got := server.Collections(); len(got) != kept {
		t.Errorf("a demo that keeps nothing left collections: %v", got)
	}
}

// sameRanking reports whether two rankings agree within float32's precision.
func sameRanking(a, b []collection.Scored) bool {
	if len(a) != len(b) {
		return false
	}
	scores := make(map[string]float64)
	for _, l := range a {
		scores[l.Image] = l.Score
	}
	for i := range a {
		score, there := scores[b[i].Image]
		if !there || math.Abs(score-b[i].Score) > 1e-4 || math.Abs(a[i].Score-b[i].Score) > 1e-4 {
			return false
		}
	}
	return true
}

func TestIndexStatusAndVerifyTellWhatIsWrong(t *testing.T) {
	server := qdranttest.Run(t)
	folder := copyOfDemo(t)
	at := []string{"--data", folder, "--index", addressOf(server)}
	failing := func(args ...string) program.Result {
		t.Helper()
		r := program.RunPalate(t, append(args, at...)...)
		if r.Code != exitFailed {
			t.Errorf("palate %s: got exit code %d, want %d: %s%s", strings.Join(args, " "), r.Code, exitFailed, r.Out, r.Err)
		}
		return r
	}
	if r := failing("index", "status", "--json"); !strings.Contains(r.Err, "palate reindex") {
		t.Errorf("a server without a collection: got %s, want what to do", r.Err)
	}
	report := program.JSONRun[collection.Reindexed](t, append([]string{"reindex"}, at...)...)
	if report.Points != program.DemoPictures {
		t.Errorf("got %+v, want %d points", report, program.DemoPictures)
	}
	status := program.JSONRun[collection.IndexStatus](t, append([]string{"index", "status"}, at...)...)
	if status.Points != program.DemoPictures || status.Embeddings != program.DemoPictures || status.Change != status.LastChange || len(status.Server.Collections) != 1 || !status.Server.Collections[0].Serves {
		t.Errorf("got %+v, want everything indexed", status)
	}
	if out := program.MustRun(t, append([]string{"index", "status"}, at...)...); !strings.Contains(out, qdranttest.Version) || !strings.Contains(out, "this model") {
		t.Errorf("got %s, want the server's version and what serves", out)
	}
	alias := "palate-" + palate.ModelID(status.ModelID).Short() + "-v2"
	victim := server.IDs(alias)[3]
	if !server.Damage(alias, victim) {
		t.Fatal("the point to damage is not there")
	}
	r := failing("index", "verify", "--json")
	if v := program.JSONValues[verification](t, r.Out); len(v) != 1 || v[0].Clean || v[0].Damaged != 1 || v[0].DamagedImages[0] != victim {
		t.Errorf("got %s, want the damaged point", r.Out)
	}
	if r := failing("index", "verify"); !strings.Contains(r.Out, "damaged   "+palate.ImageID(victim).String()) || !strings.Contains(r.Err, "palate reindex") {
		t.Errorf("got %s%s, want the damaged point and what to do", r.Out, r.Err)
	}
	program.MustRun(t, append([]string{"reindex"}, at...)...)
	program.MustRun(t, append([]string{"index", "verify"}, at...)...)

	server.Stop()
	for _, args := range [][]string{{"index", "status"}, {"index", "verify"}, {"reindex"}, {"scores"}} {
		if r := failing(args...); !strings.Contains(r.Err, server.Address()) {
			t.Errorf("palate %s without a server: got %s, want its address", strings.Join(args, " "), r.Err)
		}
	}
	if r := program.RunPalate(t, append([]string{"scores", "--index-fallback", "--limit", "5"}, at...)...); r.Code != exitDone || !strings.Contains(r.Err, "embedded") {
		t.Errorf("scores with a fallback: got exit code %d and %s, want an answer and where it is from", r.Code, r.Err)
	}
	if v := program.JSONRun[verification](t, "index", "verify", "--data", folder); !v.Clean || v.Points != program.DemoPictures {
		t.Errorf("the embedded index: got %+v, want it clean", v)
	}
	program.MustRun(t, "reindex", "--data", folder)
	program.MustRun(t, "index", "status", "--data", folder)
}

func TestIndexFlagsThatAreWrong(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"scores", "--index", "chroma://x"}, `"chroma://…", want "embedded" or an address that begins with qdrant://`},
		{[]string{"serve", "--index", "qdrant://k3y@/x", "--addr", "127.0.0.1:0"}, "no host"},
		{[]string{"scores", "--index-fallback"}, "--index qdrant://"},
		{[]string{"index", "verify", "--sample", "-1"}, "--sample"},
	} {
		r := program.RunPalate(t, append(tt.args, "--data", program.EmptyHome(t))...)
		if r.Code != exitUsage || !strings.Contains(r.Err, tt.want) || strings.Contains(r.Err, "k3y") {
			t.Errorf("palate %s: got exit code %d and %q, want %d and %q", strings.Join(tt.args, " "), r.Code, r.Err, exitUsage, tt.want)
		}
	}
}

// While the index is away, rating, importing and embedding go on, searches are
// 503 or come from the embedded index, and afterwards all of it is there.
func TestAServerWhoseIndexGoesAwayAndComesBack(t *testing.T) {
	const added = 3
	for _, fallback := range []bool{false, true} {
		t.Run(fmt.Sprintf("fallback=%v", fallback), func(t *testing.T) {
			qdrant := qdranttest.Run(t)
			folder := copyOfDemo(t)
			args := []string{"--data", folder, "--index", addressOf(qdrant)}
			if fallback {
				args = append(args, "--index-fallback")
			}
			s := program.StartServer(t, args...)
			ids := s.Images(map[string][]string{})
			search := "/v1/images/" + ids[0] + "/neighbours?profile=visitor&limit=10"
			program.Eventually(t, "the index is filled", func() bool {
				status, _ := s.Ask("GET", search, "")
				return status == 200 && len(qdrant.Collections()) == 1
			})

			qdrant.Stop()
			if status, after := s.Ask("GET", search, ""); fallback && status != 200 || !fallback && (status != 503 || after == "") {
				t.Errorf("a search without the index: got status %d and Retry-After %q", status, after)
			}
			if status, _ := s.Ask("GET", "/v1/health", ""); (status == 200) != fallback {
				t.Errorf("health without the index: got status %d", status)
			}
			for _, id := range ids[:5] {
				if status, _ := s.Ask("PUT", "/v1/profiles/visitor/ratings/"+id, `{"verdict":"like"}`); status/100 != 2 {
					t.Errorf("a rating without the index: got status %d", status)
				}
			}
			program.MustRun(t, "import", program.MuseumPictures(t, added), "--data", folder)
			program.Eventually(t, "the new pictures are embedded", func() bool {
				return len(program.LookInto(t, folder).Embeddings) == program.DemoPictures+added
			})
			if err := qdrant.Start(qdrant.Address()); err != nil {
				t.Fatal(err)
			}
			program.Eventually(t, "the index has what came meanwhile", func() bool {
				v := program.RunPalate(t, "index", "verify", "--json", "--data", folder, "--index", addressOf(qdrant))
				return v.Code == exitDone && program.JSONValues[verification](t, v.Out)[0].Points == program.DemoPictures+added
			})
			program.Eventually(t, "searches are answered again", func() bool { // the server may still be waiting to reconnect
				status, _ := s.Ask("GET", search+"&judged=liked", "")
				return status == 200
			})
			if r := s.Interrupt(); r.Code != exitDone {
				t.Errorf("got exit code %d: %s", r.Code, r.Err)
			}
		})
	}
}

// Commands that write what an index is derived from do not ask for it.
func TestCrawlingEmbeddingAndRatingNeedNoIndex(t *testing.T) {
	const pictures = 4
	server := qdranttest.Run(t)
	folder := t.TempDir()
	at := []string{"--data", folder, "--index", addressOf(server)}
	server.Stop()
	program.MustRun(t, append([]string{"crawl", "--museum", program.StartMuseum(t, pictures).Addr}, at...)...)
	program.MustRun(t, append([]string{"embed"}, at...)...)
	for id := range program.LookInto(t, folder).Embeddings {
		program.MustRun(t, append([]string{"rate", "like", id.String()}, at...)...)
	}
	if err := server.Start(server.Address()); err != nil {
		t.Fatal(err)
	}
	v := program.JSONRun[verification](t, append([]string{"index", "verify"}, at...)...)
	if !v.Clean || v.Points != pictures || v.Checked != pictures {
		t.Errorf("got %+v, want %d points as in the catalog", v, pictures)
	}
}

// embedAtRandom gives a collection images with random embeddings of the
// built-in model.
func embedAtRandom(t *testing.T, folder string, from, to int) {
	t.Helper()
	ctx := context.Background()
	s := newSession(&globals{Data: folder, modelFlags: modelFlags{Model: models.Baseline}, Quiet: true, indexFlags: indexFlags{IndexAddress: collection.EmbeddedIndex}}, io.Discard, io.Discard)
	s.fills = true
	err := withModel(ctx, s, func(h *collection.Model) error {
		r := rand.New(rand.NewPCG(8, uint64(from)))
		var embeddings []catalog.ImageEmbedding
		for n := from; n < to; n++ {
			sum := sha256.Sum256([]byte(strconv.Itoa(n)))
			image := catalog.Image{ID: palate.NewImageID(sum), SHA256: sum, Bytes: 1, Format: "png", Width: 1, Height: 1}
			source := palate.Source{Address: fmt.Sprintf("https://museum.example/%d", n), Site: "museum.example", Categories: []string{"random"}}
			if _, err := h.Catalog.AddImage(ctx, image, source, nil); err != nil {
				return err
			}
			e := make(palate.Embedding, h.Embedder.Dim())
			var norm float64
			for i := range e {
				e[i] = float32(r.NormFloat64())
				norm += float64(e[i]) * float64(e[i])
			}
			for i := range e {
				e[i] /= float32(math.Sqrt(norm))
			}
			embeddings = append(embeddings, catalog.ImageEmbedding{ID: image.ID, Embedding: e})
		}
		return h.Catalog.PutEmbeddings(ctx, h.Embedder.Model(), embeddings)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnIndexThatProcessesWereKilledOverIsCleanAfterCatchingUp(t *testing.T) {
	race.Long(t)
	const images, later = 1500, 800
	folder := filepath.Join(t.TempDir(), "collection")
	embedAtRandom(t, folder, 0, images)
	server := qdranttest.Run(t)
	// killedAfter kills a process while it is about to send its nth upsert.
	killedAfter := func(n int64, args ...string) {
		t.Helper()
		var sent atomic.Int64
		reached := make(chan struct{})
		server.Observe(func(_ context.Context, _ string, request proto.Message) {
			if _, upsert := request.(*qdrant.UpsertPoints); upsert && sent.Add(1) == n {
				close(reached)
			}
		})
		p := program.Start(t, append(args, "--data", folder, "--index", addressOf(server))...)
		select {
		case <-reached:
			p.Kill()
		case <-p.Ended:
			t.Fatalf("palate %s ended before its upsert %d: %s", strings.Join(args, " "), n, p.ErrOut.String())
		}
		server.Observe(nil)
	}
	verify := func(want int) {
		t.Helper()
		v := program.JSONRun[verification](t, "index", "verify", "--sample", "100000", "--data", folder, "--index", addressOf(server))
		if !v.Clean || v.Points != want || v.Checked != want {
			t.Errorf("got %+v, want %d points, all as in the catalog", v, want)
		}
	}
	for _, n := range []int64{1, 3, 5} {
		killedAfter(n, "reindex")
		if got := server.Aliases(); len(got) > 0 {
			t.Errorf("a killed first filling serves: %v", got)
		}
	}
	killedAfter(4, "index", "verify") // fills as well
	verify(images)
	killedAfter(5, "reindex")
	embedAtRandom(t, folder, images, images+later)
	for _, n := range []int64{1, 2} {
		killedAfter(n, "index", "verify") // while it follows
	}
	verify(images + later)
	if got := server.Collections(); len(got) != 1 {
		program.MustRun(t, "reindex", "--data", folder, "--index", addressOf(server))
		if got := server.Collections(); len(got) != 1 {
			t.Errorf("got collections %v, want the killed ones swept", got)
		}
	}
}
