package api_test

import (
	"bytes"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/palate-art/palate"
)

// sampleLine is a sample in Prometheus' text format.
var sampleLine = regexp.MustCompile(`^([a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*\})? (\S+)$`)

// scrape reads /metrics and holds it to the format: every family is declared
// before its samples, and none twice.
func (f *fixture) scrape(t *testing.T) map[string]float64 {
	t.Helper()
	got := f.do(t, http.MethodGet, "/metrics", "")
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8; escaping=underscores" {
		t.Fatalf("got status %d, %s", got.status, got.header.Get("Content-Type"))
	}
	samples, declared := map[string]float64{}, map[string]bool{}
	family := ""
	for line := range strings.Lines(string(got.body)) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			family, _, _ = strings.Cut(name, " ")
			if declared[family] {
				t.Errorf("%s is declared twice", family)
			}
			declared[family] = true
			continue
		}
		if strings.HasPrefix(line, "# HELP ") {
			continue
		}
		parts := sampleLine.FindStringSubmatch(line)
		if parts == nil || !strings.HasPrefix(parts[1], family) {
			t.Errorf("line %q in the family %s", line, family)
			continue
		}
		value, err := strconv.ParseFloat(parts[3], 64)
		must(t, err)
		samples[parts[1]+parts[2]] = value
	}
	return samples
}

func TestMetricsTellWhatWasEmbeddedAndWhereTheTimeWent(t *testing.T) {
	f := newFixture(t)
	before := f.scrape(t)
	if got := before[`palate_embed_images_total{outcome="embedded"}`]; got != 0 || before["palate_embed_seconds_total"] != 0 {
		t.Errorf("before anything: got %v images", got)
	}
	f.add(t, 3, red, "Red")
	f.add(t, 2, blue, "Blue")
	after := f.scrape(t)
	if got := after[`palate_embed_images_total{outcome="embedded"}`]; got != 5 {
		t.Errorf("got %v images embedded, want 5", got)
	}
	for _, name := range []string{"palate_embed_seconds_total", `palate_embed_stage_seconds_total{stage="decode"}`, `palate_embed_stage_seconds_total{stage="infer"}`} {
		if after[name] <= 0 {
			t.Errorf("%s: got %v, want above 0", name, after[name])
		}
	}
	if info := `palate_embedder_info{model="colours",model_id="` + strings.Repeat("c0", 32) + `",provider="cpu"}`; after[info] != 1 {
		t.Errorf("got no %s among %v", info, after)
	}
	if got := f.do(t, http.MethodPost, "/metrics", ""); got.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: got status %d, want 405", got.status)
	}
}

func TestMetricsTellHowTheCollectionStands(t *testing.T) {
	f := newFixture(t)
	reds, blues := f.add(t, 7, red, "Red"), f.add(t, 7, blue, "Blue")
	f.rate(t, palate.Like, reds[:6]...)
	f.rate(t, palate.Dislike, blues[:6]...)
	f.learn(t)
	f.do(t, http.MethodGet, "/v1/images/x", "")
	f.follow(t)
	got := f.scrape(t)
	for name, want := range map[string]float64{
		"palate_images": 14, "palate_images_pending": 0, `palate_ratings{profile="me",verdict="like"}`: 6, `palate_ratings{profile="me",verdict="skip"}`: 0,
		`palate_probe_version{profile="me"}`: 1, "palate_index_lag_changes": 0, `palate_jobs_running{kind="train"}`: 0, `palate_collect_success{part="jobs"}`: 1,
		`palate_http_requests_total{code="400",operation="getImage"}`: 1, `palate_http_requests_total{code="202",operation="trainProbe"}`: 1, `palate_http_request_duration_seconds_count{operation="getImage"}`: 1,
		"palate_http_requests_in_flight": 1,
	} {
		if v, there := got[name]; !there || v != want {
			t.Errorf("%s: got %v (%v), want %v", name, v, there, want)
		}
	}
	if got[`palate_probe_trained_timestamp_seconds{profile="me"}`] < 1.7e9 {
		t.Error("no time of the training")
	}
	// As promtool check metrics would say.
	lint := promlint.New(bytes.NewReader(f.do(t, http.MethodGet, "/metrics", "").body))
	problems, err := lint.Lint()
	must(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
