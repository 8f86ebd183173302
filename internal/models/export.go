package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/vit"
)

// The files of an export.
const (
	exportedTensors     = "model.safetensors"
	exportedConfig      = "config.json"
	exportedGraph       = "model.onnx"
	exportedDescription = "model.json"
	exportedReadme      = "README.md"
)

// The metadata of a .safetensors file that say what the weights are under.
const (
	metadataLicence     = "license"
	metadataLicenceLink = "license_link"
)

// ExportKinds are what a model is exported as, by the kinds of its file.
func ExportKinds() []string { return []string{KindSafetensors, KindONNX} }

// Exported says what Export wrote.
type Exported struct {
	Model    string   `json:"model"`
	Folder   string   `json:"folder"`
	Files    []string `json:"files"`
	Licence  string   `json:"licence,omitempty"`
	Parents  []string `json:"parents,omitempty"` // of a fine-tuned model, the nearest first
	Settings Settings `json:"settings"`          // with which the files give what the model gives here
	// Architecture is timm's name; empty without a .safetensors file, or where
	// the model's own configuration holds.
	Architecture string `json:"architecture,omitempty"`
}

// Export writes a model for other programs into a folder, which is made: its
// tensors under timm's names with config.json, an ONNX graph of standard
// operators with its description, and README.md. What settings leave open is
// as the model was trained or published; the position embedding is for their
// size. Each file is whole or not there.
//
// Errors: palate.ErrConflict if one of the files is there, palate.ErrInvalid
// for an .onnx model and for what can't be written so.
func (m Weights) Export(ctx context.Context, folder string, settings Settings, kinds []string) (Exported, error) {
	e, err := m.export(ctx, folder, settings, kinds)
	if err != nil {
		return e, fmt.Errorf("export model %s: %w", m.Name, err)
	}
	return e, nil
}

func (m Weights) export(ctx context.Context, folder string, settings Settings, kinds []string) (Exported, error) {
	if m.Kind == KindONNX {
		return Exported{}, fmt.Errorf("it is the file %s with a description beside it: take these: %w", m.File, palate.ErrInvalid)
	}
	for _, kind := range kinds {
		if !slices.Contains(ExportKinds(), kind) {
			return Exported{}, fmt.Errorf("%q is none of %s: %w", kind, strings.Join(ExportKinds(), ", "), palate.ErrInvalid)
		}
	}
	for _, name := range []string{exportedTensors, exportedConfig, exportedGraph, exportedDescription, exportedReadme} {
		if _, err := os.Lstat(filepath.Join(folder, name)); !errors.Is(err, fs.ErrNotExist) {
			return Exported{}, fmt.Errorf("%s is there already: give another folder: %w", filepath.Join(folder, name), errors.Join(err, palate.ErrConflict))
		}
	}
	x, err := m.openExport(ctx, settings)
	if err != nil {
		return Exported{}, err
	}
	defer x.file.Close()
	x.Folder = folder
	if slices.Contains(kinds, KindSafetensors) {
		err = x.safetensors(ctx)
	}
	if err == nil && slices.Contains(kinds, KindONNX) {
		err = x.onnx(ctx)
	}
	if err == nil {
		err = x.write(exportedReadme, func(w io.Writer) error { _, err := io.WriteString(w, x.readme()); return err })
	}
	return x.Exported, err
}

// exporting is an export that is under way.
type exporting struct {
	Exported
	weights      Weights
	file         tensorsFile
	architecture vit.Architecture
	options      vit.Options
}

func (m Weights) openExport(ctx context.Context, settings Settings) (*exporting, error) {
	settings.Model = m.Name
	settings = settings.Or(m.Defaults)
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	if settings.Numeric == embedder.NumericInt8 {
		return nil, fmt.Errorf("the weights are written as they are, and in whole numbers they are another function: %w", palate.ErrInvalid)
	}
	file, err := m.open(ctx)
	if err != nil {
		return nil, err
	}
	a, err := m.read(file, settings.Rules.OrCurrent())
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	o := vit.Options{Name: m.Name, Licence: m.Licence.Name, Width: settings.Size, Height: settings.Size, Fit: settings.Fit, Pool: settings.Pool,
		Resampling: settings.Resample, Rules: settings.Rules.OrCurrent(), Form: vit.Plain}
	if settings.Size == 0 {
		o.Width, o.Height = a.GridColumns*a.PatchSize, a.GridRows*a.PatchSize
	}
	o = o.Fill(a)
	settings.Size, settings.Fit, settings.Pool, settings.Resample, settings.Rules = o.Width, o.Fit, o.Pool, o.Resampling, o.Rules
	settings.Numeric = embedder.NumericFloat
	x := &exporting{Exported: Exported{Model: m.Name, Licence: m.Licence.Text(), Settings: settings}, weights: m, file: file, architecture: a, options: o}
	if m.Tuned != nil {
		x.Parents = m.Tuned.Parents
	}
	return x, nil
}

