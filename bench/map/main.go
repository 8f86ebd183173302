// Command map measures how the collection is laid out on a plane: how far the map
// may be believed, beside the first two principal components, and how long it
// takes.
//
//	go run ./bench/map FILE.npy...       embeddings, a row each
//	go run ./bench/map --points 100000   about so many directions as a collection has
//
// With --places the places are written beside, as CSV, for others to judge.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/palate-art/palate/internal/atlas"
	"github.com/palate-art/palate/internal/features"
)

const k = 10

func main() {
	points := flag.Int("points", 0, "make so many embeddings, in clouds of clouds")
	dim := flag.Int("dim", 384, "of them")
	seeds := flag.Int("seeds", 1, "how many maps are made")
	of := flag.Int("of", 5000, "how many pictures a map is judged by")
	places := flag.String("places", "", "folder for the places")
	flag.Parse()
	fmt.Println("| set | points | dim | map | principal | seconds |\n|---|---|---|---|---|---|")
	if *points > 0 {
		measure(fmt.Sprintf("made, %d", *points), clouds(*points, *dim), *dim, *seeds, *of, *places)
	}
	for _, path := range flag.Args() {
		rows, err := features.LoadRows(path)
		if err != nil {
			log.Fatal(err)
		}
		var x []float32
		for _, row := range rows {
			x = append(x, unit(row)...)
		}
		measure(strings.TrimSuffix(filepath.Base(path), ".npy"), x, len(rows[0]), *seeds, *of, *places)
	}
}

func measure(name string, x []float32, dim, seeds, of int, places string) {
	ctx, n := context.Background(), len(x)/dim
	for seed := range uint64(seeds) {
		config := atlas.DefaultConfig()
		config.Seed = seed + 1
		begun := time.Now()
		got, err := atlas.Layout(ctx, x, dim, config)
		if err != nil {
			log.Fatal(err)
		}
		took := time.Since(begun)
		principal, err := atlas.Principal(ctx, x, dim, config.Seed)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("| %s | %d | %d | %.3f | %.3f | %.1f |\n", name, n, dim, trust(x, dim, got, of), trust(x, dim, principal, of), took.Seconds())
		if places != "" {
			write(filepath.Join(places, name+".csv"), got)
			write(filepath.Join(places, name+".principal.csv"), principal)
		}
	}
}

func trust(x []float32, dim int, places []atlas.Place, of int) float64 {
	t, err := atlas.Trustworthiness(context.Background(), x, dim, places, k, of, 1)
	if err != nil {
		log.Fatal(err)
	}
	return t
}

func write(path string, places []atlas.Place) {
	var b strings.Builder
	for _, p := range places {
		fmt.Fprintf(&b, "%g,%g\n", p.X, p.Y)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		log.Fatal(err)
	}
}

func unit(row []float32) []float32 {
	var square float64
	for _, v := range row {
		square += float64(v) * float64(v)
	}
	out := make([]float32, len(row))
	for i, v := range row {
		out[i] = float32(float64(v) / math.Sqrt(square))
	}
	return out
}

// clouds are embeddings as a collection has them: kinds, and within each kind
// hands, which differ along some directions of their own.
func clouds(n, dim int) []float32 {
	const kinds, hands, directions = 60, 20, 12
	random := rand.New(rand.NewPCG(1, 1))
	normal := func(by float64) []float64 {
		v := make([]float64, dim)
		for i := range v {
			v[i] = by * random.NormFloat64()
		}
		return v
	}
	var middles, ways [][]float64
	for range kinds {
		kind := normal(1)
		for range hands {
			hand := normal(.5)
			for i := range hand {
				hand[i] += kind[i]
			}
			middles = append(middles, hand)
		}
		for range directions {
			ways = append(ways, normal(.35))
		}
	}
	x := make([]float32, 0, n*dim)
	row := make([]float32, dim)
	for range n {
		m := random.IntN(len(middles))
		for i, v := range middles[m] {
			row[i] = float32(v + .1*random.NormFloat64())
		}
		for d := range directions {
			along := random.NormFloat64()
			for i, v := range ways[m/hands*directions+d] {
				row[i] += float32(along * v)
			}
		}
		x = append(x, unit(row)...)
	}
	return x
}
