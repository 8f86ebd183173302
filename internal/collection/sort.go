package collection

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/folder"
	"github.com/palate-art/palate/internal/taste"
)

// Sorting says how the pictures of a folder are sorted by a taste. They need not
// be in the collection.
type Sorting struct {
	Folder string
	// Out is where liked/ and disliked/ are made; empty is Folder.
	Out string
	How folder.How
	// Threshold is the chance of a like from which a picture is liked; below 0
	// it is the probe's own.
	Threshold float64
	DryRun    bool // nothing is put anywhere
}

// Sorted is what became of one file.
type Sorted struct {
	File        string  `json:"file"`
	To          string  `json:"to,omitempty"`
	Liked       bool    `json:"liked"`
	Probability float64 `json:"probability"`
	Error       string  `json:"error,omitempty"` // why it was passed by
}

// SortedFolder counts what became of a folder's files.
type SortedFolder struct{ Liked, Disliked, PassedBy int }

// Sort sorts a folder by the taste of a profile, and tells of each file as soon
// as it is where it belongs; an error of told ends it. Without a taste it is
// palate.ErrNotFound, with a provisional one taste.ErrNoChance.
func (m *Model) Sort(ctx context.Context, profile palate.Profile, s Sorting, told func(Sorted) error) (SortedFolder, error) {
	var sums SortedFolder
	scorer, err := m.Tastes.ScorerOf(ctx, profile)
	switch {
	case errors.Is(err, palate.ErrNotFound):
		return sums, fmt.Errorf("%w (rate some images and run palate train)", err)
	case err != nil:
		return sums, err
	case scorer.Provisional != nil:
		return sums, fmt.Errorf("a folder is sorted by the chance of a like, and %w. %s palate scores FILE… gives the order", taste.ErrNoChance, scorer.Provisional.Note())
	}
	if s.Threshold < 0 {
		s.Threshold = scorer.Version.Learned.Threshold
	}
	if s.Out == "" {
		s.Out = s.Folder
	}
	listing, err := folder.Scan(ctx, s.Folder)
	if err != nil {
		return sums, err
	}
	for i, file := range listing.Files {
		if err := ctx.Err(); err != nil {
			return sums, err
		}
		one := Sorted{File: file.Path}
		err := m.place(ctx, scorer.Version, s, &one)
		switch {
		case err != nil:
			one.Error = err.Error()
			sums.PassedBy++
		case one.Liked:
			sums.Liked++
		default:
			sums.Disliked++
		}
		m.tell.Progress("sort", "img", int64(i+1), int64(len(listing.Files)))
		if err := told(one); err != nil {
			return sums, err
		}
	}
	m.tell.EndProgress()
	return sums, nil
}

// place scores one file and puts it where it belongs.
func (m *Model) place(ctx context.Context, version taste.Version, s Sorting, one *Sorted) error {
	embedding, err := m.Loader.EmbedFile(ctx, m.Embedder, one.File)
	if err != nil {
		return err
	}
	score, err := version.ScoreEmbedding(embedding)
	if err != nil {
		return err
	}
	one.Probability, one.Liked = score.Probability, score.Probability >= s.Threshold
	name := "disliked"
	if one.Liked {
		name = "liked"
	}
	one.To = filepath.Join(s.Out, name, filepath.Base(one.File))
	if s.DryRun || one.To == one.File {
		return nil
	}
	one.To, err = folder.Place(one.File, one.To, s.How)
	return err
}
