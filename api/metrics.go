package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

const (
	// collectFor bounds how long the catalog is asked at one scrape.
	collectFor = 3 * time.Second

	// runsLookedAt is among how many of the newest jobs the running are counted.
	runsLookedAt = 200
)

// meters are what /metrics tells, outside of the versioned API: what the process
// has answered and embedded since it started, and how the collection stands.
type meters struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	flying    prometheus.Gauge
	names     map[string]string // operations by method and route
}

func (s *Server) newMeters(document *openapi3.T) *meters {
	m := &meters{registry: prometheus.NewRegistry(), names: map[string]string{},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "palate_http_requests_total",
			Help: "Requests that were answered, by operation of the contract and status; those of the page and the contract are other."}, []string{"operation", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "palate_http_request_duration_seconds",
			Help:    "Time until a request was answered; streams of events, which last, are left out.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}}, []string{"operation"}),
		flying: prometheus.NewGauge(prometheus.GaugeOpts{Name: "palate_http_requests_in_flight", Help: "Requests that are being answered."}),
	}
	for path, item := range document.Paths.Map() {
		route := strings.NewReplacer("{", ":", "}", "").Replace(path)
		for method, op := range item.Operations() {
			m.names[method+" "+route] = op.OperationID
		}
	}
	m.registry.MustRegister(m.requests, m.durations, m.flying, state{s}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// measure counts a request and its time.
func (m *meters) measure(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		operation, known := m.names[c.Request().Method+" "+c.Path()]
		if !known {
			operation = "other"
		}
		begun := time.Now()
		m.flying.Inc()
		defer m.flying.Dec()
		err := next(c)
		status := c.Response().Status
		if err != nil && !c.Response().Committed {
			status = statusOf(err)
		}
		m.requests.WithLabelValues(operation, strconv.Itoa(status)).Inc()
		if operation != "followEvents" {
			m.durations.WithLabelValues(operation).Observe(time.Since(begun).Seconds())
		}
		return err
	}
}

// handler answers a scrape.
func (m *meters) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// state tells how the collection and the process stand when it is asked.
type state struct{ *Server }

// Describe leaves the families to Collect: which there are depends on the
// collection.
func (state) Describe(chan<- *prometheus.Desc) {}

// sample makes one sample; labels are names and values in pairs.
func sample(kind prometheus.ValueType, name, help string, value float64, labels ...string) prometheus.Metric {
	var names, values []string
	for i := 0; i < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	return prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), kind, value, values...)
}

// Collect implements prometheus.Collector. A part that can't be read is told as
// such, and the rest all the same.
func (s state) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), collectFor)
	defer cancel()
	s.collectEmbedding(out)
	for _, part := range []struct {
		name    string
		collect func(context.Context, chan<- prometheus.Metric) error
	}{{"images", s.collectImages}, {"profiles", s.collectProfiles}, {"jobs", s.collectJobs}, {"index", s.collectIndex}} {
		success := 1.
		if err := part.collect(ctx, out); err != nil {
			success = 0
		}
		out <- sample(prometheus.GaugeValue, "palate_collect_success", "Whether a part of this could be read: 1, or 0.", success, "part", part.name)
	}
	if s.services.FreeSpace != nil {
		if free, known := s.services.FreeSpace(); known {
			out <- sample(prometheus.GaugeValue, "palate_disk_free_bytes", "Room on the disk that the collection is on.", float64(free))
		}
	}
}

