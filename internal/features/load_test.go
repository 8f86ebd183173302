package features_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/features"
)

const rows, dim = 7, 5

var liked = []bool{true, false, false, true, true, false, true}

func want(t *testing.T) []float32 {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "x.f4"))
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, len(b)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return values
}

func testdata(name string) string {
	if name == "" {
		return ""
	}
	return filepath.Join("testdata", name)
}

func TestLoadReadsWhatNumPyAndPyArrowWrite(t *testing.T) {
	x := want(t)
	for _, tt := range []struct {
		features, labels string
		tolerance        float64 // relative
		artists          bool
	}{
		{"f4-c.npy", "y-i8.npy", 0, false},
		{"f4-fortran-v2.npy", "y-bool.npy", 0, false},
		{"f4-big-endian.npy", "y-u1-column.npy", 0, false},
		{"f8-c.npy", "y-minus.npy", 0, false},
		{"f8-fortran-v2.npy", "y-f4.npy", 0, false},
		{"f2-c.npy", "y-i8.npy", 1e-3, false},
		{"f2-fortran-v2.npy", "stored.npz", 1e-3, false},
		{"stored.npz", "", 0, false},
		{"deflated.npz", "", 1e-3, false},
		{"list.parquet", "", 0, true},
		{"columns.parquet", "", 0, false},
		{"fixed.parquet", "", 0, false},
		{"fixed.parquet", "list.parquet", 0, false},
		{"clip", "", 1e-3, true},
	} {
		t.Run(tt.features+"+"+tt.labels, func(t *testing.T) {
			table, err := features.Load(testdata(tt.features), testdata(tt.labels))
			if err != nil {
				t.Fatal(err)
			}
			if len(table.Rows) != rows || !slices.Equal(table.Labels, liked) {
				t.Fatalf("%d rows, labels %v", len(table.Rows), table.Labels)
			}
			for i, row := range table.Rows {
				if len(row) != dim {
					t.Fatalf("row %d has %d values", i, len(row))
				}
				for j, got := range row {
					want := float64(x[i*dim+j])
					// The smallest step of float16 is 6e-8.
					if math.Abs(float64(got)-want) > tt.tolerance*(math.Abs(want)+1e-4) {
						t.Errorf("value %d of row %d is %v, want %v", j, i, got, want)
					}
				}
			}
			if got := table.Artists != nil; got != tt.artists {
				t.Errorf("artists %v", table.Artists)
			}
			if tt.artists && table.Artists[4] != "c" {
				t.Errorf("artists %v, want c for row 4", table.Artists)
			}
		})
	}
}

// npy writes a file by hand.
func npy(version byte, header string, body []byte) []byte {
	out := append([]byte("\x93NUMPY"), version, 0)
	if version == 1 {
		out = binary.LittleEndian.AppendUint16(out, uint16(len(header)))
	} else {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(header)))
	}
	return append(append(out, header...), body...)
}

