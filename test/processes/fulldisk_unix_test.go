//go:build unix

package processes_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/test/program"
)

// Every file is bounded as if the disk were full, for the catalog or for a
// picture; what was there stays.
func TestAFullDiskIsToldAndNothingIsLost(t *testing.T) {
	folder, pictures := t.TempDir(), program.MuseumPictures(t, 3)
	program.MustRun(t, "import", "--data", folder, filepath.Join(pictures, "0.jpg"))
	large := filepath.Join(t.TempDir(), "large.png")
	program.WriteFile(t, large, program.Noise(t, 800, 800))
	for _, c := range []struct {
		name  string
		bytes int
		path  string
	}{{"catalog", 1000, pictures}, {"picture", 1 << 20, large}} {
		t.Run(c.name, func(t *testing.T) {
			args := []string{"import", "--data", folder, c.path}
			r := program.StartWith(t, []string{fmt.Sprintf("%s=%d", program.FileSizeLimit, c.bytes)}, args...).Wait()
			program.MustBeOneLine(t, r, program.ExitFailed, []string{"full", folder}, args...)
			seen := program.LookInto(t, folder)
			seen.MustHaveFileOfEveryRow(t)
			seen.MustHaveRowOfEveryFile(t)
			if len(seen.Images) != 1 || len(seen.Unfinished) != 0 {
				t.Errorf("got %d images and %v left unfinished, want the one of before", len(seen.Images), seen.Unfinished)
			}
		})
	}
	program.MustRun(t, "import", "--data", folder, pictures, large) // there is space again
	if got := len(program.LookInto(t, folder).Images); got != 4 {
		t.Errorf("got %d images with space again, want 4", got)
	}
}
