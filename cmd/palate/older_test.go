package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/test/program"
)

// olderCollection unpacks the collection that 643e7ab wrote.
func olderCollection(t *testing.T) string { return unpacked(t, "testdata/collection-643e7ab.tar.gz") }

func unpacked(t *testing.T, file string) string {
	t.Helper()
	folder := t.TempDir()
	packed, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = packed.Close() }()
	plain, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(plain); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return folder
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, filepath.FromSlash(header.Name))
		if header.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o700)
		} else {
			var content []byte
			if content, err = io.ReadAll(files); err == nil {
				err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// What is wanted here is what palate at 643e7ab printed of the collection.
func TestAnOlderCollectionKeepsItsProbe(t *testing.T) {
	data := olderCollection(t)
	history := program.JSONRun[[]collection.ProbeEntry](t, "probe", "history", "--data", data)
	if len(history) != 1 {
		t.Fatalf("got %d versions, want 1", len(history))
	}
	got := history[0]
	if got.Version != 1 || !got.Current || got.Kind != "logistic" || got.Strength != 1 || got.Likes != 10 || got.Dislikes != 14 ||
		got.Data != "30c8624ede10f0bd05fecd4a3cf819cac6164979879ee36cda7c83813e1fd8ba" ||
		got.AUC != 0.2857142857142857 || got.AUCLow != 0.09293800704412417 || got.AUCHigh != 0.6096155889705992 || got.Reason != "the first probe" {
		t.Errorf("history: got %+v", got)
	}
	shown := program.JSONRun[struct {
		Report map[string]json.RawMessage `json:"report"`
	}](t, "probe", "show", "--data", data)
	var predictions []json.RawMessage
	if err := json.Unmarshal(shown.Report["out_of_fold"], &predictions); err != nil || len(predictions) != 24 {
		t.Errorf("show: got %d predictions and error %v, want 24", len(predictions), err)
	}
	for field, want := range map[string]string{"format": "3", "brier": "0.2437199254581268", "average_precision": "0.34623391314567786", "calibration": `"isotonic"`} {
		if got := string(shown.Report[field]); got != want {
			t.Errorf("show: %s is %s, want %s", field, got, want)
		}
	}
	scores := program.JSONRun[[]struct {
		Image       string  `json:"image_id"`
		Score       float64 `json:"score"`
		Probability float64 `json:"probability"`
	}](t, "scores", "--limit", "1", "--data", data)
	if len(scores) != 1 || scores[0].Image != "3191ecd3-3f98-808f-a3e5-6ab9c5bd0919" ||
		math.Abs(scores[0].Score-0.5226398190017466) > 1e-6 || math.Abs(scores[0].Probability-0.4541853708570763) > 1e-6 {
		t.Errorf("scores: got %+v", scores)
	}
	program.MustRun(t, "review", "--data", data)
}
