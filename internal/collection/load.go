package collection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/vit"
)

// Loaded is a loaded model and how it came to be chosen.
type Loaded struct {
	*onnx.Embedder
	choice choice
	device ort.Choice // before the model was loaded on it

	runtime   *ort.Runtime
	config    onnx.Config
	precision vit.Precision // what was asked for
}

// Load finds or fetches the runtime, decides on a model and loads it. used are
// the collection's models, if there is one.
// Weights that are named are downloaded; mayPull allows it where the choice is
// left open.
func (l *Loader) Load(ctx context.Context, used []Used, mayPull bool) (*Loaded, error) {
	wanted, err := l.device()
	if err != nil {
		return nil, err
	}
	rt, err := l.runtime(ctx)
	if err != nil {
		return nil, err
	}
	device, err := rt.Choose(wanted)
	if err != nil {
		return nil, err
	}
	c, err := l.choose(ctx, device, used, mayPull)
	if err != nil {
		return nil, err
	}
	config := onnx.DefaultConfig()
	config.Device = wanted
	e, settings, err := l.open(ctx, rt, c.settings, device, config, false)
	if err != nil {
		return nil, err
	}
	opened := &Loaded{e, c, device, rt, config, l.config.Precision}
	if c.keeps != "" && e.Model() != c.keeps {
		return nil, errors.Join(fmt.Errorf("the collection's embeddings are by another %s (%.12s) than is here now (%.12s): bring back the former weights, or embed anew with --model %s: %w",
			e.Name(), c.keeps, e.Model(), settings.Model, palate.ErrConflict), e.Close())
	}
	opened.choice.settings = settings
	return opened, nil
}

// Settings are those that made the model, with nothing left open.
func (m *Loaded) Settings() models.Settings { return m.choice.settings }

// Advice is what whoever uses it may want to do instead; empty if nothing.
func (m *Loaded) Advice() string { return m.choice.advice }

// beside loads another model where this one is.
func (m *Loaded) beside(ctx context.Context, l *Loader, settings models.Settings) (*Loaded, error) {
	e, settings, err := l.open(ctx, m.runtime, settings, m.device, m.config, false)
	if err != nil {
		return nil, err
	}
	return &Loaded{e, choice{settings: settings}, m.device, m.runtime, m.config, m.precision}, nil
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
// open filled in. With patches a transformer tells those too.
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
func (m *Loaded) Tell(t Teller) {
	text := fmt.Sprintf("Model %s", m.Name())
	if in := m.Description().Input; m.choice.settings.Size != 0 {
		text += fmt.Sprintf(" at %d×%d, fit %s, pool %s", in.Width, in.Height, m.choice.settings.Fit, m.choice.settings.Pool)
	}
	text += " on " + m.Provider()
	switch now := m.Device(); {
	case now.Why == "":
	case now.Kind == ort.DeviceCPU && m.device.Kind == ort.DeviceCPU:
		text += " (no GPU that it could use; palate doctor says why)"
	default:
		text += " (" + now.Why + ")"
	}
	t.Note(text, false)
	if m.choice.advice != "" {
		note(t, "Note: %s", m.choice.advice)
	}
}
