package main

import (
	"context"
	"errors"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/vit"
)

// indexFlags say where the index is.
type indexFlags struct {
	IndexAddress  string `name:"index" help:"Index of the embeddings: \"embedded\", in memory, or a Qdrant server, qdrant://[key@]host[:port]/collection (options: see index/qdrant; ?key_file=FILE keeps the key out of the command line)." default:"embedded" placeholder:"ADDRESS"`
	IndexFallback bool   `help:"Answer from an embedded index as well while the Qdrant server can't be reached; it takes the memory of one."`
}

// collectionConfig is what the flags say of the collection.
func (s *session) collectionConfig() collection.Config {
	return collection.Config{Folder: s.Data, GroupReadable: s.GroupReadable, Temporary: s.temporary,
		Index: s.IndexAddress, Fallback: s.IndexFallback, Models: s.modelConfig(), Decoding: s.decoding, MaxPixels: s.maxPixels()}
}

// maxPixels is what --max-pixels says; 0 nothing.
func (s *session) maxPixels() int64 { return min(s.MaxPixels, 1<<40) * 1_000_000 }

// modelConfig is what the flags say of the model.
func (s *session) modelConfig() collection.ModelConfig {
	return collection.ModelConfig{Asked: s.settings(), Precision: vit.Precision(s.Precision), Device: s.Device, GPUMemoryBytes: int64(s.GPUMemory) << 20,
		Folder: s.modelsFolder(), Hub: s.hubConfig(), Runtime: s.runtimeConfig(), ReachHubPatience: collection.DefaultReachHubPatience, MaxPixels: s.maxPixels()}
}

// loader finds and loads models where there is no collection.
func (s *session) loader() *collection.Loader {
	return collection.NewLoader(s.modelConfig(), s.decoding, s, s.logger)
}

// openHome opens the collection of --data.
func openHome(ctx context.Context, s *session) (*collection.Collection, error) {
	return s.opened(collection.Open(ctx, s.collectionConfig(), s, s.logger))
}

// opened says what a collection can't do that was opened.
func (s *session) opened(h *collection.Collection, err error) (*collection.Collection, error) {
	if err == nil && h.ReadOnly() != nil {
		s.Notef("%s", collection.Explain(h.ReadOnly()))
	}
	return h, err
}

// withHome opens the collection for one piece of work; one is made only for what
// fills it.
func (s *session) withHome(ctx context.Context, do func(*collection.Collection) error) error {
	if err := collection.MustBeThere(s.Data); err != nil && !s.fills {
		return err
	}
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	return errors.Join(do(h), h.Close())
}

// withModel opens the collection and the model for a command.
func withModel(ctx context.Context, s *session, do func(*collection.Model) error) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		m, err := h.OpenModel(ctx)
		if err != nil {
			return err
		}
		return errors.Join(do(m), m.Close())
	})
}

// withModelToEmbed is withModel for commands that embed pictures of the
// collection.
func withModelToEmbed(ctx context.Context, s *session, do func(*collection.Model) error) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		m, err := h.OpenModelToEmbed(ctx)
		if err != nil {
			return err
		}
		return errors.Join(do(m), m.Close())
	})
}

// withTastes is withModel for the commands of probes and profiles.
func withTastes(ctx context.Context, s *session, work func(*collection.Model, palate.Profile) error) error {
	profile, err := s.profile()
	if err != nil {
		return err
	}
	return withModel(ctx, s, func(m *collection.Model) error { return work(m, profile) })
}
