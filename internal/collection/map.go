package collection

import (
	"context"
	"path/filepath"

	"github.com/palate-art/palate/internal/atlas"
	"github.com/palate-art/palate/internal/job"
)

// mapFolder is where the maps of a collection are kept, one a model.
const mapFolder = "maps"

// mapFile is where the map of the present model is kept.
func (m *Model) mapFile() string {
	return filepath.Join(m.Folder(), mapFolder, string(m.Embedder.Model())+".map")
}

// MakeMap lays the collection out on a plane and keeps the map, as a job.
func (m *Model) MakeMap(ctx context.Context, config atlas.Config) (atlas.Made, error) {
	defer m.tell.EndProgress()
	return job.Do(ctx, m.Catalog, job.Map, "", func(ctx context.Context, j *job.Job) (atlas.Made, error) {
		told := progress(ctx, j, m.tell, "map", "step")
		config.Progress = func(done, total int) { told(int64(done), int64(total)) }
		return m.makeMap(ctx, j, config)
	})
}

// MapAs implements starter.Steps.
func (m *Model) MapAs(ctx context.Context, j *job.Job) (atlas.Made, error) {
	config := atlas.DefaultConfig()
	config.Progress = func(done, total int) { j.Progress(ctx, int64(done), int64(total)) }
	return m.makeMap(ctx, j, config)
}

func (m *Model) makeMap(ctx context.Context, j *job.Job, config atlas.Config) (atlas.Made, error) {
	made, err := atlas.Make(ctx, m.Catalog, m.Embedder.Model(), config)
	if err != nil {
		return atlas.Made{}, err
	}
	j.Say(ctx, "%d pictures were laid out by %s in %.1f s: trustworthiness at k = %d is %.3f, and %.3f of the first two principal components.",
		made.Pictures, m.Embedder.Name(), made.Seconds, made.TrustK, made.Trustworthiness, made.Principal)
	return made.Made, made.Write(m.mapFile())
}
