package collection

import (
	"context"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/regular"
	"github.com/palate-art/palate/internal/taste"
)

// ProbeEntry is one version of a taste.
type ProbeEntry struct {
	Version   int            `json:"version"`
	Current   bool           `json:"current"`
	Model     palate.ModelID `json:"model_id"`
	ModelName string         `json:"model,omitempty"`
	Kind      string         `json:"kind"`
	Strength  float64        `json:"strength,omitempty"`
	Data      string         `json:"data,omitempty"` // SHA-256 of what it learned from
	Likes     int            `json:"likes"`
	Dislikes  int            `json:"dislikes"`
	AUC       float64        `json:"auc,omitempty"`
	AUCLow    float64        `json:"auc_low,omitempty"`
	AUCHigh   float64        `json:"auc_high,omitempty"`
	Reason    string         `json:"reason"`
	TrainedAt time.Time      `json:"trained_at"`
	// Judged is false where it was imported, and judged elsewhere.
	Judged bool `json:"-"`
}

// History lists the versions of a taste, on whichever model, the newest first.
func (c *Collection) History(ctx context.Context, profile palate.Profile) ([]ProbeEntry, error) {
	stored, err := c.Catalog.ListProbes(ctx, profile)
	if err != nil {
		return nil, err
	}
	names, err := c.ModelNames(ctx)
	if err != nil {
		return nil, err
	}
	entries := make([]ProbeEntry, len(stored))
	for i, p := range stored {
		r, err := taste.SummaryOf(p)
		if err != nil {
			return nil, err
		}
		entries[i] = ProbeEntry{Version: p.Version, Current: p.Current, Model: p.Model, ModelName: names[p.Model], Kind: r.Kind,
			Strength: r.Strength, Likes: r.Likes, Dislikes: r.Dislikes, Reason: p.Reason, TrainedAt: p.TrainedAt}
		if entries[i].Judged = r.Examples > 0; entries[i].Judged {
			entries[i].Data, entries[i].AUC, entries[i].AUCLow, entries[i].AUCHigh = r.Data, r.AUC, r.AUCLow, r.AUCHigh
		}
	}
	return entries, nil
}

// Version finds one version of a taste, or with 0 the one that serves on this
// model, as CurrentProbe does.
func (m *Model) Version(ctx context.Context, profile palate.Profile, number int) (taste.Version, error) {
	if number == 0 {
		current, err := m.CurrentProbe(ctx, profile)
		if err != nil {
			return taste.Version{}, err
		}
		number = current.Version
	}
	return m.Tastes.Version(ctx, profile, number)
}

// ImportProbe adds the probe in a file, which serves at once.
func (m *Model) ImportProbe(ctx context.Context, profile palate.Profile, file string) (taste.Version, error) {
	exported, err := regular.ReadFile(file, taste.MaxExportBytes)
	if err != nil {
		return taste.Version{}, err
	}
	version, err := m.Tastes.Import(ctx, profile, exported)
	if err != nil {
		return version, fmt.Errorf("%s: %w", file, err)
	}
	return version, nil
}
