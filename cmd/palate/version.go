package main

import (
	"runtime"
	"runtime/debug"
)

// version is the module's version, with the revision where it was built from
// a working tree.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "development"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
			return "development-" + setting.Value[:12]
		}
	}
	return "development"
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(s *session) error {
	return s.Done(map[string]string{"version": version(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH},
		"palate %s (%s, %s/%s)", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
