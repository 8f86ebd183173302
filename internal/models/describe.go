package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ort"
)

// Draft is a description of an .onnx model with what its graph tells; the
// rest is for a person to fill in. It is not valid until then.
type Draft struct {
	// File is where the description belongs, beside the model.
	File string
	// Description has what the graph declares. Fit, Resample, Mean and Std
	// are never in a graph and are left empty.
	Description embedder.Description
	// Found and Open are what was read from the graph, and what is to be
	// filled in or looked at, in sentences.
	Found, Open []string
}

// DescribeONNX reads the graph of an .onnx file. One that has no picture as its
// input, or no output that an embedding could be taken from, is
// palate.ErrInvalid.
func DescribeONNX(path string) (Draft, error) {
	graph, err := ort.ReadModel(path)
	if err != nil {
		return Draft{}, err
	}
	inputs, outputs, err := ort.Declared(graph)
	if err != nil {
		return Draft{}, fmt.Errorf("%s: %w: %w", path, palate.ErrInvalid, err)
	}
	base := strings.TrimSuffix(path, filepath.Ext(path))
	d := Draft{File: base + ".json", Description: embedder.Description{Name: filepath.Base(base), Normalise: embedder.NormaliseL2, NumericClass: embedder.NumericFloat}}
	if err := errors.Join(d.input(inputs), d.output(outputs)); err != nil {
		return Draft{}, fmt.Errorf("%s: %w: %w", path, palate.ErrInvalid, err)
	}
	d.Open = append(d.Open,
		`fit, resample, mean and std stand in no graph: take them from where the model was published, or from its preprocessor_config.json. Many models have "fit": "crop", "crop_ratio": 0.875, "resample": "bicubic", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]; wrong ones embed wrongly without a sign.`,
		"licence: under which the weights are given out.")
	return d, nil
}

// input finds the picture among the inputs.
func (d *Draft) input(inputs []ort.IOInfo) error {
	var told []string
	for _, in := range inputs {
		told = append(told, fmt.Sprintf("%q (%s %v)", in.Name, in.ElementType, in.Shape))
	}
	if len(inputs) != 1 {
		return fmt.Errorf("its inputs are %s: palate gives a model a picture and nothing else, so export the part that sees the picture alone", strings.Join(told, ", "))
	}
	in := inputs[0]
	if !slices.Contains([]string{ort.Float32, ort.Float16, ort.Uint8}, in.ElementType) || len(in.Shape) != 4 {
		return fmt.Errorf("its input is %s: want float32, float16 or uint8 with four dimensions", told[0])
	}
	if in.ElementType == ort.Uint8 {
		d.Description.Std = [3]float64{1. / 255, 1. / 255, 1. / 255}
		d.Found = append(d.Found, "mean [0, 0, 0] and std 1/255, as the input takes values from 0 to 255")
	}
	described := embedder.InputDescription{Name: in.Name, Layout: embedder.LayoutNCHW}
	sides := in.Shape[2:]
	switch {
	case in.Shape[1] == 3:
	case in.Shape[3] == 3:
		described.Layout, sides = embedder.LayoutNHWC, in.Shape[1:3]
	default:
		d.Open = append(d.Open, `input.layout: the graph doesn't say where the three channels are; "nchw" is written, as most have it.`)
	}
	d.Found = append(d.Found, "input "+told[0])
	described.Height, described.Width = int(max(sides[0], 0)), int(max(sides[1], 0))
	if described.Height == 0 || described.Width == 0 {
		d.Open = append(d.Open, "input.width and input.height: the graph takes any size; say the one that the model was made for.")
	}
	d.Description.Input = described
	return nil
}

