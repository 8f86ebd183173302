// Finetune measures what a step of fine-tuning costs on the CPU: DINOv2 of the
// published shapes with random weights, its step against its own way forward,
// the memory against what is live at once at the least, and what is gained by
// keeping the tokens before the last two blocks. Each model is measured in a
// process of its own, as peaks of memory are of processes; where python3 has
// PyTorch and timm, the same step is measured there too.
//
// Usage: go run ./bench/finetune [--models S@224:8,B@224:2] [--checkpoint-blocks] [--rounds 5] [--json]
package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/palate-art/palate/bench/dinov2"
	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/tuning"
	"github.com/palate-art/palate/internal/vit"
)

// torchProgram is the yardstick, a program of its own and no part of palate.
//
//go:embed torch_yardstick.py
var torchProgram string

type options struct {
	json, torch, kept, blocks bool
	precision                 string
	models, child             string
	rounds                    int
	dir, python               string
}

func main() {
	var o options
	flag.BoolVar(&o.json, "json", false, "print the result as JSON")
	flag.StringVar(&o.models, "models", "S@224:8,B@224:2", "models: S, B or L, @, the input's side, a colon, pictures a step")
	flag.IntVar(&o.rounds, "rounds", 5, "how often everything is measured")
	flag.BoolVar(&o.blocks, "checkpoint-blocks", false, "compute each block twice")
	flag.BoolVar(&o.kept, "kept", true, "measure the training of the last two blocks on kept tokens, of the first model")
	flag.BoolVar(&o.torch, "torch", true, "measure PyTorch beside it where python3 has it")
	flag.StringVar(&o.python, "python", "python3", "the Python that has PyTorch and timm")
	flag.StringVar(&o.precision, "precision", string(finetune.BestPrecision()), "of products of matrices: float32, bfloat16x3, bfloat16")
	flag.StringVar(&o.dir, "dir", filepath.Join(os.TempDir(), "palate-bench"), "where random weights are kept")
	flag.StringVar(&o.child, "child", "", "measure one model; for this program's own use")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/finetune:", err)
		os.Exit(1)
	}
}

// result is of one model. Seconds are medians.
type result struct {
	Model   string  `json:"model"`
	Batch   int     `json:"batch"`
	Blocks  bool    `json:"checkpoint_blocks"`
	Forward float64 `json:"forward_seconds"` // of the whole batch, in the training form
	Run     float64 `json:"gradients_seconds"`
	Step    float64 `json:"step_seconds"` // gradients and optimizer
	Ratio   float64 `json:"step_over_forward"`
	Back    float64 `json:"gradients_over_forward"`
	Rate    float64 `json:"pictures_a_second"`
	Peak    int64   `json:"peak_bytes"`    // of the process
	Live    int64   `json:"live_bytes"`    // at once in one run, at the least
	Planned int64   `json:"planned_bytes"` // by the shapes: that, with parameters, moments, gradients and the best state
	Kept    *kept   `json:"last_2_kept,omitempty"`
}

// kept are pictures a second of whole epochs, judging included.
type kept struct {
	Whole float64 `json:"whole_pictures_a_second"` // all blocks trained
	First float64 `json:"first_epoch_pictures_a_second"`
	Later float64 `json:"later_epochs_pictures_a_second"`
	Gain  float64 `json:"later_over_whole"`
}

