//go:build linux

package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/collection"
)

// A crawl was killed while the machine's clock was two days ahead, and what it
// had put off waits for two days. Once the clock is right, the crawl says so
// and goes on; doctor says it too, and the trash stays.
func TestFaultAClockThatJumped(t *testing.T) {
	longRace(t)
	t.Parallel()
	folder, museum := t.TempDir(), startMuseum(t, 60)
	args := []string{"crawl", "--museum", museum.addr, "--data", folder}
	crawl := startFaulty(t, args...)
	eventually(t, "some pictures are fetched", func() bool { return len(museum.pictureRequests()) >= 5 })
	crawl.kill()

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

	again := startFaulty(t, args...)
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		select {
		case <-again.ended:
		default:
			if time.Now().Before(deadline) {
				continue
			}
			again.kill()
			t.Fatalf("the crawl waits for two days and said: %q", again.errOut.String())
		}
		break
	}
	if said := again.mustEnd() + again.errOut.String(); !strings.Contains(said, "clock went back by") {
		t.Errorf("the crawl went on and said nothing of the clock: %q", said)
	}
	if seen := lookInto(t, folder); len(seen.works(t)) != 60 {
		t.Errorf("%d of 60 works were kept", len(seen.works(t)))
	}
	if said := startFaulty(t, "doctor", "--data", folder).wait(); !strings.Contains(said.out, "clock went back by") {
		t.Errorf("doctor says nothing of the clock: %q", said.out)
	}
}
