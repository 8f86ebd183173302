package settings

import (
	"os"
	"path/filepath"
)

// DataFolder is where a collection is unless another folder is named. It follows
// the XDG base directories where they are in use.
func DataFolder() string {
	if base := os.Getenv("XDG_DATA_HOME"); base != "" {
		return filepath.Join(base, "palate")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "palate-data"
	}
	return filepath.Join(home, ".local", "share", "palate")
}

// ModelsFolder is where what is known of models is, which collections share.
func ModelsFolder() string { return filepath.Join(DataFolder(), "models") }
