// Crawl measures how fast pictures come into a collection, with the catalog
// and the image store that palate uses, from a site on loopback that is a
// process of its own: JPEGs of 1024×768 on 20 pages, pace off.
//
// Usage: go run ./bench/crawl [--json] [--pictures n] [--rounds n] [--embed] [--fast]
// [--latency d] [--parallel n] [--pages n] [--site address]
//
// With --serve it only serves the site, for other crawlers to be measured on.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"time"
)

type options struct {
	json, serve, embed bool
	fast               bool
	pictures, rounds   int
	pages, parallel    int
	latency            time.Duration
	site               string
}

func main() {
	var o options
	flag.BoolVar(&o.json, "json", false, "print the result as JSON")
	flag.BoolVar(&o.serve, "serve", false, "serve the site alone, and print its address")
	flag.BoolVar(&o.embed, "embed", false, "embed what came too, by the built-in model")
	flag.BoolVar(&o.fast, "fast", false, "embed from JPEG decoded at a fraction, as palate 643e7ab did")
	flag.IntVar(&o.pictures, "pictures", 2000, "pictures of the site")
	flag.IntVar(&o.rounds, "rounds", 3, "how often the site is crawled")
	flag.IntVar(&o.parallel, "parallel", 16, "requests at a time")
	flag.IntVar(&o.pages, "pages", 0, "measure memory instead, over a site of so many pages")
	flag.DurationVar(&o.latency, "latency", 0, "how long the site waits before it answers")
	flag.StringVar(&o.site, "site", "", "address of a site that --serve serves, instead of one for this run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/crawl:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.serve {
		return serve(ctx, o)
	}
	if o.site == "" {
		site := exec.CommandContext(ctx, os.Args[0], "--serve", "--pictures", fmt.Sprint(o.pictures), "--pages", fmt.Sprint(o.pages), "--latency", o.latency.String())
		out, err := site.StdoutPipe()
		if err != nil {
			return err
		}
		if err := site.Start(); err != nil {
			return err
		}
		defer func() { _ = site.Process.Kill(); _ = site.Wait() }()
		if _, err := fmt.Fscanln(out, &o.site); err != nil {
			return fmt.Errorf("the site did not tell its address: %w", err)
		}
	}
	if o.pages > 0 {
		return measureMemory(ctx, o)
	}
	var rounds []round
	for range o.rounds {
		r, err := measure(ctx, o)
		if err != nil {
			return err
		}
		rounds = append(rounds, r)
		if !o.json {
			fmt.Println(r)
		}
	}
	slices.SortFunc(rounds, func(a, b round) int { return int(a.PerSecond - b.PerSecond) })
	if o.json {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"rounds": rounds, "median": rounds[len(rounds)/2]})
	}
	fmt.Printf("median %.0f pictures a second\n", rounds[len(rounds)/2].PerSecond)
	return nil
}
