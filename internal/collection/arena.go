package collection

import (
	"context"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/arena"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/tuning"
)

// arenaFolder is where what was measured of a collection's models is kept.
const arenaFolder = "arena"

// Contest makes a contest of the named models on a profile's ratings ready:
// every rated picture is embedded by every model, unless it was before. What
// one of them can't read is left out for all.
func (c *Collection) Contest(ctx context.Context, names []string, config arena.Config) (contest *arena.Contest, left int, err error) {
	defer c.tell.EndProgress()
	tuner, err := c.Tuner(ctx)
	if err != nil {
		return nil, 0, err
	}
	rated, err := c.ratedAfter(ctx, config.Profile, -1)
	if err != nil {
		return nil, 0, err
	}
	var ids []palate.ImageID
	for id := range rated {
		ids = append(ids, id)
	}
	var entrants []arena.Entrant
	for _, name := range names {
		e, err := c.entrant(ctx, name, ids, config.Told)
		if err != nil {
			return nil, 0, err
		}
		entrants = append(entrants, e)
	}
	var all []arena.Rated
	for _, id := range ids {
		everywhere := true
		for _, e := range entrants {
			everywhere = everywhere && e.Embeddings[id] != nil
		}
		if !everywhere {
			left++
			continue
		}
		all = append(all, arena.Rated{Image: id, Liked: rated[id], Sketch: func() []byte {
			sketch, err := c.Pictures.Sketch(ctx, id)
			if err != nil {
				return nil // it is told from others by its embedding alone
			}
			return sketch
		}})
	}
	config.Folder = filepath.Join(c.config.Folder, arenaFolder)
	contest, err = arena.New(ctx, tuner.Runtime, tuning.NewReader(c.Pictures), all, entrants, config)
	return contest, left, err
}

// RunContest measures, as a job.
func (c *Collection) RunContest(ctx context.Context, contest *arena.Contest, profile palate.Profile) (*arena.Report, error) {
	defer c.tell.EndProgress()
	return job.Do(ctx, c.Catalog, job.Arena, profile, func(ctx context.Context, j *job.Job) (*arena.Report, error) {
		return contest.Run(ctx, func(done, total int, what string) {
			j.Progress(ctx, int64(done), int64(total))
			if what != "" {
				j.Say(ctx, "Measures %s.", what)
				c.tell.Note(what, false)
			}
		})
	})
}

// timed is how many pictures are embedded anew to tell how long all take.
const timed = 4

// entrant embeds the rated pictures by a model.
func (c *Collection) entrant(ctx context.Context, name string, ids []palate.ImageID, told func(string, int, int)) (e arena.Entrant, err error) {
	loader := c.Loader.with(func(config *ModelConfig) {
		config.Asked.Model = name
		if name == models.Baseline || models.IsFile(name) {
			config.Asked = models.Settings{Model: name}
		}
	})
	loaded, err := loader.Load(ctx, nil, true)
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, loaded.Close()) }()
	e = arena.Entrant{Name: name, ID: loaded.Model(), Embeddings: make(map[palate.ImageID]palate.Embedding, len(ids))}
	known, err := c.Catalog.EmbeddingsOf(ctx, e.ID, ids)
	if err != nil {
		return e, err
	}
	for _, k := range known {
		e.Embeddings[k.ID] = k.Embedding
	}
	begun, made := time.Now(), 0
	for i, id := range ids {
		if e.Embeddings[id] != nil && i >= timed {
			continue
		}
		embedding, _, err := embedder.EmbedDecoded(ctx, loaded, func(use func(image.Image) error) error {
			return c.Pictures.Read(ctx, id, loaded.Reading(), func(m *picture.RGB) error { return use(m) })
		})
		if ctx.Err() != nil {
			return e, ctx.Err()
		}
		if errors.Is(err, palate.ErrInvalid) || errors.Is(err, palate.ErrNotFound) {
			continue
		}
		if err != nil {
			return e, fmt.Errorf("model %s: %w", name, err)
		}
		e.Embeddings[id] = embedding
		made++
		c.tell.Progress("features by "+name, "img", int64(made), int64(len(ids)-len(known)))
		if told != nil {
			told(name, made, max(made, len(ids)-len(known)))
		}
	}
	if made > 0 {
		e.Seconds = time.Since(begun).Seconds() / float64(made) * float64(len(ids))
	}
	if name == models.Baseline || models.IsFile(name) {
		return e, nil
	}
	source, err := c.Loader.Source(ctx, name)
	if err != nil {
		return e, err
	}
	e.Size = source.Size
	if source.Kind == models.KindSafetensors {
		settings := loaded.Settings()
		e.Trainable = func(ctx context.Context) (models.Trainable, error) { return source.Trainable(ctx, settings) }
	}
	return e, nil
}
