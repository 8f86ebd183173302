// Copies measures what the search for copies costs a training: the time of a
// whole training as a multiple of the same training with the groups given, at
// several numbers of ratings, where every rated picture is a crop that
// overlaps others. Both are taken in turn in one run, and the medians of
// their ratios count. A training from nothing compares all ratings with all; a later
// one, as a server does after every ten ratings, compares the new ones.
//
//	go run ./bench/copies
//	go run ./bench/copies --kind auto --sizes 1000,5000
//
// With pictures it makes copies of them, embeds all by the built-in model, and
// says how many copies are found and how many pictures are taken for copies:
//
//	go run ./bench/copies --pictures FOLDER --count 400
//
// With works it lays all pictures of a folder over each other, and says how many
// pairs of one work, whose files are in one sub-folder, are told to be the same,
// and how many of two:
//
//	go run ./bench/copies --works FOLDER
//
// With points it looks for copies among so many made-up embeddings, as the job
// does among all pictures of a collection:
//
//	go run ./bench/copies --points 100000 --dim 384
package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
)

const model = palate.ModelID("bench")

type options struct {
	sizes   string
	kind    string
	repeats int
	dim     int
	each    int

	pictures string
	count    int
	works    string
	points   int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.StringVar(&o.sizes, "sizes", "1000,5000,20000", "numbers of ratings")
	flag.StringVar(&o.kind, "kind", "logistic", "what learns")
	flag.IntVar(&o.repeats, "repeats", 3, "how often each time is taken; the median counts")
	flag.IntVar(&o.dim, "dim", 768, "length of the embeddings")
	flag.IntVar(&o.each, "each", 4, "crops of each work")
	flag.StringVar(&o.pictures, "pictures", "", "a folder of different pictures to make copies of")
	flag.IntVar(&o.count, "count", 400, "how many of them")
	flag.StringVar(&o.works, "works", "", "a folder of pictures to lay over each other, those of one work in one sub-folder")
	flag.IntVar(&o.points, "points", 0, "so many embeddings to look for copies among")
	flag.Parse()
	work := func() error { return run(ctx, o) }
	if o.pictures != "" {
		work = func() error { return recall(ctx, o.pictures, o.count) }
	}
	if o.works != "" {
		work = func() error { return knownWorks(ctx, o.works) }
	}
	if o.points > 0 {
		work = func() error { return points(ctx, o.points, o.dim) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "copies:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	kind, err := probe.ParseKind(o.kind)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d values, %d crops of each work\n", kind.Name(), o.dim, o.each)
	fmt.Printf("%8s %10s %10s %10s %8s %8s %8s %8s %8s\n", "ratings", "fit", "from 0", "ten more", "from 0", "ten more", "CPU", "ten more", "groups")
	for _, text := range strings.Split(o.sizes, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 50 {
			return fmt.Errorf("size %q: want a number of ratings from 50 on", text)
		}
		if err := measure(ctx, n, kind, o); err != nil {
			return err
		}
	}
	return nil
}

// measure takes the three trainings in turn: with the groups given, from
// nothing, and after another one that had ten ratings less.
func measure(ctx context.Context, n int, kind probe.Kind, o options) error {
	examples := draw(n, o.dim, o.each)
	given := slices.Clone(examples)
	for i := range given {
		given[i].Group = strconv.Itoa(i / o.each)
	}
	config := probe.DefaultConfig()
	config.Kind = kind
	alone := config
	alone.NearDuplicates = false
	var fits, wholes, laters []time.Duration
	var fromNothing, tenMore, fromNothingCPU, tenMoreCPU []float64
	groups := 0
	for range o.repeats {
		fit, _, err := train(ctx, given, alone)
		if err != nil {
			return err
		}
		whole, found, err := train(ctx, examples, config)
		if err != nil {
			return err
		}
		groups = found
		fits, wholes = append(fits, fit.wall), append(wholes, whole.wall)
		fromNothing = append(fromNothing, whole.wall.Seconds()/fit.wall.Seconds())
		fromNothingCPU = append(fromNothingCPU, whole.cpu.Seconds()/fit.cpu.Seconds())
		server := config
		server.Comparisons = probe.NewComparisons()
		if err := server.Enough(examples[:n-10]); err != nil { // as after the training before
			return err
		}
		later, _, err := train(ctx, examples, server)
		if err != nil {
			return err
		}
		laters, tenMore = append(laters, later.wall), append(tenMore, later.wall.Seconds()/fit.wall.Seconds())
		tenMoreCPU = append(tenMoreCPU, later.cpu.Seconds()/fit.cpu.Seconds())
	}
	fmt.Printf("%8d %10s %10s %10s %8.2f %8.2f %8.2f %8.2f %8d\n", n, median(fits).Round(time.Millisecond), median(wholes).Round(time.Millisecond),
		median(laters).Round(time.Millisecond), median(fromNothing), median(tenMore), median(fromNothingCPU), median(tenMoreCPU), groups)
	return nil
}

// times are what one training took. On a machine that is shared the processor
// time is the one that says how much work it was.
type times struct{ wall, cpu time.Duration }

func train(ctx context.Context, examples []probe.Example, config probe.Config) (took times, groups int, err error) {
	begun, used := time.Now(), cpu()
	_, report, err := probe.Train(ctx, examples, model, config)
	if err != nil {
		return times{}, 0, err
	}
	return times{time.Since(begun), cpu() - used}, report.Groups, nil
}

func median[T time.Duration | float64](all []T) T {
	if len(all) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(all))[len(all)/2]
}

// draw makes works of forty styles and crops of each, which lie near each
// other; a quarter of the styles is liked, and one verdict in twelve is not as
// the style says.
func draw(n, dim, each int) []probe.Example {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	around := func(centre palate.Embedding, spread float64) palate.Embedding {
		e := make(palate.Embedding, dim)
		var square float64
		for j := range e {
			v := random.NormFloat64() * spread / math.Sqrt(float64(dim))
			if centre != nil {
				v += float64(centre[j])
			}
			e[j] = float32(v)
			square += v * v
		}
		for j := range e {
			e[j] /= float32(math.Sqrt(square))
		}
		return e
	}
	styles := make([]palate.Embedding, 40)
	for i := range styles {
		styles[i] = around(nil, 1)
	}
	examples := make([]probe.Example, n)
	var work palate.Embedding
	liked := false
	for i := range examples {
		if i%each == 0 {
			style := random.IntN(len(styles))
			work, liked = around(styles[style], 1), style%4 == 0 != (random.IntN(12) == 0)
		}
		binary.BigEndian.PutUint32(examples[i].Image[:], uint32(i+1))
		examples[i].Embedding, examples[i].Liked = around(work, .1), liked
	}
	return examples
}
