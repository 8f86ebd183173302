package collection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"strings"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/vit"
)

// Loaded is a model, how it came to be chosen, and what loads it. What is known
// of a model from its embeddings in a collection is loaded no sooner than a
// picture is embedded. It is safe for concurrent use.
type Loaded struct {
	choice      choice
	precision   vit.Precision // what was asked for
	model       palate.ModelID
	dim         int
	description embedder.Description

	mu   sync.Mutex
	load func(context.Context) (*running, error)
	now  *running // nil until then
}

var _ embedder.PatchEmbedder = (*Loaded)(nil)

// running is a model that is loaded.
type running struct {
	*onnx.Embedder
	device ort.Choice // before the model was loaded on it
}

// loadedAs is a model that is loaded already.
func (l *Loader) loadedAs(now *running, c choice) *Loaded {
	return &Loaded{choice: c, precision: l.config.Precision, model: now.Model(), dim: now.Dim(), description: now.Description(), now: now}
}

// Load finds or fetches the runtime, decides on a model and loads it. used are
// the collection's models, if there is one.
// Weights that are named are downloaded; mayPull allows it where the choice is
// left open.
func (l *Loader) Load(ctx context.Context, used []Used, mayPull bool) (*Loaded, error) {
	now, c, err := l.run(ctx, func(device ort.Choice) (choice, error) { return l.choose(ctx, device, used, mayPull) }, false)
	if err != nil {
		return nil, err
	}
	if c.keeps != "" && now.Model() != c.keeps {
		return nil, errors.Join(otherWeights(now.Name(), c.keeps, now.Model(), c.settings), now.Close())
	}
	return l.loadedAs(now, c), nil
}

// LoadLater is Load for work with what is embedded: a model of the collection
// is loaded no sooner than it has to embed, and no weights are downloaded where
// the choice is left open. A model's file may have become another one meanwhile,
// and is loaded at once.
func (l *Loader) LoadLater(ctx context.Context, used []Used) (*Loaded, error) {
	u, found := l.usedAsAsked(used)
	if !found || models.IsFile(u.settings.Model) || u.description.Validate() != nil {
		return l.Load(ctx, used, false)
	}
	later := &Loaded{choice: l.choiceOf(u), precision: l.config.Precision, model: u.id, dim: u.dim, description: u.description}
	later.description.Rules = u.settings.Rules
	later.load = func(ctx context.Context) (*running, error) {
		now, c, err := l.run(ctx, chosen(u.settings), false)
		if err != nil {
			return nil, err
		}
		if now.Model() != u.id {
			return nil, errors.Join(otherWeights(now.Name(), u.id, now.Model(), c.settings), now.Close())
		}
		return now, nil
	}
	return later, nil
}

func otherWeights(name string, kept, here palate.ModelID, settings models.Settings) error {
	return fmt.Errorf("the collection's embeddings are by another %s (%.12s) than is here now (%.12s): bring back the former weights, or embed anew with --model %s: %w",
		name, kept, here, settings.Model, palate.ErrConflict)
}

// chosen is a choice that is made, whatever the device.
func chosen(settings models.Settings) func(ort.Choice) (choice, error) {
	return func(ort.Choice) (choice, error) { return choice{settings: settings}, nil }
}

// run loads the model that is chosen for the device, and gives the choice with
// nothing left open. With patches a transformer tells those too.
func (l *Loader) run(ctx context.Context, choose func(ort.Choice) (choice, error), patches bool) (*running, choice, error) {
	wanted, err := l.device()
	if err != nil {
		return nil, choice{}, err
	}
	rt, err := l.runtime(ctx)
	if err != nil {
		return nil, choice{}, err
	}
	device, err := rt.Choose(wanted)
	if err != nil {
		return nil, choice{}, err
	}
	c, err := choose(device)
	if err != nil {
		return nil, choice{}, err
	}
	config := onnx.DefaultConfig()
	config.Device = wanted
	e, settings, err := l.open(ctx, rt, c.settings, device, config, patches)
	if err != nil {
		return nil, choice{}, err
	}
	c.settings = settings
	return &running{e, device}, c, nil
}

// running is the model, which is loaded now if it isn't yet.
func (m *Loaded) running(ctx context.Context) (*running, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now == nil {
		now, err := m.load(ctx)
		if err != nil {
			return nil, err
		}
		m.now = now
	}
	return m.now, nil
}

// Settings are those that made the model, with nothing left open.
func (m *Loaded) Settings() models.Settings { return m.choice.settings }

// Advice is what whoever uses it may want to do instead; empty if nothing.
func (m *Loaded) Advice() string { return m.choice.advice }

// Model implements embedder.Embedder.
func (m *Loaded) Model() palate.ModelID { return m.model }

// Name implements embedder.Embedder.
func (m *Loaded) Name() string { return m.description.Name }

// Dim implements embedder.Embedder.
func (m *Loaded) Dim() int { return m.dim }

// Description is what the model was opened with; before it is loaded, what the
// catalog keeps of that.
func (m *Loaded) Description() embedder.Description { return m.description }

// Reading implements embedder.Embedder.
func (m *Loaded) Reading() picture.Reading { return m.description.Reading() }

// Prepare implements embedder.Embedder.
func (m *Loaded) Prepare(img image.Image) (embedder.Input, error) { return m.description.Prepare(img) }

// Provider implements embedder.Embedder; "not loaded" before the model is.
func (m *Loaded) Provider() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now == nil {
		return "not loaded"
	}
	return m.now.Provider()
}

