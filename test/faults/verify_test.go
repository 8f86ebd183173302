package faults_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"image"
	"image/jpeg"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/imagestore"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/verify"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// damageable is a collection that a test damages: four pictures of a folder,
// embedded, two of them liked, one with a thumbnail, with an index that is
// kept.
type damageable struct {
	t         *testing.T
	data      string
	originals string
	ids       []string // of the originals 0.jpg and so on
}

func newDamageable(t *testing.T) *damageable {
	t.Helper()
	d := &damageable{t: t, data: t.TempDir(), originals: program.MuseumPictures(t, 4)}
	program.MustRun(t, "import", d.originals, "--data", d.data)
	program.MustRun(t, "embed", "--data", d.data)
	for n := range 4 {
		shown := program.JSONRun[struct{ ID string }](t, "images", "show", filepath.Join(d.originals, string(rune('0'+n))+".jpg"), "--data", d.data)
		d.ids = append(d.ids, shown.ID)
	}
	program.MustRun(t, "rate", "like", d.ids[0], "--data", d.data)
	program.MustRun(t, "rate", "dislike", d.ids[1], "--data", d.data)
	program.MustRun(t, "similar", d.ids[0], "--data", d.data) // which loads the index
	program.WriteFile(t, d.thumbnail(d.ids[0]), tinyJPEG(t))
	return d
}

