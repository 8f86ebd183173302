// Probe measures fits, paths and memory, and holds the final loss against that
// of an independent optimiser that runs to convergence.
//
//	go run ./bench/probe
//	go run ./bench/probe --export DIR   # the same data for another program
//
// It writes one JSON object. See bench/results/probe.md.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate/probe"
)

const dim = 768

// strengths of the path: ten from 1e-4 to 1e4, as scikit-learn's by default.
func strengths() []float64 {
	out := make([]float64, 10)
	for i := range out {
		out[i] = math.Pow(10, -4+8*float64(i)/9)
	}
	return out
}

type options struct {
	sizes   string
	repeats int
	jobs    int
	newton  int
	export  string
	// tolerance of the path: by how much a loss may be above its minimum.
	tolerance float64
	// limit bounds the iterations of each fit of the path, as
	// scikit-learn's max_iter does.
	limit int
}

// measured is what the benchmark says of one size.
type measured struct {
	N int `json:"n"`
	// FitSeconds of one fit at C = 1, and PathSeconds of ten strengths in
	// each of five folds: medians of the repeats.
	FitSeconds    float64 `json:"fit_seconds"`
	FitIterations int     `json:"fit_iterations"`
	PathSeconds   float64 `json:"path_seconds"`
	// PathObjectives are the losses reached, by fold and strength.
	PathObjectives [][]float64 `json:"path_objectives"`
	PathIterations int         `json:"path_iterations"`
	// BytesBeyond is the most memory that a fit had at a time beyond the
	// features themselves, FeatureBytes.
	BytesBeyond  uint64 `json:"bytes_beyond_features"`
	FeatureBytes uint64 `json:"feature_bytes"`
	// Objective is the loss that the fit ended at, Newton that of Newton's
	// method run to convergence, Excess their relative difference.
	Objective float64  `json:"objective"`
	Newton    *float64 `json:"newton_objective,omitempty"`
	Excess    *float64 `json:"relative_excess,omitempty"`
}

