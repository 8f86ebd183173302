package ort

import (
	"context"
	"errors"
	"os/exec"
)

// Report is what palate doctor shows of ONNX Runtime.
type Report struct {
	Platform string `json:"platform"`
	// Wanted is the version that is fetched where none is found.
	Wanted string `json:"wanted"`
	// Library is the one that would be loaded now, nil if there is none.
	Library *Library `json:"library,omitempty"`
	// Problem says why there is none, or why its providers are not known.
	Problem string `json:"problem,omitempty"`
	// Sources has every source in the order of asking, with the places that
	// it stands for. A source that has a library has no Reason.
	Sources   []Attempt  `json:"sources"`
	Providers []Provider `json:"providers"`
}

// Diagnose looks where Find would look, at every source and not only up to
// the first that answers, and fetches nothing: where a library would have to
// be fetched, the report says so.
func Diagnose(ctx context.Context, c Config) Report {
	report := Report{Platform: c.Release.Platform, Wanted: c.Release.Version}
	if err := c.Validate(); err != nil {
		report.Problem = err.Error()
		return report
	}
	if c.LibraryPath != "" {
		a := Attempt{Source: OriginExplicit, Where: c.LibraryPath}
		lib, err := c.explicit()
		if err != nil {
			a.Reason = err.Error()
			report.Problem = "the library that was asked for can't be used"
		} else {
			report.Library = &lib
		}
		report.Sources = []Attempt{a}
	} else {
		report.lookAround(ctx, c)
	}
	if report.Library == nil {
		return report
	}
	providers, err := examineProviders(report.Library.Path)
	if err != nil {
		report.Problem = "the library was found but can't be used: " + err.Error()
	}
	report.Providers = providers
	return report
}

func (report *Report) lookAround(ctx context.Context, c Config) {
	for _, s := range c.sources() {
		a := Attempt{Source: s.origin, Where: s.where}
		if s.fetch {
			a.Reason = c.whyNotFetched(s, report.Library != nil)
		} else if lib, err := s.find(ctx); err != nil {
			a.Reason = err.Error()
		} else if report.Library == nil {
			lib.Origin = s.origin
			report.Library = &lib
		}
		report.Sources = append(report.Sources, a)
	}
	switch {
	case report.Library != nil:
	case ctx.Err() != nil:
		report.Problem = ctx.Err().Error()
	case !c.Release.published():
		report.Problem = "no library found, and no build is published for " + c.Release.Platform
	case c.Offline:
		report.Problem = "no library found, and fetching is turned off"
	default:
		report.Problem = "no library found yet; the first command that runs a model fetches it"
	}
}

func (c Config) whyNotFetched(s source, found bool) string {
	switch {
	case s.origin == OriginGitHub && c.Release.Archive == "", s.origin == OriginNPM && c.Release.NPMPackage == "":
		return "has no build for " + c.Release.Platform
	case c.Offline:
		return "not asked: offline"
	case found:
		return "not needed"
	case s.origin == OriginNPM && len(c.NPMCommand) > 0:
		if _, err := exec.LookPath(c.NPMCommand[0]); err != nil && !errors.Is(err, exec.ErrDot) {
			return "no npm client: " + err.Error()
		}
	}
	return "not asked yet"
}
