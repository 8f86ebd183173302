//go:build linux

package faults_test

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
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"

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
		program.WriteFile(t, path, content)
	}
}

// A catalog that is new, or another collection's, says nothing of the pictures
// beside it, and none of them goes for its sake.
func TestFaultForeignCatalog(t *testing.T) {
	race.Long(t)
	t.Parallel()
	for name, said := range map[string]string{"new": "palate import --adopt", "another collection's": "palate restore"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, other := oldCollection(t), program.EmptyHome(t)
			program.StartFaulty(t, "profile", "list", "--data", folder).MustEnd() // from now on both know each other
			if name == "new" {
				program.StartFaulty(t, "profile", "list", "--data", other).MustEnd()
			} else {
				other = smallCollection(t)
			}
			before := pictureFiles(t, folder)
			replaceCatalog(t, other, folder)
			program.StartFaulty(t, "serve", "--addr", "127.0.0.1:0", "--data", folder).MustRefuse(said)
			program.StartFaulty(t, "doctor", "--data", folder).MustRefuse(said)
			program.StartFaulty(t, "import", program.MuseumPictures(t, 1), "--data", folder).MustRefuse(said)
			mustBeUntouched(t, folder, before)
		})
	}
}

// A server that is started beside pictures whose catalog was lost, or is older,
// takes none of them away, however old they are.
func TestFaultOldFilesOfALostCatalog(t *testing.T) {
	race.Long(t)
	t.Parallel()
	for name, lose := range map[string]func(*testing.T, string){
		"cut to nothing": func(t *testing.T, folder string) {
			program.WriteFile(t, filepath.Join(folder, collection.CatalogFile), nil)
		},
		"another": func(t *testing.T, folder string) { replaceCatalog(t, smallCollection(t), folder) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := oldCollection(t)
			before := pictureFiles(t, folder)
			lose(t, folder)
			folder = agedDisk(t, folder)
			p := program.StartFaulty(t, "serve", "--addr", "127.0.0.1:0", "--data", folder)
			for deadline := time.Now().Add(program.Patience); time.Now().Before(deadline) && len(pictureFiles(t, folder)) == len(before); time.Sleep(20 * time.Millisecond) {
				select {
				case <-p.Ended:
					deadline = time.Time{}
				default:
				}
			}
			p.Kill()
			mustBeUntouched(t, folder, before)
			if p.Command.ProcessState.ExitCode() != program.ExitFailed {
				t.Errorf("got exit code %d, want that it does not serve", p.Command.ProcessState.ExitCode())
			}
		})
	}
}

func smallCollection(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	program.StartFaulty(t, "import", program.MuseumPictures(t, 4), "--data", folder).MustEnd()
	return folder
}

