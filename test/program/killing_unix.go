//go:build unix

package program

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/imagestore/disk"
)

// Confirmed is what a collection has told to have: by its catalog after a
// kill, or by an answer of its server before one.
type Confirmed struct {
	Images   map[palate.ImageID]bool
	Deleted  map[palate.ImageID]bool
	Verdicts map[palate.ImageID]palate.Verdict
	Ratings  int                     // entries of the log
	Embedded map[palate.ImageID]bool // by the first model
	Probes   int
	Backups  []string
	// What was asked for when the kill came may have happened, or not.
	OpenImage  palate.ImageID
	OpenRating bool
}

// UnknownRatings stands for a log of which nothing was counted.
const UnknownRatings = -1

// Toll is a line of the table.
type Toll struct {
	Work                                   string
	Kills, Midway, Lost, Doubled, Wrongly  int
	Images, Deletions, Ratings, Embeddings int
}

// Killing is a collection whose programs are killed.
type Killing struct {
	T      *testing.T
	Folder string
	Place  string // of the backups
	Museum Site
	Random *rand.Rand
	Drawn  int // pictures of our own so far
	Known  Confirmed
}

func Must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// Prepare makes a collection that can be trained and backed up.
func (k *Killing) Prepare() {
	k.T.Helper()
	Start(k.T, "import", k.Pictures(40), "--data", k.Folder).MustEnd()
	Start(k.T, "embed", "--data", k.Folder).MustEnd()
	c := k.Open()
	page := Must(c.ListImages(context.Background(), catalog.ImageQuery{Limit: 30}))(k.T)
	for i, image := range page.Images {
		verdict := []palate.Verdict{palate.Like, palate.Dislike}[i%2]
		Must(c.Rate(context.Background(), catalog.Rating{Profile: "me", Image: image.ID, Verdict: verdict, Shown: palate.ShownGallery}))(k.T)
		k.Known.Verdicts[image.ID] = verdict
		k.Known.Ratings++
	}
	if err := c.Close(); err != nil {
		k.T.Fatal(err)
	}
}

func (k *Killing) Open() *sqlite.Catalog {
	k.T.Helper()
	return Must(sqlite.Open(context.Background(), filepath.Join(k.Folder, collection.CatalogFile), sqlite.DefaultConfig()))(k.T)
}

// KillAfter starts a command and kills it within milliseconds; it reports
// whether the command was still at work then.
func (k *Killing) KillAfter(milliseconds int, args ...string) bool {
	k.T.Helper()
	p := StartFaulty(k.T, append(args, "--data", k.Folder)...)
	// Its first word on standard error is where the work begins; not every
	// command has one.
	for begun := time.Now(); p.ErrOut.String() == "" && time.Since(begun) < time.Second; time.Sleep(5 * time.Millisecond) {
		select {
		case <-p.Ended:
			return false
		default:
		}
	}
	time.Sleep(time.Duration(k.Random.IntN(milliseconds)) * time.Millisecond)
	p.Kill()
	return p.Command.ProcessState.ExitCode() == -1
}

// Pictures makes a folder of n pictures that nobody has.
func (k *Killing) Pictures(n int) string {
	k.T.Helper()
	folder := k.T.TempDir()
	for range n {
		WriteFile(k.T, filepath.Join(folder, fmt.Sprintf("%d.png", k.Drawn)), k.Picture())
	}
	return folder
}

func (k *Killing) Picture() []byte {
	k.T.Helper()
	k.Drawn++
	m := image.NewGray(image.Rect(0, 0, 64, 64))
	seed := [32]byte{byte(k.Drawn), byte(k.Drawn >> 8)}
	Must(rand.NewChaCha8(seed).Read(m.Pix))(k.T)
	var content bytes.Buffer
	if err := png.Encode(&content, m); err != nil {
		k.T.Fatal(err)
	}
	return content.Bytes()
}

