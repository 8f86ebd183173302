package collection_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
)

// heard keeps the notes that are told.
type heard struct {
	collection.Silent
	notes []string
}

func (h *heard) Note(text string, _ bool) { h.notes = append(h.notes, text) }

func TestStarsAreMadeVerdictsAsAsked(t *testing.T) {
	folder := t.TempDir()
	table := "file,rating\n"
	for name, stars := range map[string]string{"1.jpg": "1", "2.jpg": "2", "3.jpg": "3", "4.jpg": "4", "5.jpg": "5", "liked.jpg": "like", "out.jpg": "-1", "none.jpg": ""} {
		table += name + "," + stars + "\n"
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "metadata.csv"), []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		judging collection.Judging
		want    string // in the order 1 to 5, liked, none, out
		says    string
	}{
		"nothing asked":      {collection.Judging{}, "DDSLLL-D", "5 files have stars, which are kept: 4 and 5 are a like"},
		"likes":              {collection.Judging{LikeFrom: 4}, "SSSLLL-D", ""},
		"likes and dislikes": {collection.Judging{LikeFrom: 4, DislikeTo: 2}, "DDSLLL-D", ""},
		"all":                {collection.Judging{All: palate.Like, DislikeTo: 2}, "LLLLLLLL", ""},
	} {
		var told heard
		files, err := collection.ReadPaths(t.Context(), []string{folder}, c.judging, &told)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range files {
			got += map[palate.Verdict]string{"": "-", palate.Like: "L", palate.Dislike: "D", palate.Skip: "S"}[f.Verdict]
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
		if notes := strings.Join(told.notes, "\n"); !strings.Contains(notes, c.says) || c.says == "" && notes != "" {
			t.Errorf("%s: told %q, want %q", name, notes, c.says)
		}
	}
	for _, wrong := range []collection.Judging{{LikeFrom: 6}, {DislikeTo: -1}, {LikeFrom: 3, DislikeTo: 3}} {
		if _, err := collection.ReadPaths(t.Context(), []string{folder}, wrong, collection.Silent{}); err == nil {
			t.Errorf("%+v was taken", wrong)
		}
	}
}
