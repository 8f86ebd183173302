package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/folder"
	"github.com/palate-art/palate/test/program"
)

// What other programs say beside the pictures is taken as asked, and one picture
// in good/ and in bad/ is told with both places.
func TestImportTakesStarsAndTellsWhatIsJudgedBothWays(t *testing.T) {
	home, pictures := t.TempDir(), program.MuseumPictures(t, 3)
	files, err := os.ReadDir(pictures)
	if err != nil || len(files) != 3 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	program.WriteFile(t, filepath.Join(pictures, files[0].Name()+".xmp"), []byte(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"/></rdf:RDF></x:xmpmeta>`))
	program.WriteFile(t, filepath.Join(pictures, "metadata.csv"), []byte("file,rating\n"+files[1].Name()+",1\n"))
	program.WriteFile(t, filepath.Join(pictures, "bad", "9.jpg"), program.MuseumPicture(t, 9))
	program.WriteFile(t, filepath.Join(pictures, "good", "nine.jpg"), program.MuseumPicture(t, 9))
	r := program.RunPalate(t, "import", pictures, "--data", home, "--like-from", "4", "--dislike-to", "2")
	if r.Code != exitDone || !strings.Contains(r.Out, "5 files seen -> 4 kept, 1 known, 4 rated") {
		t.Errorf("got exit code %d, %s%s", r.Code, r.Out, r.Err)
	}
	if bad, good := filepath.Join("bad", "9.jpg"), filepath.Join("good", "nine.jpg"); !strings.Contains(r.Out, bad) || !strings.Contains(r.Out, good) {
		t.Errorf("got %q, want both paths of the picture that is in %s and %s", r.Out, bad, good)
	}
	counts := map[palate.Verdict]int{}
	for _, verdict := range verdicts(t, home, palate.DefaultProfile) {
		counts[verdict]++
	}
	if counts[palate.Like] != 2 || counts[palate.Dislike] != 1 {
		t.Errorf("got %v, want 5 stars and good/ liked, which came last, and 1 star disliked", counts)
	}
	// Unasked, stars mean what they always mean; they are kept in either case.
	program.MustRun(t, "import", pictures, "--data", home, "--profile", "other")
	for _, profile := range []string{"me", "other"} {
		out := program.MustRun(t, "export", "-", "--data", home, "--profile", profile)
		if !strings.Contains(out, `"verdict":"like","stars":5`) || !strings.Contains(out, `"verdict":"dislike","stars":1`) {
			t.Errorf("the export of %s lacks 5 stars or 1: %s", profile, out)
		}
	}
	program.MustFail(t, exitUsage, []string{"--like-from is 9"}, "import", pictures, "--data", home, "--like-from", "9")
}

// funnel is the report of an import.
type funnel struct {
	Seen, Kept, Known, Rated int
	Lost                     map[string]int
}

func (f funnel) equals(g funnel) bool {
	return f.Seen == g.Seen && f.Kept == g.Kept && f.Known == g.Known && f.Rated == g.Rated && maps.Equal(f.Lost, g.Lost)
}

func mustImport(t *testing.T, want funnel, args ...string) {
	t.Helper()
	if want.Lost == nil {
		want.Lost = map[string]int{}
	}
	if got := program.JSONRun[funnel](t, append([]string{"import"}, args...)...); !got.equals(want) {
		t.Errorf("palate import %s: got %+v, want %+v", strings.Join(args, " "), got, want)
	}
}

func TestImportTellsWhatBecameOfEveryFile(t *testing.T) {
	home, pictures := t.TempDir(), program.MuseumPictures(t, 3)
	program.WriteFile(t, filepath.Join(pictures, "good", "3.jpg"), program.MuseumPicture(t, 3))
	program.WriteFile(t, filepath.Join(pictures, "good", "4.jpg"), program.MuseumPicture(t, 4))
	program.WriteFile(t, filepath.Join(pictures, "bad", "5.jpg"), program.MuseumPicture(t, 5))
	program.WriteFile(t, filepath.Join(pictures, "again.jpg"), program.MuseumPicture(t, 0))
	program.WriteFile(t, filepath.Join(pictures, "words.jpg"), []byte("These are words."))
	program.WriteFile(t, filepath.Join(pictures, "half.jpg"), program.MuseumPicture(t, 6)[:300])
	lost := map[string]int{"not_an_image": 1, "broken": 1}
	mustImport(t, funnel{Seen: 9, Kept: 6, Known: 1, Rated: 3, Lost: lost}, pictures, "--data", home)
	mustImport(t, funnel{Seen: 9, Kept: 0, Known: 7, Rated: 0, Lost: lost}, pictures, "--data", home)
	seen := program.LookInto(t, home)
	seen.MustHaveFileOfEveryRow(t)
	seen.MustHaveRowOfEveryFile(t)
	got := verdicts(t, home, palate.DefaultProfile)
	want := map[string]palate.Verdict{idOf(t, 3): palate.Like, idOf(t, 4): palate.Like, idOf(t, 5): palate.Dislike}
	if !maps.Equal(got, want) {
		t.Errorf("got ratings %v, want %v", got, want)
	}
	// A whole folder can be judged by another profile.
	mustImport(t, funnel{Seen: 2, Known: 2, Rated: 2}, filepath.Join(pictures, "good"), "--data", home, "--dislike", "--profile", "critic")
	if got := verdicts(t, home, "critic"); len(got) != 2 || got[idOf(t, 3)] != palate.Dislike {
		t.Errorf("got ratings %v of the critic, want two dislikes", got)
	}
}

func idOf(t *testing.T, i int) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "picture")
	program.WriteFile(t, name, program.MuseumPicture(t, i))
	id, err := folder.ImageID(name)
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}

