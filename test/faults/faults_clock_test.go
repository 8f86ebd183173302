//go:build linux

package faults_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// A crawl was killed while the machine's clock was two days ahead, and what it
// had put off waits for two days. Once the clock is right, the crawl says so
// and goes on; doctor says it too, and the trash stays.
func TestFaultAClockThatJumped(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder, museum := t.TempDir(), program.StartMuseum(t, 60)
	args := []string{"crawl", "--museum", museum.Addr, "--data", folder}
	crawl := program.StartFaulty(t, args...)
	program.Eventually(t, "some pictures are fetched", func() bool { return len(museum.PictureRequests()) >= 5 })
	crawl.Kill()

	const ahead = 48 * time.Hour
	db, err := sql.Open("sqlite3", filepath.Join(folder, collection.CatalogFile)+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	put := func(query string, args ...any) (rows int64) {
		t.Helper()
		r, err := db.ExecContext(t.Context(), query, args...)
		if ignoreWithoutClock(err) != nil {
			t.Fatal(err)
		}
		if err == nil {
			rows, _ = r.RowsAffected()
		}
		return rows
	}
	if put(`UPDATE tasks SET not_before = ? WHERE state = 'pending'`, time.Now().Add(ahead).UnixNano()) == 0 {
		t.Fatal("the crawl was at its end when it was killed: the test shows nothing")
	}
	put(`UPDATE runs SET updated_at = updated_at + ?`, int64(ahead))
	put(`UPDATE clock SET seen = seen + ?`, int64(ahead))

	again := program.StartFaulty(t, args...)
	for deadline := time.Now().Add(program.Patience); ; time.Sleep(50 * time.Millisecond) {
		select {
		case <-again.Ended:
		default:
			if time.Now().Before(deadline) {
				continue
			}
			again.Kill()
			t.Fatalf("the crawl waits for two days and said: %q", again.ErrOut.String())
		}
		break
	}
	if said := again.MustEnd() + again.ErrOut.String(); !strings.Contains(said, "clock went back by") {
		t.Errorf("the crawl went on and said nothing of the clock: %q", said)
	}
	if seen := program.LookInto(t, folder); len(seen.Works(t)) != 60 {
		t.Errorf("%d of 60 works were kept", len(seen.Works(t)))
	}
	if said := program.StartFaulty(t, "doctor", "--data", folder).Wait(); !strings.Contains(said.Out, "clock went back by") {
		t.Errorf("doctor says nothing of the clock: %q", said.Out)
	}
}