// KillServer lets two clients rate, upload and delete until the server is
// killed under them.
func (k *Killing) KillServer() bool {
	k.T.Helper()
	p := StartFaulty(k.T, "serve", "--addr", "127.0.0.1:0", "--data", k.Folder)
	address := AwaitAddress(k.T, p)
	ids := slices.Collect(func(yield func(palate.ImageID) bool) {
		for id := range k.Known.Images {
			if !k.Known.Deleted[id] && !yield(id) {
				return
			}
		}
	})
	slices.SortFunc(ids, func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
	steps := make(chan struct{})
	var client sync.WaitGroup
	client.Go(func() {
		defer close(steps)
		for step := 0; k.Step(address, ids, step); step++ {
			select {
			case steps <- struct{}{}:
			default:
			}
		}
	})
	for range 1 + k.Random.IntN(8) {
		<-steps
	}
	time.Sleep(time.Duration(k.Random.IntN(40)) * time.Millisecond)
	p.Kill()
	client.Wait()
	return p.Command.ProcessState.ExitCode() == -1
}

// Step asks the server for one change and remembers it once it is confirmed.
// It reports whether an answer came.
func (k *Killing) Step(address string, ids []palate.ImageID, step int) bool {
	id := ids[(step*31+k.Drawn*7)%len(ids)]
	for k.Known.Deleted[id] {
		id = ids[(slices.Index(ids, id)+1)%len(ids)]
	}
	switch step % 4 {
	case 1:
		content := k.Picture()
		k.Known.OpenImage = palate.NewImageID(sha256.Sum256(content))
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part := Must(form.CreateFormFile("file", "picture.png"))(k.T)
		_ = Must(part.Write(content))(k.T)
		_ = form.Close()
		if !k.Ask(http.MethodPost, address+"/v1/images", form.FormDataContentType(), &body, http.StatusCreated) {
			return false
		}
		k.Known.Images[k.Known.OpenImage] = true
	case 3:
		k.Known.OpenImage = id
		if !k.Ask(http.MethodDelete, address+"/v1/images/"+id.String()+"?reason=unloved", "", nil, http.StatusNoContent) {
			return false
		}
		k.Known.Deleted[id] = true
		delete(k.Known.Verdicts, id)
	default:
		verdict := []palate.Verdict{palate.Like, palate.Dislike, palate.Skip}[k.Drawn%3]
		k.Known.OpenImage, k.Known.OpenRating = id, true
		if !k.Ask(http.MethodPut, address+"/v1/profiles/me/ratings/"+id.String(), "application/json", strings.NewReader(fmt.Sprintf(`{"verdict":%q}`, verdict)), http.StatusOK) {
			return false
		}
		k.Known.Verdicts[id], k.Known.OpenRating = verdict, false
		k.Known.Ratings++
	}
	k.Known.OpenImage = palate.ImageID{}
	return true
}

// AnyStatus is wanted where an answer is enough: a training may be under way.
const AnyStatus = 0

func (k *Killing) Ask(method, address, kind string, body io.Reader, want int) bool {
	request := Must(http.NewRequest(method, address, body))(k.T)
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false // killed
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return false
	}
	if want != AnyStatus && response.StatusCode != want && response.StatusCode != http.StatusOK {
		k.T.Errorf("%s %s: got status %d, want %d: %s", method, address, response.StatusCode, want, text)
	}
	return true
}

