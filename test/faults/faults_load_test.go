//go:build linux

package faults_test

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
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// A backup that is made while a crawl, ratings and trainings go on is whole,
// and of one moment: it has every rating that was confirmed before it began,
// and none that was given after it ended.
func TestFaultBackupUnderLoad(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder, place := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	museum := program.StartMuseum(t, atLength(60, 300))
	program.StartFaulty(t, "import", program.MuseumPictures(t, 12), "--data", folder).MustEnd()
	program.StartFaulty(t, "embed", "--data", folder).MustEnd()
	p := program.StartFaulty(t, "serve", "--addr", "127.0.0.1:0", "--data", folder)
	s := program.Server{Process: p, URL: program.AwaitAddress(t, p)}
	ids := s.Images(url.Values{})
	crawl := program.StartFaulty(t, "crawl", "--museum", museum.Addr, "--data", folder)
	done, asking := make(chan struct{}), &program.Killing{T: t}
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
			verdict := []string{"like", "dislike"}[(i+i/len(ids))%2] // another one each time, as the same again is no entry
			asked.Add(1)
			if !asking.Ask(http.MethodPut, s.URL+"/v1/profiles/me/ratings/"+ids[i%len(ids)], "application/json", strings.NewReader(`{"verdict":"`+verdict+`"}`), http.StatusOK) {
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
				program.StartFaulty(t, "train", "--data", folder).Wait() // it may say that another one is at it
			} else if !asking.Ask(http.MethodPost, s.URL+"/v1/profiles/me/probe", "", nil, program.AnyStatus) {
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
		out := program.StartFaulty(t, "backup", place, "--data", folder, "--json").MustEnd()
		r.most = asked.Load()
		if err := json.Unmarshal([]byte(out), &r.Report); err != nil {
			t.Fatal(err)
		}
		reports = append(reports, r)
	}
	close(done)
	load.Wait()
	crawl.MustEnd()
	s.Interrupt()
	for _, r := range reports {
		restored := filepath.Join(t.TempDir(), r.Snapshot)
		program.StartFaulty(t, "restore", place, "--snapshot", r.Snapshot, "--data", restored).MustEnd()
		k := &program.Killing{T: t, Folder: restored, Place: place, Known: confirmedNothing()}
		var line program.Toll
		k.Look(&line)
		t.Logf("%s: %d images, %d ratings between %d confirmed before and %d asked for after", r.Snapshot, line.Images, line.Ratings, r.least, r.most)
		if line.Images != r.Manifest.Images || line.Images != r.Manifest.Files {
			t.Errorf("restored %+v of the backup %+v", line, r.Manifest)
		}
		if n := int64(line.Ratings); n < r.least || n > r.most || n == 0 {
			t.Errorf("the backup has %d ratings, want %d to %d", n, r.least, r.most)
		}
		program.StartFaulty(t, "index", "verify", "--data", restored).MustEnd()
		program.StartFaulty(t, "verify", "--deep", "--data", restored).MustEnd()
	}
	if trained.Load() == 0 {
		t.Error("nothing was trained meanwhile")
	}
	if first, last := reports[0].Manifest, reports[len(reports)-1]; last.Manifest.LastChange <= first.LastChange || last.New >= last.Manifest.Files {
		t.Errorf("got %+v and then %+v, want more each time, and only what is new copied", first, last)
	}
}

func confirmedNothing() program.Confirmed { return program.Confirmed{Ratings: program.UnknownRatings} }
