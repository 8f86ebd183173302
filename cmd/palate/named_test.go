package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/test/program"
)

// A picture is named by what a person has of it.
func TestImagesAreNamedAsPeopleNameThem(t *testing.T) {
	home, folder := filepath.Join(t.TempDir(), "data"), t.TempDir()
	at := []string{"--data", home}
	names := []string{"Mönch am Meer.png", "Abtei.png", "Kreidefelsen.png"}
	for i, name := range names {
		program.WriteFile(t, filepath.Join(folder, name), program.MuseumPicture(t, i))
	}
	program.MustRun(t, append([]string{"import", folder}, at...)...)
	type line struct{ ID, Title string }
	all := program.JSONRun[[]line](t, append([]string{"images", "list", "--all"}, at...)...)
	if len(all) != 3 {
		t.Fatalf("listed %+v, want three", all)
	}
	byTitle := map[string]string{}
	for _, l := range all {
		byTitle[l.Title] = l.ID
	}
	monk := byTitle["Mönch am Meer"]
	elsewhere := filepath.Join(t.TempDir(), "copy.png")
	program.WriteFile(t, elsewhere, program.MuseumPicture(t, 0))
	for _, name := range []string{monk, monk[:8], strings.ToUpper(monk[:13]), names[0], filepath.Join(folder, names[0]), elsewhere} {
		if got := program.JSONRun[line](t, append([]string{"images", "show", name}, at...)...); got.ID != monk {
			t.Errorf("%q names %s, want %s", name, got.ID, monk)
		}
	}
	opened := program.JSONRun[struct{ File string }](t, append([]string{"open", monk[:8]}, at...)...)
	defer os.Remove(opened.File)
	if !bytes.Equal(program.ReadFile(t, opened.File), program.MuseumPicture(t, 0)) || filepath.Ext(opened.File) != ".jpeg" {
		t.Errorf("open wrote %s, want the picture", opened.File)
	}
	for name, hint := range map[string]string{
		"Mönch": "names no image of the collection", monk[:3]: "at least 4 digits", folder: "names no image",
		filepath.Join(folder, "none.png"): "names no image",
	} {
		program.MustFail(t, exitUsage, []string{hint}, append([]string{"images", "show", name}, at...)...)
	}
	other := filepath.Join(t.TempDir(), "new.png")
	program.WriteFile(t, other, program.MuseumPicture(t, 7))
	program.MustFail(t, exitFailed, []string{"is not in the collection", "palate import"}, append([]string{"rate", "like", other}, at...)...)

	// The same name twice is asked about, not guessed.
	again := filepath.Join(folder, "deeper")
	if err := os.Mkdir(again, 0o700); err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, filepath.Join(again, names[1]), program.MuseumPicture(t, 9))
	program.MustRun(t, append([]string{"import", again}, at...)...)
	program.MustFail(t, exitUsage, []string{"may be any of", byTitle["Abtei"]}, append([]string{"rate", "like", names[1]}, at...)...)

	program.MustRun(t, append([]string{"images", "delete", names[2]}, at...)...)
	program.MustRun(t, append([]string{"images", "restore", byTitle["Kreidefelsen"][:9]}, at...)...)
	if got := program.JSONRun[line](t, append([]string{"images", "show", names[2]}, at...)...); got.ID != byTitle["Kreidefelsen"] {
		t.Errorf("restored %+v", got)
	}
}

// Names come by a pipe, one on each line.
func TestRateReadsNamesFromStandardInput(t *testing.T) {
	home, folder := filepath.Join(t.TempDir(), "data"), t.TempDir()
	for i, name := range []string{"a.png", "b c.png"} {
		program.WriteFile(t, filepath.Join(folder, name), program.MuseumPicture(t, i))
	}
	program.MustRun(t, "import", folder, "--data", home)
	list := filepath.Join(t.TempDir(), "names")
	program.WriteFile(t, list, []byte("a.png\n\n  "+filepath.Join(folder, "b c.png")+" \n"))
	input, err := os.Open(list)
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	out := program.StartReading(t, input, "rate", "like", "-", "--data", home).MustEnd()
	if len(verdicts(t, home, "me")) != 2 {
		t.Errorf("rated %v by %q, want both", verdicts(t, home, "me"), out)
	}
}
