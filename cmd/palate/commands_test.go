package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/test/program"
)

func TestEmbedPrintsAUnitVectorOfEveryFile(t *testing.T) {
	pictures := program.MuseumPictures(t, 2)
	first, second := filepath.Join(pictures, "0.jpg"), filepath.Join(pictures, "1.jpg")
	type line struct {
		File, Model string
		Vector      []float64
	}
	lines := program.JSONValues[line](t, program.MustRun(t, "embed", first, second, first, "--json"))
	if len(lines) != 3 || lines[0].File != first || lines[1].File != second {
		t.Fatalf("got %d objects, want one of each file in order", len(lines))
	}
	for _, l := range lines {
		var sum float64
		for _, v := range l.Vector {
			sum += v * v
		}
		if math.Abs(math.Sqrt(sum)-1) > 1e-5 || l.Model != "baseline" {
			t.Errorf("%s: got a norm of %v by %q, want 1 by baseline", l.File, math.Sqrt(sum), l.Model)
		}
	}
	if !slices.Equal(lines[0].Vector, lines[2].Vector) || slices.Equal(lines[0].Vector, lines[1].Vector) {
		t.Error("the same file must give the same vector, another file another")
	}
	// A file that is no picture does not take the others with it.
	words := filepath.Join(pictures, "words.jpg")
	program.WriteFile(t, words, []byte("words"))
	r := program.RunPalate(t, "embed", words, first, "--json")
	if rest := program.JSONValues[line](t, r.Out); r.Code != exitFailed || len(rest) != 1 || !strings.Contains(r.Err, words) {
		t.Errorf("got exit code %d, %d vectors and %q, want 1, the other's vector and the file's name", r.Code, len(rest), r.Err)
	}
}

type scored struct {
	Image       string `json:"image_id"`
	File        string
	Score       float64
	Probability float64
	Probe       int `json:"probe_version"`
}

func TestScoresRankTheCollectionAndFiles(t *testing.T) {
	home := demoCollection(t)
	all := program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "1000")
	if len(all) != program.DemoPictures {
		t.Fatalf("got %d scores, want all %d", len(all), program.DemoPictures)
	}
	for i, s := range all {
		if s.Probe != 1 || s.Probability < 0 || s.Probability > 1 {
			t.Errorf("got %+v", s)
		}
		if i > 0 && (s.Score > all[i-1].Score || s.Probability > all[i-1].Probability) {
			t.Errorf("rank %d has %v after %v", i, s, all[i-1])
		}
	}
	if every := program.JSONRun[[]scored](t, "scores", "--data", home, "--all"); len(every) != len(all) || every[0].Image != all[0].Image {
		t.Errorf("--all gives %d scores, want the same %d", len(every), len(all))
	}
	if top := program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "3"); !slices.Equal(top, all[:3]) {
		t.Errorf("got %v, want the first three", top)
	}
	likely := program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "1000", "--min", "0.5")
	for i, s := range all {
		if near := math.Abs(s.Probability-.5) < 1e-5; !near && (s.Probability > .5) != (i < len(likely)) {
			t.Errorf("rank %d of probability %v, of which --min 0.5 shows %d", i, s.Probability, len(likely))
		}
	}
	if unrated := program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "1000", "--unrated"); len(unrated) != program.DemoPictures-program.DemoRated {
		t.Errorf("got %d unrated, want %d", len(unrated), program.DemoPictures-program.DemoRated)
	}
	// A file of the collection has the score of its image.
	for _, want := range all[:2] {
		got := program.JSONRun[[]scored](t, "scores", storedFile(t, home, want.Image), "--data", home)[0]
		if math.Abs(got.Score-want.Score) > 1e-4 || got.File == "" {
			t.Errorf("got %+v of the file, want the score of %+v", got, want)
		}
	}
}

// storedFile is where the image store keeps an image.
func storedFile(t *testing.T, home, id string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(home, "images", "files", "*", id+"*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("got %v and %v, want the file of image %s", found, err, id)
	}
	return found[0]
}

func TestSimilarFindsByIDAndByFile(t *testing.T) {
	home := demoCollection(t)
	type hit struct {
		Image      string `json:"image_id"`
		Similarity float64
	}
	id := program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "1")[0].Image
	byID := program.JSONRun[[]hit](t, "similar", id, "--data", home, "--limit", "5")
	byFile := program.JSONRun[[]hit](t, "similar", storedFile(t, home, id), "--data", home, "--limit", "6")
	if len(byID) != 5 || len(byFile) != 6 {
		t.Fatalf("got %d and %d hits, want 5 and 6", len(byID), len(byFile))
	}
	if byFile[0].Image != id || math.Abs(byFile[0].Similarity-1) > 1e-4 {
		t.Errorf("got %+v as nearest to its own file, want image %s with similarity 1", byFile[0], id)
	}
	for i, want := range byID {
		got := byFile[i+1]
		if want.Image == id || got.Image != want.Image || math.Abs(got.Similarity-want.Similarity) > 1e-4 {
			t.Errorf("hit %d: got %+v by file, %+v by id, want the same and not the image itself", i, got, want)
		}
	}
	every := program.JSONRun[[]hit](t, "similar", id, "--data", home, "--limit", "1000")
	apart := program.JSONRun[[]hit](t, "similar", id, "--data", home, "--limit", "1000", "--collapse", "0.9")
	if len(every) != program.DemoPictures-1 || len(apart) < 2 || len(apart) >= len(every) || apart[0] != every[0] {
		t.Errorf("got %d hits, and %d that are not alike", len(every), len(apart))
	}
	scores := program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "1000", "--collapse", "0.9")
	if len(scores) < 2 || len(scores) >= program.DemoPictures || scores[0].Image != id {
		t.Errorf("got %d scores of pictures that are not alike", len(scores))
	}
}

