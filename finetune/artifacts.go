package finetune

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/vit"
)

// The files of Artifacts.
const (
	trainingFile   = "training_model.onnx"
	evaluationFile = "eval_model.onnx"
	optimizerFile  = "optimizer_model.onnx"
	readmeFile     = "README.md"
)

// Artifacts says what WriteArtifacts wrote.
type Artifacts struct {
	Folder  string   `json:"folder"`
	Files   []string `json:"files"`
	Trained int      `json:"trained"` // parameters that change, numbers
	Frozen  int      `json:"frozen"`  // parameters that stay
	// TrainedTensors and FrozenTensors are the same by their names.
	TrainedTensors []string `json:"trained_tensors"`
	FrozenTensors  []string `json:"frozen_tensors"`
}

// WriteArtifacts writes the three graphs, a checkpoint to begin from, with the
// head at zero, and a README that says how any ONNX Runtime runs them, into a
// folder, which is made. The weights are m's no more. A folder that holds
// artifacts of ONNX Runtime's own former training API, or of another training,
// is palate.ErrConflict.
func WriteArtifacts(ctx context.Context, folder string, m *vit.Trainable, plan Plan) (Artifacts, error) {
	a := Artifacts{Folder: folder, Files: []string{trainingFile, evaluationFile, optimizerFile, tensorsFile, checkpointFile, readmeFile}}
	if err := plan.Validate(m); err != nil {
		return a, err
	}
	if err := free(folder); err != nil {
		return a, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return a, err
	}
	optimizer, err := plan.optimizerGraph(m)
	if err != nil {
		return a, err
	}
	for _, g := range []struct {
		name  string
		model *onnxgraph.Model
	}{{trainingFile, plan.trainingTape(m).Model()}, {evaluationFile, plan.evaluationTape(m).Model()}, {optimizerFile, optimizer}} {
		if err := ctx.Err(); err != nil {
			return a, err
		}
		bytes, err := g.model.Marshal()
		if err != nil {
			return a, fmt.Errorf("fine-tuning: %s: %w", g.name, err)
		}
		if _, err := writeWhole(filepath.Join(folder, g.name), func(w io.Writer) error { _, err := w.Write(bytes); return err }); err != nil {
			return a, err
		}
	}
	t := &Trainer{plan: plan, model: m, parameters: plan.parameters(m), state: make(map[string]ort.Tensor)}
	if err := t.begin(); err != nil {
		return a, err
	}
	for _, p := range t.parameters {
		if n := len(t.state[p.Name].Data); p.trained {
			a.Trained += n
			a.TrainedTensors = append(a.TrainedTensors, p.Name)
		} else {
			a.Frozen += n
			a.FrozenTensors = append(a.FrozenTensors, p.Name)
		}
	}
	if _, err := writeWhole(filepath.Join(folder, readmeFile), func(w io.Writer) error { _, err := io.WriteString(w, a.readme(plan, m)); return err }); err != nil {
		return a, err
	}
	state, err := t.saveState(folder, tensorsFile, 0)
	if err != nil {
		return a, err
	}
	return a, t.writeJSON(folder, Checkpoint{Begun: "artifacts", State: state, Best: state})
}

func elements(shape []int64) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return n
}

// free refuses a folder in which files of these names are somebody else's.
func free(folder string) error {
	if _, err := os.Stat(filepath.Join(folder, checkpointFile)); err == nil {
		return fmt.Errorf("%s holds a training already: give another folder: %w", folder, palate.ErrConflict)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, name := range []string{trainingFile, evaluationFile, optimizerFile, "checkpoint"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			return fmt.Errorf("%s holds %s of another program, as ONNX Runtime's own former training API wrote (it was given up with version 1.20; its files are not read here): give another folder: %w", folder, name, palate.ErrConflict)
		}
	}
	return nil
}

