package program

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/palate-art/palate/test/race"
)

// build makes the test binary of cmd/palate, which is the program when it is
// told so, and can be one with fewer rights or on a full disk too.
func build(folder string) (string, error) {
	root := filepath.Join("..", "..")
	if err := lookAtSources(root); err != nil {
		return "", err
	}
	path := filepath.Join(folder, "palate.exe")
	args := []string{"test", "-c", "-o", path}
	if race.Enabled {
		args = append(args, "-race")
	}
	command := exec.Command("go", append(args, "./cmd/palate")...)
	command.Dir = root
	if said, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, said)
	}
	return path, nil
}

// lookAtSources asks for the state of every file that the program is made of.
// go test remembers what its tests asked for: a result that it had of another
// program is not given again.
func lookAtSources(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			switch name := entry.Name(); {
			case name == "testdata", name == "bench", name == "docs", name == "examples", strings.HasPrefix(name, ".") && path != root:
				return fs.SkipDir
			}
			return nil
		}
		_, err = os.Stat(path)
		return err
	})
}
