package features_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/features"
)

func TestLoadJudged(t *testing.T) {
	array := func(save func(io.Writer) error) string {
		var out bytes.Buffer
		if err := save(&out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	ids := array(func(w io.Writer) error { return features.SaveTexts(w, []string{"a", "荷塘", "🎨🖌"}) })
	y := array(func(w io.Writer) error { return features.SaveLabels(w, []bool{true, false, true}) })
	few := array(func(w io.Writer) error { return features.SaveLabels(w, []bool{true}) })
	many := array(func(w io.Writer) error { return features.SaveLabels(w, make([]bool, 20_000)) })
	for name, tt := range map[string]struct {
		arrays map[string]string
		says   string // "" is well
	}{
		"whole":            {map[string]string{"ids.npy": ids, "y.npy": y, "X.npy": "not read"}, ""},
		"no labels":        {map[string]string{"ids.npy": ids, "X.npy": y}, "named for labels"},
		"no ids":           {map[string]string{"y.npy": y}, "no array of ids"},
		"ids of numbers":   {map[string]string{"ids.npy": y, "y.npy": y}, "want texts"},
		"labels of texts":  {map[string]string{"ids.npy": ids, "y.npy": ids}, `type "<U2"`},
		"fewer labels":     {map[string]string{"ids.npy": ids, "y.npy": few}, "3 texts and 1 labels"},
		"half of the ids":  {map[string]string{"ids.npy": ids[:len(ids)-3], "y.npy": y}, "ends after 2"},
		"more than wanted": {map[string]string{"ids.npy": ids, "y.npy": many}, "more than 3 rows"},
	} {
		path := filepath.Join(t.TempDir(), "x.npz")
		var out bytes.Buffer
		archive := zip.NewWriter(&out)
		for name, text := range tt.arrays {
			to, err := archive.Create(name)
			if err == nil {
				_, err = io.WriteString(to, text)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(archive.Close(), os.WriteFile(path, out.Bytes(), 0o600)); err != nil {
			t.Fatal(err)
		}
		names, liked, err := features.LoadJudged(path, 3)
		switch {
		case tt.says == "" && (err != nil || strings.Join(names, " ") != "a 荷塘 🎨🖌" || len(liked) != 3 || !liked[0] || liked[1] || !liked[2]):
			t.Errorf("%s: got %q, %v, %v", name, names, liked, err)
		case tt.says != "" && (!errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%s: got %v, want ErrInvalid that says %q", name, err, tt.says)
		}
	}
}
