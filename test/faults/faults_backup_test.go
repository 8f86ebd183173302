//go:build linux

package faults_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// mustBeTheOldCollection checks that a folder holds what the collection of
// 643e7ab did: testdata/README.md.
func mustBeTheOldCollection(t *testing.T, folder string) {
	t.Helper()
	seen := program.LookInto(t, folder)
	seen.MustHaveFileOfEveryRow(t)
	seen.MustHaveRowOfEveryFile(t)
	if len(seen.Images) != 32 || len(seen.Embeddings) != 32 {
		t.Errorf("%s: got %d images and %d embeddings, want 32", folder, len(seen.Images), len(seen.Embeddings))
	}
	type versionLine struct {
		Current         bool
		Likes, Dislikes int
	}
	history := program.JSONValues[[]versionLine](t, program.StartFaulty(t, "probe", "history", "--data", folder, "--json").MustEnd())
	if len(history) != 1 || len(history[0]) != 1 || !history[0][0].Current || history[0][0].Likes != 10 || history[0][0].Dislikes != 14 {
		t.Errorf("%s: got the probes %+v, want the one that learned from 10 likes and 14 dislikes", folder, history)
	}
}

// A collection of an older palate opens with all that it has, and a copy of
// its catalog from before any migration is kept.
func TestFaultOldCollectionIsBackedUp(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder, place := oldCollection(t), filepath.Join(t.TempDir(), "backup")
	program.StartFaulty(t, "backup", place, "--data", folder).MustEnd()
	mustBeTheOldCollection(t, folder)
	restored := filepath.Join(t.TempDir(), "restored")
	program.StartFaulty(t, "restore", place, "--data", restored).MustEnd()
	mustBeTheOldCollection(t, restored)
	if copies, err := filepath.Glob(filepath.Join(folder, collection.MigrationFolder, "catalog-v3-*.db")); err != nil || (catalogVersion(t, folder) > 3) != (len(copies) == 1) {
		t.Errorf("got the copies %v and %v of schema version 3, now at %d", copies, err, catalogVersion(t, folder))
	}
}

