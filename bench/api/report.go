package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// results are what is written. Times are milliseconds.
type results struct {
	Collections []measured `json:"collections"`
	Goals       []goal     `json:"goals"`
}

type measured struct {
	Images     int                 `json:"images"`
	Ratings    int                 `json:"ratings"`
	Operations []operationMeasured `json:"operations"`
	Bulk       bulkMeasured        `json:"bulk"`
	Memory     *memoryMeasured     `json:"memory,omitempty"`
}

type operationMeasured struct {
	Name        string  `json:"name"`
	Most        float64 `json:"most_per_second"`
	Rate        float64 `json:"rate"`         // of the open load
	Behind      int     `json:"times_behind"` // rounds that the server could not keep up with, after each of which the rate was halved
	Answers     int     `json:"answers"`
	Bytes       int     `json:"bytes"`
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	CPU         float64 `json:"cpu_ms"` // of the server for a request
	FileP99     float64 `json:"file_p99_ms"`
	FileCPU     float64 `json:"file_cpu_ms"`
	TimesOfFile float64 `json:"p99_times_of_file"`
}

// bulkMeasured are medians, of the ratio too.
type bulkMeasured struct {
	Single20        float64 `json:"single_20_ms"`
	Single20CPU     float64 `json:"single_20_cpu_ms"`
	Together1000    float64 `json:"together_1000_ms"`
	Together1000CPU float64 `json:"together_1000_cpu_ms"`
	Times           float64 `json:"times"`
}

type memoryMeasured struct {
	Seconds       float64 `json:"seconds"`
	Rate          float64 `json:"rate"`
	Answers       int     `json:"answers"`
	HeapMB        float64 `json:"heap_mb"`
	ResidentMB    float64 `json:"resident_mb"`
	HeapSlope     float64 `json:"heap_mb_per_minute"`
	ResidentSlope float64 `json:"resident_mb_per_minute"`
}

// goal is what the API is held to.
type goal struct {
	What string  `json:"what"`
	Got  float64 `json:"got"`
	Most float64 `json:"most"`
	Held bool    `json:"held"`
}

// flatWithin is what still counts as flat: medians of three rounds differ by
// as much on a machine that does other things too.
const flatWithin = 1.5

// judge holds what was measured to the goals. Operations are compared by what a
// request costs the processor: the times of operations that were asked at
// different rates say less. Those that look at every image by their nature, and
// say so, need not be flat.
func (r *results) judge() {
	hold := func(what string, got, most float64) {
		if got > 0 {
			r.Goals = append(r.Goals, goal{what, got, most, got <= most})
		}
	}
	cpu := func(m measured, name string) float64 {
		for _, op := range m.Operations {
			if op.Name == name {
				return op.CPU
			}
		}
		return 0
	}
	ratio := func(a, b float64) float64 {
		if b == 0 {
			return 0
		}
		return a / b
	}
	for _, m := range r.Collections {
		of := fmt.Sprintf("of %d images", m.Images)
		hold("queue to neighbours "+of, ratio(cpu(m, "queue"), cpu(m, "neighbours")), 5)
		hold("text search to list "+of, ratio(cpu(m, "text search"), cpu(m, "list")), 3)
		hold("collapsed list to whole list "+of, ratio(cpu(m, "collapsed list"), cpu(m, "whole list")), 2)
		hold("probe summary to list "+of, ratio(cpu(m, "probe summary"), cpu(m, "list")), 1)
		hold("1000 ratings together to 20 single "+of, m.Bulk.Times, 1)
	}
	if n := len(r.Collections); n > 1 {
		small, large := r.Collections[0], r.Collections[n-1]
		for _, op := range large.Operations {
			switch op.Name {
			case "neighbours", "scores", "whole list", "collapsed list": // a scan
			default:
				hold(fmt.Sprintf("%s of %d images to %d", op.Name, large.Images, small.Images), ratio(op.CPU, cpu(small, op.Name)), flatWithin)
			}
		}
	}
}

func (r *results) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, m := range r.Collections {
		fmt.Fprintf(t, "%d images, %d ratings\t\t\t\t\t\t\t\t\t\n", m.Images, m.Ratings)
		fmt.Fprintf(t, "\tmost/s\tanswers\tbytes\tp50 ms\tp99 ms\tCPU ms\tfile p99\tfile CPU\tp99 to file\t\n")
		for _, op := range m.Operations {
			fmt.Fprintf(t, "%s\t%.0f\t%d\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.1f\t\n", op.Name, op.Most, op.Answers, op.Bytes, op.P50, op.P99, op.CPU, op.FileP99, op.FileCPU, op.TimesOfFile)
		}
		if b := m.Bulk; b.Times > 0 {
			fmt.Fprintf(t, "1000 ratings together %.0f ms (CPU %.0f), 20 single %.0f ms (CPU %.0f): %.2f times\t\t\t\t\t\t\t\t\t\t\n", b.Together1000, b.Together1000CPU, b.Single20, b.Single20CPU, b.Times)
		}
		if s := m.Memory; s != nil {
			fmt.Fprintf(t, "memory after %.0f s and %d answers: heap %.0f MB (%+.2f a minute), resident %.0f MB (%+.2f a minute)\t\t\t\t\t\t\t\t\t\t\n", s.Seconds, s.Answers, s.HeapMB, s.HeapSlope, s.ResidentMB, s.ResidentSlope)
		}
	}
	for _, g := range r.Goals {
		word := "held"
		if !g.Held {
			word = "MISSED"
		}
		fmt.Fprintf(t, "%s: %.2f, at most %.2f: %s\t\t\t\t\t\t\t\t\t\t\n", g.What, g.Got, g.Most, word)
	}
	return t.Flush()
}