func verdicts(t *testing.T, home string, p palate.Profile) map[string]palate.Verdict {
	t.Helper()
	found := make(map[string]palate.Verdict)
	program.Look(t, home, func(ctx context.Context, c catalog.Catalog) error {
		standing, err := c.StandingVerdicts(ctx, p, nil)
		for id, verdict := range standing {
			found[id.String()] = verdict
		}
		return err
	})
	return found
}

func TestImportReadsWhatTheMetadataSay(t *testing.T) {
	home, pictures := t.TempDir(), program.MuseumPictures(t, 2)
	program.WriteFile(t, filepath.Join(pictures, "metadata.csv"), []byte("File,Title,Artist,Year,Licence,Source,External ID\n"+
		"0.jpg,\"Größe, und Maß\",陳墨林,1913,CC0 1.0,https://example.org/works/7,A-7\n"+
		"none.jpg,Nowhere,,,,,\n"))
	r := program.RunPalate(t, "import", pictures, "--data", home)
	if r.Code != exitDone || !strings.Contains(r.Err, "none.jpg") {
		t.Errorf("got exit code %d and %q, want the row that names no file", r.Code, r.Err)
	}
	program.Look(t, home, func(ctx context.Context, c catalog.Catalog) error {
		images, err := c.ImagesByExternalID(ctx, "A-7")
		if err != nil || len(images) != 1 {
			return fmt.Errorf("got %d images and %v, want one of that external id", len(images), err)
		}
		got := images[0].Sources[0]
		if got.Title != "Größe, und Maß" || got.Artist != "陳墨林" || got.Year != 1913 || got.Licence != "CC0 1.0" ||
			got.Page != "https://example.org/works/7" || got.OriginalName != "0.jpg" || got.Site != "folder" {
			t.Errorf("got the source %+v", got)
		}
		return nil
	})
}