// What killed processes left is set aside, by whatever command writes; more
// than they leave is told and left alone. Neither is deleted.
func TestFaultFilesWithoutARow(t *testing.T) {
	race.Long(t)
	t.Parallel()
	for _, c := range []struct {
		name    string
		orphans int
		told    string
		args    []string
	}{
		{"a few, serve", 3, "kept for 30 days", []string{"serve", "--addr", "127.0.0.1:0", "--no-embed"}},
		{"a few, import", 3, "kept for 30 days", []string{"import", program.MuseumPictures(t, 5)}},
		{"many, serve", 40, "were left alone", []string{"serve", "--addr", "127.0.0.1:0", "--no-embed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			folder := smallCollection(t)
			orphans := map[string]string{}
			for i := range c.orphans {
				content := flatPNG(20+i, 20, 7)
				id := palate.NewImageID(sha256.Sum256(content)).String()
				program.WriteFile(t, filepath.Join(folder, collection.ImagesFolder, "files", id[:2], id), content)
				orphans[id] = string(content)
			}
			lastSweptLongAgo(t, folder)
			folder = agedDisk(t, folder)
			p := program.StartFaulty(t, append(c.args, "--data", folder)...)
			program.Eventually(t, "something becomes of the files without a row", func() bool {
				select {
				case <-p.Ended:
					return true
				default:
				}
				return strings.Contains(p.ErrOut.String(), c.told) || len(pictureFiles(t, folder)) <= 4
			})
			// It is told when the last one is away.
			for deadline := time.Now().Add(10 * time.Second); !strings.Contains(p.ErrOut.String(), c.told) && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
				select {
				case <-p.Ended:
					deadline = time.Time{}
				default:
				}
			}
			lost, aside := 0, 0
			for id, content := range orphans {
				where, err := filepath.Glob(filepath.Join(folder, collection.ImagesFolder, "swept", "*", "*"+id+"*"))
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case pictureFiles(t, folder)[id] == content:
				case len(where) == 1 && string(program.ReadFile(t, where[0])) == content:
					aside++
				default:
					lost++
				}
			}
			if lost > 0 || (aside > 0) != (c.orphans < 36) || !strings.Contains(p.ErrOut.String(), c.told) {
				t.Errorf("of %d files without a row %d are gone and %d set aside; said: %q", c.orphans, lost, aside, p.ErrOut.String())
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
	if program.FaultsBinary != "" && err != nil && strings.Contains(err.Error(), "no such table") {
		return nil
	}
	return err
}

// doctor does not call well what it can find to be lost, verify finds what
// only reading finds, and an import mends it.
func TestFaultLostAndDamagedFiles(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder, pictures := t.TempDir(), program.MuseumPictures(t, 8)
	program.StartFaulty(t, "import", pictures, "--data", folder).MustEnd()
	files, err := filepath.Glob(filepath.Join(folder, collection.ImagesFolder, "files", "*", "*"))
	if err != nil || len(files) != 8 {
		t.Fatalf("got the files %v and %v, want 8", files, err)
	}
	flipped := program.ReadFile(t, files[0])
	flipped[len(flipped)/2] ^= 1
	program.WriteFile(t, files[0], flipped)
	for _, path := range files[1:4] {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if r := program.StartFaulty(t, "doctor", "--data", folder).Wait(); r.Code == program.ExitDone || strings.Contains(r.Out, "Everything is well") || !strings.Contains(r.Out, "PROBLEM") {
		t.Errorf("3 of 8 files are gone; doctor says %d and %q", r.Code, r.Out[max(0, len(r.Out)-300):])
	}
	r := program.StartFaulty(t, "verify", "--deep", "--data", folder).Wait()
	if r.Code != program.ExitFailed {
		t.Errorf("verify --deep: got %d and %q%q, want %d", r.Code, r.Out, r.Err, program.ExitFailed)
	}
	for _, path := range files[:4] {
		if !strings.Contains(r.Out, filepath.Base(path)) {
			t.Errorf("verify --deep does not name %s: %q", filepath.Base(path), r.Out)
		}
	}
	program.StartFaulty(t, "import", pictures, "--data", folder).MustEnd()
	if r := program.StartFaulty(t, "verify", "--deep", "--data", folder).Wait(); r.Code != program.ExitDone {
		t.Errorf("after an import: got %d and %q%q", r.Code, r.Out, r.Err)
	}
}

// A server whose index is away is not called well by doctor.
func TestFaultDoctorLooksAtTheIndex(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder := oldCollection(t)
	r := program.StartFaulty(t, "doctor", "--index", "qdrant://127.0.0.1:1/art", "--data", folder).Wait()
	if r.Code == program.ExitDone || strings.Contains(r.Out, "Everything is well") || !strings.Contains(r.Out, "127.0.0.1:1") {
		t.Errorf("nobody is at the index's address; doctor says %d and %q", r.Code, r.Out[max(0, len(r.Out)-300):])
	}
}

// The write-ahead log that a long reader let grow is cut when it has gone.
func TestFaultALongReaderOfTheCatalog(t *testing.T) {
	race.Long(t)
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
	asking, id := &program.Killing{T: t}, someImage(t, folder)
	rate := func(times int) {
		for i := range times {
			verdict := []string{"like", "dislike"}[i%2]
			asking.Ask("PUT", s.URL+"/v1/profiles/me/ratings/"+id, "application/json", strings.NewReader(`{"verdict":"`+verdict+`"}`), 200)
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
	race.Long(t)
	t.Parallel()
	pictures, folder := t.TempDir(), program.EmptyHome(t)
	for i := range 3 {
		program.WriteFile(t, filepath.Join(pictures, fmt.Sprint(i, ".png")), flatPNG(large(7000), large(7000), byte(i)))
	}
	work := func(args ...string) time.Duration {
		p := program.StartFaulty(t, append([]string{"import", pictures, "--data", folder}, args...)...)
		p.MustEnd()
		return p.Command.ProcessState.UserTime() + p.Command.ProcessState.SystemTime()
	}
	program.StartFaulty(t, "profile", "list", "--data", folder).MustEnd()
	first, second := work(), work()
	t.Logf("the first import of 3 pictures of 49 megapixels took %v of the processors, the second %v", first.Round(time.Millisecond), second.Round(time.Millisecond))
	if 3*second > first && (!race.Enabled || program.FaultsBinary != "") { // of small ones the start is most
		t.Errorf("a second import took %v of the processors, the first %v: want a third at most", second, first)
	}
	if got := program.LookInto(t, folder); len(got.Images) != 3 {
		t.Errorf("got %d images, want 3", len(got.Images))
	}
}

// Bytes of a damaged file are not printed at the terminal, and doctor sends
// nobody to doctor.
func TestFaultDoctorPrintsNoRawBytes(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder := oldCollection(t)
	program.WriteFile(t, filepath.Join(folder, collection.ImagesFolder, "palate-images"), []byte("\x1b]0;pwned\x07\xff\xfe\x00\x9b31m broken \x05"))
	r := program.StartFaulty(t, "doctor", "--data", folder).Wait()
	if r.Code == program.ExitDone || bytes.ContainsAny([]byte(r.Out+r.Err), "\x1b\x07\x00\x05") || strings.Contains(r.Out+r.Err, `\x`) || strings.Contains(r.Out+r.Err, "palate doctor") {
		t.Errorf("got %d and %q, want a problem in plain words", r.Code, r.Out+r.Err)
	}
}
