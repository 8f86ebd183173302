package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
)

// versionOne makes a database as the first schema had it: two images, ratings
// with an undo, one of two images embedded, and a crawl half done.
func versionOne(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "catalog.db")
	schema, err := os.ReadFile("migrations/0001_catalog.sql")
	if err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	mustExec(t, db, string(schema), "PRAGMA application_id = 1347174740", "PRAGMA user_version = 1")
	for n := range 3 {
		p := picture(n)
		mustExec(t, db, fmt.Sprintf("INSERT INTO images (id, sha256, bytes, format, width, height, added_at) VALUES (x'%x', x'%x', 1, 'png', 1, 1, 1)", p.ID[:], p.SHA256[:]))
	}
	image, other := blob(picture(0).ID), blob(picture(1).ID)
	mustExec(t, db,
		"INSERT INTO ratings (profile, image, verdict, shown, probe_version, at) VALUES ('me', "+image+", 'like', 'gallery', 0, 5)",
		"INSERT INTO ratings (profile, image, verdict, shown, probe_version, at) VALUES ('me', "+image+", 'dislike', 'gallery', 0, 6)",
		"INSERT INTO ratings (profile, image, shown, probe_version, at, undoes) VALUES ('me', "+image+", '', 0, 7, 2)",
		"INSERT INTO ratings (profile, image, verdict, shown, probe_version, at) VALUES ('you', "+other+", 'skip', 'gallery', 0, 8)",
		"INSERT INTO ratings (profile, image, verdict, shown, probe_version, at) VALUES ('you', x'00112233445566778899aabbccddeeff', 'like', 'gallery', 0, 9)",
		"INSERT INTO models (id, name, dim) VALUES ('m', 'M', 1)",
		"INSERT INTO embeddings (model, id, image, vector) VALUES (1, "+image+", 1, x'0000803f')",
		`INSERT INTO probes (profile, version, model, weights, report, last_entry, run, current, reason, trained_at)
			VALUES ('me', 1, 'm', x'01', '{"auc":0.75,"examples":3,"out_of_fold":[{"score":1}],"stops":[],"warnings":["w"]}', 1, 1, 1, 'first', 9),
			('me', 2, 'm', x'02', NULL, 1, 1, 0, 'without', 9)`,
		"INSERT INTO embedding_failures (model, image, reason) VALUES (1, 2, 'broken')",
		"INSERT INTO crawls (name, round, begun_at) VALUES ('museum', 4, 1)",
		`INSERT INTO tasks (crawl, key, kind, rank, url, referer, depth, attempts, not_before, state, reason, detail, source) VALUES (1, x'01', 'page', 1, 'a', '', 0, 0, 0, 'visited', '', '', NULL), (1, x'02', 'page', 1, 'b', '', 0, 0, 0, 'pending', '', '', '{}'),
			(1, x'03', 'page', 1, 'refused:off_site:http://a.example/?b=c:d', '', 0, 0, 0, 'lost', 'page_off_site', '', NULL)`,
	)
	return path
}

// newest is the version that this program's migrations lead to.
func newest(t *testing.T) int {
	t.Helper()
	names, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("migrations: %v, %v", names, err)
	}
	return len(names)
}

func blob(id palate.ImageID) string { return fmt.Sprintf("x'%x'", id[:]) }

func TestAnOlderDatabaseIsBroughtUpToDate(t *testing.T) {
	ctx := t.Context()
	path := versionOne(t)
	c := open(t, path)
	for profile, want := range map[palate.Profile]map[palate.ImageID]palate.Verdict{
		"me": {picture(0).ID: palate.Like}, "you": {picture(1).ID: palate.Skip},
	} {
		if got, err := c.StandingVerdicts(ctx, profile, nil); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("verdicts of %s: got %v and error %v, want %v", profile, got, err, want)
		}
	}
	profiles, err := c.Profiles(ctx)
	if err != nil || len(profiles) != 2 || profiles[0].Likes != 1 || profiles[1].Skips != 1 {
		t.Errorf("profiles: got %+v and error %v", profiles, err)
	}
	unembedded, err := c.Unembedded(ctx, "m", 9)
	if err != nil || len(unembedded) != 1 || unembedded[0].ID != picture(2).ID {
		t.Errorf("unembedded: got %v and error %v, want the third image", unembedded, err)
	}
	embeddings, err := c.EmbeddingsOf(ctx, "m", []palate.ImageID{picture(0).ID})
	if err != nil || len(embeddings) != 1 || embeddings[0].Embedding[0] != 1 {
		t.Errorf("embeddings: got %v and error %v", embeddings, err)
	}
	probe, err := c.ProbeVersion(ctx, "me", 1)
	if err != nil || string(probe.Summary) != `{"auc":0.75,"examples":3}` || !strings.Contains(string(probe.Report), `"out_of_fold":[{"score":1}]`) || !probe.Current {
		t.Errorf("probe: got %+v (summary %s, report %s) and error %v", probe, probe.Summary, probe.Report, err)
	}
	if probe, err := c.ProbeVersion(ctx, "me", 2); err != nil || probe.Summary != nil || probe.Report != nil {
		t.Errorf("a probe without a report: got %+v and error %v", probe, err)
	}
	progress, err := c.BeginCrawl(ctx, "museum", []crawler.Task{{Kind: crawler.Page, URL: "a"}})
	want := crawler.Progress{Resumed: true, Round: 4, Pending: 1, Pages: 1, Lost: map[string]int{"page_off_site": 1}}
	if err != nil || !reflect.DeepEqual(progress, want) {
		t.Errorf("progress: got %+v and error %v, want %+v", progress, err, want)
	}
	losses, err := c.CrawlLosses(ctx, "museum", "", 0, 9)
	if err != nil || len(losses) != 1 || losses[0].URL != "http://a.example/?b=c:d" {
		t.Errorf("losses: got %+v and error %v, want the address alone", losses, err)
	}
	log, err := c.RatingLog(ctx, "me", 0, 9)
	if err != nil || len(log) != 3 || log[2].Undoes != 2 || log[2].TakesBack() || log[1].Verdict != palate.Dislike || log[1].Stars != 0 || log[1].At.UnixNano() != 6 {
		t.Errorf("log: got %+v and error %v, want it as it was", log, err)
	}
	if problems, err := c.Check(ctx); err != nil || len(problems) > 0 {
		t.Errorf("Check: got %q and error %v", problems, err)
	}
	if got := value[int](t, raw(t, path), "PRAGMA user_version"); got != newest(t) {
		t.Errorf("got version %d, want %d", got, newest(t))
	}
	if r, err := c.Rate(ctx, catalog.Rating{Profile: "me", Image: picture(2).ID, Verdict: palate.Like, Stars: 5, Shown: palate.ShownAPI}); err != nil || r.Entry != 6 {
		t.Errorf("Rate: got %+v and error %v, want entry 6", r, err)
	}
}

