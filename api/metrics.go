package api

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// metrics answers at /metrics, outside of the versioned API, in Prometheus'
// text format (version 0.0.4): what this process has embedded since it
// started, and where the time went.
func (s *Server) metrics(c echo.Context) error {
	stats := s.services.Collection.Embedding()
	e := s.services.Embedder
	var m metricsText
	m.family("palate_embedder_info", "gauge", "The model and what computes it; always 1.")
	m.sample(1, "model", e.Name(), "model_id", string(e.Model()), "provider", e.Provider())
	m.family("palate_embed_images_total", "counter", "Images that were embedded and that could not be.")
	m.sample(float64(stats.Embedded), "outcome", "embedded")
	m.sample(float64(stats.Failed), "outcome", "failed")
	m.family("palate_embed_seconds_total", "counter", "Time in which embedding was under way.")
	m.sample(stats.Wall.Seconds())
	m.family("palate_embed_stage_seconds_total", "counter", "Time at work, of all workers of a stage together.")
	m.sample(stats.Decode.Seconds(), "stage", "decode")
	m.sample(stats.Prepare.Seconds(), "stage", "prepare")
	m.sample(stats.Infer.Seconds(), "stage", "infer")
	m.sample(stats.Deliver.Seconds(), "stage", "deliver")
	m.family("palate_embed_waiting_seconds_total", "counter",
		"Time without work, of all workers together: those that prepare, for a picture and for room, and those that infer, for a prepared picture.")
	m.sample(stats.Idle.Seconds(), "for", "picture")
	m.sample(stats.Blocked.Seconds(), "for", "room")
	m.sample(stats.Starved.Seconds(), "for", "prepared")
	if bound := stats.Bound(); bound != "" {
		m.family("palate_embed_bound", "gauge", "The stage that the others wait for, over all the time; always 1.")
		m.sample(1, "stage", string(bound))
	}
	return c.Blob(http.StatusOK, "text/plain; version=0.0.4; charset=utf-8", []byte(m.String()))
}

// metricsText writes families of samples.
type metricsText struct {
	strings.Builder
	name string
}

func (m *metricsText) family(name, kind, help string) {
	m.name = name
	fmt.Fprintf(m, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// sample writes a value of the family with names and values of labels.
func (m *metricsText) sample(value float64, labels ...string) {
	m.WriteString(m.name)
	for i := 0; i < len(labels); i += 2 {
		separator := ","
		if i == 0 {
			separator = "{"
		}
		fmt.Fprintf(m, "%s%s=\"%s\"", separator, labels[i], labelEscaper.Replace(labels[i+1]))
	}
	if len(labels) > 0 {
		m.WriteString("}")
	}
	fmt.Fprintf(m, " %g\n", value)
}

var labelEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
