package models

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/hub"
	"github.com/palate-art/palate/internal/safetensors"
)

// Origin says where on the hub an added model came from.
type Origin struct {
	Repository string `json:"repository"`
	Revision   string `json:"revision"` // that was asked for
	Commit     string `json:"commit"`   // that it stood for
	Page       string `json:"page"`     // where people read about it
	// Files are those that came, each with the hash that the hub announced:
	// SHA-256, or git's SHA-1 of a small file. They are held to from then on.
	Files map[string]string `json:"files"`
}

// configNames are the configurations that say what tensors don't, in the
// order in which they are read.
var configNames = []string{"open_clip_config.json", "config.json", "preprocessor_config.json"}

// FetchedModel is a model from the hub that lies in its cache.
type FetchedModel struct {
	File    string // of the weights, or the index of several
	Origin  Origin
	Licence Licence
}

// Told is what is said of a model on the hub before its weights come.
type Told struct {
	Reference Reference
	Licence   Licence // nothing if neither the hub nor palate knows it
	Page      string
	Gated     bool
}

// FetchFromHub brings a model's weights and what stands beside them into the
// hub's cache. tell hears of the licence before the weights come. Without a
// network what is in the cache is taken. A repository without weights that
// palate reads is palate.ErrInvalid; the other errors are those of
// hub.Client.Fetch.
func FetchFromHub(ctx context.Context, ref Reference, client *hub.Client, tell func(Told)) (FetchedModel, error) {
	in, err := lookIn(ctx, ref, client)
	if err != nil {
		return FetchedModel{}, err
	}
	m := FetchedModel{Licence: in.licence, Origin: Origin{Repository: ref.Repository, Revision: ref.Revision, Page: in.page, Files: map[string]string{}}}
	weights, err := in.weights(ctx)
	if err != nil {
		return FetchedModel{}, err
	}
	tell(Told{ref, in.licence, in.page, in.gated})
	get := func(name string) (string, error) {
		local, err := client.Fetch(ctx, hub.File{Repository: ref.Repository, Revision: in.revision, Path: name})
		if err != nil {
			return "", err
		}
		if m.Origin.Commit != "" && local.Commit != m.Origin.Commit {
			return "", fmt.Errorf("%s: the repository changed while it came; try again: %w", ref, palate.ErrUnavailable)
		}
		m.Origin.Commit, m.Origin.Files[name] = local.Commit, local.Hash()
		return local.Path, nil
	}
	for _, name := range configNames {
		if has, err := in.has(ctx, name); err != nil {
			return FetchedModel{}, err
		} else if has {
			if _, err := get(name); err != nil {
				return FetchedModel{}, err
			}
		}
	}
	if m.File, err = get(weights); err != nil {
		return FetchedModel{}, err
	}
	if !isIndex(weights) {
		return m, nil
	}
	shards, err := safetensors.ShardNames(m.File)
	if err != nil {
		return FetchedModel{}, err
	}
	for _, name := range shards {
		if _, err := get(path.Join(path.Dir(weights), name)); err != nil {
			return FetchedModel{}, err
		}
	}
	return m, nil
}

// Again brings the files of a model that came from the hub before, as they
// were then: those that are in the cache stay.
func (o Origin) Again(ctx context.Context, client *hub.Client) error {
	for _, name := range slices.Sorted(maps.Keys(o.Files)) {
		f := hub.File{Repository: o.Repository, Revision: o.Commit, Path: name}
		if len(o.Files[name]) == 64 {
			f.SHA256 = o.Files[name]
		}
		local, err := client.Verify(ctx, f)
		if errors.Is(err, palate.ErrInvalid) {
			if err = client.Discard(ctx, f); err == nil {
				local, err = client.Fetch(ctx, f)
			}
		} else if errors.Is(err, palate.ErrNotFound) {
			local, err = client.Fetch(ctx, f)
		}
		if err != nil {
			return err
		}
		if hash := local.Hash(); hash != "" && len(hash) == len(o.Files[name]) && hash != o.Files[name] {
			return fmt.Errorf("%s: the hub now has %s, it was %s when it was added: %w", f, hash, o.Files[name], palate.ErrUnavailable)
		}
	}
	return nil
}

// contents is what is known to be in a repository.
type contents struct {
	ref      Reference
	revision string // to ask for files at
	page     string
	gated    bool
	licence  Licence
	paths    []string                                             // nil if they are not known
	find     func(ctx context.Context, name string) (bool, error) // then this tells
}

// lookIn asks the hub what a repository holds. A mirror that doesn't tell is
// asked for each file; without a network the cache is.
func lookIn(ctx context.Context, ref Reference, client *hub.Client) (contents, error) {
	in := contents{ref: ref, revision: ref.Revision, page: client.Page(ref.Repository), licence: ref.licence()}
	file := func(name string) hub.File {
		return hub.File{Repository: ref.Repository, Revision: ref.Revision, Path: name}
	}
	said, err := client.Repository(ctx, ref.Repository, ref.Revision)
	switch {
	case err == nil:
		in.revision, in.page, in.gated, in.paths = said.Commit, said.Page, said.Gated, said.Paths
		if l := licenceOf(said.Licence, said.LicenceName, said.LicenceURL); l.Name != "" {
			if in.licence.Name != l.Name || l.URL != "" {
				in.licence = l
			}
		}
		return in, nil
	case ctx.Err() != nil || errors.Is(err, palate.ErrNotFound):
		return in, err
	case errors.Is(err, hub.ErrSilent):
		in.find = func(ctx context.Context, name string) (bool, error) {
			_, err := client.Stat(ctx, file(name))
			if errors.Is(err, palate.ErrNotFound) {
				return false, nil
			}
			return err == nil, err
		}
		return in, nil
	}
	in.find = func(_ context.Context, name string) (bool, error) {
		_, err := client.Find(file(name))
		return err == nil, nil
	}
	if _, notThere := in.weights(ctx); notThere != nil {
		return in, err
	}
	return in, nil
}

func (c contents) has(ctx context.Context, name string) (bool, error) {
	if c.find != nil {
		return c.find(ctx, name)
	}
	return slices.Contains(c.paths, name), nil
}

// weights is the file to take.
func (c contents) weights(ctx context.Context) (string, error) {
	for _, name := range modelNames {
		if !IsTensorsFile(name) {
			continue // an .onnx file needs a description that no hub has
		}
		if has, err := c.has(ctx, name); err != nil || has {
			return name, err
		}
	}
	var others []string
	for _, p := range c.paths {
		if IsTensorsFile(p) && !strings.Contains(p, "/") && p != "training_args.bin" {
			others = append(others, p)
		}
	}
	if len(others) == 1 {
		return others[0], nil
	}
	if slices.Contains(c.paths, "pytorch_model.bin.index.json") {
		return "", fmt.Errorf("%s has its weights as PyTorch's files in several parts only, which palate doesn't put together: see %s for one in safetensors: %w", c.ref, c.page, palate.ErrInvalid)
	}
	return "", fmt.Errorf("%s has no weights that palate reads (%s): see %s: %w", c.ref, strings.Join(modelNames, ", "), c.page, palate.ErrInvalid)
}
