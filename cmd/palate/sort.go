package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/folder"
	"github.com/palate-art/palate/internal/regular"
	"github.com/palate-art/palate/internal/taste"
)

type sortCommand struct {
	Folder    string  `arg:"" help:"Folder of pictures; they need not be in the collection." type:"path"`
	Out       string  `help:"Where to make liked/ and disliked/ (default: the folder itself)." type:"path" placeholder:"DIR"`
	How       string  `help:"Copy the pictures, move them, or make links." enum:"copy,move,link" default:"copy"`
	Threshold float64 `help:"Chance of a like from which a picture is liked (default: the probe's own)." default:"-1" placeholder:"P"`
	DryRun    bool    `help:"Only say what would be done." short:"n"`
}

// sorted is what sort prints of one file.
type sorted struct {
	File        string  `json:"file"`
	To          string  `json:"to,omitempty"`
	Liked       bool    `json:"liked"`
	Probability float64 `json:"probability"`
	Error       string  `json:"error,omitempty"`
}

// Run sorts the folder by the probe of the profile.
func (c *sortCommand) Run(ctx context.Context, s *session) error {
	profile, err := s.profile()
	if err != nil {
		return err
	}
	if c.Threshold > 1 {
		return usagef("--threshold is %g, want 0 to 1", c.Threshold)
	}
	return withModel(ctx, s, func(h *collection.Model) error { return c.sort(ctx, s, h, profile) })
}

func (c *sortCommand) sort(ctx context.Context, s *session, h *collection.Model, profile palate.Profile) error {
	scorer, err := h.Tastes.ScorerOf(ctx, profile)
	if errors.Is(err, palate.ErrNotFound) {
		return fmt.Errorf("%w (rate some images and run palate train)", err)
	}
	if err != nil {
		return err
	}
	if scorer.Provisional != nil {
		return fmt.Errorf("a folder is sorted by the chance of a like, and %w. %s palate scores FILE… gives the order", taste.ErrNoChance, scorer.Provisional.Note())
	}
	version := scorer.Version
	listing, err := folder.Scan(ctx, c.Folder)
	if err != nil {
		return err
	}
	out := c.Out
	if out == "" {
		out = c.Folder
	}
	liked, disliked, failed := 0, 0, 0
	for i, file := range listing.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		line := c.place(ctx, h, version, file.Path, out)
		switch {
		case line.Error != "":
			failed++
		case line.Liked:
			liked++
		default:
			disliked++
		}
		s.Progress("sort", "img", int64(i+1), int64(len(listing.Files)))
		if err := s.printSorted(line); err != nil {
			return err
		}
	}
	s.EndProgress()
	s.Say("%d liked, %d disliked, %d passed by", liked, disliked, failed)
	if len(listing.Files) > 0 && liked+disliked == 0 {
		return fmt.Errorf("none of %d files could be sorted", len(listing.Files))
	}
	return nil
}

func (s *session) printSorted(line sorted) error {
	if s.JSON {
		return s.Print(line)
	}
	if line.Error != "" {
		s.Say("  passed by  %s", line.Error)
		return nil
	}
	s.Say("%9.1f %%  %s", 100*line.Probability, line.To)
	return nil
}

// place scores one file and puts it where it belongs.
func (c *sortCommand) place(ctx context.Context, h *collection.Model, version taste.Version, path, out string) sorted {
	line := sorted{File: path}
	embedding, err := h.Loader.EmbedFile(ctx, h.Embedder, path)
	if err != nil {
		line.Error = err.Error()
		return line
	}
	score, err := version.ScoreEmbedding(embedding)
	if err != nil {
		line.Error = err.Error()
		return line
	}
	threshold := c.Threshold
	if threshold < 0 {
		threshold = version.Learned.Threshold
	}
	line.Probability, line.Liked = score.Probability, score.Probability >= threshold
	name := "disliked"
	if line.Liked {
		name = "liked"
	}
	line.To = filepath.Join(out, name, filepath.Base(path))
	if c.DryRun || line.To == path {
		return line
	}
	if line.To, err = transfer(path, line.To, c.How); err != nil {
		line.Error = err.Error()
	}
	return line
}

// transfer copies, moves or links a file without ever overwriting another:
// where a different file has the name, a number is added to it.
func transfer(from, to, how string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", err
	}
	ext := filepath.Ext(to)
	stem := to[:len(to)-len(ext)]
	for n := 2; ; n++ {
		err := linkOrCopy(from, to, how)
		if err == nil && how == "move" {
			err = os.Remove(from)
		}
		if !errors.Is(err, fs.ErrExist) {
			return to, err
		}
		if same, err := sameContent(from, to); err != nil || same {
			return to, err
		}
		to = fmt.Sprintf("%s (%d)%s", stem, n, ext)
	}
}

func linkOrCopy(from, to, how string) error {
	if how != "copy" {
		err := os.Link(from, to)
		if err == nil || errors.Is(err, fs.ErrExist) || how == "link" {
			return err
		}
	}
	source, err := regular.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	if err = errors.Join(err, target.Close()); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}

func sameContent(a, b string) (bool, error) {
	x, err := fileID(a)
	if err != nil {
		return false, err
	}
	y, err := fileID(b)
	return x == y, err
}

// fileID gives the id that a file has, or would have, in the collection.
func fileID(name string) (palate.ImageID, error) {
	f, err := regular.Open(name)
	if err != nil {
		return palate.ImageID{}, err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return palate.ImageID{}, err
	}
	return palate.NewImageID([sha256.Size]byte(hash.Sum(nil))), nil
}
