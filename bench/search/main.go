package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"

	"github.com/palate-art/palate/internal/simd"
)

type options struct {
	json                 bool
	points, dim, queries int
	data, peers, qdrant  string
	clients              int
	load, mixed          time.Duration
	inserts, rated       int
	seed                 uint64
	folder               string
	slowEvery            int
}

func main() {
	var o options
	flag.BoolVar(&o.json, "json", false, "print one JSON object")
	flag.IntVar(&o.points, "points", 50_000, "vectors in the collection")
	flag.IntVar(&o.dim, "dim", 384, "values in a vector")
	flag.IntVar(&o.queries, "queries", 60, "turns that contenders take")
	flag.StringVar(&o.data, "data", "spread,clustered", "kinds of collections: spread, clustered, nested")
	flag.StringVar(&o.peers, "peers", "", "any of vek32, sqlite-vec, chromem, with commas")
	flag.StringVar(&o.qdrant, "qdrant", "", "address of a Qdrant server, qdrant://host:port/collection: it is measured in the peers' place; the collection is made and deleted")
	flag.IntVar(&o.clients, "clients", 8, "clients that search at once")
	flag.DurationVar(&o.load, "load", 3*time.Second, "how long they search")
	flag.DurationVar(&o.mixed, "mixed", 3*time.Second, "how long they search while points are inserted; 0 leaves it out")
	flag.IntVar(&o.inserts, "inserts", 1000, "points inserted a second meanwhile")
	flag.IntVar(&o.rated, "rated", 0, "ratings of a taste that goes by neighbours, by which everything is ranked; 0 leaves it out")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of everything drawn")
	flag.StringVar(&o.folder, "folder", os.TempDir(), "where side file and vectors lie while the run lasts")
	flag.IntVar(&o.slowEvery, "slow-every", 5, "slow peers take part in one turn of so many")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/search:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.points < 1000 || o.dim < 1 || o.queries < 1 || o.clients < 1 || o.inserts < 1 || o.slowEvery < 1 {
		return errors.New("want at least 1000 points, and 1 of everything else")
	}
	if o.rated != 0 && (o.rated < 100 || o.rated > o.points/2) {
		return errors.New("want 100 ratings at least, and half as many as points at most")
	}
	folder, err := os.MkdirTemp(o.folder, "palate-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	report := Report{CPU: cpuName(), Processors: runtime.GOMAXPROCS(0), Kernel: simd.Best().Name()}
	for kind := range strings.SplitSeq(o.data, ",") {
		if kind != "spread" && kind != "clustered" && kind != "nested" {
			return fmt.Errorf("no data of kind %q: want spread, clustered or nested", kind)
		}
		if o.qdrant != "" {
			served, err := measureQdrant(ctx, o, kind, folder)
			if err != nil {
				return err
			}
			report.Served = append(report.Served, served)
			continue
		}
		measured, err := measure(ctx, o, kind, folder)
		if err != nil {
			return err
		}
		report.Collections = append(report.Collections, measured)
	}
	if o.json {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(report)
	}
	return report.print(os.Stdout)
}

// cpuName is the processor's name where the system tells it.
func cpuName() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
