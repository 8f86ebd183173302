package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/palate-art/palate/bench/dinov2"
	"github.com/palate-art/palate/internal/vit"
)

// report is the result. Rates are medians of rounds; ratios are medians of
// the rounds' ratios, of processor time: they hold though others use the
// machine. What is by the clock says so.
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
	// Products are the shapes of which the fastest counts each time.
	Products []string `json:"products"`
	Float32  float64  `json:"float32_gops"`
	Int8     float64  `json:"int8_gops"`
}

type modelReport struct {
	Name          string  `json:"name"`
	ImagesPerSec  float64 `json:"images_per_second"`       // on a machine of its own
	ByTheClock    float64 `json:"images_per_second_clock"` // as it was
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
	ByTheClock   float64 `json:"images_per_second_clock"`
	// The processor's seconds of one picture, the other cores idle.
	InferSeconds   float64 `json:"inference_alone_seconds"`
	PrepareSeconds float64 `json:"preprocessing_alone_seconds"`
	// Efficiency is the rate over cores / (inference + preprocessing alone).
	Efficiency float64 `json:"end_to_end_efficiency"`
	// LoadedEfficiency is the same with the seconds that inference and
	// preprocessing take while all cores are at them: what cores lose to
	// each other is left out.
	LoadedEfficiency float64 `json:"end_to_end_efficiency_of_loaded"`
	// ClockEfficiency is LoadedEfficiency by the clock: it sees idle cores,
	// and what others do to the machine between the measurements.
	ClockEfficiency float64 `json:"end_to_end_efficiency_of_loaded_clock"`
	Bound           string  `json:"bound"`
	// ScaledCosine is the least cosine between what a file decoded smaller
	// and the same file decoded whole give.
	ScaledCosine float64 `json:"scaled_decoding_cosine"`
}

func (b *bench) report() *report {
	r := &report{
		Machine: machine{runtime.GOOS + "/" + runtime.GOARCH, cpuName(), runtime.GOMAXPROCS(0), b.runtime.Library().Version, runtime.Version()},
		Rounds:  b.options.rounds,
		Limit:   limitReport{Float32: median(b.limits[vit.Float32].gops), Int8: median(b.limits[vit.Int8].gops)},
	}
	for _, p := range products {
		r.Limit.Products = append(r.Limit.Products, p.String())
	}
	rates := map[dinov2.Spec][]float64{}
	for i, m := range b.models {
		rates[m.Spec] = cpus(b.contestants[i].rates)
	}
	for i, m := range b.models {
		c := b.contestants[i]
		done, published := m.Work()
		rate := rates[m.Spec]
		share := median(ratios(rate, b.around[c])) / 1e9
		mr := modelReport{Name: c.name, ImagesPerSec: median(rate), ByTheClock: median(walls(c.rates)), Gop: done / 1e9, GopPublished: published / 1e9,
			FractionGEMM: share * done, PublishedGEMM: share * published}
		if m.Form == vit.Fused {
			plain := dinov2.Spec{Letter: m.Letter, Side: m.Side, Precision: vit.Float32, Form: vit.Plain}
			mr.VersusPlain = median(ratios(rate, rates[plain]))
		}
		if m.Precision == vit.Int8 {
			mr.VersusFloat = median(ratios(rate, rates[dinov2.Spec{Letter: m.Letter, Side: m.Side, Precision: vit.Float32, Form: vit.Fused}]))
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
	// efficiency is of the rate to that of the parts one after the other.
	efficiency := func(of func([]rate) []float64, infer, prepare []rate, workers float64) float64 {
		rates, i, p := of(w.rates), of(infer), of(prepare)
		var all []float64
		for n := range rates {
			all = append(all, rates[n]*(workers/i[n]+workers/p[n])/cores)
		}
		return median(all)
	}
	return wayReport{
		Name: w.name, ImagesPerSec: median(cpus(w.rates)), ByTheClock: median(walls(w.rates)),
		InferSeconds: 1 / median(cpus(w.aloneInfer)), PrepareSeconds: 1 / median(cpus(w.alonePrepare)),
		Efficiency:       efficiency(cpus, w.aloneInfer, w.alonePrepare, 1),
		LoadedEfficiency: efficiency(cpus, w.busyInfer, w.busyPrepare, cores),
		ClockEfficiency:  efficiency(walls, w.busyInfer, w.busyPrepare, cores),
		Bound:            string(w.stats.Bound()),
	}
}

func (r *report) print(out io.Writer) {
	p := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	p("%s, %s, %d cores, ONNX Runtime %s, %s, %d rounds", r.Machine.CPU, r.Machine.Platform, r.Machine.Cores, r.Machine.Runtime, r.Machine.Go, r.Rounds)
	p("GEMM, the fastest of %s: float32 %.0f Gop/s, int8 %.0f Gop/s\n", strings.Join(r.Limit.Products, " and "), r.Limit.Float32, r.Limit.Int8)
	p("%-14s %9s %9s %9s %11s %9s %9s %10s", "model", "images/s", "by clock", "of GEMM", "(published)", "× plain", "× float32", "peak MB")
	for _, m := range r.Models {
		peak := ""
		if m.Memory != nil {
			peak = fmt.Sprintf("%.0f", float64(m.Memory.Peak)/1e6)
		}
		p("%-14s %9.2f %9.2f %9.3f %11.3f %9.2f %9.2f %10s", m.Name, m.ImagesPerSec, m.ByTheClock, m.FractionGEMM, m.PublishedGEMM, m.VersusPlain, m.VersusFloat, peak)
	}
	for _, w := range r.Ways {
		p("\nfrom %d×%d JPEG with %s: %.1f images/s, %.3f of cores/(inference %.1f ms + preprocessing %.1f ms), %.3f of the same under load (%.3f by the clock); bound: %s; cosine of scaled to whole decoding at least %.6f",
			fileWidth, fileHeight, w.Name, w.ImagesPerSec, w.Efficiency, 1e3*w.InferSeconds, 1e3*w.PrepareSeconds, w.LoadedEfficiency, w.ClockEfficiency, w.Bound, w.ScaledCosine)
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