// Look compares what the folder holds with what was confirmed, and takes what
// it finds for confirmed from now on.
func (k *Killing) Look(line *Toll) {
	t, ctx := k.T, context.Background()
	t.Helper()
	count := func(kind *int, format string, args ...any) {
		*kind++
		t.Errorf("after a killed %s: "+format, append([]any{line.Work}, args...)...)
	}
	c := k.Open()
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, problem := range Must(c.Check(ctx))(t) {
		count(&line.Lost, "the catalog is damaged: %s", problem)
	}
	store := Must(disk.Open(filepath.Join(k.Folder, collection.ImagesFolder)))(t)
	rows := map[palate.ImageID]bool{}
	for after := ""; ; {
		page := Must(c.ListImages(ctx, catalog.ImageQuery{Limit: 1000, After: after}))(t)
		for _, image := range page.Images {
			if rows[image.ID] {
				count(&line.Doubled, "image %s is there twice", image.ID)
			}
			rows[image.ID] = true
			if why := k.Unreadable(ctx, store, image); why != "" {
				count(&line.Lost, "image %s: %s", image.ID, why)
			}
			if k.Known.Deleted[image.ID] {
				count(&line.Lost, "image %s was deleted and is back", image.ID)
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	for id := range k.Known.Images {
		if !rows[id] && !k.Known.Deleted[id] && id != k.Known.OpenImage {
			count(&line.Wrongly, "image %s was there and is gone, and nobody deleted it", id)
		}
	}
	if !k.Known.Images[k.Known.OpenImage] || rows[k.Known.OpenImage] {
		k.Known.OpenImage = palate.ImageID{} // nothing was being deleted, or it was not yet
	} else {
		k.Known.Deleted[k.Known.OpenImage] = true
		delete(k.Known.Verdicts, k.Known.OpenImage)
	}
	k.LookAtRatings(ctx, c, line, count)
	k.LookAtDerived(ctx, c, rows, line, count)
	k.Known.Images = rows
	line.Images, line.Deletions = len(rows), len(k.Known.Deleted)
}

func (k *Killing) Unreadable(ctx context.Context, store *disk.Store, image catalog.Image) string {
	f, err := store.Open(ctx, image.ID)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil || [32]byte(hash.Sum(nil)) != image.SHA256 {
		return fmt.Sprintf("its file is another (%v)", err)
	}
	return ""
}

func (k *Killing) LookAtRatings(ctx context.Context, c *sqlite.Catalog, line *Toll, count func(*int, string, ...any)) {
	standing := Must(c.StandingVerdicts(ctx, "me", nil))(k.T)
	for id, want := range k.Known.Verdicts {
		if got := standing[id]; got != want && !(k.Known.OpenRating && got != "") {
			count(&line.Lost, "image %s was rated %q and has %q now", id, want, got)
		}
	}
	entries := 0
	for after := int64(0); ; {
		page := Must(c.RatingLog(ctx, "me", after, 1000))(k.T)
		entries += len(page)
		if len(page) < 1000 {
			break
		}
		after = page[len(page)-1].Entry
	}
	most := k.Known.Ratings
	if k.Known.OpenRating {
		most++
	}
	if entries < k.Known.Ratings {
		count(&line.Lost, "the log has %d ratings, %d were confirmed", entries, k.Known.Ratings)
	}
	if k.Known.Ratings != UnknownRatings && entries > most {
		count(&line.Doubled, "the log has %d ratings, %d were given", entries, most)
	}
	k.Known.Ratings, k.Known.Verdicts, k.Known.OpenRating = entries, standing, false
	line.Ratings = entries
}

// LookAtDerived looks at what costs time to make again.
func (k *Killing) LookAtDerived(ctx context.Context, c *sqlite.Catalog, rows map[palate.ImageID]bool, line *Toll, count func(*int, string, ...any)) {
	t := k.T
	embedded := map[palate.ImageID]bool{}
	models := Must(c.Models(ctx))(t)
	if len(models) != 1 {
		count(&line.Doubled, "there are %d models", len(models))
	}
	for _, e := range Must(c.ListEmbeddings(ctx, models[0].ID, palate.ImageID{}, 100_000))(t) {
		if embedded[e.ID] {
			count(&line.Doubled, "image %s is embedded twice", e.ID)
		}
		embedded[e.ID] = true
	}
	for id := range k.Known.Embedded {
		if rows[id] && !embedded[id] {
			count(&line.Lost, "image %s has lost its embedding", id)
		}
	}
	versions := Must(c.ListProbes(ctx, "me"))(t)
	current := 0
	for _, v := range versions {
		if v.Current {
			current++
		}
	}
	if len(versions) < k.Known.Probes {
		count(&line.Lost, "there are %d probes, there were %d", len(versions), k.Known.Probes)
	}
	if current > 1 {
		count(&line.Doubled, "%d probes serve", current)
	}
	k.Known.Embedded, k.Known.Probes, line.Embeddings = embedded, len(versions), len(embedded)
	list, err := backup.List(k.Place)
	if err != nil && len(k.Known.Backups) > 0 {
		count(&line.Lost, "the backups: %v", err)
	}
	names := map[string]bool{}
	for _, m := range list {
		names[m.Name()] = true
	}
	for _, name := range k.Known.Backups {
		if !names[name] {
			count(&line.Lost, "the backup of %s is gone", name)
		}
	}
	k.Known.Backups = k.Known.Backups[:0]
	for name := range names {
		k.Known.Backups = append(k.Known.Backups, name)
	}
}

// Finish lets everything end, and looks whether the collection is whole, in
// place and in a backup of it.
func (k *Killing) Finish(line *Toll) {
	k.T.Helper()
	line.Work = "all, at the end"
	for _, args := range [][]string{{"crawl", "--museum", k.Museum.Addr}, {"embed"}, {"train"}, {"reindex"}, {"index", "verify"}, {"backup", k.Place}} {
		p := StartFaulty(k.T, append(args, "--data", k.Folder)...)
		select {
		case <-p.Ended: // what is left over from many kills takes its time
		case <-time.After(5 * Patience):
		}
		p.MustEnd()
	}
	k.Look(line)
	again := &Killing{T: k.T, Folder: filepath.Join(k.T.TempDir(), "restored"), Place: k.Place, Known: k.Known}
	StartFaulty(k.T, "restore", k.Place, "--data", again.Folder).MustEnd()
	restored := Toll{Work: "restored"}
	again.Look(&restored)
	if restored.Images != line.Images || restored.Ratings != line.Ratings || restored.Embeddings != line.Embeddings {
		k.T.Errorf("restored: got %+v, want %+v", restored, *line)
	}
}