func TestALinkedFileIsKeptWithoutACopy(t *testing.T) {
	home, pictures := t.TempDir(), program.MuseumPictures(t, 1)
	mustImport(t, funnel{Seen: 1, Kept: 1}, pictures, "--data", home, "--store", "link")
	original, err := os.Stat(filepath.Join(pictures, "0.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	linked := false
	err = filepath.WalkDir(filepath.Join(home, "images"), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		linked = linked || err == nil && os.SameFile(info, original)
		return err
	})
	if err != nil || !linked {
		t.Errorf("got %v and no file of the store that is the original", err)
	}
	if got := program.JSONRun[struct{ Embedded int }](t, "embed", "--data", home); got.Embedded != 1 {
		t.Errorf("got %d embedded, want 1", got.Embedded)
	}
}

func TestAReferencedFileIsReportedWhenItChangesOrGoes(t *testing.T) {
	home, pictures := t.TempDir(), program.MuseumPictures(t, 3)
	mustImport(t, funnel{Seen: 3, Kept: 3}, pictures, "--data", home, "--store", "reference")
	changed, gone := filepath.Join(pictures, "1.jpg"), filepath.Join(pictures, "2.jpg")
	program.WriteFile(t, changed, append(program.MuseumPicture(t, 1), "more"...))
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	type report struct {
		Embedded, Failed int
		Failures         []struct {
			Image  string `json:"image_id"`
			Reason string
		}
	}
	got := program.JSONRun[report](t, "embed", "--data", home)
	if got.Embedded != 1 || got.Failed != 2 || len(got.Failures) != 2 {
		t.Fatalf("got %+v, want 1 embedded and 2 that failed", got)
	}
	reasons := make(map[string]string)
	for _, failure := range got.Failures {
		reasons[failure.Image] = failure.Reason
	}
	if reason := reasons[idOf(t, 1)]; !strings.Contains(reason, changed) || !strings.Contains(reason, "changed") {
		t.Errorf("a changed file: got the reason %q", reason)
	}
	if reason := reasons[idOf(t, 2)]; !strings.Contains(reason, gone) {
		t.Errorf("a file that is gone: got the reason %q", reason)
	}
	// What came back is embedded when it is asked for.
	program.WriteFile(t, gone, program.MuseumPicture(t, 2))
	if again := program.JSONRun[report](t, "embed", "--data", home); again.Embedded != 0 || again.Failed != 0 {
		t.Errorf("got %+v, want failures passed by", again)
	}
	if retried := program.JSONRun[report](t, "embed", "--data", home, "--retry"); retried.Embedded != 1 || retried.Failed != 1 {
		t.Errorf("with --retry: got %+v, want the file that came back and the one that did not", retried)
	}
	if original, err := os.ReadFile(filepath.Join(pictures, "0.jpg")); err != nil || !bytes.Equal(original, program.MuseumPicture(t, 0)) {
		t.Errorf("the referenced file was touched (%v)", err)
	}
}

// A damaged picture is kept and told, and every lost file can be seen after the
// import, whatever their number.
func TestImportListsEveryLossAndWhatIsDamaged(t *testing.T) {
	home, folder := t.TempDir(), t.TempDir()
	whole := program.MuseumPicture(t, 0)
	program.WriteFile(t, filepath.Join(folder, "whole.jpg"), whole)
	program.WriteFile(t, filepath.Join(folder, "most.jpg"), whole[:len(whole)*9/10])
	for i := range 3 {
		program.WriteFile(t, filepath.Join(folder, fmt.Sprintf("words %d.jpg", i)), fmt.Appendf(nil, "These are words, %d.", i))
	}
	if r := program.RunPalate(t, "import", "report", "--data", home); r.Code == 0 || !strings.Contains(r.Err, "no collection") {
		t.Errorf("before an import: %+v", r)
	}
	type report struct {
		Seen, Kept, Damaged int
		Job                 int64
	}
	got := program.JSONRun[report](t, "import", folder, "--data", home)
	if got.Job < 1 || got != (report{5, 2, 1, got.Job}) {
		t.Errorf("got %+v, want 2 of 5 kept, one of them damaged, and the job", got)
	}
	number := fmt.Sprint(got.Job)
	another := program.MustRun(t, "import", folder, "--data", home) // all is known or lost
	if !strings.Contains(another, "0 kept, 2 known") {
		t.Errorf("again it says %q", another)
	}
	type losses struct {
		Job              int64
		State            string
		Seen, Kept, Told int
		Losses           []struct {
			Path, Reason, What string
			Kept               bool
		}
	}
	if last := program.JSONRun[losses](t, "import", "report", "--data", home); last.Job <= got.Job || last.Told != 3 || last.Kept != 0 {
		t.Errorf("of the last import: %+v, want the 3 files that are no pictures", last)
	}
	list := program.JSONRun[losses](t, "import", "report", number, "--data", home)
	reasons := map[string]int{}
	for _, r := range list.Losses {
		reasons[r.Reason]++
		if !strings.HasPrefix(r.Path, folder) || r.What == "" || r.Kept != (r.Reason == "damaged") {
			t.Errorf("got %+v, want a path, what is wrong, and whether it is kept", r)
		}
	}
	if list.State != "succeeded" || list.Kept != 2 || list.Told != 4 {
		t.Errorf("got %+v, want an import that kept 2 and told of 4", list)
	}
	table, err := csv.NewReader(strings.NewReader(program.MustRun(t, "import", "report", number, "--csv", "--data", home))).ReadAll()
	if err != nil || len(table) != 5 || strings.Join(table[0], " ") != "file reason kept what" || !strings.HasPrefix(table[1][0], folder) {
		t.Errorf("as CSV: %q, %v", table, err)
	}
	if said := program.MustRun(t, "import", "report", number, "--data", home); !strings.Contains(said, "5 files seen, 2 kept, 0 known, 4 lost or damaged") || !strings.Contains(said, "words 2.jpg") {
		t.Errorf("it says %q", said)
	}
	if r := program.RunPalate(t, "import", "report", "4711", "--data", home); r.Code == 0 || !strings.Contains(r.Err, "4711") {
		t.Errorf("of a job that is none: %+v", r)
	}
	if !maps.Equal(reasons, map[string]int{"damaged": 1, "not_an_image": 3}) || list.Seen != 5 {
		t.Errorf("got %+v, want every file that was lost or is damaged", list)
	}

	// What is lost of the picture stays with it.
	type entry struct{ ID, Damage string }
	damaged := program.JSONRun[[]entry](t, "images", "list", "--damaged", "--data", home)
	if len(damaged) != 1 || !strings.HasPrefix(damaged[0].Damage, "its data end after ") {
		t.Fatalf("images list --damaged: got %+v, want one and what is lost of it", damaged)
	}
	if shown := program.MustRun(t, "images", "show", damaged[0].ID, "--data", home); !strings.Contains(shown, "\n  damaged: "+damaged[0].Damage+"\n") {
		t.Errorf("images show says %q", shown)
	}
	if listed := program.MustRun(t, "images", "list", "--data", home); strings.Count(listed, damaged[0].Damage) != 1 {
		t.Errorf("images list says %q", listed)
	}
	if said := program.MustRun(t, "doctor", "--data", home, "--model", "baseline"); !strings.Contains(said, "1 of 2 images came damaged") || !strings.Contains(said, "palate images list --damaged") {
		t.Errorf("doctor says %q", said)
	}
}

// Of what an older palate took nobody knows whether it came damaged, until it
// is decoded.
func TestWhatAnOlderPalateTookIsDecodedByVerify(t *testing.T) {
	home := olderCollection(t)
	type looked struct{ Decoded, Damaged, Undecoded int }
	before := program.JSONRun[looked](t, "verify", "--data", home)
	if before.Undecoded == 0 || before.Decoded != 0 {
		t.Fatalf("before: %+v, want pictures that nobody decoded", before)
	}
	if got := program.JSONRun[looked](t, "verify", "--deep", "--data", home); got != (looked{Decoded: before.Undecoded}) {
		t.Errorf("deep: %+v, want all %d decoded and whole", got, before.Undecoded)
	}
	if got := program.JSONRun[looked](t, "verify", "--data", home); got != (looked{}) {
		t.Errorf("after: %+v, want nothing left", got)
	}
}
