// Labels measures how many ratings a taste takes with the teaching queue and
// with pictures drawn at random.
//
//	go run ./bench/labels                                # tastes in the museum
//	go run ./bench/labels --features X.npy --labels y.npy
//	go run ./bench/labels --likes-alone                  # ways to order by favourites
//
// It writes one JSON object. See bench/results/labels.md.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"

	"github.com/palate-art/palate/internal/features"
)

// options are the flags.
type options struct {
	pictures, seeds, labels, batch int
	flips                          float64
	features, labelsFile           string
	targets                        string
	strategies                     string
	likesAlone                     bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.IntVar(&o.pictures, "pictures", 1200, "pictures in the museum")
	flag.IntVar(&o.seeds, "seeds", 20, "tastes, or splits of the files")
	flag.IntVar(&o.labels, "max-labels", 300, "ratings at most")
	flag.IntVar(&o.batch, "batch", 10, "ratings between two trainings")
	flag.Float64Var(&o.flips, "flips", .05, "share of the museum's ratings that are not what the person thinks")
	flag.StringVar(&o.features, "features", "", "embeddings from a file instead")
	flag.StringVar(&o.labelsFile, "labels", "", "their labels")
	flag.StringVar(&o.targets, "targets", ".80,.85,.90,.95", "AUCs to reach")
	flag.StringVar(&o.strategies, "strategies", "random,queue", "what chooses; the first is the yardstick")
	flag.BoolVar(&o.likesAlone, "likes-alone", false, "compare ways to order by likes alone")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "labels:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	targets, err := parseTargets(o.targets)
	if err != nil {
		return err
	}
	world, err := worldOf(ctx, o)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	if o.likesAlone {
		compared, err := compareAlone(ctx, world, o.seeds)
		if err != nil {
			return err
		}
		return encoder.Encode(compared)
	}
	result, err := simulate(ctx, world, o, targets)
	if err != nil {
		return err
	}
	result.Go, result.Cores = runtime.Version(), runtime.GOMAXPROCS(0)
	return encoder.Encode(result)
}

// worldOf is the museum, or the files.
func worldOf(ctx context.Context, o options) (world, error) {
	if o.features == "" {
		return museumWorld(ctx, o.pictures, o.flips)
	}
	table, err := features.Load(o.features, o.labelsFile)
	if err != nil {
		return nil, err
	}
	return fileWorld(table, o.features)
}
