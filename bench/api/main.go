// Api measures what the REST API costs, beside a static file of the same size
// that the same process sends in the same run.
//
//	go run ./bench/api --images 10000,100000
//	go run ./bench/api --soak 10m --json
//	go run ./bench/api --only ratings,facets --soak 0
//
// It fills collections with drawn pictures and a learned taste, serves each in
// a process of its own on loopback, finds how many answers a second a few
// clients get at most, and then asks at half of that rate whatever comes back
// (an open load), in turns with the static file. An answer's time counts from
// the moment at which it was due to be asked. See bench/results/api.md.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	images        []int
	ratings, dim  int
	clients       int
	rounds        int
	part          time.Duration // of each measurement
	soak          time.Duration
	folder        string
	only          string
	seed          uint64
	serve, sizes  string
	json, profile bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.StringVar(&o.sizes, "images", "10000,100000", "how many images the collections have, with commas between")
	flag.IntVar(&o.ratings, "ratings", 5000, "how many of them are rated")
	flag.IntVar(&o.dim, "dim", 384, "length of an embedding")
	flag.IntVar(&o.clients, "clients", 8, "clients that ask one after another to find the maximum")
	flag.IntVar(&o.rounds, "rounds", 3, "how often an operation and the file take turns; medians are told")
	flag.DurationVar(&o.part, "part", 2*time.Second, "how long each measurement takes")
	flag.DurationVar(&o.soak, "soak", time.Minute, "how long the memory is watched under a mixed load, of the largest collection; 10m for the whole test, 0 for none")
	flag.StringVar(&o.folder, "folder", "", "where the collections are made; a temporary folder otherwise")
	flag.StringVar(&o.only, "only", "", "operations to measure, with commas between, ratings among them; all if left out")
	flag.Uint64Var(&o.seed, "seed", 1, "of what is drawn")
	flag.StringVar(&o.serve, "serve", "", "serve the collection in this folder; the program starts itself so")
	flag.BoolVar(&o.profile, "profile", false, "print where the server's time went for each operation, by its profiler")
	flag.BoolVar(&o.json, "json", false, "write JSON")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "api:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.serve != "" {
		return serve(ctx, o.serve)
	}
	for text := range strings.SplitSeq(o.sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 200 || o.ratings > n || o.ratings < 20 {
			return fmt.Errorf("--images %q with --ratings %d: want numbers of images, 200 or more, and 20 ratings or more of them", o.sizes, o.ratings)
		}
		o.images = append(o.images, n)
	}
	if o.folder == "" {
		folder, err := os.MkdirTemp("", "palate-bench-api")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		o.folder = folder
	}
	var out results
	for i, n := range o.images {
		one, err := measure(ctx, o, n, i == len(o.images)-1)
		if err != nil {
			return fmt.Errorf("%d images: %w", n, err)
		}
		out.Collections = append(out.Collections, one)
	}
	out.judge()
	if o.json {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", " ")
		return encoder.Encode(out)
	}
	return out.print(os.Stdout)
}
