package sqlite_test

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
)

// vectorOf are the bytes that a row holds.
func vectorOf(values ...float32) []byte {
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return raw
}

func TestInspectionsFindAndMendWhatAnotherProgramDid(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "catalog.db")
	c, err := sqlite.Open(ctx, path, sqlite.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.PutModel(ctx, catalog.Model{ID: "m", Name: "m", Dim: 2}))
	var ids []palate.ImageID
	for n := range 8 {
		sum := [32]byte{byte(n)}
		image := catalog.Image{ID: palate.NewImageID(sum), SHA256: sum, Bytes: 1, Format: "png", Width: 1, Height: 1}
		_, err := c.AddImage(ctx, image, palate.Source{Address: string(rune('a' + n))}, nil)
		must(err)
		must(c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{{ID: image.ID, Embedding: palate.Embedding{1, 0}}}))
		_, err = c.Rate(ctx, catalog.Rating{Profile: "me", Image: image.ID, Verdict: palate.Like, Shown: palate.ShownGallery})
		must(err)
		ids = append(ids, image.ID)
	}
	db, err := sql.Open("sqlite3", "file:"+path+"?_busy_timeout=5000")
	must(err)
	defer db.Close()
	damage := func(statement string, args ...any) {
		t.Helper()
		if result, err := db.Exec(statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		} else if n, _ := result.RowsAffected(); n != 1 {
			t.Fatalf("%s: %d rows", statement, n)
		}
	}
	nan := float32(math.NaN())
	for i, vector := range [][]byte{vectorOf(nan, 0), vectorOf(0, 0), vectorOf(1), {1, 2, 3}, vectorOf(3, 4)} {
		damage("UPDATE embeddings SET vector = ? WHERE id = ?", vector, ids[i][:])
	}
	damage("UPDATE embeddings SET image = 4711 WHERE id = ?", ids[5][:])
	damage("DELETE FROM embeddings WHERE id = ?", ids[6][:])
	damage("DELETE FROM standing WHERE image = (SELECT no FROM images WHERE id = ?)", ids[0][:])
	damage("UPDATE standing SET verdict = 'dislike' WHERE image = (SELECT no FROM images WHERE id = ?)", ids[1][:])
	damage("INSERT INTO standing (profile, image, verdict, entry) VALUES ('you', 1, 'like', 1)")

	reasons := map[palate.ImageID]string{}
	var loose, broken []palate.ImageID
	read, err := c.InspectEmbeddings(ctx, "m", func(bad catalog.BadEmbedding) error {
		reasons[bad.Image] = bad.Reason
		if broken = append(broken, bad.Image); bad.Loose {
			loose = append(loose, bad.Image)
		}
		return nil
	})
	must(err)
	if read != 7 || len(broken) != 6 || len(loose) != 1 || loose[0] != ids[5] {
		t.Errorf("got %d read, %v broken and %v loose, want 7, the first six and the sixth", read, broken, loose)
	}
	for i, want := range []string{"value 0 is NaN", "norm 0, want 1", "4 bytes, and 2 values of 4 bytes are 8", "3 bytes", "norm 5, want 1", "no such image"} {
		if !strings.Contains(reasons[ids[i]], want) {
			t.Errorf("embedding %d: got %q, want %q in it", i, reasons[ids[i]], want)
		}
	}
	forgotten, err := c.Forgotten(ctx, "m", 10)
	if err != nil || len(forgotten) != 1 || forgotten[0] != ids[6] {
		t.Errorf("forgotten: got %v and %v, want the seventh image", forgotten, err)
	}
	bad, profiles, err := c.InspectStandings(ctx, 1)
	if err != nil || profiles != 1 || len(bad) != 2 || bad[0].Profile != "me" || bad[0].Missing != 1 || bad[0].Other != 1 || bad[0].Extra != 0 ||
		len(bad[0].Images) != 1 || bad[1].Profile != "you" || bad[1].Extra != 1 {
		t.Errorf("standings: got %+v of %d profiles and %v, want one missing and one other of me, and one too many of you", bad, profiles, err)
	}
	problems, err := c.Check(ctx)
	if err != nil || len(problems) == 0 {
		t.Errorf("the file: got %v and %v, want an embedding of no image", problems, err)
	}

	must(c.DropEmbeddings(ctx, "m", broken))
	must(c.Remember(ctx, "m"))
	for _, b := range bad {
		must(c.RestoreStandings(ctx, b.Profile))
	}
	unembedded, err := c.Unembedded(ctx, "m", 10)
	if err != nil || len(unembedded) != 7 {
		t.Errorf("to be embedded: got %d and %v, want all seven again", len(unembedded), err)
	}
	if bad, _, err = c.InspectStandings(ctx, 1); err != nil || len(bad) != 0 {
		t.Errorf("standings when mended: got %+v and %v", bad, err)
	}
	if verdicts, err := c.StandingVerdicts(ctx, "me", nil); err != nil || len(verdicts) != 8 || verdicts[ids[1]] != palate.Like {
		t.Errorf("verdicts: got %v and %v, want eight likes", verdicts, err)
	}
	if read, err = c.InspectEmbeddings(ctx, "m", nil); err != nil || read != 1 {
		t.Errorf("embeddings when mended: got %d and %v, want the one that was sound", read, err)
	}
	if problems, err := c.Check(ctx); err != nil || len(problems) != 0 {
		t.Errorf("the file when mended: got %v and %v", problems, err)
	}
	if bytes.Contains([]byte(strings.Join(problems, "")), []byte("embeddings")) == false {
		t.Errorf("the file's problem %q does not name the table", problems)
	}
}
