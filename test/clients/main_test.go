package clients_test

import (
	"os"
	"testing"

	"github.com/palate-art/palate/test/program"
)

// What the tests of a program change in the environment is not for npm, pip and
// Go, which know their registries from there and from the home folder.
var (
	environment = os.Environ()
	wanted      = os.Getenv("PALATE_TEST_CLIENTS") != ""
)

func TestMain(m *testing.M) {
	if !wanted {
		os.Exit(m.Run()) // without building the program first
	}
	program.Main(m)
}
