//go:build linux

package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/backup"
)

// A backup that is made while a crawl, ratings and trainings go on is whole,
// and of one moment: it has every rating that was confirmed before it began,
// and none that was given after it ended.
func TestFaultBackupUnderLoad(t *testing.T) {
	longRace(t)
	t.Parallel()
	folder, place := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	museum := startMuseum(t, atLength(60, 300))
	startFaulty(t, "import", museumPictures(t, 12), "--data", folder).mustEnd()
	startFaulty(t, "embed", "--data", folder).mustEnd()
	p := startFaulty(t, "serve", "--addr", "127.0.0.1:0", "--data", folder)
	s := server{process: p, url: awaitAddress(t, p)}
	ids := s.images(url.Values{})
	crawl := startFaulty(t, "crawl", "--museum", museum.addr, "--data", folder)
	done, asking := make(chan struct{}), &killing{t: t}
	var asked, confirmed, trained atomic.Int64
	var load sync.WaitGroup
	stopped := func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
	load.Go(func() {
		for i := 0; !stopped(); i++ {
			verdict := []string{"like", "dislike"}[i%len(ids)%2]
			asked.Add(1)
			if !asking.ask(http.MethodPut, s.url+"/v1/profiles/me/ratings/"+ids[i%len(ids)], "application/json", strings.NewReader(`{"verdict":"`+verdict+`"}`), http.StatusOK) {
				return
			}
			confirmed.Add(1)
		}
	})
	load.Go(func() { // in a process of its own, and on the server
		for confirmed.Load() < int64(len(ids)) && !stopped() {
			time.Sleep(time.Millisecond)
		}
		for i := 0; !stopped(); i++ {
			if i%2 == 0 {
				startFaulty(t, "train", "--data", folder).wait() // it may say that another one is at it
			} else if !asking.ask(http.MethodPost, s.url+"/v1/profiles/me/probe", "", nil, anyStatus) {
				return
			}
			trained.Add(1)
		}
	})
	type made struct {
		backup.Report
		least, most int64 // ratings
	}
	var reports []made
	for range atLength(3, 10) {
		r := made{least: confirmed.Load()}
		out := startFaulty(t, "backup", place, "--data", folder, "--json").mustEnd()
		r.most = asked.Load()
		if err := json.Unmarshal([]byte(out), &r.Report); err != nil {
			t.Fatal(err)
		}
		reports = append(reports, r)
	}
	close(done)
	load.Wait()
	crawl.mustEnd()
	s.interrupt()
	for _, r := range reports {
		restored := filepath.Join(t.TempDir(), r.Snapshot)
		startFaulty(t, "restore", place, "--snapshot", r.Snapshot, "--data", restored).mustEnd()
		k := &killing{t: t, folder: restored, place: place, known: confirmedNothing()}
		var line toll
		k.look(&line)
		t.Logf("%s: %d images, %d ratings between %d confirmed before and %d asked for after", r.Snapshot, line.images, line.ratings, r.least, r.most)
		if line.images != r.Manifest.Images || line.images != r.Manifest.Files {
			t.Errorf("restored %+v of the backup %+v", line, r.Manifest)
		}
		if n := int64(line.ratings); n < r.least || n > r.most || n == 0 {
			t.Errorf("the backup has %d ratings, want %d to %d", n, r.least, r.most)
		}
		startFaulty(t, "index", "verify", "--data", restored).mustEnd()
		startFaulty(t, "verify", "--deep", "--data", restored).mustEnd()
	}
	if trained.Load() == 0 {
		t.Error("nothing was trained meanwhile")
	}
	if first, last := reports[0].Manifest, reports[len(reports)-1]; last.Manifest.LastChange <= first.LastChange || last.New >= last.Manifest.Files {
		t.Errorf("got %+v and then %+v, want more each time, and only what is new copied", first, last)
	}
}

func confirmedNothing() confirmed { return confirmed{ratings: unknownRatings} }
