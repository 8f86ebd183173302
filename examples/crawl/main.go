// Command crawl crawls a site into memory and prints what it found.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/palate-art/palate/crawler"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: crawl ADDRESS CONTACT")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "crawl:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, address, contact string) error {
	config := crawler.DefaultConfig()
	config.Contact = contact
	config.MaxPages = 100
	memory := crawler.NewMemory()
	c, err := crawler.New(config, memory, memory, crawler.Options{})
	if err != nil {
		return err
	}
	seed, err := crawler.ParseSeed(address)
	if err != nil {
		return err
	}
	report, err := c.Run(ctx, address, []crawler.Seed{seed})
	if err != nil {
		return err
	}
	for _, find := range memory.Finds() {
		fmt.Fprintf(out, "%s %d×%d, %q: %s\n", find.Format, find.Width, find.Height, find.Source.Title, find.Source.Address)
	}
	fmt.Fprintf(out, "%d pages, %d pictures, lost: %v\n", report.Pages, report.Kept, report.Lost)
	return nil
}
