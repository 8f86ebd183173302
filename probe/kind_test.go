package probe_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

func TestEveryKindIsJudgedByTheSameReport(t *testing.T) {
	examples := museum.draw(1, 80)
	patches, colours := museum.draw(2, 80), museum.draw(3, 80)
	for i := range examples {
		examples[i].Features = map[string]palate.Embedding{
			probe.MeanPatch: patches[i].Embedding, // says nothing of example i
			probe.Baseline:  colours[i].Embedding,
		}
	}
	c := settings().Thorough(examples)
	if len(c.Against) != len(probe.Kinds())-2 {
		t.Fatalf("%d kinds beside, want all others but the blend", len(c.Against))
	}
	_, report := train(t, examples, c)
	value := func(metrics []judge.Metric, name string) judge.Metric {
		t.Helper()
		i := slices.IndexFunc(metrics, func(m judge.Metric) bool { return m.Name == name })
		if i < 0 {
			t.Fatalf("no %s", name)
		}
		return metrics[i]
	}
	auc := map[string]float64{report.Kind: value(report.Metrics, "auc").Value}
	for _, b := range report.Baselines {
		m := value(b.Metrics, "auc")
		auc[b.Kind] = m.Value
		if d := report.AUC - m.Value - b.Difference.AUC; d > 1e-9 || d < -1e-9 || len(b.OutOfFold) != 80 {
			t.Errorf("%s: difference %v of %v and %v, %d predictions", b.Kind, b.Difference.AUC, report.AUC, m.Value, len(b.OutOfFold))
		}
		for _, m := range b.Metrics {
			if m.Name == "calibration_error" {
				continue
			}
			if !(*m.Low <= m.Value && m.Value <= *m.High) {
				t.Errorf("%s: %s %v outside [%v, %v]", b.Kind, m.Name, m.Value, *m.Low, *m.High)
			}
		}
	}
	if auc["prior"] != .5 {
		t.Errorf("the prior has AUC %v, want .5", auc["prior"])
	}
	for _, good := range []string{"logistic", "centroid", "nearest neighbours", "logistic on CLS and mean patch"} {
		if auc[good] < .7 {
			t.Errorf("%s: AUC %.3f, want .75 or more", good, auc[good])
		}
	}
	if got := auc["logistic on baseline embeddings"]; got > .68 {
		t.Errorf("embeddings of other pictures: AUC %.3f, want about .5", got)
	}
	for _, b := range report.Baselines {
		if b.Kind == "prior" && (b.Difference.P > 1e-3 || b.Difference.Low <= 0) {
			t.Errorf("against the prior: %+v, want a clear difference", b.Difference)
		}
	}
	if len(report.LearningCurve) < 5 || report.LearningCurve[len(report.LearningCurve)-1].AUC < report.LearningCurve[0].AUC {
		t.Errorf("learning curve %+v", report.LearningCurve)
	}
	if _, err := json.Marshal(report); err != nil {
		t.Error(err)
	}
}

func TestTheCentroidCanServe(t *testing.T) {
	c := settings()
	kind, err := probe.ParseKind("centroid")
	if err != nil {
		t.Fatal(err)
	}
	c.Kind = kind
	p, report := train(t, museum.draw(1, 120), c)
	if report.Kind != "centroid" || p.Settings.Kind != "centroid" || report.AUC < .75 {
		t.Errorf("%s with AUC %.3f", report.Kind, report.AUC)
	}
	truth := museum
	truth.flips = 0
	var scores []float64
	var liked []bool
	for _, e := range truth.draw(9, 300) {
		scores, liked = append(scores, p.Score(e.Embedding)), append(liked, e.Liked)
	}
	if auc, err := judge.AUC(scores, liked); err != nil || auc < .9 {
		t.Errorf("AUC %.3f on unseen pictures (%v)", auc, err)
	}
}

func TestWhatCantServeIsRefused(t *testing.T) {
	c := settings()
	c.Kind = probe.Neighbours
	if _, _, err := probe.Train(t.Context(), museum.draw(1, 60), model, c); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "beside others") {
		t.Errorf("nearest neighbours: got %v", err)
	}
	if _, err := probe.ParseKind("nearest neighbours"); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
	c = settings()
	c.Against = []probe.Kind{probe.LogisticPatches}
	if _, _, err := probe.Train(t.Context(), museum.draw(1, 60), model, c); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "mean patch") {
		t.Errorf("without patches: got %v", err)
	}
}