// again is a copy of the collection with originals of its own.
func (d *damageable) again(t *testing.T) *damageable {
	t.Helper()
	c := &damageable{t: t, data: t.TempDir(), originals: t.TempDir(), ids: d.ids}
	for from, to := range map[string]string{d.data: c.data, d.originals: c.originals} {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	c.sql("UPDATE sources SET address = replace(address, ?, ?)", d.originals, c.originals)
	return c
}

func (d *damageable) file(id string) string {
	return filepath.Join(d.data, "images", "files", id[:2], id)
}

func (d *damageable) thumbnail(id string) string {
	return filepath.Join(d.data, "images", "thumbs", id[:2], fmt.Sprintf("%s-320-v%d.jpg", id, imagestore.ThumbnailVersion))
}

// forgetOriginals leaves the file in the store as the only one.
func (d *damageable) forgetOriginals() {
	d.t.Helper()
	if err := os.RemoveAll(d.originals); err != nil {
		d.t.Fatal(err)
	}
}

// flip changes one bit of a file and nothing else.
func (d *damageable) flip(path string) {
	d.t.Helper()
	content := program.ReadFile(d.t, path)
	content[len(content)/2] ^= 1
	program.WriteFile(d.t, path, content)
}

// sql does to the catalog what another program might.
func (d *damageable) sql(statement string, args ...any) {
	d.t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(d.data, collection.CatalogFile)+"?_busy_timeout=5000")
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close()
	result, err := db.Exec(statement, args...)
	if err != nil {
		d.t.Fatalf("%s: %v", statement, err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		d.t.Fatalf("%s: %d rows and %v", statement, n, err)
	}
}

// verify runs the program on the collection and returns what it reports.
func (d *damageable) verify(wantCode int, args ...string) verify.Report {
	d.t.Helper()
	r := program.StartFaulty(d.t, append([]string{"verify", "--json", "--older-than", "0s", "--data", d.data}, args...)...).Wait()
	values := program.JSONValues[verify.Report](d.t, r.Out)
	if len(values) != 1 {
		d.t.Fatalf("verify %v: got %d reports, want one: %s", args, len(values), r.Err)
	}
	if r.Code != wantCode {
		d.t.Errorf("verify %v: got exit code %d, want %d: %s%s", args, r.Code, wantCode, r.Out, r.Err)
	}
	return values[0]
}

func (d *damageable) remove(path string) {
	d.t.Helper()
	if err := os.Remove(path); err != nil {
		d.t.Fatal(err)
	}
}

const embeddingOf = " WHERE id = unhex(replace(?, '-', ''))"

// Each kind of damage is made to happen, seen, mended where that can be done,
// and gone then.
func TestFaultEveryKindOfDamageIsSeenAndMended(t *testing.T) {
	race.Long(t)
	t.Parallel()
	whole := newDamageable(t)
	for _, c := range []struct {
		name   string
		damage func(*damageable)
		want   map[verify.Damage]int
		deep   bool // only --deep sees it
		left   bool // it can't be mended, from what is there
	}{
		{"a lost file, its original there", func(d *damageable) { d.remove(d.file(d.ids[0])) }, map[verify.Damage]int{verify.FileMissing: 1}, false, false},
		{"a lost file, its original gone", func(d *damageable) { d.remove(d.file(d.ids[0])); d.forgetOriginals() }, map[verify.Damage]int{verify.FileMissing: 1}, false, true},
		{"a cut file", func(d *damageable) { _ = os.Truncate(d.file(d.ids[0]), 10) }, map[verify.Damage]int{verify.FileResized: 1}, false, false},
		{"a flipped bit", func(d *damageable) { d.flip(d.file(d.ids[0])) }, map[verify.Damage]int{verify.FileDamaged: 1}, true, false},
		{"a flipped bit, here and in the original", func(d *damageable) {
			d.flip(d.file(d.ids[0]))
			d.flip(filepath.Join(d.originals, "0.jpg"))
		}, map[verify.Damage]int{verify.FileDamaged: 1}, true, true},
		{"a file without a row", func(d *damageable) { d.stray(1) }, map[verify.Damage]int{verify.FileOrphaned: 1}, false, false},
		{"very many files without rows", func(d *damageable) { d.stray(50) }, map[verify.Damage]int{verify.FileOrphaned: 50}, false, true},
		{"a cut thumbnail", func(d *damageable) { _ = os.Truncate(d.thumbnail(d.ids[0]), 100) }, map[verify.Damage]int{verify.ThumbnailDamaged: 1}, false, false},
		{"a thumbnail of zeros", func(d *damageable) {
			content := make([]byte, 500)
			copy(content, "\xff\xd8")
			copy(content[498:], "\xff\xd9")
			program.WriteFile(d.t, d.thumbnail(d.ids[0]), content)
		}, map[verify.Damage]int{verify.ThumbnailDamaged: 1}, true, false},
		{"a thumbnail of no image", func(d *damageable) {
			program.WriteFile(d.t, d.thumbnail("00000000-0000-8000-8000-000000000001"), tinyJPEG(d.t))
		}, map[verify.Damage]int{verify.ThumbnailOrphaned: 1}, false, false},
		{"an embedding of zeros", func(d *damageable) {
			d.sql("UPDATE embeddings SET vector = zeroblob(length(vector))"+embeddingOf, d.ids[0])
		}, map[verify.Damage]int{verify.EmbeddingDamaged: 1}, false, false},
		{"an embedding of NaN", func(d *damageable) {
			d.sql("UPDATE embeddings SET vector = CAST(x'0000c07f' || substr(vector, 5) AS BLOB)"+embeddingOf, d.ids[0])
		}, map[verify.Damage]int{verify.EmbeddingDamaged: 1}, false, false},
		{"embeddings of another dimension or type", func(d *damageable) {
			d.sql("UPDATE embeddings SET vector = substr(vector, 5)"+embeddingOf, d.ids[0])
			d.sql("UPDATE embeddings SET vector = substr(vector, 1, length(vector) / 2)"+embeddingOf, d.ids[1])
		}, map[verify.Damage]int{verify.EmbeddingDamaged: 2}, false, false},
		{"an embedding of no image", func(d *damageable) {
			d.sql("UPDATE embeddings SET id = randomblob(16), image = 4711" + " WHERE no = 2")
		}, map[verify.Damage]int{verify.EmbeddingOrphaned: 1, verify.EmbeddingForgotten: 1}, false, false},
		{"an image that nobody embeds", func(d *damageable) {
			d.sql("DELETE FROM embeddings"+embeddingOf, d.ids[0])
		}, map[verify.Damage]int{verify.EmbeddingForgotten: 1, verify.IndexForeign: 1}, false, false},
		{"standing ratings that the log does not give", func(d *damageable) {
			d.sql("DELETE FROM standing WHERE verdict = 'like'")
			d.sql("UPDATE standing SET verdict = 'like' WHERE verdict = 'dislike'")
		}, map[verify.Damage]int{verify.StandingsDiffer: 1, verify.IndexOutdated: 2}, false, false},
		{"another vector in the index", func(d *damageable) {
			d.sql("UPDATE embeddings SET vector = (SELECT vector FROM embeddings WHERE no = 2) WHERE no = 1")
		}, map[verify.Damage]int{verify.IndexDamaged: 1}, false, false},
		{"another artist in the index", func(d *damageable) {
			d.sql("UPDATE sources SET artist = 'Nobody' WHERE no = 1")
		}, map[verify.Damage]int{verify.IndexOutdated: 1}, false, false},
		{"an embedding that the index lacks", func(d *damageable) {
			d.sql("CREATE TABLE kept AS SELECT * FROM embeddings WHERE no = 1; INSERT INTO changes (kind, image, model) SELECT 'embedding', id, model FROM embeddings WHERE no = 1")
			d.sql("DELETE FROM embeddings WHERE no = 1")
			program.MustRun(d.t, "index", "status", "--data", d.data) // which follows
			d.sql("INSERT INTO embeddings SELECT * FROM kept")
		}, map[verify.Damage]int{verify.IndexMissing: 1}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := whole.again(t)
			c.damage(d)
			before := pictureFiles(t, d.data)
			args := []string{}
			if c.deep {
				args = append(args, "--deep")
				if shallow := d.verify(program.ExitDone); len(shallow.Found) > 0 {
					t.Errorf("without --deep: got %v, want nothing found", shallow.Found)
				}
			}
			seen := d.verify(program.ExitFailed, args...)
			if !maps.Equal(seen.Found, c.want) || len(seen.Mended) > 0 {
				t.Errorf("seen: got %v and %v mended, want %v and none", seen.Found, seen.Mended, c.want)
			}
			mustBeUntouched(t, d.data, before)
			code := program.ExitDone
			if c.left {
				code = program.ExitFailed
			}
			mended := d.verify(code, append(args, "--repair")...)
			if c.left && (!maps.Equal(mended.Found, c.want) || len(mended.Mended) > 0) || !c.left && (len(mended.Found) == 0 || len(mended.Left()) > 0) {
				t.Errorf("with --repair: got %v found and %v mended, want everything mended %v", mended.Found, mended.Mended, !c.left)
			}
			if c.left {
				mustBeUntouched(t, d.data, before)
				return
			}
			program.MustRun(t, "embed", "--data", d.data)
			if after := d.verify(program.ExitDone, "--deep"); len(after.Found) > 0 || after.Rows != 4 || after.Embeddings != 4 || after.Points != 4 {
				t.Errorf("afterwards: got %+v, want four pictures, embedded and in the index", after)
			}
		})
	}
}