// A backup that is killed at any moment leaves the backups of before as they
// were, and the next one goes on.
func TestFaultKilledBackup(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder, place := oldCollection(t), filepath.Join(t.TempDir(), "backup")
	random := rand.New(rand.NewPCG(5, 6))
	killed := 0
	for i := range 6 {
		p := program.StartFaulty(t, "backup", place, "--data", folder)
		time.Sleep(program.StartUp + time.Duration(random.IntN(120))*time.Millisecond)
		p.Kill()
		if p.Command.ProcessState.ExitCode() != program.ExitDone {
			killed++
		}
		if list, err := backup.List(place); err == nil {
			for _, m := range list {
				restored := filepath.Join(t.TempDir(), fmt.Sprint(i), m.Name())
				program.StartFaulty(t, "restore", place, "--snapshot", m.Name(), "--data", restored).MustEnd()
				mustBeTheOldCollection(t, restored)
			}
		}
	}
	program.StartFaulty(t, "backup", place, "--data", folder).MustEnd()
	left, err := os.ReadDir(filepath.Join(place, "tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("got %v and %v left behind", left, err)
	}
	for tries := 0; ; tries++ { // restore until one was killed before it ended
		restored := filepath.Join(t.TempDir(), "restored")
		p := program.StartFaulty(t, "restore", place, "--data", restored)
		time.Sleep(program.StartUp + time.Duration(random.IntN(60))*time.Millisecond)
		p.Kill()
		if p.Command.ProcessState.ExitCode() == program.ExitDone && tries < 20 {
			continue
		}
		if _, err := os.Stat(filepath.Join(restored, collection.CatalogFile)); err != nil {
			program.StartFaulty(t, "restore", place, "--data", restored).MustEnd()
		}
		mustBeTheOldCollection(t, restored)
		break
	}
	t.Logf("%d of 6 backups were killed before they ended", killed)
}

// A disk that is full does not spoil what was backed up before.
func TestFaultBackupOntoAFullDisk(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder, place := oldCollection(t), filepath.Join(t.TempDir(), "backup")
	program.StartFaulty(t, "backup", place, "--data", folder).MustEnd()
	args := []string{"backup", place, "--data", folder}
	r := program.StartProgram(t, program.FaultsBinary, []string{program.FileSizeLimit + "=300000"}, args...).Wait()
	if program.FaultsBinary == "" { // only the test's own program takes the limit
		program.MustBeOneLine(t, r, program.ExitFailed, []string{"full"}, args...)
	}
	restored := filepath.Join(t.TempDir(), "restored")
	program.StartFaulty(t, "restore", place, "--data", restored).MustEnd()
	mustBeTheOldCollection(t, restored)
}

// The folder is the owner's alone, whatever it was before; with a word it is
// the group's to read.
func TestFaultFolderIsPrivate(t *testing.T) {
	race.Long(t)
	t.Parallel()
	modes := func(t *testing.T, root string) map[fs.FileMode]int {
		t.Helper()
		found := map[fs.FileMode]int{}
		err := filepath.WalkDir(root, func(_ string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err == nil {
				found[info.Mode().Perm()]++
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for _, c := range []struct {
		name         string
		flags        []string
		folder, file fs.FileMode
	}{{"owner", nil, 0o700, 0o600}, {"group", []string{"--group-readable"}, 0o750, 0o640}} {
		t.Run(c.name, func(t *testing.T) {
			fresh := filepath.Join(t.TempDir(), "fresh")
			program.StartFaulty(t, append([]string{"import", program.MuseumPictures(t, 2), "--data", fresh}, c.flags...)...).MustEnd()
			old := oldCollection(t)
			if err := os.Chmod(old, 0o755); err != nil {
				t.Fatal(err)
			}
			p := program.StartFaulty(t, append([]string{"rate", "like", someImage(t, old), "--data", old}, c.flags...)...)
			p.MustEnd()
			if !strings.Contains(p.ErrOut.String(), old) || !strings.Contains(p.ErrOut.String(), "mode") {
				t.Errorf("the change was not told: %q", p.ErrOut.String())
			}
			if p = program.StartFaulty(t, "rate", "like", someImage(t, old), "--data", old); p.Wait().Code != program.ExitDone || strings.Contains(p.ErrOut.String(), "mode") {
				t.Errorf("a second time: %q", p.ErrOut.String())
			}
			for _, root := range []string{fresh, old} {
				for mode, n := range modes(t, root) {
					if mode&^c.folder != 0 || (mode != c.folder && mode != c.file && mode != 0o600) {
						t.Errorf("%s: %d files or folders of mode %o, want %o and %o", root, n, mode, c.folder, c.file)
					}
				}
			}
		})
	}
}

func someImage(t *testing.T, folder string) string {
	t.Helper()
	var id string
	err := filepath.WalkDir(filepath.Join(folder, collection.ImagesFolder, "files"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			id = entry.Name()
		}
		return err
	})
	if err != nil || id == "" {
		t.Fatalf("no image in %s: %v", folder, err)
	}
	return id
}

// A folder that can't be written is listed, scored and served; what would
// write says why it can't.
func TestFaultReadOnlyFolder(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder := oldCollection(t)
	program.StartFaulty(t, "embed", "--data", folder).MustEnd() // by this palate's built-in model
	program.StartFaulty(t, "train", "--data", folder).MustEnd()
	image := someImage(t, folder)
	start := func(args ...string) *program.Process {
		return program.StartProgram(t, "", []string{program.WithoutRights + "=" + program.FaultsBinary + " "}, append(args, "--data", folder)...)
	}
	withoutWrites(t, folder)
	for _, args := range [][]string{{"scores"}, {"similar", image}, {"probe", "history"}, {"profile", "list"}} {
		r := start(append(args, "--json")...).Wait()
		if r.Code != program.ExitDone || !strings.Contains(r.Out, "{") || !strings.Contains(r.Err, "not changed") {
			t.Errorf("palate %v: got %d, %.100q and %q", args, r.Code, r.Out, r.Err)
		}
	}
	for _, args := range [][]string{{"rate", "like", image}, {"train"}, {"import", program.MuseumPictures(t, 1)}} {
		r := start(args...).Wait()
		if r.Code != program.ExitFailed || !strings.Contains(r.Err, "not changed") || !strings.Contains(r.Err, folder) {
			t.Errorf("palate %v: got %d and %q", args, r.Code, r.Err)
		}
	}
	s := program.Server{Process: start("serve", "--addr", "127.0.0.1:0")}
	s.URL = program.AwaitAddress(t, s.Process)
	if got := len(s.Images(url.Values{})); got != 32 {
		t.Errorf("served: got %d images, want 32", got)
	}
	for path, want := range map[string]int{"/v1/profiles/me/scores": 200, "/v1/images/" + image + "/file": 200, "/v1/images/" + image + "/thumbnail?width=320": 200,
		"/healthz": 200, "/readyz": 200, "/v1/health": 503} {
		if got := statusOf(t, http.MethodGet, s.URL+path, ""); got != want {
			t.Errorf("GET %s: got %d, want %d", path, got, want)
		}
	}
	for path, body := range map[string]string{"/v1/profiles/me/ratings/" + image: `{"verdict":"dislike"}`} {
		if got := statusOf(t, http.MethodPut, s.URL+path, body); got != http.StatusServiceUnavailable {
			t.Errorf("PUT %s: got %d, want 503", path, got)
		}
	}
	if r := s.Interrupt(); r.Code != program.ExitDone || strings.Count(r.Err, "\n") > 12 {
		t.Errorf("got exit code %d and %q", r.Code, r.Err)
	}
}

func statusOf(t *testing.T, method, address, body string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// withoutWrites takes the right to write from a folder and all in it, until
// the test ends. Everybody may read it, and get there.
func withoutWrites(t *testing.T, root string) {
	t.Helper()
	set := func(folder, file fs.FileMode) error {
		return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() {
				return os.Chmod(path, folder)
			}
			return os.Chmod(path, file)
		})
	}
	if err := set(0o555, 0o444); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := set(0o755, 0o644); err != nil {
			t.Error(err)
		}
	})
}

// What README's chapter on backups says is run as it is written: the commands
// of its code block, those within its sentences, and what it says of --replace.
func TestFaultREADMEBackupCommands(t *testing.T) {
	race.Long(t)
	t.Parallel()
	home := t.TempDir()
	folder := oldCollection(t)
	as := func(line string) []string {
		args := strings.Fields(line)[1:]
		for i, arg := range args {
			args[i] = strings.NewReplacer("/mnt/backup", filepath.Join(home, "disk"), "~", home).Replace(arg)
		}
		if !slices.Contains(args, "--data") {
			args = append(args, "--data", folder)
		}
		return args
	}
	block, sentences := readmeCommands(t, "Backups")
	for _, line := range block {
		args := as(line)
		out := program.StartFaulty(t, args...).MustEnd()
		for i, arg := range args {
			if arg == "--data" && args[0] == "restore" {
				mustBeTheOldCollection(t, args[i+1])
			}
			if arg == "--list" && strings.Count(out, "\n") < 2 {
				t.Errorf("%s: got %q, want the backups that were made", line, out)
			}
		}
	}
	for _, line := range sentences {
		p := program.StartFaulty(t, as(line)...)
		out := p.MustEnd()
		if strings.Contains(line, "--quiet") && (strings.Count(out, "\n") != 1 || p.ErrOut.String() != "") {
			t.Errorf("%s: got %q and %q, want one line and nothing wrong", line, out, p.ErrOut.String())
		}
	}
	for _, want := range []string{"palate verify", "palate verify --deep", "palate backup --quiet /mnt/backup/palate"} {
		if !slices.Contains(sentences, want) {
			t.Errorf("README's sentences have the commands %q, want %q among them", sentences, want)
		}
	}
	program.WriteFile(t, filepath.Join(folder, collection.CatalogFile), []byte("damaged"))
	program.StartFaulty(t, as("palate restore /mnt/backup/palate --replace")...).MustEnd()
	mustBeTheOldCollection(t, folder)
}

var (
	codeLine       = regexp.MustCompile(`^palate [^#]+`)
	codeInSentence = regexp.MustCompile("`(?:[0-9*]+ [0-9*]+ [0-9*]+ [0-9*]+ [0-9*]+ )?(palate (?:verify[^`]*|[a-z]+ [^`]+))`")
)

// readmeCommands are the palate commands of a chapter: in its code blocks, and
// in its sentences where they are whole.
func readmeCommands(t *testing.T, chapter string) (block, sentences []string) {
	t.Helper()
	inside := false
	for line := range strings.Lines(string(program.ReadFile(t, filepath.Join("..", "..", "README.md")))) {
		if strings.HasPrefix(line, "## ") {
			inside = strings.TrimSpace(line) == "## "+chapter
		}
		if !inside {
			continue
		}
		if found := codeLine.FindString(line); found != "" {
			block = append(block, strings.TrimSpace(found))
		}
		for _, found := range codeInSentence.FindAllStringSubmatch(line, -1) {
			sentences = append(sentences, found[1])
		}
	}
	if len(block) < 7 {
		t.Fatalf("got %v, want the commands of the chapter %s", block, chapter)
	}
	return block, sentences
}

// catalogVersion is the version of a catalog's schema.
func catalogVersion(t *testing.T, folder string) int {
	t.Helper()
	header := make([]byte, 100)
	file, err := os.Open(filepath.Join(folder, collection.CatalogFile))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := io.ReadFull(file, header); err != nil {
		t.Fatal(err)
	}
	return int(binary.BigEndian.Uint32(header[60:]))
}