func TestSortPutsFilesByTasteAndOverwritesNothing(t *testing.T) {
	home, folder := demoCollection(t), t.TempDir()
	ranked := program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "1000")
	best, worst := ranked[0].Image, ranked[len(ranked)-1].Image
	likedName, dislikedName := filepath.Join(folder, "a.jpg"), filepath.Join(folder, "b.jpg")
	program.WriteFile(t, likedName, program.ReadFile(t, storedFile(t, home, best)))
	program.WriteFile(t, dislikedName, program.ReadFile(t, storedFile(t, home, worst)))
	program.WriteFile(t, filepath.Join(folder, "words.jpg"), []byte("words"))
	out := t.TempDir()
	program.WriteFile(t, filepath.Join(out, "liked", "a.jpg"), []byte("another picture of that name"))

	if lines := program.JSONValues[collection.Sorted](t, program.MustRun(t, "sort", folder, "--out", out, "--data", home, "--dry-run", "--json")); len(lines) != 3 {
		t.Errorf("got %d lines, want one of each file", len(lines))
	}
	if got := names(t, out); !slices.Equal(got, []string{"liked/a.jpg"}) {
		t.Errorf("a dry run left %v", got)
	}
	for range 2 { // the second time everything is there already
		lines := program.JSONValues[collection.Sorted](t, program.MustRun(t, "sort", folder, "--out", out, "--data", home, "--json"))
		slices.SortFunc(lines, func(a, b collection.Sorted) int { return strings.Compare(a.File, b.File) })
		if len(lines) != 3 || !lines[0].Liked || lines[1].Liked || lines[2].Error == "" {
			t.Fatalf("got %+v, want a.jpg liked, b.jpg not, words.jpg passed by", lines)
		}
		want := []string{"disliked/.palate-sorted", "disliked/b.jpg", "liked/.palate-sorted", "liked/a (2).jpg", "liked/a.jpg"}
		if got := names(t, out); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if got := string(program.ReadFile(t, filepath.Join(out, "liked", "a.jpg"))); got != "another picture of that name" {
		t.Error("a file was overwritten")
	}
	// What was copied before is moved, and what lies sorted is passed by.
	for _, want := range []string{"2 liked", "0 liked"} {
		if r := program.RunPalate(t, "sort", folder, "--how", "move", "--liked-from", "0", "--data", home); want == "2 liked" && !strings.Contains(r.Out, want) {
			t.Errorf("got %s, want %s", r.Out, want)
		} else if want == "0 liked" && (!strings.Contains(r.Out, "2 were sorted before") || !strings.Contains(r.Out, want)) {
			t.Errorf("the second time: got %s", r.Out)
		}
		if got, want := names(t, folder), []string{"liked/.palate-sorted", "liked/a.jpg", "liked/b.jpg", "words.jpg"}; !slices.Equal(got, want) {
			t.Errorf("moved with a chance of 0 and more liked: got %v, want %v", got, want)
		}
	}
	if r := program.RunPalate(t, "sort", out, "--how", "move", "--data", home, "--out", t.TempDir()); !strings.Contains(r.Out, "3 were sorted before") {
		t.Errorf("a folder that holds what was sorted before: got %s", r.Out)
	}
	// What is between the two chances is unsure; likes and dislikes are not
	// learned from what palate put somewhere itself.
	third := t.TempDir()
	program.WriteFile(t, filepath.Join(third, "a.jpg"), program.ReadFile(t, storedFile(t, home, best)))
	program.MustRun(t, "sort", third, "--liked-from", "1", "--disliked-to", "0", "--data", home)
	if got, want := names(t, third), []string{"a.jpg", "unsure/.palate-sorted", "unsure/a.jpg"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	fresh := t.TempDir()
	if r := program.RunPalate(t, "import", filepath.Join(folder, "liked"), folder, "--data", fresh); !strings.Contains(r.Out, "0 rated") || !strings.Contains(r.Err, ".palate-sorted") {
		t.Errorf("import of what was sorted: got %s%s, want nothing rated and the reason", r.Out, r.Err)
	}
}

// names are the files below a folder.
func names(t *testing.T, folder string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(folder, path)
			found = append(found, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

func TestRatingsAreTakenAndTakenBack(t *testing.T) {
	home, pictures := t.TempDir(), program.MuseumPictures(t, 2)
	program.MustRun(t, "import", pictures, "--data", home)
	first, second := idOf(t, 0), idOf(t, 1)
	rate := func(want map[string]string, args ...string) {
		t.Helper()
		output := program.MustRun(t, append([]string{"rate", "--data", home, "--json"}, args...)...)
		if lines := program.JSONValues[map[string]any](t, output); len(lines) == 0 {
			t.Errorf("palate rate %v printed nothing", args)
		}
		got := make(map[string]string)
		for id, verdict := range verdicts(t, home, "me") {
			got[id] = string(verdict)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("after palate rate %v: got %v, want %v", args, got, want)
		}
	}
	rate(map[string]string{first: "like", second: "like"}, "like", first, filepath.Join(pictures, "1.jpg"))
	rate(map[string]string{first: "like", second: "dislike"}, "dislike", second)
	rate(map[string]string{first: "like", second: "like"}, "undo")
	rate(map[string]string{second: "like"}, "clear", first)
}