// readme says how to run the graphs.
func (a Artifacts) readme(plan Plan, m *vit.Trainable) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("# Training artifacts of %s", m.Architecture)
	say("")
	say("Batches of %d pictures of %d × %d pixels. %d numbers are trained, %d are frozen. All tensors are float32, all operators are ai.onnx, opset 20: any ONNX Runtime from 1.17 on runs the three models.", plan.Batch, m.Width, m.Height, a.Trained, a.Frozen)
	if m.Licence != "" {
		say("")
		say("The weights to begin with are given out under the licence %s. What is trained from them stays under it.", m.Licence)
	}
	say("")
	say("One step:")
	say("")
	say("1. Run `%s` with", trainingFile)
	say("   `%s` [%d, 3, %d, %d], pixels brought to the model's mean and standard deviation;", inImages, plan.Batch, m.Height, m.Width)
	say("   `%s` [%d], 1 for a like and 0 for a dislike; `%s` [%d], 1 for a picture and 0 for a place that is not used;", inLabels, plan.Batch, inSampleWeights, plan.Batch)
	say("   `%s` [2], of a dislike and of a like; `%s` [1], the sum of the weights of the whole batch; `%s` [1], 1 unless gradients are to be scaled;", inClassWeights, inTotalWeight, inLossScale)
	if plan.DropPath {
		say("   `%s` [%d, 2, %d], for each block, branch and picture 0 where the branch is left out, else 1/(1 − share);", inDropPath, m.Architecture.Depth, plan.Batch)
	}
	say("   and every parameter under its name. It gives `%s` [1], `%s` [%d, 2] and NAME%s for every trained parameter.", outLoss, outLogits, plan.Batch, gradientSuffix)
	say("   To accumulate, run it several times with the same `%s` and add the gradients up.", inTotalWeight)
	say("2. Run `%s` with `%s` [1], `%s` [1], counted from 1, `%s` [1] as above and, for every trained parameter, NAME, NAME%s, NAME%s, NAME%s. It gives NAME%s, NAME%s%s, NAME%s%s and `%s` [1].", optimizerFile,
		inLearningRate, inStep, inLossScale, gradientSuffix, momentSuffix, squaresSuffix, nextSuffix, momentSuffix, nextSuffix, squaresSuffix, nextSuffix, outNorm)
	say("   Each of them may be written over what it comes from: no operator reads a former value after the new one is written. Leave a step out whose `%s` is not finite.", outNorm)
	say("")
	say("`%s` takes `%s` and the parameters and gives `%s`. `%s` holds the parameters and moments to begin with, the head at zero.", evaluationFile, inImages, outLogits, tensorsFile)
	if len(a.FrozenTensors) > 0 {
		say("")
		say("Frozen: %s.", strings.Join(a.FrozenTensors, ", "))
	}
	return b.String()
}

// Export gives the model as it stands, under its published names and in its
// published shapes, without the head: safetensors' tensors to write. Changes
// of low rank are added to what they change.
func (t *Trainer) Export() []safetensors.Values {
	var out []safetensors.Values
	for _, p := range t.parameters[:len(t.model.Parameters)] {
		data := t.state[p.Name].Data
		if down, there := t.state[p.Name+vit.LowRankDown]; there {
			data = changed(data, t.state[p.Name+vit.LowRankUp], down)
		}
		out = append(out, safetensors.Values{Name: p.Name, Shape: p.Shape, Data: data})
	}
	return out
}

// changed is weight + up·down, row by row.
func changed(weight []float32, up, down ort.Tensor) []float32 {
	rank, width := int(down.Shape[0]), int(down.Shape[1])
	out := make([]float32, len(weight))
	sums := make([]float64, width)
	for row := range int(up.Shape[0]) {
		for i, w := range weight[row*width : (row+1)*width] {
			sums[i] = float64(w)
		}
		for r := range rank {
			factor := float64(up.Data[row*rank+r])
			for i, d := range down.Data[r*width : (r+1)*width] {
				sums[i] += factor * float64(d)
			}
		}
		for i, s := range sums {
			out[row*width+i] = float32(s)
		}
	}
	return out
}
