//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"

	"github.com/palate-art/palate/internal/collection"
)

// replaceCatalog puts the catalog of one folder into the place of another's.
func replaceCatalog(t *testing.T, from, into string) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		path := filepath.Join(into, collection.CatalogFile) + suffix
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(from, collection.CatalogFile) + suffix)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, path, content)
	}
}

// A catalog that is new, or another collection's, says nothing of the pictures
// beside it, and none of them goes for its sake.
func TestFaultForeignCatalog(t *testing.T) {
	longRace(t)
	t.Parallel()
	for name, said := range map[string]string{"new": "palate import --adopt", "another collection's": "palate restore"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, other := oldCollection(t), t.TempDir()
			startFaulty(t, "profile", "list", "--data", folder).mustEnd() // from now on both know each other
			if name == "new" {
				startFaulty(t, "profile", "list", "--data", other).mustEnd()
			} else {
				other = smallCollection(t)
			}
			before := pictureFiles(t, folder)
			replaceCatalog(t, other, folder)
			startFaulty(t, "serve", "--addr", "127.0.0.1:0", "--data", folder).mustRefuse(said)
			startFaulty(t, "doctor", "--data", folder).mustRefuse(said)
			startFaulty(t, "import", museumPictures(t, 1), "--data", folder).mustRefuse(said)
			mustBeUntouched(t, folder, before)
		})
	}
}

// A server that is started beside pictures whose catalog was lost, or is older,
// takes none of them away, however old they are.
func TestFaultOldFilesOfALostCatalog(t *testing.T) {
	longRace(t)
	t.Parallel()
	for name, lose := range map[string]func(*testing.T, string){
		"cut to nothing": func(t *testing.T, folder string) { writeFile(t, filepath.Join(folder, collection.CatalogFile), nil) },
		"another":        func(t *testing.T, folder string) { replaceCatalog(t, smallCollection(t), folder) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := oldCollection(t)
			before := pictureFiles(t, folder)
			lose(t, folder)
			folder = agedDisk(t, folder)
			p := startFaulty(t, "serve", "--addr", "127.0.0.1:0", "--data", folder)
			for deadline := time.Now().Add(patience); time.Now().Before(deadline) && len(pictureFiles(t, folder)) == len(before); time.Sleep(20 * time.Millisecond) {
				select {
				case <-p.ended:
					deadline = time.Time{}
				default:
				}
			}
			p.kill()
			mustBeUntouched(t, folder, before)
			if p.command.ProcessState.ExitCode() != exitFailed {
				t.Errorf("got exit code %d, want that it does not serve", p.command.ProcessState.ExitCode())
			}
		})
	}
}

func smallCollection(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	startFaulty(t, "import", museumPictures(t, 4), "--data", folder).mustEnd()
	return folder
}

// What killed processes left is set aside, by whatever command writes; more
// than they leave is told and left alone. Neither is deleted.
func TestFaultFilesWithoutARow(t *testing.T) {
	longRace(t)
	t.Parallel()
	for _, c := range []struct {
		name    string
		orphans int
		told    string
		args    []string
	}{
		{"a few, serve", 3, "kept for 30 days", []string{"serve", "--addr", "127.0.0.1:0", "--no-embed"}},
		{"a few, import", 3, "kept for 30 days", []string{"import", museumPictures(t, 5)}},
		{"many, serve", 40, "were left alone", []string{"serve", "--addr", "127.0.0.1:0", "--no-embed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			folder := smallCollection(t)
			orphans := map[string]string{}
			for i := range c.orphans {
				content := flatPNG(20+i, 20, 7)
				id := palate.NewImageID(sha256.Sum256(content)).String()
				writeFile(t, filepath.Join(folder, collection.ImagesFolder, "files", id[:2], id), content)
				orphans[id] = string(content)
			}
			lastSweptLongAgo(t, folder)
			folder = agedDisk(t, folder)
			p := startFaulty(t, append(c.args, "--data", folder)...)
			eventually(t, "something becomes of the files without a row", func() bool {
				select {
				case <-p.ended:
					return true
				default:
				}
				return strings.Contains(p.errOut.String(), c.told) || len(pictureFiles(t, folder)) <= 4
			})
			if len(pictureFiles(t, folder)) <= 4 { // it is told when the last one is away
				time.Sleep(200 * time.Millisecond)
			}
			lost, aside := 0, 0
			for id, content := range orphans {
				where, err := filepath.Glob(filepath.Join(folder, collection.ImagesFolder, "swept", "*", "*"+id+"*"))
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case pictureFiles(t, folder)[id] == content:
				case len(where) == 1 && string(readFile(t, where[0])) == content:
					aside++
				default:
					lost++
				}
			}
			if lost > 0 || (aside > 0) != (c.orphans < 36) || !strings.Contains(p.errOut.String(), c.told) {
				t.Errorf("of %d files without a row %d are gone and %d set aside; said: %q", c.orphans, lost, aside, p.errOut.String())
			}
		})
	}
}

