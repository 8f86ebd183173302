package main

import (
	"runtime"

	"github.com/palate-art/palate/internal/settings"
)

func version() string { return settings.Version() }

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(s *session) error {
	return s.Done(map[string]string{"version": version(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH},
		"palate %s (%s, %s/%s)", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
