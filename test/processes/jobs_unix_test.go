//go:build unix

package processes_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// noisePictures gives a new folder of n small pictures, no two alike.
func noisePictures(t *testing.T, n int) string {
	t.Helper()
	folder := t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		picture := image.NewGray(image.Rect(0, 0, 120, 120))
		for p := range picture.Pix {
			picture.Pix[p] = uint8(random.Uint32())
		}
		file, err := os.Create(filepath.Join(folder, fmt.Sprintf("%d.png", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(file, picture); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// A process that is silent for however long is not dead: here it is stopped in
// the middle of its work, and its last word is a year old.
func TestASilentImportIsNotTakenForDead(t *testing.T) {
	race.Long(t)
	folder, ctx := t.TempDir(), context.Background()
	const pictures = 200
	imports := program.Start(t, "import", "--data", folder, noisePictures(t, pictures))
	running := func() (run catalog.Run) {
		c, err := sqlite.Open(ctx, filepath.Join(folder, collection.CatalogFile), sqlite.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		runs, err := c.ListRuns(ctx, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range runs {
			if run.Kind == "import" {
				return run
			}
		}
		return run
	}
	program.Eventually(t, "the import is under way", func() bool { return running().Done > 0 })
	hold(t, imports, folder)
	if run := running(); run.State != catalog.Running || run.Total != pictures {
		t.Fatalf("got %+v, want an import that is stopped in the middle", run)
	}
	silence(t, folder)
	server := program.StartServer(t, "--data", folder, "--no-embed")
	type jobs struct {
		Jobs []struct{ Kind, State string }
	}
	for _, job := range program.Get[jobs](server, "/v1/jobs", nil).Jobs {
		if job.State != "running" {
			t.Errorf("%s is %s while its process lives", job.Kind, job.State)
		}
	}
	if err := imports.Command.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	imports.MustEnd()
	if run := running(); run.State != catalog.Succeeded || run.Done != pictures {
		t.Errorf("got %+v, want that it succeeded with all %d", run, pictures)
	}
}

// hold stops a process between two writes: within one it would hold the
// catalog's lock for as long.
func hold(t *testing.T, p *program.Process, folder string) {
	t.Helper()
	program.Eventually(t, "it is stopped between two writes", func() bool {
		if err := p.Command.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		awaitStop(t, p.Command.Process.Pid)
		if isFree(t, folder) {
			return true
		}
		if err := p.Command.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		return false
	})
}

// awaitStop waits until a process that was asked to stop has: a thread of it
// that runs on another processor may begin a write in between.
func awaitStop(t *testing.T, pid int) {
	t.Helper()
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || !status.Stopped() {
			t.Fatalf("the process ended before it was stopped: %v, status %#x", err, status)
		}
		return
	}
}

// isFree reports whether nobody is writing to the catalog.
func isFree(t *testing.T, folder string) bool {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(folder, collection.CatalogFile)+"?_busy_timeout=100")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec("BEGIN IMMEDIATE; ROLLBACK")
	return err == nil
}

// silence makes every run's last word a year old.
func silence(t *testing.T, folder string) {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(folder, collection.CatalogFile))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE runs SET updated_at = ?", time.Now().AddDate(-1, 0, 0).UnixNano()); err != nil {
		t.Fatal(err)
	}
}

// Two processes that embed one collection share it: every picture is embedded
// once, by the embedders' own counts, and each does its part. Both are held at
// the start until the other is there, so that neither has had a lead.
func TestTwoProcessesEmbedTogether(t *testing.T) {
	race.Long(t)
	const pictures = 400
	folder := t.TempDir()
	program.MustRun(t, "import", "--data", folder, noisePictures(t, pictures))
	var workers []*program.Process
	for n := range 2 {
		worker := program.Start(t, "embed", "--json", "--data", folder, "--model", "baseline")
		workers = append(workers, worker)
		program.Eventually(t, "it has begun", func() bool { return runsOf(t, folder, "embed") > n })
		hold(t, worker, folder)
	}
	for _, worker := range workers {
		if err := worker.Command.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	sum := 0
	for n, worker := range workers {
		var report struct{ Embedded, Failed int }
		if err := json.Unmarshal([]byte(worker.MustEnd()), &report); err != nil {
			t.Fatal(err)
		}
		t.Logf("process %d embedded %d of %d", n+1, report.Embedded, pictures)
		if report.Failed != 0 || report.Embedded < pictures*3/10 {
			t.Errorf("process %d: got %+v, want at least %d embedded", n+1, report, pictures*3/10)
		}
		sum += report.Embedded
	}
	if sum != pictures {
		t.Errorf("together they embedded %d times, want each of %d pictures once", sum, pictures)
	}
}

// Two processes that crawl one site share it: no picture is fetched twice, and
// each fetches some. The first is held until the second is there.
func TestTwoProcessesCrawlTogether(t *testing.T) {
	race.Long(t)
	const pictures = 60
	museum, folder := program.StartMuseum(t, pictures), t.TempDir()
	var crawls []*program.Process
	for n := range 2 {
		crawl := program.Start(t, "crawl", "--museum", museum.Addr, "--data", folder, "--name", "shared", "--delay", "100ms", "--json")
		crawls = append(crawls, crawl)
		program.Eventually(t, "it has begun", func() bool { return runsOf(t, folder, "crawl") > n })
	}
	kept := 0
	for n, crawl := range crawls {
		var report crawler.Report
		if err := json.Unmarshal([]byte(crawl.MustEnd()), &report); err != nil {
			t.Fatal(err)
		}
		t.Logf("process %d fetched %d and kept %d", n+1, report.Fetched, report.Kept)
		if report.Fetched == 0 || report.Kept+report.Known != pictures || report.Pending != 0 {
			t.Errorf("process %d: got %+v, want some fetched and all %d there", n+1, report, pictures)
		}
		kept += report.Kept
	}
	if kept != pictures {
		t.Errorf("together they kept %d, want each of %d once", kept, pictures)
	}
	fetched := map[string]int{}
	for _, request := range museum.PictureRequests() {
		if request.Status == http.StatusOK {
			fetched[request.Path]++
		}
	}
	for path, times := range fetched {
		if times > 1 {
			t.Errorf("%s was fetched %d times", path, times)
		}
	}
	if len(fetched) < pictures {
		t.Errorf("%d pictures were fetched, want %d at least", len(fetched), pictures)
	}
}

// runsOf counts the jobs of a kind that there have been.
func runsOf(t *testing.T, folder, kind string) (n int) {
	t.Helper()
	c, err := sqlite.Open(context.Background(), filepath.Join(folder, collection.CatalogFile), sqlite.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	runs, err := c.ListRuns(context.Background(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		if run.Kind == kind {
			n++
		}
	}
	return n
}