// lastSweptLongAgo is for programs that sweep at most once a day.
func lastSweptLongAgo(t *testing.T, folder string) {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(folder, collection.CatalogFile)+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `UPDATE clock SET swept = 0`)
	if err = errors.Join(ignoreWithoutClock(err), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// ignoreWithoutClock is for former releases, which remember no clock.
func ignoreWithoutClock(err error) error {
	if faultsBinary != "" && err != nil && strings.Contains(err.Error(), "no such table") {
		return nil
	}
	return err
}

// doctor does not call well what it can find to be lost, verify finds what
// only reading finds, and an import mends it.
func TestFaultLostAndDamagedFiles(t *testing.T) {
	longRace(t)
	t.Parallel()
	folder, pictures := t.TempDir(), museumPictures(t, 8)
	startFaulty(t, "import", pictures, "--data", folder).mustEnd()
	files, err := filepath.Glob(filepath.Join(folder, collection.ImagesFolder, "files", "*", "*"))
	if err != nil || len(files) != 8 {
		t.Fatalf("got the files %v and %v, want 8", files, err)
	}
	flipped := readFile(t, files[0])
	flipped[len(flipped)/2] ^= 1
	writeFile(t, files[0], flipped)
	for _, path := range files[1:4] {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if r := startFaulty(t, "doctor", "--data", folder).wait(); r.code == exitDone || strings.Contains(r.out, "Everything is well") || !strings.Contains(r.out, "PROBLEM") {
		t.Errorf("3 of 8 files are gone; doctor says %d and %q", r.code, r.out[max(0, len(r.out)-300):])
	}
	r := startFaulty(t, "verify", "--deep", "--data", folder).wait()
	if r.code != exitFailed {
		t.Errorf("verify --deep: got %d and %q%q, want %d", r.code, r.out, r.err, exitFailed)
	}
	for _, path := range files[:4] {
		if !strings.Contains(r.out, filepath.Base(path)) {
			t.Errorf("verify --deep does not name %s: %q", filepath.Base(path), r.out)
		}
	}
	startFaulty(t, "import", pictures, "--data", folder).mustEnd()
	if r := startFaulty(t, "verify", "--deep", "--data", folder).wait(); r.code != exitDone {
		t.Errorf("after an import: got %d and %q%q", r.code, r.out, r.err)
	}
}

// A server whose index is away is not called well by doctor.
func TestFaultDoctorLooksAtTheIndex(t *testing.T) {
	longRace(t)
	t.Parallel()
	folder := oldCollection(t)
	r := startFaulty(t, "doctor", "--index", "qdrant://127.0.0.1:1/art", "--data", folder).wait()
	if r.code == exitDone || strings.Contains(r.out, "Everything is well") || !strings.Contains(r.out, "127.0.0.1:1") {
		t.Errorf("nobody is at the index's address; doctor says %d and %q", r.code, r.out[max(0, len(r.out)-300):])
	}
}

// The write-ahead log that a long reader let grow is cut when it has gone.
func TestFaultALongReaderOfTheCatalog(t *testing.T) {
	longRace(t)
	t.Parallel()
	folder := oldCollection(t)
	s := startFaultyServer(t, "--data", folder, "--no-embed")
	db, err := sql.Open("sqlite3", "file://"+filepath.Join(folder, collection.CatalogFile)+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const kept = 8 << 20 // of the log, to be written again
	long, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := long.QueryRow("SELECT count(*) FROM images").Scan(&n); err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		info, err := os.Stat(filepath.Join(folder, collection.CatalogFile+"-wal"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	asking, id := &killing{t: t}, someImage(t, folder)
	rate := func(times int) {
		for i := range times {
			verdict := []string{"like", "dislike"}[i%2]
			asking.ask("PUT", s.url+"/v1/profiles/me/ratings/"+id, "application/json", strings.NewReader(`{"verdict":"`+verdict+`"}`), 200)
		}
	}
	for i := 0; i < 100 && size() < 12<<20; i++ {
		rate(20)
	}
	grown := size()
	if grown < 12<<20 {
		t.Fatalf("the log has %d bytes after 2000 ratings: this shows nothing", grown)
	}
	if err := long.Rollback(); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 50 && size() > kept; i++ {
		rate(20)
	}
	if left := size(); left > kept {
		t.Errorf("the log grew to %d bytes, and has %d a thousand ratings after the reader has gone", grown, left)
	}
}

// A second import of the same files decodes nothing.
func TestFaultASecondImport(t *testing.T) {
	longRace(t)
	t.Parallel()
	pictures, folder := t.TempDir(), t.TempDir()
	for i := range 3 {
		writeFile(t, filepath.Join(pictures, fmt.Sprint(i, ".png")), flatPNG(large(7000), large(7000), byte(i)))
	}
	work := func(args ...string) time.Duration {
		p := startFaulty(t, append([]string{"import", pictures, "--data", folder}, args...)...)
		p.mustEnd()
		return p.command.ProcessState.UserTime() + p.command.ProcessState.SystemTime()
	}
	startFaulty(t, "profile", "list", "--data", folder).mustEnd()
	first, second := work(), work()
	t.Logf("the first import of 3 pictures of 49 megapixels took %v of the processors, the second %v", first.Round(time.Millisecond), second.Round(time.Millisecond))
	if 3*second > first && (!raceEnabled || faultsBinary != "") { // of small ones the start is most
		t.Errorf("a second import took %v of the processors, the first %v: want a third at most", second, first)
	}
	if got := lookInto(t, folder); len(got.images) != 3 {
		t.Errorf("got %d images, want 3", len(got.images))
	}
}

// Bytes of a damaged file are not printed at the terminal, and doctor sends
// nobody to doctor.
func TestFaultDoctorPrintsNoRawBytes(t *testing.T) {
	longRace(t)
	t.Parallel()
	folder := oldCollection(t)
	writeFile(t, filepath.Join(folder, collection.ImagesFolder, "palate-images"), []byte("\x1b]0;pwned\x07\xff\xfe\x00\x9b31m broken \x05"))
	r := startFaulty(t, "doctor", "--data", folder).wait()
	if r.code == exitDone || bytes.ContainsAny([]byte(r.out+r.err), "\x1b\x07\x00\x05") || strings.Contains(r.out+r.err, `\x`) || strings.Contains(r.out+r.err, "palate doctor") {
		t.Errorf("got %d and %q, want a problem in plain words", r.code, r.out+r.err)
	}
}
