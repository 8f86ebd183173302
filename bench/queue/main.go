// Queue measures what choosing the pictures to ask about saves, on anybody's
// embeddings.
//
//	go run ./bench/queue --features X.npy --subjects subjects.csv
//	go run ./bench/queue --features X.npy --labels y.npy
//
// A simulated person answers; a taste is trained after every batch and judged
// by its AUC on the pictures that are never asked about. With subjects, one
// line for each row, the persons' tastes are drawn: a clean one likes all
// pictures of some subjects, a noisy one each picture by a chance that depends
// on its subject. With labels, which palate export writes, the taste is the
// one in the file, and the persons differ in what is asked about and what is
// held out. See bench/results/queue.md.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/palate-art/palate/probe"
)

// options are the flags.
type options struct {
	features, labels, subjects string
	ways, kind                 string
	persons, first             int
	ratings, batch, parallel   int
	json                       bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.StringVar(&o.features, "features", "", "embeddings, as palate evaluate reads them")
	flag.StringVar(&o.labels, "labels", "", "1 for a like and 0 for a dislike, for each row")
	flag.StringVar(&o.subjects, "subjects", "", "a text file with the subject of each row, for tastes that are drawn")
	flag.StringVar(&o.ways, "ways", "", "which ways to ask, with commas between; all if left out. Each is compared with random")
	flag.StringVar(&o.kind, "kind", "auto", "what learns, as of palate train")
	flag.IntVar(&o.persons, "persons", 24, "persons of each sort of taste")
	flag.IntVar(&o.first, "first", 1, "the first person's number: others see other tastes and pictures")
	flag.IntVar(&o.ratings, "ratings", 150, "ratings at most")
	flag.IntVar(&o.batch, "batch", 10, "ratings between two trainings")
	flag.IntVar(&o.parallel, "parallel", 1, "persons at once")
	flag.BoolVar(&o.json, "json", false, "write JSON")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "queue:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	kind, err := probe.ParseKind(o.kind)
	if err != nil {
		return err
	}
	names := wayNames()
	if o.ways != "" {
		names = strings.Split(o.ways, ",")
	}
	for _, name := range names {
		if ways[name] == nil {
			return fmt.Errorf("way %q is not known; there are %s", name, strings.Join(wayNames(), ", "))
		}
	}
	batchSize = o.batch
	p, tastes, err := read(o)
	if err != nil {
		return err
	}
	out := result{Features: o.features, Pictures: len(p.rows), Dim: len(p.rows[0]), Kind: o.kind, Persons: o.persons}
	for _, t := range tastes {
		traces := make(map[string][]trace)
		for _, name := range names {
			if traces[name], err = simulate(ctx, p, t, name, kind, o); err != nil {
				return err
			}
		}
		out.Tastes = append(out.Tastes, judged(t.name, names, traces))
	}
	if o.json {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", " ")
		return encoder.Encode(out)
	}
	return out.print(os.Stdout)
}
