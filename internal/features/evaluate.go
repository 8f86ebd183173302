package features

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// Files are embeddings with their labels, one row for each image.
type Files struct {
	Features string
	// Labels is 1 for a like and 0 for a dislike; empty where they are beside
	// the features.
	Labels string
	// Patches, if not empty, are the mean patch tokens of the same images, and
	// Baseline their embeddings by a simpler model.
	Patches, Baseline string
}

// Evaluate judges embeddings by their labels, thoroughly: with baselines and a
// learning curve, where the configuration says how a taste is learned. Labels
// that are too few or of one kind are palate.ErrConflict.
func (f Files) Evaluate(ctx context.Context, config probe.Config) (*judge.Report, error) {
	began := time.Now()
	examples, err := f.Examples()
	if err != nil {
		return nil, err
	}
	_, r, err := probe.Train(ctx, examples, "", config.Thorough(examples))
	var missing *probe.NotEnoughError
	if errors.As(err, &missing) { // nothing to rate here, as elsewhere
		return nil, fmt.Errorf("the labels are too few or of one kind: %v (rows that show one work count once): %w", missing, palate.ErrConflict)
	}
	if err != nil {
		return nil, err
	}
	r.Seconds = time.Since(began).Seconds()
	return r, nil
}

// Examples reads the files. Every row is brought to length 1.
func (f Files) Examples() ([]probe.Example, error) {
	table, err := Load(f.Features, f.Labels)
	if err != nil {
		return nil, err
	}
	examples := make([]probe.Example, len(table.Rows))
	for i, row := range table.Rows {
		if err := normalise(row, i, f.Features); err != nil {
			return nil, err
		}
		examples[i] = probe.Example{Row: i, Embedding: row, Liked: table.Labels[i]}
		if table.Artists != nil {
			examples[i].Artist = table.Artists[i]
		}
		if table.Sites != nil {
			examples[i].Site = table.Sites[i]
		}
	}
	for _, more := range []struct{ path, name string }{{f.Patches, probe.MeanPatch}, {f.Baseline, probe.Baseline}} {
		if more.path == "" {
			continue
		}
		if err := f.add(examples, more.path, more.name); err != nil {
			return nil, err
		}
	}
	return examples, nil
}

// add gives the examples named rows of another file.
func (f Files) add(examples []probe.Example, path, name string) error {
	rows, err := LoadRows(path)
	if err != nil {
		return err
	}
	if len(rows) != len(examples) {
		return invalid("%s has %d rows, but %s has %d", path, len(rows), f.Features, len(examples))
	}
	for i, row := range rows {
		if err := normalise(row, i, path); err != nil {
			return err
		}
		if examples[i].Features == nil {
			examples[i].Features = make(map[string]palate.Embedding)
		}
		examples[i].Features[name] = row
	}
	return nil
}

// normalise brings a row to length 1, in place.
func normalise(row []float32, i int, path string) error {
	var square float64
	for _, v := range row {
		square += float64(v) * float64(v)
	}
	if square == 0 {
		return invalid("row %d of %s is all zeros, which is no embedding: leave it out", i, path)
	}
	scale := 1 / math.Sqrt(square)
	for j, v := range row {
		row[j] = float32(float64(v) * scale)
	}
	return nil
}