func (s state) collectEmbedding(out chan<- prometheus.Metric) {
	const (
		stageHelp = "Time at work, of all workers of a stage together."
		waitHelp  = "Time without work, of all workers together: those that prepare, for a picture and for room, and those that infer, for a prepared picture."
		imageHelp = "Images that were embedded and that could not be."
	)
	stats, e := s.services.Collection.Embedding(), s.services.Embedder
	counter := func(name, help string, value float64, labels ...string) {
		out <- sample(prometheus.CounterValue, name, help, value, labels...)
	}
	out <- sample(prometheus.GaugeValue, "palate_embedder_info", "The model and what computes it; always 1.", 1, "model", e.Name(), "model_id", string(e.Model()), "provider", e.Provider())
	counter("palate_embed_images_total", imageHelp, float64(stats.Embedded), "outcome", "embedded")
	counter("palate_embed_images_total", imageHelp, float64(stats.Failed), "outcome", "failed")
	counter("palate_embed_seconds_total", "Time in which embedding was under way.", stats.Wall.Seconds())
	for stage, spent := range map[string]time.Duration{"decode": stats.Decode, "prepare": stats.Prepare, "infer": stats.Infer, "deliver": stats.Deliver} {
		counter("palate_embed_stage_seconds_total", stageHelp, spent.Seconds(), "stage", stage)
	}
	for what, spent := range map[string]time.Duration{"picture": stats.Idle, "room": stats.Blocked, "prepared": stats.Starved} {
		counter("palate_embed_waiting_seconds_total", waitHelp, spent.Seconds(), "for", what)
	}
	if bound := stats.Bound(); bound != "" {
		out <- sample(prometheus.GaugeValue, "palate_embed_bound", "The stage that the others wait for, over all the time; always 1.", 1, "stage", string(bound))
	}
}

func (s state) collectImages(ctx context.Context, out chan<- prometheus.Metric) error {
	images, err := s.services.Catalog.CountImages(ctx, index.Filter{})
	if err != nil {
		return err
	}
	embedded, err := s.services.Catalog.CountEmbeddings(ctx, s.services.Embedder.Model())
	if err != nil {
		return err
	}
	out <- sample(prometheus.GaugeValue, "palate_images", "Images of the collection.", float64(images))
	out <- sample(prometheus.GaugeValue, "palate_images_pending", "Images that the model has not embedded, those that it can't among them.", float64(max(0, images-embedded)))
	return nil
}

func (s state) collectProfiles(ctx context.Context, out chan<- prometheus.Metric) error {
	profiles, err := s.services.Catalog.Profiles(ctx)
	if err != nil {
		return err
	}
	for _, p := range profiles {
		for verdict, n := range map[palate.Verdict]int{palate.Like: p.Likes, palate.Dislike: p.Dislikes, palate.Skip: p.Skips} {
			out <- sample(prometheus.GaugeValue, "palate_ratings", "Standing ratings.", float64(n), "profile", string(p.Profile), "verdict", string(verdict))
		}
		probe, err := s.services.Catalog.CurrentProbe(ctx, p.Profile, s.services.Embedder.Model())
		if err != nil {
			continue // none serves yet
		}
		out <- sample(prometheus.GaugeValue, "palate_probe_version", "The version of the probe that serves a profile.", float64(probe.Version), "profile", string(p.Profile))
		out <- sample(prometheus.GaugeValue, "palate_probe_trained_timestamp_seconds", "When the probe that serves a profile was trained.", float64(probe.TrainedAt.UnixMilli())/1000, "profile", string(p.Profile))
	}
	return nil
}

func (s state) collectJobs(ctx context.Context, out chan<- prometheus.Metric) error {
	runs, err := s.services.Catalog.ListRuns(ctx, 0, runsLookedAt)
	if err != nil {
		return err
	}
	running := map[string]int{"train": 0, "embed": 0, "crawl": 0, "import": 0}
	for _, run := range runs {
		if run.State == catalog.Running {
			running[run.Kind]++
		}
	}
	for kind, n := range running {
		out <- sample(prometheus.GaugeValue, "palate_jobs_running", "Jobs that run, of whichever process.", float64(n), "kind", kind)
	}
	return nil
}

func (s state) collectIndex(ctx context.Context, out chan<- prometheus.Metric) error {
	at, last, err := s.services.Follower.Progress(ctx)
	if err != nil {
		return err
	}
	out <- sample(prometheus.GaugeValue, "palate_index_lag_changes", "Changes of the catalog that the index has not seen.", float64(last-min(at, last)))
	return nil
}