func dict(descr, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape)
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	zipped := func(names ...string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, name := range names {
			w, err := z.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(npy(1, dict("<f4", "(1, 1)"), make([]byte, 4))); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	four := make([]byte, 16)
	nan := binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(math.NaN())))
	good, labels := testdata("f4-c.npy"), testdata("y-i8.npy")
	for name, tt := range map[string]struct{ features, labels, says string }{
		"objects":             {testdata("object.npy"), labels, "pickle"},
		"structured":          {testdata("structured.npy"), labels, "structured"},
		"complex":             {write("c.npy", npy(1, dict("<c8", "(1, 2)"), four)), labels, "<c8"},
		"text":                {write("u.npy", npy(1, dict("<U8", "(1, 2)"), four)), labels, "<U8"},
		"a huge shape":        {write("huge.npy", npy(1, dict("<f4", "(4611686018427387904, 4)"), four)), labels, "promises"},
		"a large shape":       {write("large.npy", npy(2, dict("<f4", "(100000, 20000)"), four)), labels, "after 4"},
		"a side beyond int":   {write("side.npy", npy(1, dict("<f4", "(99999999999999999999, 4)"), four)), labels, "side"},
		"cut":                 {write("cut.npy", npy(1, dict("<f4", "(7, 5)"), four)), labels, "not whole"},
		"one dimension":       {write("one.npy", npy(1, dict("<f4", "(4,)"), four)), labels, "two dimensions"},
		"no dimension":        {write("none.npy", npy(1, dict("<f4", "()"), four[:4])), labels, "two dimensions"},
		"no rows":             {write("empty.npy", npy(1, dict("<f4", "(0, 4)"), nil)), labels, "shape [0 4]"},
		"not a number":        {write("nan.npy", npy(1, dict("<f4", "(1, 1)"), nan)), labels, "1 rows"},
		"a header as code":    {write("code.npy", npy(1, "__import__('os').system('true')\n", four)), labels, "dictionary"},
		"a long header":       {write("long.npy", npy(2, dict("<f4", "(1, 4)")+strings.Repeat(" ", 20_000), four)), labels, "long"},
		"a version":           {write("v9.npy", npy(9, dict("<f4", "(1, 4)"), four)), labels, "version 9"},
		"no npy":              {write("no.npy", []byte("x,y\n1,2\n")), labels, "no .npy"},
		"no zip":              {write("no.npz", four), labels, "no zip"},
		"no features":         {write("other.npz", zipped("a.npy", "b.npy")), labels, "arrays a, b"},
		"no parquet":          {write("no.parquet", four), labels, "Parquet"},
		"another kind":        {write("no.csv", four), labels, "none of .npy"},
		"a folder":            {dir, labels, "img_emb_0.npy"},
		"no labels":           {good, "", "--labels"},
		"labels of two sides": {good, good, "one dimension"},
		"labels beyond":       {good, write("l.npy", npy(1, dict("|i1", "(3,)"), []byte{0, 1, 7})), "label 2 is 7"},
		"both 0 and -1":       {good, write("m.npy", npy(1, dict("|i1", "(3,)"), []byte{0, 1, 255})), "label 2 is -1"},
		"fewer labels":        {good, write("f.npy", npy(1, dict("|b1", "(3,)"), []byte{0, 1, 1})), "7 rows, but there are 3 labels"},
	} {
		_, err := features.Load(tt.features, tt.labels)
		if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(fmt.Sprint(err), tt.says) {
			t.Errorf("%s: got %v, want ErrInvalid that says %q", name, err, tt.says)
		}
	}
	if _, err := features.Load(filepath.Join(dir, "missing.npz"), ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: got %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, name := range []string{"f4-c.npy", "f2-fortran-v2.npy", "object.npy", "structured.npy", "stored.npz", "deflated.npz", "list.parquet"} {
		b, err := os.ReadFile(testdata(name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, filepath.Ext(name))
	}
	f.Add(npy(1, dict("<f4", "(4611686018427387904, 4)"), nil), ".npy")
	f.Fuzz(func(t *testing.T, b []byte, kind string) {
		if kind != ".npy" && kind != ".npz" && kind != ".parquet" {
			return
		}
		path := filepath.Join(t.TempDir(), "x"+kind)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		table, err := features.Load(path, "")
		if err == nil && len(table.Rows) != len(table.Labels) {
			t.Errorf("%d rows and %d labels without an error", len(table.Rows), len(table.Labels))
		}
		if err == nil || !errors.Is(err, palate.ErrInvalid) {
			labels, err := features.Load(path, path)
			if err == nil && len(labels.Rows) != len(labels.Labels) {
				t.Errorf("%d rows and %d labels without an error", len(labels.Rows), len(labels.Labels))
			}
		}
		if err != nil && !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("got %v, want ErrInvalid", err)
		}
	})
}