// Embed implements embedder.Embedder.
func (m *Loaded) Embed(ctx context.Context, inputs []embedder.Input) ([]palate.Embedding, error) {
	now, err := m.running(ctx)
	if err != nil {
		return nil, err
	}
	return now.Embed(ctx, inputs)
}

// EmbedPatches implements embedder.PatchEmbedder.
func (m *Loaded) EmbedPatches(ctx context.Context, inputs []embedder.Input) ([]embedder.Patches, error) {
	now, err := m.running(ctx)
	if err != nil {
		return nil, err
	}
	return now.EmbedPatches(ctx, inputs)
}

// Pipeline is how the model embeds many pictures, see onnx.Embedder.
func (m *Loaded) Pipeline(ctx context.Context) (embedder.PipelineConfig, error) {
	now, err := m.running(ctx)
	if err != nil {
		return embedder.PipelineConfig{}, err
	}
	return now.Pipeline(ctx)
}

// Close frees the model. It must not be used any more.
func (m *Loaded) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now == nil {
		m.load = func(context.Context) (*running, error) {
			return nil, fmt.Errorf("model %s is closed: %w", m.description.Name, palate.ErrInvalid)
		}
		return nil
	}
	return m.now.Close()
}

// device is what was asked to compute on.
func (l *Loader) device() (ort.Device, error) {
	d, err := ort.ParseDevice(cmp.Or(l.config.Device, ort.DeviceAuto))
	if err != nil {
		return d, asked(err)
	}
	if l.config.GPUMemoryBytes < 0 {
		return d, askedf("--gpu-memory is %d, want the mebibytes that a GPU may give", l.config.GPUMemoryBytes>>20)
	}
	d.MemoryLimitBytes = l.config.GPUMemoryBytes
	return d, nil
}

// open loads a model by its settings, and gives them with all that was left
// open filled in.
func (l *Loader) open(ctx context.Context, rt *ort.Runtime, settings models.Settings, device ort.Choice, config onnx.Config, patches bool) (*onnx.Embedder, models.Settings, error) {
	if err := settings.Validate(); err != nil {
		return nil, settings, err
	}
	fixed := settings.Model == models.Baseline || models.IsFile(settings.Model)
	if fixed && settings.Numeric == embedder.NumericFloat {
		settings.Numeric = "" // it is what it is
	}
	settings.Rules = settings.Rules.OrCurrent()
	if fixed && settings != (models.Settings{Model: settings.Model, Rules: settings.Rules}) {
		return nil, settings, askedf("--size, --fit, --pool, --resample and --precision go with a transformer's weights, not with %s", settings.Model)
	}
	switch {
	case strings.EqualFold(filepath.Ext(settings.Model), ".safetensors"):
		return nil, settings, askedf("--model takes a name: first palate model add NAME %s, then --model NAME", settings.Model)
	case settings.Model == models.Baseline:
		graph, description := baseline.Model()
		e, err := onnx.Open(ctx, rt, graph, description.By(settings.Rules), config)
		return e, settings, err
	case fixed:
		e, err := onnx.OpenFile(ctx, rt, settings.Model, settings.Rules, config)
		return e, settings, err
	}
	source, err := l.Source(ctx, settings.Model)
	if err != nil {
		return nil, settings, err
	}
	precision := l.precision(settings, device)
	if precision == vit.Int8 && device.Kind != ort.DeviceCPU {
		return nil, settings, askedf("int8 is computed on a CPU alone: add --device cpu")
	}
	built, err := source.Build(ctx, settings, models.Target{Precision: precision, Device: device.Kind, Patches: patches})
	if err != nil {
		return nil, settings, err
	}
	e, err := onnx.OpenModel(ctx, rt, built.Model, config)
	return e, built.Settings, err
}

// Source finds a model by its name; a known one whose weights are not here is
// downloaded.
func (l *Loader) Source(ctx context.Context, name string) (models.Weights, error) {
	store := l.Store()
	if _, err := store.Local(name); errors.Is(err, palate.ErrNotFound) {
		if k, err := models.KnownModel(name); err == nil {
			return l.pull(ctx, k)
		}
		if o, offered := models.OfferNamed(name); offered {
			if _, err := l.PullOffer(ctx, o); err != nil {
				return models.Weights{}, err
			}
		}
	}
	client, err := l.Hub()
	if err != nil {
		return models.Weights{}, err
	}
	return store.Find(name, client)
}

// precision is what to compute in, where that is left open: float16 halves the
// work of a GPU and is the same function.
func (l *Loader) precision(settings models.Settings, device ort.Choice) vit.Precision {
	switch {
	case l.config.Precision != "":
		return l.config.Precision
	case settings.Numeric == embedder.NumericInt8:
		return vit.Int8
	case device.Kind == ort.DeviceCPU:
		return vit.Float32
	}
	return vit.Float16
}

// Tell says what was chosen and where it runs.
func (m *Loaded) Tell(ctx context.Context, t Teller) error {
	now, err := m.running(ctx)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("Model %s", m.Name())
	if in := m.Description().Input; m.choice.settings.Size != 0 {
		text += fmt.Sprintf(" at %d×%d, fit %s, pool %s", in.Width, in.Height, m.choice.settings.Fit, m.choice.settings.Pool)
	}
	text += " on " + now.Provider()
	switch device := now.Device(); {
	case device.Why == "":
	case device.Kind == ort.DeviceCPU && now.device.Kind == ort.DeviceCPU:
		text += " (no GPU that it could use; palate doctor says why)"
	default:
		text += " (" + device.Why + ")"
	}
	t.Note(text, false)
	if m.choice.advice != "" {
		note(t, "Note: %s", m.choice.advice)
	}
	return nil
}
