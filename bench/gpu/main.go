// Gpu measures embedding on a CUDA device: pictures a second of DINOv2 with
// random weights by model, precision and batch, as a share of the rate at
// which the card multiplies matrices in the same runtime, and beside it, where
// python3 has PyTorch, the same model in PyTorch.
//
// Usage: go run ./bench/gpu [--device cuda:0] [--models S@224:fp16,…] [--json]
//
// It needs ONNX Runtime with its CUDA provider (palate doctor tells what is
// missing). With --device cpu it runs on the CPU, to try the program out.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/palate-art/palate/bench/dinov2"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/vit"
)

type options struct {
	json     bool
	device   string
	limit    int64
	models   string
	maxBatch int
	window   time.Duration
	product  int
	torch    bool
}

func main() {
	var o options
	flag.BoolVar(&o.json, "json", false, "print the result as JSON")
	flag.StringVar(&o.device, "device", "cuda:0", "device")
	flag.Int64Var(&o.limit, "gpu-mem-limit", 0, "bytes of ONNX Runtime's arena on the device, 0 for no limit")
	flag.StringVar(&o.models, "models", "S@224,S@224:fp16,B@224,B@224:fp16,B@518,B@518:fp16,L@518:fp16", "models: S, B or L, @, the input's side, and :fp16")
	flag.IntVar(&o.maxBatch, "max-batch", 256, "largest batch")
	flag.DurationVar(&o.window, "window", 2*time.Second, "how long each batch size is measured")
	flag.IntVar(&o.product, "product", 4096, "side of the matrices whose product is the limit")
	flag.BoolVar(&o.torch, "torch", true, "measure PyTorch beside it where python3 has it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/gpu:", err)
		os.Exit(1)
	}
}

// report is the result.
type report struct {
	Device  string            `json:"device"`
	Runtime string            `json:"onnx_runtime"`
	Matmul  map[string]limit  `json:"matmul"` // by precision
	Models  []modelReport     `json:"models"`
	Torch   []json.RawMessage `json:"pytorch,omitempty"`
	NoTorch string            `json:"no_pytorch,omitempty"` // why there is none
}

type limit struct {
	Tops float64 `json:"tera_operations_per_second"`
}

type modelReport struct {
	Name    string        `json:"name"`
	Batches []batchReport `json:"batches"`
	// OutOfMemory is the first batch that found no room, 0 if all did.
	OutOfMemory int `json:"out_of_memory_at,omitempty"`
	// Found is the batch that palate chooses by itself.
	Found int `json:"batch_found"`
}

type batchReport struct {
	Batch        int     `json:"batch"`
	ImagesPerSec float64 `json:"images_per_second"`
	// FractionMatmul is of the matrix products done, of the device's rate.
	FractionMatmul float64 `json:"fraction_of_matmul"`
}

func run(ctx context.Context, o options) (err error) {
	device, err := ort.ParseDevice(o.device)
	if err != nil {
		return err
	}
	device.MemoryLimitBytes = o.limit
	runtime, err := ort.Load(ctx, ort.ConfigFromEnv())
	if err != nil {
		return err
	}
	if _, err := runtime.Choose(device); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "palate-bench-gpu-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := &report{Device: device.String(), Runtime: runtime.Library().Version, Matmul: map[string]limit{}}
	builder := dinov2.Builder{Dir: dir}
	for _, text := range strings.Split(o.models, ",") {
		s, err := dinov2.ParseSpec(text)
		if err != nil {
			return err
		}
		precision := string(s.Precision)
		if _, measured := r.Matmul[precision]; !measured {
			tops, err := matmul(ctx, runtime, device, s.Precision == vit.Float16, o.product, o.window)
			if err != nil {
				return fmt.Errorf("matrix product in %s: %w", precision, err)
			}
			r.Matmul[precision] = limit{tops}
		}
		fmt.Fprintln(os.Stderr, s)
		m, err := builder.Build(ctx, s)
		if err != nil {
			return err
		}
		measured, err := measure(ctx, runtime, device, m, r.Matmul[precision].Tops, o)
		if err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
		r.Models = append(r.Models, *measured)
	}
	if o.torch {
		r.Torch, r.NoTorch = torch(ctx, device, o)
	}
	if o.json {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	r.print()
	return nil
}

// measure doubles the batch up to the end of memory.
func measure(ctx context.Context, runtime *ort.Runtime, device ort.Device, m dinov2.Model, tops float64, o options) (_ *modelReport, err error) {
	r := &modelReport{Name: m.Spec.String()}
	open := func(batch int) (*onnx.Embedder, error) {
		return onnx.OpenModel(ctx, runtime, embedder.Model{File: m.File, Description: m.Description}, onnx.Config{Device: device, IntraOpThreads: 1, MaxBatch: batch})
	}
	e, err := open(0)
	if err != nil {
		return nil, err
	}
	pipeline, err := e.Pipeline(ctx)
	r.Found = pipeline.BatchSize
	if err = errors.Join(err, e.Close()); err != nil {
		return nil, err
	}
	if e, err = open(o.maxBatch); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	work, _ := m.Work()
	for batch := 1; batch <= o.maxBatch; batch *= 2 {
		rate, err := imagesPerSecond(ctx, e, m.Side, batch, o.window)
		if err != nil {
			return nil, err
		}
		if e.Batch() < batch { // it was halved, for good
			r.OutOfMemory = batch
			break
		}
		r.Batches = append(r.Batches, batchReport{batch, rate, rate * work / (tops * 1e12)})
	}
	return r, nil
}

// imagesPerSecond embeds batches for a window, two in flight as palate does.
func imagesPerSecond(ctx context.Context, e *onnx.Embedder, side, batch int, window time.Duration) (float64, error) {
	inputs := make([]embedder.Input, batch)
	for i := range inputs {
		inputs[i] = dinov2.Noise(side)
	}
	if _, err := e.Embed(ctx, inputs); err != nil { // algorithms are chosen, memory is taken
		return 0, err
	}
	const inFlight = 2
	var group sync.WaitGroup
	counts, errs := make([]int, inFlight), make([]error, inFlight)
	start := time.Now()
	for w := range inFlight {
		group.Go(func() {
			for time.Since(start) < window && errs[w] == nil {
				_, errs[w] = e.Embed(ctx, inputs)
				counts[w] += batch
			}
		})
	}
	group.Wait()
	took := time.Since(start).Seconds()
	return float64(counts[0]+counts[1]) / took, errors.Join(errs...)
}

func (r *report) print() {
	fmt.Printf("%s, ONNX Runtime %s\n", r.Device, r.Runtime)
	for precision, l := range r.Matmul {
		fmt.Printf("matrix products in %s: %.1f Tera operations a second\n", precision, l.Tops)
	}
	for _, m := range r.Models {
		fmt.Printf("\n%s (palate takes batches of %d)\n", m.Name, m.Found)
		for _, b := range m.Batches {
			fmt.Printf("  batch %4d  %9.1f images/s  %.3f of matmul\n", b.Batch, b.ImagesPerSec, b.FractionMatmul)
		}
		if m.OutOfMemory > 0 {
			fmt.Printf("  batch %4d  too little memory\n", m.OutOfMemory)
		}
	}
	for _, t := range r.Torch {
		fmt.Printf("\nPyTorch: %s\n", t)
	}
	if r.NoTorch != "" {
		fmt.Printf("\nno PyTorch: %s\n", r.NoTorch)
	}
}