// backTo lets the migrations behind a version, from 21 on, run anew. Those that
// can't find what they make are undone.
func backTo(t *testing.T, db *sql.DB, version int) {
	t.Helper()
	mustExec(t, db, "DROP TABLE run_lines", "ALTER TABLE runs DROP COLUMN lines", fmt.Sprintf("PRAGMA user_version = %d", version))
}

// What former versions of sketches left goes, as they are made anew.
func TestFormerSketchesGo(t *testing.T) {
	path := versionOne(t)
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	mustExec(t, db, "INSERT INTO sketches (image, version, pixels) VALUES (1, 1, x'01'), (2, 2, x'02')")
	backTo(t, db, 21)
	c := open(t, path)
	if _, err := c.SketchOf(t.Context(), 1, picture(0).ID); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("of version 1: got error %v, want ErrNotFound", err)
	}
	if kept, err := c.SketchOf(t.Context(), 2, picture(1).ID); err != nil || string(kept) != "\x02" {
		t.Errorf("of version 2: got %x and error %v, want it as it was", kept, err)
	}
	if got := value[int](t, db, "SELECT count(*) FROM sketches"); got != 1 {
		t.Errorf("got %d sketches, want the one of version 2", got)
	}
}

// Images whose titles come from their files' names are found though an older
// palate took them in, those in the trash too once they are back.
func TestFormerImagesAreFoundByTheNamesOfTheirFiles(t *testing.T) {
	path := versionOne(t)
	before := open(t, path)
	names := []string{"Großer Mönch.png", "神奈川沖浪裏.jpg", "rot.png"}
	for n, name := range names {
		source := palate.Source{Address: fmt.Sprint(n), OriginalName: name, Artist: "Käthe", Title: []string{"", "", "Morgen"}[n]}
		if _, err := before.AddImage(t.Context(), picture(n), source, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := before.DeleteImage(t.Context(), picture(1).ID, "a test"); err != nil {
		t.Fatal(err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	formerly := "search = CAST(lower(title) || char(0) || 'käthe' AS TEXT)"
	db := raw(t, path)
	mustExec(t, db, "UPDATE sources SET "+formerly, "UPDATE trash_sources SET "+formerly)
	backTo(t, db, 22)
	c := open(t, path)
	if err := c.RestoreImage(t.Context(), picture(1).ID); err != nil {
		t.Fatal(err)
	}
	for search, want := range map[string]int{"GROSSER m": 1, "沖浪": 1, "rot": 0, "MORGEN": 1, "käthe": 3, "png": 0, "mönchk": 0} {
		if got, err := c.CountListed(t.Context(), catalog.ImageQuery{Search: search}); err != nil || got != want {
			t.Errorf("%q: got %d and error %v, want %d", search, got, err, want)
		}
	}
}

func TestAMigrationIsAllOrNothing(t *testing.T) {
	path := versionOne(t)
	// What stands in the way of the second version comes late in its file.
	mustExec(t, raw(t, path), "CREATE TABLE tallies (x)")
	if c, err := sqlite.Open(t.Context(), path, sqlite.DefaultConfig()); err == nil {
		_ = c.Close()
		t.Fatal("got no error, want that tallies exists")
	}
	db := raw(t, path)
	if got := value[int](t, db, "PRAGMA user_version"); got != 1 {
		t.Errorf("got version %d, want 1", got)
	}
	if got := value[int](t, db, "SELECT count(*) FROM sqlite_schema WHERE name = 'standing'"); got != 0 {
		t.Error("a part of the failed migration stayed")
	}
	mustExec(t, db, "DROP TABLE tallies")
	_ = open(t, path)
}

func TestManyMayOpenAnOldOrNewFileAtOnce(t *testing.T) {
	for name, path := range map[string]string{"new": filepath.Join(t.TempDir(), "new.db"), "old": versionOne(t)} {
		t.Run(name, func(t *testing.T) {
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					c, err := sqlite.Open(t.Context(), path, sqlite.DefaultConfig())
					if err != nil {
						t.Errorf("Open: %v", err)
						return
					}
					if err := c.Close(); err != nil {
						t.Errorf("Close: %v", err)
					}
				})
			}
			group.Wait()
		})
	}
}
