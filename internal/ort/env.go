package ort

import (
	"os"
	"path/filepath"
)

// ConfigFromEnv gives DefaultConfig changed by the environment:
//
//   - PALATE_ORT_LIBRARY is the library file to use;
//   - PALATE_CACHE is the root of palate's cache, in place of the folder
//     palate below the user's cache folder;
//   - PALATE_OFFLINE, if it is 1 or true, turns off the network.
//
// Only cmd and tests call it; everything else is given a Config.
func ConfigFromEnv() Config {
	c := DefaultConfig()
	c.LibraryPath = os.Getenv("PALATE_ORT_LIBRARY")
	if root := os.Getenv("PALATE_CACHE"); root != "" {
		if abs, err := filepath.Abs(root); err == nil {
			root = abs
		}
		c.CacheDir = cacheDirBelow(root)
	}
	switch os.Getenv("PALATE_OFFLINE") {
	case "1", "true":
		c.Offline = true
	}
	return c
}
