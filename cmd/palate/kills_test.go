//go:build unix

package main

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
	"os"
	"path/filepath"
	"slices"
	"strconv"
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

// killsWanted in the environment makes TestKilledAtAnyMoment long: that many
// kills. killsTable names a file for its table, killsSeed another seed.
const (
	killsWanted = "PALATE_KILLS"
	killsTable  = "PALATE_KILLS_TABLE"
	killsSeed   = "PALATE_KILLS_SEED"
)

// The environment as it is before the tests clear it.
var killsSettings = map[string]string{killsWanted: os.Getenv(killsWanted), killsTable: os.Getenv(killsTable), killsSeed: os.Getenv(killsSeed)}

// confirmed is what a collection has told to have: by its catalog after a
// kill, or by an answer of its server before one.
type confirmed struct {
	images   map[palate.ImageID]bool
	deleted  map[palate.ImageID]bool
	verdicts map[palate.ImageID]palate.Verdict
	ratings  int                     // entries of the log
	embedded map[palate.ImageID]bool // by the first model
	probes   int
	backups  []string
	// What was asked for when the kill came may have happened, or not.
	openImage  palate.ImageID
	openRating bool
}

// unknownRatings stands for a log of which nothing was counted.
const unknownRatings = -1

// toll is a line of the table.
type toll struct {
	work                                   string
	kills, midway, lost, doubled, wrongly  int
	images, deletions, ratings, embeddings int
}

// killing is a collection whose programs are killed.
type killing struct {
	t      *testing.T
	folder string
	place  string // of the backups
	museum site
	random *rand.Rand
	drawn  int // pictures of our own so far
	known  confirmed
}

