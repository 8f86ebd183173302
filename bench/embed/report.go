package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/palate-art/palate/internal/vit"
)

// report is the result. Rates are medians of rounds; ratios are medians of
// the rounds' ratios.
type report struct {
	Machine machine       `json:"machine"`
	Rounds  int           `json:"rounds"`
	Limit   limitReport   `json:"gemm"`
	Models  []modelReport `json:"models"`
	Ways    []wayReport   `json:"end_to_end"`
}

type machine struct {
	Platform string `json:"platform"`
	CPU      string `json:"cpu"`
	Cores    int    `json:"cores"`
	Runtime  string `json:"onnx_runtime"`
	Go       string `json:"go"`
}

type limitReport struct {
	Shape   string  `json:"shape"`
	Float32 float64 `json:"float32_gops"`
	Int8    float64 `json:"int8_gops"`
}

type modelReport struct {
	Name          string  `json:"name"`
	ImagesPerSec  float64 `json:"images_per_second"`
	Gop           float64 `json:"gop_per_image"`           // of matrix products, as computed
	GopPublished  float64 `json:"gop_per_image_published"` // with nothing left out
	FractionGEMM  float64 `json:"fraction_of_gemm"`        // of what is computed, of the limit of its precision
	PublishedGEMM float64 `json:"published_fraction_of_gemm"`
	VersusPlain   float64 `json:"versus_plain,omitempty"`   // times as fast
	VersusFloat   float64 `json:"versus_float32,omitempty"` // times as fast
	Memory        *memory `json:"memory,omitempty"`
}

type wayReport struct {
	Name         string  `json:"name"`
	ImagesPerSec float64 `json:"images_per_second"`
	// The seconds of one picture on one core with nothing else running.
	InferSeconds   float64 `json:"inference_alone_seconds"`
	PrepareSeconds float64 `json:"preprocessing_alone_seconds"`
	// Efficiency is the rate over cores / (inference + preprocessing alone).
	Efficiency float64 `json:"end_to_end_efficiency"`
	// LoadedEfficiency is the same with the seconds that inference and
	// preprocessing take while all cores are at them: what cores lose to
	// each other is left out.
	LoadedEfficiency float64 `json:"end_to_end_efficiency_of_loaded"`
	Bound            string  `json:"bound"`
}

func (b *bench) report() *report {
	r := &report{
		Machine: machine{runtime.GOOS + "/" + runtime.GOARCH, cpuName(), runtime.GOMAXPROCS(0), b.runtime.Library().Version, runtime.Version()},
		Rounds:  b.options.rounds,
		Limit: limitReport{
			Shape:   fmt.Sprintf("[%d, %d] × [%d, %d]", gemmRows, gemmInner, gemmInner, gemmOuter),
			Float32: median(b.limit.rates) * b.limit.work / 1e9, Int8: median(b.limitInt8.rates) * b.limitInt8.work / 1e9,
		},
	}
	rates := map[spec][]float64{}
	for i, m := range b.models {
		rates[m.spec] = b.contestants[i].rates
	}
	for i, m := range b.models {
		c := b.contestants[i]
		done, published := m.work()
		limit, work := b.around[c], b.limit.work
		if m.precision == vit.Int8 {
			limit, work = b.limitInt8.rates, b.limitInt8.work
		}
		share := median(ratios(c.rates, limit)) / work
		mr := modelReport{Name: c.name, ImagesPerSec: median(c.rates), Gop: done / 1e9, GopPublished: published / 1e9,
			FractionGEMM: share * done, PublishedGEMM: share * published}
		if m.form == vit.Fused {
			// The limit beside each takes out what the machine's speed did between them.
			plain := spec{m.letter, m.side, vit.Float32, vit.Plain}
			mr.VersusPlain = median(ratios(c.rates, rates[plain]))
		}
		if m.precision == vit.Int8 {
			mr.VersusFloat = median(ratios(c.rates, rates[spec{m.letter, m.side, vit.Float32, vit.Fused}]))
		}
		r.Models = append(r.Models, mr)
	}
	for _, w := range b.way {
		r.Ways = append(r.Ways, w.report())
	}
	return r
}

func (w *wholeWay) report() wayReport {
	cores := float64(w.prepare.workers)
	var alone, loaded []float64
	for i, rate := range w.rates {
		alone = append(alone, rate*(w.aloneInfer[i]+w.alonePrepare[i])/cores)
		loaded = append(loaded, rate*(w.busyInfer[i]+w.busyPrepare[i])/cores)
	}
	return wayReport{Name: w.name, ImagesPerSec: median(w.rates), InferSeconds: median(w.aloneInfer), PrepareSeconds: median(w.alonePrepare),
		Efficiency: median(alone), LoadedEfficiency: median(loaded), Bound: string(w.stats.Bound())}
}

func (r *report) print(out io.Writer) {
	p := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	p("%s, %s, %d cores, ONNX Runtime %s, %s, %d rounds", r.Machine.CPU, r.Machine.Platform, r.Machine.Cores, r.Machine.Runtime, r.Machine.Go, r.Rounds)
	p("GEMM %s: float32 %.0f Gop/s, int8 %.0f Gop/s\n", r.Limit.Shape, r.Limit.Float32, r.Limit.Int8)
	p("%-14s %9s %9s %11s %9s %9s %10s", "model", "images/s", "of GEMM", "(published)", "× plain", "× float32", "peak MB")
	for _, m := range r.Models {
		peak := ""
		if m.Memory != nil {
			peak = fmt.Sprintf("%.0f", float64(m.Memory.Peak)/1e6)
		}
		p("%-14s %9.2f %9.3f %11.3f %9.2f %9.2f %10s", m.Name, m.ImagesPerSec, m.FractionGEMM, m.PublishedGEMM, m.VersusPlain, m.VersusFloat, peak)
	}
	for _, w := range r.Ways {
		p("\nfrom %d×%d JPEG with %s: %.1f images/s, %.3f of cores/(inference %.1f ms + preprocessing %.1f ms), %.3f of the same under load; bound: %s",
			fileWidth, fileHeight, w.Name, w.ImagesPerSec, w.Efficiency, 1e3*w.InferSeconds, 1e3*w.PrepareSeconds, w.LoadedEfficiency, w.Bound)
	}
}

// cpuName is what the kernel calls the processor, if it tells.
func cpuName() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}
