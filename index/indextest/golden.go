package indextest

import (
	"embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

//go:embed testdata
var testdata embed.FS

// readNPY reads a two-dimensional array of little-endian float32 in C order,
// version 1 of NumPy's format (numpy.lib.format).
func readNPY(name string) ([][]float32, error) {
	raw, err := testdata.ReadFile("testdata/" + name)
	if err != nil {
		return nil, err
	}
	if len(raw) < 10 || string(raw[:8]) != "\x93NUMPY\x01\x00" {
		return nil, fmt.Errorf("%s is not NumPy's format 1.0", name)
	}
	head := 10 + int(binary.LittleEndian.Uint16(raw[8:]))
	shape := regexp.MustCompile(`'<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\)`).FindSubmatch(raw[:head])
	if shape == nil {
		return nil, fmt.Errorf("%s is not a table of float32", name)
	}
	n, _ := strconv.Atoi(string(shape[1]))
	dim, _ := strconv.Atoi(string(shape[2]))
	raw = raw[head:]
	if len(raw) != 4*n*dim {
		return nil, fmt.Errorf("%s holds %d bytes, want %d", name, len(raw), 4*n*dim)
	}
	rows := make([][]float32, n)
	for i := range rows {
		rows[i] = make([]float32, dim)
		for j := range rows[i] {
			rows[i][j] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*(i*dim+j):]))
		}
	}
	return rows, nil
}

// testGolden holds answers against NumPy's.
func testGolden(t *testing.T, s Subject) {
	vectors, err := readNPY("vectors.npy")
	if err != nil {
		t.Fatal(err)
	}
	queries, err := readNPY("queries.npy")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := testdata.ReadFile("testdata/top50.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Top    [][]int     `json:"top"`
		Scores [][]float64 `json:"scores"`
	}
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	rows := make(map[palate.ImageID]int, len(vectors))
	all := make([]index.Point, len(vectors))
	for i, v := range vectors {
		all[i] = index.Point{ID: id(i), Embedding: v}
		rows[all[i].ID] = i
	}
	x := begin(t, s, len(vectors[0]), all...)
	for n, q := range queries {
		hits := x.search(index.Query{Vector: q, Limit: 50})
		if len(hits) != len(golden.Top[n]) {
			t.Fatalf("query %d: %d hits, want %d", n, len(hits), len(golden.Top[n]))
		}
		within := 1e-6 + x.subject.Tolerances.ScoreError*math.Sqrt(dot(q, q))
		last := golden.Scores[n][len(hits)-1]
		for i, hit := range hits {
			x.asked++
			exact := dot(q, vectors[rows[hit.ID]])
			if exact >= last-within {
				x.found++
			}
			if math.Abs(float64(hit.Score)-exact) > within {
				t.Fatalf("query %d: hit %d scores %v, want %v", n, i, hit.Score, exact)
			}
			if x.subject.Tolerances.exact() && math.Abs(float64(hit.Score)-golden.Scores[n][i]) > within {
				t.Fatalf("query %d: rank %d scores %v, want %v", n, i, hit.Score, golden.Scores[n][i])
			}
		}
	}
}
