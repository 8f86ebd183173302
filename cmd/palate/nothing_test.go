package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/test/program"
)

// Who looks where there is no collection is told how one begins, and nothing is
// made there, or fetched.
func TestNothingIsMadeByLooking(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	for _, args := range [][]string{
		{"scores"}, {"images", "list"}, {"similar", "x"}, {"probe", "show"}, {"profile", "list"}, {"jobs"}, {"queue"}, {"review"}, {"index", "status"},
		{"verify"}, {"rate", "like", "x"}, {"train"}, {"embed"}, {"trash", "list"}, {"sort", t.TempDir()}, {"backup", filepath.Join(t.TempDir(), "backup")},
	} {
		program.MustFail(t, exitFailed, []string{nowhere, "palate import FOLDER", "--data names another"}, append(args, "--data", nowhere, "--ort-library", "no-runtime.so")...)
		if _, err := os.Stat(nowhere); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("palate %v has made a folder (%v)", args, err)
		}
	}
}