type result struct {
	Go      string     `json:"go"`
	Cores   int        `json:"cores"`
	Jobs    int        `json:"jobs"`
	Dim     int        `json:"dim"`
	Results []measured `json:"results"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.StringVar(&o.sizes, "sizes", "200,2000,20000,100000", "numbers of rows")
	flag.IntVar(&o.repeats, "repeats", 3, "how often each time is taken; the median counts")
	flag.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "goroutines")
	flag.IntVar(&o.newton, "newton", 20000, "largest number of rows that the other optimiser runs on")
	flag.Float64Var(&o.tolerance, "tolerance", 1e-5, "by how much a loss of the path may be above its minimum, relative")
	flag.IntVar(&o.limit, "max-iterations", 0, "iterations of each fit of the path at most; 0 goes on to the tolerance")
	flag.StringVar(&o.export, "export", "", "write the data as .npy into this folder and stop")
	flag.Parse()
	runtime.GOMAXPROCS(o.jobs)
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	out := result{Go: runtime.Version(), Cores: runtime.NumCPU(), Jobs: o.jobs, Dim: dim}
	for _, text := range strings.Split(o.sizes, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 50 {
			return fmt.Errorf("size %q: want a number of rows from 50 on", text)
		}
		s := draw(n)
		if o.export != "" {
			if err := export(o.export, s); err != nil {
				return err
			}
			continue
		}
		m, err := measure(ctx, s, o)
		if err != nil {
			return err
		}
		out.Results = append(out.Results, m)
	}
	if o.export != "" {
		return nil
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	return encoder.Encode(out)
}

// draw makes rows of norm 1 around the centres of eight styles, three of them
// liked, with balanced class weights. One label in twelve is flipped.
func draw(n int) probe.Samples {
	random := rand.New(rand.NewPCG(1, 768))
	centres := make([][]float64, 8)
	for c := range centres {
		centres[c] = make([]float64, dim)
		for j := range centres[c] {
			centres[c][j] = random.NormFloat64()
		}
	}
	slab := make([]float32, n*dim)
	s := probe.Samples{Liked: make([]bool, n), Weights: make([]float64, n), Rows: make([][]float32, n)}
	likes := 0
	for i := range n {
		row := slab[i*dim : (i+1)*dim : (i+1)*dim]
		style := random.IntN(len(centres))
		var square float64
		for j := range row {
			v := centres[style][j] + 2*random.NormFloat64()
			row[j] = float32(v)
			square += v * v
		}
		for j := range row {
			row[j] /= float32(math.Sqrt(square))
		}
		s.Rows[i], s.Liked[i] = row, (style < 3) != (random.IntN(12) == 0)
		if s.Liked[i] {
			likes++
		}
	}
	for i, liked := range s.Liked {
		s.Weights[i] = float64(n) / (2 * float64(n-likes))
		if liked {
			s.Weights[i] = float64(n) / (2 * float64(likes))
		}
	}
	return s
}

func measure(ctx context.Context, s probe.Samples, o options) (measured, error) {
	m := measured{N: len(s.Rows), FeatureBytes: uint64(4 * dim * len(s.Rows))}
	fit := probe.FitOptions{C: 1, Tolerance: 1e-9, Parallelism: o.jobs}
	var fitted *probe.Fitted
	var times, paths []float64
	for range o.repeats {
		watch := watchMemory()
		began := time.Now()
		var err error
		if fitted, err = probe.Fit(ctx, s, fit); err != nil {
			return m, err
		}
		times = append(times, time.Since(began).Seconds())
		m.BytesBeyond = max(m.BytesBeyond, watch())
		began = time.Now()
		if err := m.path(ctx, s, o); err != nil {
			return m, err
		}
		paths = append(paths, time.Since(began).Seconds())
	}
	slices.Sort(times)
	slices.Sort(paths)
	m.FitSeconds, m.PathSeconds = times[len(times)/2], paths[len(paths)/2]
	m.FitIterations, m.Objective = fitted.Ran, fitted.Objective
	if len(s.Rows) <= o.newton {
		newton := newtonObjective(s, fit.C)
		excess := (m.Objective - newton) / newton
		m.Newton, m.Excess = &newton, &excess
	}
	return m, nil
}

// path fits ten strengths in each of five folds.
func (m *measured) path(ctx context.Context, s probe.Samples, o options) error {
	m.PathObjectives = make([][]float64, 5)
	iterations := make([]int, 5)
	// All folds at once on GOMAXPROCS cores: the last does not run alone.
	var group errgroup.Group
	for fold := range 5 {
		group.Go(func() error {
			var train probe.Samples
			for i := range s.Rows {
				if i%5 != fold {
					train.Rows, train.Liked, train.Weights = append(train.Rows, s.Rows[i]), append(train.Liked, s.Liked[i]), append(train.Weights, s.Weights[i])
				}
			}
			fits, err := probe.Path(ctx, train, strengths(), probe.FitOptions{Tolerance: o.tolerance, MaxIterations: o.limit, Parallelism: 1})
			for _, f := range fits {
				m.PathObjectives[fold] = append(m.PathObjectives[fold], f.Objective)
				iterations[fold] += f.Ran
			}
			return err
		})
	}
	err := group.Wait()
	m.PathIterations = 0
	for _, n := range iterations {
		m.PathIterations += n
	}
	return err
}

// watchMemory looks at the heap until it is asked for the most that it was
// above its beginning.
func watchMemory() (most func() uint64) {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	before, highest := stats.HeapAlloc, stats.HeapAlloc
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			runtime.ReadMemStats(&stats)
			highest = max(highest, stats.HeapAlloc)
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-done
		return highest - before
	}
}

// export writes X, y and w of one size as .npy.
func export(folder string, s probe.Samples) error {
	n := len(s.Rows)
	write := func(name, descr, shape string, body []byte) error {
		header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape)
		header += strings.Repeat(" ", 117-len(header)) + "\n"
		b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
		return os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%d.npy", name, n)), append(append(b, header...), body...), 0o644)
	}
	var x, y []byte
	for i, row := range s.Rows {
		for _, v := range row {
			x = binary.LittleEndian.AppendUint32(x, math.Float32bits(v))
		}
		if s.Liked[i] {
			y = append(y, 1)
		} else {
			y = append(y, 0)
		}
	}
	if err := write("X", "<f4", fmt.Sprintf("(%d, %d)", n, dim), x); err != nil {
		return err
	}
	return write("y", "|b1", fmt.Sprintf("(%d,)", n), y)
}