// TestKilledAtAnyMoment kills whatever writes at random moments and looks each
// time for what was confirmed before.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	kills, seed, pictures := 7, uint64(7), 60
	if text := killsSettings[killsWanted]; text != "" {
		kills, pictures = must(strconv.Atoi(text))(t), 160
	}
	if text := killsSettings[killsSeed]; text != "" {
		seed = must(strconv.ParseUint(text, 10, 64))(t)
	}
	k := &killing{t: t, folder: t.TempDir(), place: filepath.Join(t.TempDir(), "backup"), museum: startMuseum(t, pictures), random: rand.New(rand.NewPCG(seed, 1)),
		known: confirmed{images: map[palate.ImageID]bool{}, deleted: map[palate.ImageID]bool{}, verdicts: map[palate.ImageID]palate.Verdict{}, embedded: map[palate.ImageID]bool{}}}
	k.prepare()
	works := []struct {
		name string
		kill func() bool
	}{
		{"crawl", func() bool { return k.killAfter(900, "crawl", "--museum", k.museum.addr) }},
		{"embed", func() bool { return k.killAfter(800, "embed") }},
		{"import", func() bool { return k.killAfter(800, "import", k.pictures(20)) }},
		{"serve, rate, upload, delete", k.killServer},
		{"train", func() bool { return k.killAfter(700, "train") }},
		{"reindex", func() bool { return k.killAfter(500, "reindex") }},
		{"backup", func() bool { return k.killAfter(600, "backup", k.place) }},
	}
	lines := make([]toll, len(works))
	for i := range kills {
		line := &lines[i%len(works)]
		line.work = works[i%len(works)].name
		line.kills++
		if works[i%len(works)].kill() {
			line.midway++
		}
		k.look(line)
	}
	var last toll
	k.finish(&last)
	table := tableOf(lines, last)
	t.Logf("%d kills, seed %d\n%s", kills, seed, table)
	if path := killsSettings[killsTable]; path != "" {
		if err := os.WriteFile(path, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// prepare makes a collection that can be trained and backed up.
func (k *killing) prepare() {
	k.t.Helper()
	start(k.t, "import", k.pictures(40), "--data", k.folder).mustEnd()
	start(k.t, "embed", "--data", k.folder).mustEnd()
	c := k.open()
	page := must(c.ListImages(context.Background(), catalog.ImageQuery{Limit: 30}))(k.t)
	for i, image := range page.Images {
		verdict := []palate.Verdict{palate.Like, palate.Dislike}[i%2]
		must(c.Rate(context.Background(), catalog.Rating{Profile: "me", Image: image.ID, Verdict: verdict, Shown: palate.ShownGallery}))(k.t)
		k.known.verdicts[image.ID] = verdict
		k.known.ratings++
	}
	if err := c.Close(); err != nil {
		k.t.Fatal(err)
	}
}

func (k *killing) open() *sqlite.Catalog {
	k.t.Helper()
	return must(sqlite.Open(context.Background(), filepath.Join(k.folder, collection.CatalogFile), sqlite.DefaultConfig()))(k.t)
}

// killAfter starts a command and kills it within milliseconds; it reports
// whether the command was still at work then.
func (k *killing) killAfter(milliseconds int, args ...string) bool {
	k.t.Helper()
	p := startFaulty(k.t, append(args, "--data", k.folder)...)
	// Its first word on standard error is where the work begins; not every
	// command has one.
	for begun := time.Now(); p.errOut.String() == "" && time.Since(begun) < time.Second; time.Sleep(5 * time.Millisecond) {
		select {
		case <-p.ended:
			return false
		default:
		}
	}
	time.Sleep(time.Duration(k.random.IntN(milliseconds)) * time.Millisecond)
	p.kill()
	return p.command.ProcessState.ExitCode() == -1
}

// pictures makes a folder of n pictures that nobody has.
func (k *killing) pictures(n int) string {
	k.t.Helper()
	folder := k.t.TempDir()
	for range n {
		writeFile(k.t, filepath.Join(folder, fmt.Sprintf("%d.png", k.drawn)), k.picture())
	}
	return folder
}

func (k *killing) picture() []byte {
	k.t.Helper()
	k.drawn++
	m := image.NewGray(image.Rect(0, 0, 64, 64))
	seed := [32]byte{byte(k.drawn), byte(k.drawn >> 8)}
	must(rand.NewChaCha8(seed).Read(m.Pix))(k.t)
	var content bytes.Buffer
	if err := png.Encode(&content, m); err != nil {
		k.t.Fatal(err)
	}
	return content.Bytes()
}

// killServer lets two clients rate, upload and delete until the server is
// killed under them.
func (k *killing) killServer() bool {
	k.t.Helper()
	p := startFaulty(k.t, "serve", "--addr", "127.0.0.1:0", "--data", k.folder)
	address := awaitAddress(k.t, p)
	ids := slices.Collect(func(yield func(palate.ImageID) bool) {
		for id := range k.known.images {
			if !k.known.deleted[id] && !yield(id) {
				return
			}
		}
	})
	slices.SortFunc(ids, func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
	steps := make(chan struct{})
	var client sync.WaitGroup
	client.Go(func() {
		defer close(steps)
		for step := 0; k.step(address, ids, step); step++ {
			select {
			case steps <- struct{}{}:
			default:
			}
		}
	})
	for range 1 + k.random.IntN(8) {
		<-steps
	}
	time.Sleep(time.Duration(k.random.IntN(40)) * time.Millisecond)
	p.kill()
	client.Wait()
	return p.command.ProcessState.ExitCode() == -1
}

// step asks the server for one change and remembers it once it is confirmed.
// It reports whether an answer came.
func (k *killing) step(address string, ids []palate.ImageID, step int) bool {
	id := ids[(step*31+k.drawn*7)%len(ids)]
	for k.known.deleted[id] {
		id = ids[(slices.Index(ids, id)+1)%len(ids)]
	}
	switch step % 4 {
	case 1:
		content := k.picture()
		k.known.openImage = palate.NewImageID(sha256.Sum256(content))
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part := must(form.CreateFormFile("file", "picture.png"))(k.t)
		_ = must(part.Write(content))(k.t)
		_ = form.Close()
		if !k.ask(http.MethodPost, address+"/v1/images", form.FormDataContentType(), &body, http.StatusCreated) {
			return false
		}
		k.known.images[k.known.openImage] = true
	case 3:
		k.known.openImage = id
		if !k.ask(http.MethodDelete, address+"/v1/images/"+id.String()+"?reason=unloved", "", nil, http.StatusNoContent) {
			return false
		}
		k.known.deleted[id] = true
		delete(k.known.verdicts, id)
	default:
		verdict := []palate.Verdict{palate.Like, palate.Dislike, palate.Skip}[k.drawn%3]
		k.known.openImage, k.known.openRating = id, true
		if !k.ask(http.MethodPut, address+"/v1/profiles/me/ratings/"+id.String(), "application/json", strings.NewReader(fmt.Sprintf(`{"verdict":%q}`, verdict)), http.StatusOK) {
			return false
		}
		k.known.verdicts[id], k.known.openRating = verdict, false
		k.known.ratings++
	}
	k.known.openImage = palate.ImageID{}
	return true
}

// anyStatus is wanted where an answer is enough: a training may be under way.
const anyStatus = 0

func (k *killing) ask(method, address, kind string, body io.Reader, want int) bool {
	request := must(http.NewRequest(method, address, body))(k.t)
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
	if want != anyStatus && response.StatusCode != want && response.StatusCode != http.StatusOK {
		k.t.Errorf("%s %s: got status %d, want %d: %s", method, address, response.StatusCode, want, text)
	}
	return true
}

// look compares what the folder holds with what was confirmed, and takes what
// it finds for confirmed from now on.
func (k *killing) look(line *toll) {
	t, ctx := k.t, context.Background()
	t.Helper()
	count := func(kind *int, format string, args ...any) {
		*kind++
		t.Errorf("after a killed %s: "+format, append([]any{line.work}, args...)...)
	}
	c := k.open()
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, problem := range must(c.Check(ctx))(t) {
		count(&line.lost, "the catalog is damaged: %s", problem)
	}
	store := must(disk.Open(filepath.Join(k.folder, collection.ImagesFolder)))(t)
	rows := map[palate.ImageID]bool{}
	for after := ""; ; {
		page := must(c.ListImages(ctx, catalog.ImageQuery{Limit: 1000, After: after}))(t)
		for _, image := range page.Images {
			if rows[image.ID] {
				count(&line.doubled, "image %s is there twice", image.ID)
			}
			rows[image.ID] = true
			if why := k.unreadable(ctx, store, image); why != "" {
				count(&line.lost, "image %s: %s", image.ID, why)
			}
			if k.known.deleted[image.ID] {
				count(&line.lost, "image %s was deleted and is back", image.ID)
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	for id := range k.known.images {
		if !rows[id] && !k.known.deleted[id] && id != k.known.openImage {
			count(&line.wrongly, "image %s was there and is gone, and nobody deleted it", id)
		}
	}
	if !k.known.images[k.known.openImage] || rows[k.known.openImage] {
		k.known.openImage = palate.ImageID{} // nothing was being deleted, or it was not yet
	} else {
		k.known.deleted[k.known.openImage] = true
		delete(k.known.verdicts, k.known.openImage)
	}
	k.lookAtRatings(ctx, c, line, count)
	k.lookAtDerived(ctx, c, rows, line, count)
	k.known.images = rows
	line.images, line.deletions = len(rows), len(k.known.deleted)
}

func (k *killing) unreadable(ctx context.Context, store *disk.Store, image catalog.Image) string {
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

func (k *killing) lookAtRatings(ctx context.Context, c *sqlite.Catalog, line *toll, count func(*int, string, ...any)) {
	standing := must(c.StandingVerdicts(ctx, "me", nil))(k.t)
	for id, want := range k.known.verdicts {
		if got := standing[id]; got != want && !(k.known.openRating && got != "") {
			count(&line.lost, "image %s was rated %q and has %q now", id, want, got)
		}
	}
	entries := 0
	for after := int64(0); ; {
		page := must(c.RatingLog(ctx, "me", after, 1000))(k.t)
		entries += len(page)
		if len(page) < 1000 {
			break
		}
		after = page[len(page)-1].Entry
	}
	most := k.known.ratings
	if k.known.openRating {
		most++
	}
	if entries < k.known.ratings {
		count(&line.lost, "the log has %d ratings, %d were confirmed", entries, k.known.ratings)
	}
	if k.known.ratings != unknownRatings && entries > most {
		count(&line.doubled, "the log has %d ratings, %d were given", entries, most)
	}
	k.known.ratings, k.known.verdicts, k.known.openRating = entries, standing, false
	line.ratings = entries
}

// lookAtDerived looks at what costs time to make again.
func (k *killing) lookAtDerived(ctx context.Context, c *sqlite.Catalog, rows map[palate.ImageID]bool, line *toll, count func(*int, string, ...any)) {
	t := k.t
	embedded := map[palate.ImageID]bool{}
	models := must(c.Models(ctx))(t)
	if len(models) != 1 {
		count(&line.doubled, "there are %d models", len(models))
	}
	for _, e := range must(c.ListEmbeddings(ctx, models[0].ID, palate.ImageID{}, 100_000))(t) {
		if embedded[e.ID] {
			count(&line.doubled, "image %s is embedded twice", e.ID)
		}
		embedded[e.ID] = true
	}
	for id := range k.known.embedded {
		if rows[id] && !embedded[id] {
			count(&line.lost, "image %s has lost its embedding", id)
		}
	}
	versions := must(c.ListProbes(ctx, "me"))(t)
	current := 0
	for _, v := range versions {
		if v.Current {
			current++
		}
	}
	if len(versions) < k.known.probes {
		count(&line.lost, "there are %d probes, there were %d", len(versions), k.known.probes)
	}
	if current > 1 {
		count(&line.doubled, "%d probes serve", current)
	}
	k.known.embedded, k.known.probes, line.embeddings = embedded, len(versions), len(embedded)
	list, err := backup.List(k.place)
	if err != nil && len(k.known.backups) > 0 {
		count(&line.lost, "the backups: %v", err)
	}
	names := map[string]bool{}
	for _, m := range list {
		names[m.Name()] = true
	}
	for _, name := range k.known.backups {
		if !names[name] {
			count(&line.lost, "the backup of %s is gone", name)
		}
	}
	k.known.backups = k.known.backups[:0]
	for name := range names {
		k.known.backups = append(k.known.backups, name)
	}
}

// finish lets everything end, and looks whether the collection is whole, in
// place and in a backup of it.
func (k *killing) finish(line *toll) {
	k.t.Helper()
	line.work = "all, at the end"
	for _, args := range [][]string{{"crawl", "--museum", k.museum.addr}, {"embed"}, {"train"}, {"reindex"}, {"index", "verify"}, {"backup", k.place}} {
		p := startFaulty(k.t, append(args, "--data", k.folder)...)
		select {
		case <-p.ended: // what is left over from many kills takes its time
		case <-time.After(5 * patience):
		}
		p.mustEnd()
	}
	k.look(line)
	again := &killing{t: k.t, folder: filepath.Join(k.t.TempDir(), "restored"), place: k.place, known: k.known}
	startFaulty(k.t, "restore", k.place, "--data", again.folder).mustEnd()
	restored := toll{work: "restored"}
	again.look(&restored)
	if restored.images != line.images || restored.ratings != line.ratings || restored.embeddings != line.embeddings {
		k.t.Errorf("restored: got %+v, want %+v", restored, *line)
	}
}

func tableOf(lines []toll, last toll) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| killed | kills | midway | lost | doubled | wrongly deleted | images | deletions | ratings | embeddings |")
	fmt.Fprintln(&b, "|---|---|---|---|---|---|---|---|---|---|")
	total := toll{work: "**all**"}
	write := func(l toll) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d |\n", l.work, l.kills, l.midway, l.lost, l.doubled, l.wrongly, l.images, l.deletions, l.ratings, l.embeddings)
	}
	for _, l := range append(lines, last) {
		if l.work == "" {
			continue
		}
		if l.kills > 0 {
			write(l)
		}
		total.kills, total.midway = total.kills+l.kills, total.midway+l.midway
		total.lost, total.doubled, total.wrongly = total.lost+l.lost, total.doubled+l.doubled, total.wrongly+l.wrongly
	}
	total.images, total.deletions, total.ratings, total.embeddings = last.images, last.deletions, last.ratings, last.embeddings
	write(total)
	return b.String()
}
