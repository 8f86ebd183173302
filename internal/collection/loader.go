package collection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/hub"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
)

// Loader finds, fetches and loads models, with a collection or without one.
type Loader struct {
	config   ModelConfig
	decoding *picture.Budget
	tell     Teller
	logger   *slog.Logger
}

// NewLoader returns a Loader, which has touched nothing yet.
func NewLoader(config ModelConfig, decoding *picture.Budget, tell Teller, logger *slog.Logger) *Loader {
	config.Hub.Logger, config.Runtime.Logger = logger, logger
	config.Hub.Progress = func(stage string, done, total int64) { tell.Progress(stage, "B", done, total) }
	config.Runtime.Progress = func(stage string, done, total int64) {
		tell.Progress("ONNX Runtime: "+stage, "B", done, total)
	}
	return &Loader{config: config, decoding: decoding, tell: tell, logger: logger}
}

// with is the Loader with some things asked for otherwise.
func (l *Loader) with(change func(*ModelConfig)) *Loader {
	other := *l
	change(&other.config)
	return &other
}

// Store is the folder of what is known of models.
func (l *Loader) Store() *models.Store { return models.OpenStore(l.config.Folder) }

// Hub is the client of the model hub.
func (l *Loader) Hub() (*hub.Client, error) { return hub.New(l.config.Hub) }

func (l *Loader) runtime(ctx context.Context) (*ort.Runtime, error) {
	rt, err := ort.Load(ctx, l.config.Runtime)
	l.tell.EndProgress()
	return rt, err
}

// Pull gets a known model's weights for whoever asks for it: what is in the
// cache is read, and comes again if it is damaged.
func (l *Loader) Pull(ctx context.Context, k models.Known) (models.Weights, error) {
	source, err := l.pull(ctx, k)
	if err != nil {
		return source, err
	}
	_, err = source.Check(ctx)
	if !errors.Is(err, palate.ErrInvalid) {
		return source, err
	}
	note(l.tell, "%v; getting it anew", err)
	client, err := l.Hub()
	if err != nil {
		return source, err
	}
	file, err := l.Store().Pinned(k)
	if err == nil {
		err = client.Discard(ctx, file)
	}
	if err != nil {
		return source, err
	}
	if source, err = l.pull(ctx, k); err == nil {
		_, err = source.Check(ctx)
	}
	return source, err
}

// pull gets a known model's weights, from the cache if they are there, and
// shows their licence before they come.
func (l *Loader) pull(ctx context.Context, k models.Known) (models.Weights, error) {
	client, err := l.Hub()
	if err != nil {
		return models.Weights{}, err
	}
	store := l.Store()
	if err := l.showLicence(store, k); err != nil {
		return models.Weights{}, err
	}
	source, err := store.Pull(ctx, k, client)
	l.tell.EndProgress()
	if err != nil {
		return source, err
	}
	if err := store.RecordHub(k, source); err != nil { // the licence will be shown again
		l.logger.WarnContext(ctx, "what was pulled can't be noted", "model", k.Name, "error", err)
	}
	return source, nil
}

// showLicence shows the licence of a model from the hub before its first use,
// even to who wants to hear nothing else: whoever uses the weights has to have
// seen it.
func (l *Loader) showLicence(store *models.Store, k models.Known) error {
	a, shown, err := store.HubRecord(k.Name)
	if err != nil || shown && a.LicenceShown == k.Licence.Name {
		return err
	}
	l.tell.Note("The weights of "+k.Name+" are under the licence "+k.Licence.Text()+".", true)
	return nil
}

// Verify reads a model's file again and holds it against what it must be.
func (l *Loader) Verify(ctx context.Context, name string) (Verified, error) {
	v := Verified{Name: name}
	client, err := l.Hub()
	if err != nil {
		return v, err
	}
	source, err := l.Store().Find(name, client)
	if err != nil {
		return v, err
	}
	v.File = source.File
	if v.SHA256, err = source.Check(ctx); err != nil {
		return v, err
	}
	v.Architecture, err = source.Inspect()
	return v, err
}

// Verified is what verifying a model's file came to.
type Verified struct {
	Name         string `json:"name"`
	File         string `json:"file"`
	SHA256       string `json:"sha256,omitempty"`
	Architecture string `json:"architecture,omitempty"`
	OK           bool   `json:"ok"`
	Problem      string `json:"problem,omitempty"`
}

// VerifyAll verifies the named models, or all that are here. A model that is not
// what it must be is among the results, and an error counts such; records that
// can't be read are in the error too. Without results there is only an error.
func (l *Loader) VerifyAll(ctx context.Context, names []string) ([]Verified, error) {
	var unreadable error
	if len(names) == 0 {
		var known []KnownOfModel
		if known, unreadable = l.AboutModels(); known == nil {
			return nil, unreadable
		}
		for _, k := range known {
			if k.Source != "built-in" && k.State != ModelNotPulled {
				names = append(names, k.Name)
			}
		}
	}
	defer l.tell.EndProgress()
	bad := 0
	results := make([]Verified, 0, len(names))
	for _, name := range names {
		l.tell.Progress("verify "+name, "", 0, 0)
		v, err := l.Verify(ctx, name)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if v.OK = err == nil; err != nil {
			v.Problem = err.Error()
			bad++
		}
		results = append(results, v)
	}
	if bad > 0 {
		return results, errors.Join(fmt.Errorf("%d of %d models are not what they must be", bad, len(results)), unreadable)
	}
	return results, unreadable
}

// Removed says what Remove did.
type Removed int

// What Remove does.
const (
	RemovedAdded   Removed = iota + 1 // a model of one's own
	RemovedRecord                     // what is noted of a pulled model
	RemovedWeights                    // that, and its weights in the hub's cache
)

// Remove removes an added model, or forgets a pulled one; its weights stay in the
// hub's cache, which other programs share, unless they are to go as well.
func (l *Loader) Remove(ctx context.Context, name string, weights bool) (Removed, error) {
	store := l.Store()
	if err := store.Remove(name); !errors.Is(err, palate.ErrNotFound) {
		return RemovedAdded, err
	}
	k, err := models.KnownModel(name)
	if err != nil {
		return 0, err
	}
	if !weights {
		return RemovedRecord, store.Forget(name)
	}
	client, err := l.Hub()
	if err != nil {
		return 0, err
	}
	file, err := store.Pinned(k)
	if err != nil {
		return 0, err
	}
	if err := client.Remove(ctx, file); err != nil {
		return 0, err
	}
	return RemovedWeights, store.Forget(name)
}
