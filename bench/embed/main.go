// Embed measures what embedding costs on this machine's CPU, everything in
// one run and interleaved, so that ratios hold while the machine's speed
// wanders:
//
//   - gemm: the limit, a plain matrix product in ONNX Runtime, float32 and with
//     int8 weights, on all cores at once;
//   - DINOv2 of the published shapes with random weights, in palate's form
//     and, of the same weights, in the ordinary operators that exporters write;
//   - the whole way from JPEG files, and its parts alone;
//   - memory, each model in a process of its own.
//
// Usage: go run ./bench/embed [--json] [--rounds n] [--models S@224,…]
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
	"time"

	"github.com/palate-art/palate/internal/ort"
)

type options struct {
	json   bool
	rounds int
	window time.Duration
	models []string
	side   int
	memory bool

	child string // a model file to open in this process, for its memory
}

func parseOptions() options {
	var o options
	models := ""
	flag.BoolVar(&o.json, "json", false, "print the result as JSON")
	flag.IntVar(&o.rounds, "rounds", 5, "how often everything is measured")
	flag.DurationVar(&o.window, "window", time.Second, "how long a thing is measured in a round, at least")
	flag.StringVar(&models, "models", "S@224,S@224:int8,S@224:plain,B@224,B@224:int8,B@224:plain,B@518,B@518:int8",
		"models to measure: S, B or L, the input's side, and the form or precision")
	flag.IntVar(&o.side, "end-to-end", 224, "side of the input of the small model on the whole way from JPEG; 0 leaves it out")
	flag.BoolVar(&o.memory, "memory", true, "measure memory")
	flag.StringVar(&o.child, "child", "", "used by the program itself")
	flag.Parse()
	o.models = strings.Split(models, ",")
	return o
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, parseOptions()); err != nil {
		fmt.Fprintln(os.Stderr, "bench/embed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.rounds < 1 || o.window <= 0 {
		return errors.New("--rounds and --window must be above 0")
	}
	runtime, err := ort.Load(ctx, ort.ConfigFromEnv())
	if err != nil {
		return err
	}
	if o.child != "" {
		return printMemory(ctx, runtime, o.child)
	}
	dir, err := os.MkdirTemp("", "palate-bench-embed-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{options: o, runtime: runtime, dir: dir}
	defer b.close()
	report, err := b.measure(ctx)
	if err != nil {
		return err
	}
	if o.json {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	report.print(os.Stdout)
	return nil
}

// note tells people what is going on.
func note(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
