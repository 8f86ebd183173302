package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// Report is what one run measures.
type Report struct {
	CPU         string       `json:"cpu"`
	Processors  int          `json:"processors"`
	Kernel      string       `json:"kernel"` // which compilation of the loops was measured
	Collections []Collection `json:"collections,omitempty"`
	Served      []Served     `json:"served,omitempty"` // by a Qdrant server
}

// Collection is what was measured on one collection. Times are milliseconds.
type Collection struct {
	Data   string `json:"data"`
	Points int    `json:"points"`
	Dim    int    `json:"dim"`

	InsertsPerSecond float64 `json:"inserts_per_second"`
	SaveSeconds      float64 `json:"save_seconds"` // writing the side file
	OpenSeconds      float64 `json:"open_seconds"` // warm, the best of three
	VectorsMB        float64 `json:"vectors_mb"`   // in the process's memory
	MappedMB         float64 `json:"mapped_mb"`    // in the side file
	OwnMB            float64 `json:"own_mb"`       // of the whole process, the drawn vectors not counted

	Recall10         float64 `json:"recall_10"`
	Recall100        float64 `json:"recall_100"`
	Candidates10     float64 `json:"candidates_10"`  // scored exactly for k = 10, mean
	Candidates100    float64 `json:"candidates_100"` // for k = 100
	ReadGBPerSecond  float64 `json:"read_gb_per_second"`
	TimesOfBandwidth float64 `json:"times_of_bandwidth"` // index to read, median over turns

	Contenders []Latency  `json:"contenders"` // one client, k = 10
	Tastes     []Ranked   `json:"tastes,omitempty"`
	Load       []Load     `json:"load"`
	Mixed      *MixedLoad `json:"mixed,omitempty"`
}

// Latency is how long a contender takes with one client.
type Latency struct {
	Name    string  `json:"name"`
	Queries int     `json:"queries"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	// Times is how much longer than the index it takes, median over turns.
	Times    float64 `json:"times_of_index"`
	Recall10 float64 `json:"recall_10,omitempty"`
	Build    float64 `json:"build_seconds,omitempty"`
}

// Load is several clients at once, each with one query after the other.
type Load struct {
	Name             string  `json:"name"`
	Clients          int     `json:"clients"`
	QueriesPerSecond float64 `json:"queries_per_second"`
	P50              float64 `json:"p50_ms"`
	P99              float64 `json:"p99_ms"`
	SearchesPerPass  float64 `json:"searches_per_pass,omitempty"`
}

// MixedLoad is clients that search while points are inserted.
type MixedLoad struct {
	Load
	InsertsPerSecond float64 `json:"inserts_per_second"`
	Worst            float64 `json:"worst_ms"`
}

func (r Report) print(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%s, %d processors, loops: %s\n", r.CPU, r.Processors, r.Kernel); err != nil {
		return err
	}
	for _, c := range r.Collections {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		line := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format+"\n", args...) }
		line("\n%s, %d × %d", c.Data, c.Points, c.Dim)
		line("  insert %.0f/s, save %.2f s, open %.2f s", c.InsertsPerSecond, c.SaveSeconds, c.OpenSeconds)
		line("  vectors in memory %.0f MB, in the side file %.0f MB; process %.0f MB", c.VectorsMB, c.MappedMB, c.OwnMB)
		line("  recall@10 %.4f, @100 %.4f; rows scored exactly %.0f for k = 10, %.0f for k = 100", c.Recall10, c.Recall100, c.Candidates10, c.Candidates100)
		line("  reads %.1f GB/s; the index takes %.2f × of reading its codes", c.ReadGBPerSecond, c.TimesOfBandwidth)
		line("  one client\tp50 ms\tp99 ms\t× index\trecall@10\tqueries")
		for _, l := range c.Contenders {
			recall := "–"
			if l.Recall10 > 0 {
				recall = fmt.Sprintf("%.4f", l.Recall10)
			}
			line("  %s\t%.3f\t%.3f\t%.2f\t%s\t%d", l.Name, l.P50, l.P99, l.Times, recall, l.Queries)
		}
		rankedLines(line, c.Tastes)
		line("  clients\tp50 ms\tp99 ms\tqueries/s\tsearches a pass")
		for _, l := range c.Load {
			line("  %s, %d\t%.3f\t%.3f\t%.0f\t%.1f", l.Name, l.Clients, l.P50, l.P99, l.QueriesPerSecond, l.SearchesPerPass)
		}
		if m := c.Mixed; m != nil {
			line("  %d beside %.0f inserts/s\t%.3f\t%.3f\t%.0f\t%.1f\tworst %.1f ms", m.Clients, m.InsertsPerSecond, m.P50, m.P99, m.QueriesPerSecond, m.SearchesPerPass, m.Worst)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	for _, served := range r.Served {
		if err := served.print(w); err != nil {
			return err
		}
	}
	return nil
}

func (s Served) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format+"\n", args...) }
	line("\n%s, %d × %d, on Qdrant %s", s.Data, s.Points, s.Dim, s.Version)
	line("  filling\tpoints s\tsettled s\tin graphs")
	for _, f := range s.Fillings {
		line("  %s\t%.1f\t%.1f\t%d", f.Way, f.Points, f.Settled, f.Indexed)
	}
	rankedLines(line, s.Tastes)
	head := "  state, list, share, k\tembedded ms"
	for _, way := range ways {
		head += "\t" + way.name
	}
	line("%s", head)
	for _, l := range s.Lists {
		row := fmt.Sprintf("  %s, %s, %.1f %%, %d\t%.2f", l.State, l.Filter, 100*l.Share, l.K, l.Embedded)
		for _, a := range l.Asked {
			row += fmt.Sprintf("\t%.3f (%.1f ms, × %.1f)", a.Recall, a.P50, a.Times)
		}
		line("%s", row)
	}
	return t.Flush()
}

func rankedLines(line func(string, ...any), all []Ranked) {
	if len(all) == 0 {
		return
	}
	line("  a taste by neighbours, ratings, k\tp50 ms\tall scored ms\t× all\trecall\ttraining s")
	for _, r := range all {
		line("  %s, %d, %d\t%.1f\t%.0f\t%.3f\t%.4f\t%.1f", r.Kind, r.Rated, r.K, r.P50, r.Full, r.Times, r.Recall, r.Training)
	}
}

// mean of shares; 0 if there are none.
func mean(values []float64) (sum float64) {
	for _, v := range values {
		sum += v / float64(len(values))
	}
	return sum
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
