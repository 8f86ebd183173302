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

// Pile is where a sorted picture belongs: also the name of its folder.
type Pile string

// The piles.
const (
	Liked    Pile = "liked"
	Disliked Pile = "disliked"
	Unsure   Pile = "unsure"
)

// Piles says at which chance of a like a picture belongs where: liked from one
// chance on, disliked up to another, and between them nobody is sure.
type Piles struct{ LikedFrom, DislikedTo float64 }

// DefaultPiles is two to one: if the chances are right, at least two of three of
// what is in a pile belong there.
func DefaultPiles() Piles { return Piles{LikedFrom: 2. / 3, DislikedTo: 1. / 3} }

// PilesAt is DefaultPiles with what is given instead; nil is the default, which
// makes room for the other.
func PilesAt(likedFrom, dislikedTo *float64) (Piles, error) {
	p := DefaultPiles()
	switch {
	case likedFrom != nil && !(*likedFrom >= 0 && *likedFrom <= 1):
		return p, fmt.Errorf("--liked-from is %g, want a chance, 0 to 1: %w", *likedFrom, palate.ErrInvalid)
	case dislikedTo != nil && !(*dislikedTo >= 0 && *dislikedTo <= 1):
		return p, fmt.Errorf("--disliked-to is %g, want a chance, 0 to 1: %w", *dislikedTo, palate.ErrInvalid)
	case likedFrom != nil && dislikedTo != nil && *dislikedTo > *likedFrom:
		return p, fmt.Errorf("--disliked-to %g and --liked-from %g: some pictures would be both: %w", *dislikedTo, *likedFrom, palate.ErrInvalid)
	case likedFrom != nil && dislikedTo != nil:
		return Piles{*likedFrom, *dislikedTo}, nil
	case likedFrom != nil:
		return Piles{*likedFrom, min(p.DislikedTo, *likedFrom)}, nil
	case dislikedTo != nil:
		return Piles{max(p.LikedFrom, *dislikedTo), *dislikedTo}, nil
	}
	return p, nil
}

// Of is the pile of a chance; at the bound of both it is liked.
func (p Piles) Of(chance float64) Pile {
	switch {
	case chance >= p.LikedFrom:
		return Liked
	case chance <= p.DislikedTo:
		return Disliked
	}
	return Unsure
}

// Sorting says how the pictures of a folder are sorted by a taste. They need not
// be in the collection.
type Sorting struct {
	Folder string
	// Out is where the piles are made; empty is Folder.
	Out    string
	How    folder.How
	Piles  Piles
	DryRun bool // nothing is put anywhere
}

// Sorted is what became of one file.
type Sorted struct {
	File        string  `json:"file"`
	To          string  `json:"to,omitempty"`
	Pile        Pile    `json:"pile,omitempty"`
	Liked       bool    `json:"liked"`
	Probability float64 `json:"probability"`
	Error       string  `json:"error,omitempty"` // why it was passed by
}

// SortedFolder counts what became of a folder's files. AlreadySorted are those
// that lie in piles; nothing was done to them.
type SortedFolder struct{ Liked, Disliked, Unsure, PassedBy, AlreadySorted int }

// Words says what became of them, in lines.
func (s SortedFolder) Words(p Piles) []string {
	lines := []string{fmt.Sprintf("%d liked (a chance of %.0f %% and more), %d disliked (%.0f %% and less), %d unsure, %d passed by",
		s.Liked, 100*p.LikedFrom, s.Disliked, 100*p.DislikedTo, s.Unsure, s.PassedBy)}
	if s.AlreadySorted > 0 {
		lines = append(lines, fmt.Sprintf("%d were sorted before and stay where they are.", s.AlreadySorted))
	}
	return lines
}

// Sort sorts a folder by the taste of a profile, and tells of each file as soon
// as it is where it belongs; an error of told ends it. What a former sort put
// into piles is left. Without a taste it is palate.ErrNotFound, with a
// provisional one taste.ErrNoChance.
func (m *Model) Sort(ctx context.Context, profile palate.Profile, s Sorting, told func(Sorted) error) (sums SortedFolder, err error) {
	scorer, err := m.Tastes.ScorerOf(ctx, profile)
	switch {
	case errors.Is(err, palate.ErrNotFound):
		return sums, fmt.Errorf("%w (rate some images and run palate train)", err)
	case err != nil:
		return sums, err
	case scorer.Provisional != nil:
		return sums, fmt.Errorf("a folder is sorted by the chance of a like, and %w. %s palate scores FILE… gives the order", taste.ErrNoChance, scorer.Provisional.Note())
	}
	if s.Out == "" {
		s.Out = s.Folder
	}
	files, err := s.files(ctx, &sums)
	if err != nil {
		return sums, err
	}
	for i, file := range files {
		if err := ctx.Err(); err != nil {
			return sums, err
		}
		one := Sorted{File: file.Path}
		err := m.place(ctx, scorer.Version, s, &one)
		switch {
		case err != nil && ctx.Err() != nil:
			return sums, err
		case err != nil:
			one.Error = err.Error()
			sums.PassedBy++
		case one.Pile == Liked:
			sums.Liked++
		case one.Pile == Disliked:
			sums.Disliked++
		default:
			sums.Unsure++
		}
		m.tell.Progress("sort", "img", int64(i+1), int64(len(files)))
		if err := told(one); err != nil {
			return sums, err
		}
	}
	m.tell.EndProgress()
	return sums, nil
}

// files are those that are to be sorted; the others are counted.
func (s Sorting) files(ctx context.Context, sums *SortedFolder) ([]folder.File, error) {
	listing, err := folder.Scan(ctx, s.Folder)
	if err != nil {
		return nil, err
	}
	var files []folder.File
	for _, file := range listing.Files {
		if file.Sorted || s.inPile(file.Path) {
			sums.AlreadySorted++
			continue
		}
		files = append(files, file)
	}
	return files, nil
}

// inPile reports a file in one of the folders that are sorted into.
func (s Sorting) inPile(file string) bool {
	out, err := filepath.EvalSymlinks(s.Out)
	if err != nil {
		return false // it is not there yet
	}
	if out, err = filepath.Abs(out); err != nil {
		return false
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		return false
	}
	for _, pile := range []Pile{Liked, Disliked, Unsure} {
		if below, err := filepath.Rel(filepath.Join(out, string(pile)), folder); err == nil && filepath.IsLocal(below) {
			return true
		}
	}
	return false
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
	one.Probability, one.Pile = score.Probability, s.Piles.Of(score.Probability)
	one.Liked = one.Pile == Liked
	pile := filepath.Join(s.Out, string(one.Pile))
	one.To = filepath.Join(pile, filepath.Base(one.File))
	if s.DryRun {
		return nil
	}
	if err := folder.Mark(pile); err != nil {
		return err
	}
	one.To, err = folder.Place(one.File, one.To, s.How)
	return err
}