// output chooses the output that the embedding is most likely meant to be.
func (d *Draft) output(outputs []ort.IOInfo) error {
	const names = "image_embeds pooler_output embedding embeddings features feature last_hidden_state"
	best, score := -1, 0
	for i, out := range outputs {
		d.Found = append(d.Found, fmt.Sprintf("output %q (%s %v)", out.Name, out.ElementType, out.Shape))
		points := map[int]int{2: 30, 4: 20, 3: 10, 0: 1}[len(out.Shape)]
		if at := strings.Index(" "+names+" ", " "+out.Name+" "); at >= 0 {
			points += 9 - at/10
		}
		if out.ElementType == ort.Float32 && points > score {
			best, score = i, points
		}
	}
	if best < 0 {
		return fmt.Errorf("it has no output that an embedding could be taken from (%s): want float32 of two to four dimensions", strings.Join(d.Found, ", "))
	}
	out := outputs[best]
	d.Description.Output = embedder.OutputDescription{Name: out.Name, Pooling: embedder.PoolNone}
	switch len(out.Shape) {
	case 3:
		d.Description.Output.Pooling = embedder.PoolClass
		d.Open = append(d.Open, fmt.Sprintf(`output.pooling: %q are tokens; "cls" takes the first, "mean_patches" the mean of all after prefix_tokens. As the model was published.`, out.Name))
	case 4:
		d.Description.Output.Pooling = embedder.PoolMeanPlaces
	case 0:
		d.Open = append(d.Open, "output.pooling: the graph doesn't say the output's shape.")
	}
	if len(outputs) > 1 {
		d.Open = append(d.Open, fmt.Sprintf("output.name: of %d outputs %q is written; is it the one that the model's features are?", len(outputs), out.Name))
	}
	return nil
}

// Write writes the draft where it belongs. A description that is there is
// palate.ErrConflict and stays.
func (d Draft) Write() error {
	text, err := json.MarshalIndent(d.Description, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(d.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already and stays as it is; move it away to begin anew: %w", d.File, palate.ErrConflict)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	return errors.Join(err, file.Close())
}

// DescribeTensors says what a file of tensors, or a folder with one, is read
// as, and what of it is guessed. A model that would be refused is the error of
// Store.Add.
func DescribeTensors(path string) (architecture string, preprocessing *Preprocessing, guessed []string, err error) {
	r := Record{File: path, Kind: KindSafetensors}
	if err := r.readSafetensors(Addition{}); err != nil {
		return "", nil, nil, err
	}
	guessed, err = r.Guesses()
	return r.Architecture, r.Preprocessing, guessed, err
}

// Described is what Describe says: in sentences, and as it is printed as JSON.
type Described struct {
	Lines []string
	Value any
}

// Describe says what a model's file, or the one in a folder, is. Of an .onnx
// file it writes what its graph tells beside it, for a person to fill in the
// rest. The errors are those of FileIn, DescribeONNX, Draft.Write and
// DescribeTensors.
func Describe(path string) (Described, error) {
	file, err := FileIn(path)
	if err != nil {
		return Described{}, err
	}
	if !strings.EqualFold(filepath.Ext(file), ".onnx") {
		return describeTensors(file)
	}
	draft, err := DescribeONNX(file)
	if err == nil {
		err = draft.Write()
	}
	if err != nil {
		return Described{}, err
	}
	told := Described{Value: draft}
	for _, found := range draft.Found {
		told.Lines = append(told.Lines, "Found: "+found)
	}
	told.Lines = append(told.Lines, fmt.Sprintf("Written to %s. Before the model can be added, fill in or look at:", draft.File))
	for _, open := range draft.Open {
		told.Lines = append(told.Lines, "- "+open)
	}
	told.Lines = append(told.Lines, "Then: palate model add NAME "+file)
	return told, nil
}

func describeTensors(file string) (Described, error) {
	architecture, p, guessed, err := DescribeTensors(file)
	if err != nil {
		return Described{}, err
	}
	told := Described{Value: map[string]any{"file": file, "architecture": architecture, "preprocessing": p, "guessed": guessed}}
	told.Lines = append(told.Lines, file+": "+architecture,
		fmt.Sprintf("It is made for %d×%d, crop ratio %g, mean %v, deviation %v.", p.Size, p.Size, p.CropRatio, p.Mean, p.Std))
	if len(guessed) > 0 {
		told.Lines = append(told.Lines, fmt.Sprintf("Nobody says its %s: these are guessed, by what holds for most models.", strings.Join(guessed, ", ")))
	}
	told.Lines = append(told.Lines, "Add it with: palate model add NAME "+file)
	return told, nil
}
