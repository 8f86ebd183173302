package qdrant

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/qdrant/go-client/qdrant"

	"github.com/palate-art/palate"
)

// The servers that palate is made for: of the one major version, from the oldest
// that it was measured with to the newest whose changes were read for what
// concerns it.
const (
	wantMajor   = 1
	wantMinor   = 17
	latestMinor = 19
)

// Ready implements index.Index: the server answers, is of a version that is
// known, and holds a collection that fits.
func (x *Index) Ready(ctx context.Context) error {
	if err := x.usable(ctx); err != nil {
		return err
	}
	if err := x.checkVersion(ctx); err != nil {
		return err
	}
	var in served
	var info *qdrant.CollectionInfo
	err := x.read(ctx, "look at the collection", func(found served) (err error) {
		in = found
		info, err = x.client.GetCollectionInfo(ctx, in.name)
		return err
	})
	if err != nil {
		return err
	}
	params := info.GetConfig().GetParams().GetVectorsConfig().GetParams()
	switch {
	case params.GetSize() != uint64(x.dim) || params.GetDistance() != qdrant.Distance_Dot:
		return fmt.Errorf("qdrant: %s holds vectors of %d values compared by %s, want %d by Dot; palate reindex makes it anew: %w",
			in.name, params.GetSize(), params.GetDistance(), x.dim, palate.ErrUnavailable)
	case info.GetStatus() == qdrant.CollectionStatus_Red:
		return fmt.Errorf("qdrant: %s is red (%s); the server's log says why: %w", in.name, info.GetOptimizerStatus().GetError(), palate.ErrUnavailable)
	}
	if x.owner != nil {
		if err := x.owner.Failure(); err != nil {
			return fmt.Errorf("qdrant: the collection does not follow the catalog: %w: %w", err, palate.ErrUnavailable)
		}
	}
	return nil
}

func (x *Index) info(ctx context.Context, name string) (*qdrant.CollectionInfo, error) {
	info, err := x.client.GetCollectionInfo(ctx, name)
	if err != nil {
		return nil, x.failed(ctx, "look at "+name, err)
	}
	return info, nil
}

// version asks the server for its version.
func (x *Index) version(ctx context.Context) (string, error) {
	reply, err := x.client.HealthCheck(ctx)
	if err != nil {
		return "", x.failed(ctx, "check health", err)
	}
	return reply.GetVersion(), nil
}

func (x *Index) checkVersion(ctx context.Context) error {
	version, err := x.version(ctx)
	if err != nil {
		return err
	}
	if !knownVersion(version) {
		return fmt.Errorf("qdrant: %s is version %q, want %d.%d or a later %d.x: %w", x.config.server(), version, wantMajor, wantMinor, wantMajor, palate.ErrUnavailable)
	}
	if warning := newer(version); warning != "" {
		x.warned.Do(func() { x.logger.WarnContext(ctx, "Qdrant: "+warning, "server", x.config.server()) })
	}
	return nil
}

func knownVersion(version string) bool {
	major, minor, ok := versionOf(version)
	return ok && major == wantMajor && minor >= wantMinor
}

func versionOf(version string) (major, minor int, ok bool) {
	first, rest, _ := strings.Cut(version, ".")
	second, _, _ := strings.Cut(rest, ".")
	major, err := strconv.Atoi(first)
	if err != nil {
		return 0, 0, false
	}
	minor, err = strconv.Atoi(second)
	return major, minor, err == nil
}

// newer says what is to be known of a version that is later than the newest that
// was looked at; "" of another.
func newer(version string) string {
	if _, minor, ok := versionOf(version); ok && knownVersion(version) && minor > latestMinor {
		return fmt.Sprintf("version %s is later than %d.%d, the last that palate was made for; what it changes is not known here", version, wantMajor, latestMinor)
	}
	return ""
}

// Status tells what lies on the server.
type Status struct {
	Server      string       `json:"server"`
	Version     string       `json:"version"`
	Warning     string       `json:"warning,omitempty"` // of the version
	Collections []Collection `json:"collections"`       // of the configured name, in the order of names
}

// Collection is one collection of any model.
type Collection struct {
	Name    string `json:"name"`
	Points  uint64 `json:"points"`
	Indexed uint64 `json:"indexed"` // vectors in HNSW graphs; small collections have none
	State   string `json:"state"`   // green is idle, yellow at work, red broken, grey waiting
	// Serves says that this model's searches go here, Current that the
	// configured name alone leads here.
	Serves  bool `json:"serves"`
	Current bool `json:"current"`
	// Strict says that the server has limits on what this collection is asked.
	Strict bool `json:"strict,omitempty"`
	// Less says what of the index's address those limits leave less of.
	Less []string `json:"less,omitempty"`
	// Missing names what searches should have beside the points and do not; it
	// is made when the index is brought up to date next.
	Missing []string `json:"missing,omitempty"`
}

// Status looks at the server and at all collections of the configured name.
func (x *Index) Status(ctx context.Context) (Status, error) {
	if err := x.usable(ctx); err != nil {
		return Status{}, err
	}
	s := Status{Server: x.config.server(), Collections: []Collection{}}
	var err error
	if s.Version, err = x.version(ctx); err != nil {
		return s, err
	}
	s.Warning = newer(s.Version)
	aliases, err := x.aliases(ctx)
	if err != nil {
		return s, err
	}
	names, err := x.client.ListCollections(ctx)
	if err != nil {
		return s, x.failed(ctx, "list collections", err)
	}
	slices.Sort(names)
	for _, name := range names {
		rest, _ := strings.CutPrefix(name, x.config.Collection+"-")
		if len(rest) < modelDigits {
			continue
		}
		model := palate.ModelID(rest[:modelDigits])
		if !ofAlias(name, aliasOf(x.config.Collection, model)) && !ofAlias(name, outdatedAlias(x.config.Collection, model)) {
			continue
		}
		info, err := x.info(ctx, name)
		if err != nil {
			return s, err
		}
		c := Collection{Name: name, Points: info.GetPointsCount(), Indexed: info.GetIndexedVectorsCount(),
			State: strings.ToLower(info.GetStatus().String()), Serves: x.leading(aliases).name == name, Current: aliases[x.config.Collection] == name,
			Strict: info.GetConfig().GetStrictModeConfig().GetEnabled(), Less: limitsOf(info).less(x.config)}
		if ofAlias(name, aliasOf(x.config.Collection, model)) {
			c.Missing = missingFields(info)
			c.Points = max(c.Points, 1) - 1 // without the marker
		}
		s.Collections = append(s.Collections, c)
	}
	return s, nil
}