func run(ctx context.Context, o options) error {
	if o.child != "" {
		r, err := measure(ctx, o)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	self, err := os.Executable()
	if err == nil {
		err = os.MkdirAll(o.dir, 0o755)
	}
	if err != nil {
		return err
	}
	var all []result
	for i, spec := range strings.Split(o.models, ",") {
		out, err := exec.CommandContext(ctx, self, "--child", spec, "--rounds", strconv.Itoa(o.rounds), "--precision", o.precision, "--dir", o.dir, "--checkpoint-blocks="+strconv.FormatBool(o.blocks), "--kept="+strconv.FormatBool(o.kept && i == 0)).Output()
		if err != nil {
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				err = fmt.Errorf("%w: %s", err, exit.Stderr)
			}
			return fmt.Errorf("%s: %w", spec, err)
		}
		var r result
		if err := json.Unmarshal(out, &r); err != nil {
			return err
		}
		if all = append(all, r); !o.json {
			r.print()
		}
	}
	var yardstick []json.RawMessage
	var why string
	if o.torch {
		yardstick, why = torch(ctx, o)
	}
	if o.json {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", " ")
		return encoder.Encode(map[string]any{"models": all, "torch": yardstick, "no_torch": why})
	}
	for _, line := range yardstick {
		fmt.Println(string(line))
	}
	if why != "" {
		fmt.Println("no PyTorch:", why)
	}
	return nil
}

func (r result) print() {
	way := ""
	if r.Blocks {
		way = ", blocks twice"
	}
	fmt.Printf("%s, %d a step%s: forward %.3f s, gradients %.3f s (× %.2f), step %.3f s (× %.2f), %.2f pictures/s, peak %.0f MB, live at least %.0f MB, planned with %.0f MB\n",
		r.Model, r.Batch, way, r.Forward, r.Run, r.Back, r.Step, r.Ratio, r.Rate, float64(r.Peak)/1e6, float64(r.Live)/1e6, float64(r.Planned)/1e6)
	if k := r.Kept; k != nil {
		fmt.Printf("  last:2 on kept tokens: %.2f pictures/s in the first epoch, %.2f later; all blocks %.2f: × %.1f\n", k.First, k.Later, k.Whole, k.Gain)
	}
}

// torch runs the yardstick; why says why there are no results.
func torch(ctx context.Context, o options) (results []json.RawMessage, why string) {
	cmd := exec.CommandContext(ctx, o.python, "-", o.models, strconv.Itoa(o.rounds))
	cmd.Stdin = strings.NewReader(torchProgram)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(problems.String()), "\n")
		return nil, fmt.Sprintf("%v: %s", err, lines[len(lines)-1])
	}
	for line := range bytes.Lines(out.Bytes()) {
		if line = bytes.TrimSpace(line); json.Valid(line) && len(line) > 0 {
			results = append(results, json.RawMessage(bytes.Clone(line)))
		}
	}
	return results, ""
}

// measure measures one model in this process.
func measure(ctx context.Context, o options) (result, error) {
	name, size, _ := strings.Cut(o.child, ":")
	spec, err := dinov2.ParseSpec(name)
	batch, notNumber := strconv.Atoi(size)
	if err = errors.Join(err, notNumber); err != nil {
		return result{}, err
	}
	rt, err := ort.Load(ctx, ort.ConfigFromEnv())
	if err != nil {
		return result{}, err
	}
	open := func() (*vit.Trainable, error) { return (&dinov2.Builder{Dir: o.dir}).Trainable(ctx, spec) }
	m, err := open()
	if err != nil {
		return result{}, err
	}
	for i := range m.Parameters {
		m.Parameters[i].Data = nil
	}
	debug.FreeOSMemory() // the weights are opened again, and are not to be counted twice
	plan := finetune.DefaultPlan()
	plan.Batch, plan.CheckpointBlocks, plan.Precision = batch, o.blocks, finetune.Precision(o.precision)
	b := &bench{rt: rt, model: m, open: open, rounds: o.rounds}
	r := result{Model: name, Batch: batch, Blocks: o.blocks, Live: plan.LiveBytes(m), Planned: plan.MemoryBytes(m)}
	if err := b.step(ctx, plan, &r); err != nil {
		return r, err
	}
	if _, r.Peak = tuning.UsedMemory(); !o.kept {
		return r, nil
	}
	r.Kept, err = b.kept(ctx, plan)
	return r, err
}

func median(all []float64) float64 {
	slices.SortFunc(all, cmp.Compare[float64])
	return all[len(all)/2]
}