func (x *exporting) write(name string, content func(io.Writer) error) error {
	if err := os.MkdirAll(x.Folder, 0o755); err != nil {
		return err
	}
	if err := atomicfile.Write(filepath.Join(x.Folder, name), 0o644, content); err != nil {
		return err
	}
	x.Files = append(x.Files, name)
	return nil
}

// safetensors writes the tensors and their configuration.
func (x *exporting) safetensors(ctx context.Context) error {
	m, err := vit.WriteForTimm(ctx, x.file, x.architecture, x.options)
	if err != nil {
		return err
	}
	x.Architecture = m.Architecture
	if m.Config == nil {
		if m.Config, err = merged(x.weights.Configs); err != nil {
			return err
		}
	}
	about := map[string]string{"format": "pt"}
	if len(x.Parents) > 0 {
		about["base_model"] = x.Parents[0]
	}
	for name, value := range map[string]string{metadataLicence: x.weights.Licence.Name, metadataLicenceLink: x.weights.Licence.URL} {
		if value != "" {
			about[name] = value
		}
	}
	if err := x.write(exportedTensors, func(w io.Writer) error { return safetensors.Write(w, m.Tensors, about) }); err != nil {
		return err
	}
	return x.write(exportedConfig, func(w io.Writer) error { _, err := w.Write(append(m.Config, '\n')); return err })
}

// merged is one configuration that says what several do, later over earlier.
func merged(configs [][]byte) ([]byte, error) {
	all := map[string]json.RawMessage{}
	for _, text := range configs {
		var one map[string]json.RawMessage
		if err := json.Unmarshal(text, &one); err != nil {
			return nil, fmt.Errorf("its configuration: %w: %w", palate.ErrInvalid, err)
		}
		maps.Copy(all, one)
	}
	return json.MarshalIndent(all, "", "  ")
}

// onnx writes a graph of operators that any runtime has, and its description.
func (x *exporting) onnx(ctx context.Context) error {
	model, err := vit.Build(ctx, x.file, x.architecture, x.options)
	if err != nil {
		return err
	}
	if model.Tables != nil {
		return fmt.Errorf("fit %s shows every picture in its own shape, for which a graph takes tables that palate makes: choose crop or stretch: %w", x.options.Fit, palate.ErrInvalid)
	}
	d := model.Description
	if len(x.Parents) > 0 {
		d.Version = "fine-tuned from " + x.Parents[0]
	}
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	if err := x.write(exportedGraph, func(w io.Writer) error { _, err := w.Write(model.Graph); return err }); err != nil {
		return err
	}
	return x.write(exportedDescription, func(w io.Writer) error { _, err := w.Write(append(text, '\n')); return err })
}

// readme says what the files are and how they are used.
func (x *exporting) readme() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("# %s", x.Model)
	say("")
	say("%s.", x.architecture)
	if len(x.Parents) > 0 {
		say("Fine-tuned by palate from %s.", strings.Join(x.Parents, ", which was fine-tuned from "))
	}
	if x.Licence != "" {
		say("")
		say("The weights are under the licence %s. What was trained from weights stays under theirs.", x.Licence)
	}
	o := x.options
	say("")
	say("Pictures come to it at %d×%d pixels, fit %s; its embedding is pool %s, brought to length 1.", o.Width, o.Height, o.Fit, o.Pool)
	if slices.Contains(x.Files, exportedTensors) {
		say("")
		say("- `%s` has the tensors under timm's names, float32, without a classifier; `%s` says how timm builds the model: `timm.create_model(\"local-dir:FOLDER\", pretrained=True)`, whose output has to be brought to length 1.", exportedTensors, exportedConfig)
		if o.Pool == vit.PoolBoth {
			say("  timm has no pool of the class token followed by the mean of the patches: there it gives the class token alone.")
		}
		say("  palate takes them back by `palate model add NAME FOLDER`, to be used with `--size %d --fit %s --pool %s`.", o.Width, o.Fit, o.Pool)
	}
	if slices.Contains(x.Files, exportedGraph) {
		say("")
		say("- `%s` is the graph in standard ONNX operators, `%s` how pictures come to it: `palate model add NAME FOLDER/%s`.", exportedGraph, exportedDescription, exportedGraph)
	}
	return b.String()
}
