package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/palate-art/palate/crawler"
)

// sample is the memory of this process at a time of a crawl.
type sample struct {
	Pages      int `json:"pages"`
	ResidentMB int `json:"resident_mb"`
}

// measureMemory crawls the site of many pages.
func measureMemory(ctx context.Context, o options) (err error) {
	c, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	var samples []sample
	step := max(1, o.pages/10)
	report, err := c.crawl(ctx, o, "/large", func(r crawler.Report) {
		if r.Pages >= step*(len(samples)+1) {
			samples = append(samples, sample{r.Pages, residentMB()})
			if !o.json {
				fmt.Printf("%d pages, %d pictures kept, %d MB\n", r.Pages, r.Kept, samples[len(samples)-1].ResidentMB)
			}
		}
	})
	if err != nil {
		return err
	}
	if want := (o.pages + perPicture - 1) / perPicture; report.Kept != want || report.Pages < o.pages {
		return fmt.Errorf("read %d pages and kept %d pictures, want %d and %d: %v", report.Pages, report.Kept, o.pages, want, report.Lost)
	}
	if o.json {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"seconds": report.Seconds, "samples": samples})
	}
	fmt.Printf("%.1f s\n", report.Seconds)
	return nil
}

// residentMB is 0 where the system does not tell.
func residentMB() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			kB, _ := strconv.Atoi(fields[1])
			return kB / 1000
		}
	}
	return 0
}
