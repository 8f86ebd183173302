package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/vit"
)

// Built is a model and how it was made.
type Built struct {
	embedder.Model
	// Settings are those asked for with all that was open filled in.
	Settings Settings
}

// smallSize is the input on a CPU where none is chosen: there the published
// 518 pixels cost eight times as much.
const smallSize = 224

// Target is what a graph is made for. It does not change the function, except
// that vit.Int8 is another one.
type Target struct {
	Precision vit.Precision
	Device    string // its kind, ort.DeviceCPU or another
	// Patches asks for the patches' tokens as an output of their own, which
	// costs time in models that are not pooled over them. A foreign model has
	// it or not.
	Patches bool
}

// Build makes the model's graph. What of settings is open is filled in by the
// publisher's word, the size by the kind of device. It reads the whole file
// and holds it against its hash: another file is palate.ErrInvalid, as are
// settings that the model can't have; one that is gone is palate.ErrNotFound.
func (m Weights) Build(ctx context.Context, settings Settings, target Target) (Built, error) {
	if err := settings.Validate(); err != nil {
		return Built{}, err
	}
	settings.Model = m.Name
	settings = settings.Or(m.Defaults)
	if m.Kind == KindONNX {
		return m.buildONNX(ctx, settings)
	}
	file, err := m.open(ctx)
	if err != nil {
		return Built{}, err
	}
	defer file.Close()
	architecture, err := m.read(file, settings.Rules)
	if err != nil {
		return Built{}, fmt.Errorf("model %s: %s: %w", m.Name, m.File, err)
	}
	o := vit.Options{Name: m.Name, Licence: m.Licence.Name, Width: settings.Size, Height: settings.Size, Fit: settings.Fit,
		Pool: settings.Pool, Rules: settings.Rules.OrCurrent(), Tokens: target.Patches, Precision: target.Precision, Resampling: settings.Resample}
	if size := defaultSize(architecture, target.Device); settings.Size == 0 {
		o.Width, o.Height = size, size
	}
	o = o.Fill(architecture)
	model, err := vit.Build(ctx, file, architecture, o)
	if err != nil {
		return Built{}, err
	}
	return Built{Model: model, Settings: Settings{
		Model: m.Name, Size: o.Width, Fit: o.Fit, Pool: o.Pool, Resample: o.Resampling, Numeric: model.Description.NumericClass, Rules: o.Rules,
	}}, nil
}

// buildONNX is for a foreign model, which is as it is.
func (m Weights) buildONNX(ctx context.Context, settings Settings) (Built, error) {
	settings.Rules = settings.Rules.OrCurrent()
	if settings != (Settings{Model: m.Name, Rules: settings.Rules}) {
		return Built{}, fmt.Errorf("model %s is an .onnx file: its size, fit, pooling and precision are what its description says: %w", m.Name, palate.ErrInvalid)
	}
	if _, err := m.Check(ctx); err != nil {
		return Built{}, err
	}
	d := *m.Description
	d.Rules = settings.Rules
	return Built{Model: embedder.Model{File: m.File, Description: d}, Settings: settings}, nil
}

func defaultSize(a vit.Architecture, device string) int {
	published := a.Preprocessing.Size
	if device != ort.DeviceCPU || published <= smallSize {
		return published
	}
	return max(1, smallSize/a.PatchSize) * a.PatchSize
}

// open opens a file of tensors and holds it against its hash.
func (m Weights) open(ctx context.Context) (tensorsFile, error) {
	file, err := openTensors(m.File)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	sum, err := file.SHA256(ctx)
	if err == nil && m.SHA256 != "" && hex.EncodeToString(sum[:]) != m.SHA256 {
		err = m.damaged(hex.EncodeToString(sum[:]))
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	return file, nil
}

// inspect reads the architecture of a file of tensors.
func (m Weights) inspect() (vit.Architecture, error) {
	file, err := openTensors(m.File)
	if err != nil {
		return vit.Architecture{}, err
	}
	defer file.Close()
	architecture, err := m.read(file, picture.Current())
	if err != nil {
		return architecture, fmt.Errorf("%s: %w", m.File, err)
	}
	return architecture, nil
}

// Used says how pictures come to the model at the size that is chosen on a
// kind of device, which may be another than it was published for. An .onnx
// model's is its description.
func (m Weights) Used(device string) (embedder.Description, error) {
	if m.Kind == KindONNX {
		return *m.Description, nil
	}
	architecture, err := m.inspect()
	if err != nil {
		return embedder.Description{}, err
	}
	size := defaultSize(architecture, device)
	if m.Defaults.Size != 0 {
		size = m.Defaults.Size
	}
	return vit.Describe([sha256.Size]byte{}, architecture, vit.Options{Name: m.Name, Width: size, Height: size, Fit: m.Defaults.Fit, Pool: m.Defaults.Pool})
}

// read reads the architecture as the rules have it.
func (m Weights) read(file vit.Tensors, rules picture.Rules) (vit.Architecture, error) {
	if rules.Has(picture.AsPublished) {
		return vit.Inspect(file, m.Configs...)
	}
	configs := m.Configs
	if m.FormerConfigs != nil {
		configs = m.FormerConfigs
	}
	return vit.InspectFormer(file, configs...)
}

// Inspect says what the model's file holds, in one line for people. A file
// that palate can't embed with is palate.ErrInvalid.
func (m Weights) Inspect() (string, error) {
	if m.Kind == KindONNX {
		return onnxText(*m.Description), m.Description.Validate()
	}
	architecture, err := m.inspect()
	if err != nil {
		return "", err
	}
	return architecture.String(), nil
}

func onnxText(d embedder.Description) string {
	return fmt.Sprintf("ONNX, input %d×%d", d.Input.Width, d.Input.Height)
}
