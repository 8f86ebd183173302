// Light measures requests that must not grow with the ratings or with depth,
// on two releases of palate that serve copies of one collection, in turns:
//
//	go build -o new ./cmd/palate
//	go run ./bench/light --old OLD-PALATE --new ./new --json
//
// It draws pictures, lets the old release import, embed and rate them and
// train, gives the new one a copy, and asks both servers the same. It writes
// one table, or one JSON object. See bench/results/light.md.
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
	"strconv"
	"strings"
)

// options are the flags.
type options struct {
	old, new   string
	pictures   int
	ratings    string
	depth      int
	rounds     int
	folder     string
	json       bool
	ortLibrary string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.StringVar(&o.old, "old", "", "palate of the former release; it writes the collection")
	flag.StringVar(&o.new, "new", "", "palate to compare with it")
	flag.IntVar(&o.pictures, "pictures", 12000, "pictures in the collection")
	flag.StringVar(&o.ratings, "ratings", "20,1000,5000,10000", "ratings at which is measured, growing")
	flag.IntVar(&o.depth, "depth", 9000, "how deep the scores are read")
	flag.IntVar(&o.rounds, "rounds", 25, "requests of each kind to each server")
	flag.StringVar(&o.folder, "folder", "", "scratch folder; a temporary one if empty")
	flag.StringVar(&o.ortLibrary, "ort-library", "", "ONNX Runtime library for both")
	flag.BoolVar(&o.json, "json", false, "write JSON")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "light:", err)
		os.Exit(1)
	}
}

// report is what the bench writes.
type report struct {
	Go       string  `json:"go"`
	Cores    int     `json:"cores"`
	Pictures int     `json:"pictures"`
	Rounds   int     `json:"rounds"`
	Stages   []stage `json:"stages"`
}

// stage is what both answer with so many ratings.
type stage struct {
	Ratings  int        `json:"ratings"`
	Requests []measured `json:"requests"`
}

// measured is one request to both.
type measured struct {
	Request string  `json:"request"`
	OldMS   float64 `json:"old_ms"` // medians
	NewMS   float64 `json:"new_ms"`
	Ratio   float64 `json:"ratio"` // old by new
	Bytes   int     `json:"bytes"` // of the new one's answer
}

func run(ctx context.Context, o options) (err error) {
	stages, err := parseRatings(o.ratings)
	if err == nil && (o.old == "" || o.new == "") {
		err = errors.New("--old and --new are needed")
	}
	if err == nil && stages[len(stages)-1] > o.pictures {
		err = fmt.Errorf("%d ratings of %d pictures", stages[len(stages)-1], o.pictures)
	}
	if err != nil {
		return err
	}
	if o.folder == "" {
		if o.folder, err = os.MkdirTemp("", "palate-light-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.folder)) }()
	}
	c, err := newCollection(ctx, o)
	if err != nil {
		return err
	}
	r := report{Go: runtime.Version(), Cores: runtime.NumCPU(), Pictures: o.pictures, Rounds: o.rounds}
	for _, ratings := range stages {
		if err := c.rateUpTo(ctx, ratings); err != nil {
			return err
		}
		requests, err := c.measure(ctx)
		if err != nil {
			return err
		}
		r.Stages = append(r.Stages, stage{ratings, requests})
		if o.json {
			fmt.Fprintf(os.Stderr, "%d ratings measured\n", ratings)
		} else {
			show(r.Stages[len(r.Stages)-1])
		}
	}
	if !o.json {
		return nil
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

func parseRatings(s string) (numbers []int, err error) {
	for word := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 20 || len(numbers) > 0 && n <= numbers[len(numbers)-1] {
			return nil, fmt.Errorf("--ratings is %q, want growing numbers from 20 on", s)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

func show(s stage) {
	fmt.Printf("\n%d ratings\n", s.Ratings)
	for _, m := range s.Requests {
		fmt.Printf("  %-40s %9.2f ms  %9.2f ms  %6.1f times  %8d bytes\n", m.Request, m.OldMS, m.NewMS, m.Ratio, m.Bytes)
	}
}