// tinyJPEG is a thumbnail.
func tinyJPEG(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := jpeg.Encode(&file, image.NewGray(image.Rect(0, 0, 32, 24)), nil); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// stray puts files into the store that no row knows.
func (d *damageable) stray(n int) {
	d.t.Helper()
	store, err := disk.Open(filepath.Join(d.data, "images"))
	if err != nil {
		d.t.Fatal(err)
	}
	for i := range n {
		if _, err := store.Put(d.t.Context(), strings.NewReader(strings.Repeat("stray ", i+1)), 1<<20); err != nil {
			d.t.Fatal(err)
		}
	}
}

func TestVerifyTellsWhatItDidInWords(t *testing.T) {
	t.Parallel()
	d := newDamageable(t)
	args := []string{"verify", "--data", d.data, "--older-than", "0s"}
	if out := program.MustRun(t, args...); !strings.Contains(out, "4 rows, 4 files, 1 thumbnails, 4 embeddings") || !strings.Contains(out, "Nothing is wrong with them.") ||
		!strings.Contains(out, "--deep reads all of it") {
		t.Errorf("of a whole collection: %s", out)
	}
	d.remove(d.file(d.ids[0]))
	d.remove(d.file(d.ids[1]))
	if err := os.Remove(filepath.Join(d.originals, "1.jpg")); err != nil {
		t.Fatal(err)
	}
	r := program.RunPalate(t, append(args, "--repair")...)
	for _, want := range []string{"stored again from " + filepath.Join(d.originals, "0.jpg"), "it came from " + filepath.Join(d.originals, "1.jpg"),
		"2 missing: the file is gone; 1 mended, of the others: import or crawl the picture again, or delete the image."} {
		if r.Code != program.ExitFailed || !strings.Contains(r.Out, want) {
			t.Errorf("got exit code %d and %q, want %q in it", r.Code, r.Out, want)
		}
	}
	if r := program.RunPalate(t, append(args, "--older-than", "-1s")...); r.Code != program.ExitUsage {
		t.Errorf("an age that is none: got %+v", r)
	}
	// An import mends a flipped bit too.
	d.flip(d.file(d.ids[2]))
	program.WriteFile(t, filepath.Join(d.originals, "1.jpg"), program.MuseumPicture(t, 1))
	program.MustRun(t, "import", d.originals, "--data", d.data)
	if out := program.MustRun(t, append(args, "--deep")...); !strings.Contains(out, "4 of the files read whole") {
		t.Errorf("after an import: %s", out)
	}
}

// A file that a sweep moved aside, and that is wanted after all, is brought
// back.
func TestVerifyBringsBackWhatASweepMoved(t *testing.T) {
	t.Parallel()
	d := newDamageable(t)
	d.forgetOriginals()
	aside := filepath.Join(d.data, "images", "swept", "2026-11-28", d.ids[0])
	if err := os.MkdirAll(filepath.Dir(aside), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(d.file(d.ids[0]), aside); err != nil {
		t.Fatal(err)
	}
	if mended := d.verify(program.ExitDone, "--repair"); mended.Mended[verify.FileMissing] != 1 {
		t.Errorf("got %+v, want the file brought back", mended)
	}
	d.verify(program.ExitDone, "--deep")
}
