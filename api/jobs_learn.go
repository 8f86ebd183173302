package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/arena"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/starter"
	"github.com/palate-art/palate/internal/tuning"
)

// tuningOf reads what is asked of a fine-tuning.
func tuningOf(in *FineTuneInput) *starter.Tuning {
	if in == nil {
		return nil
	}
	t := &starter.Tuning{Model: in.Model, Name: valueOr(in.Name, ""), Method: valueOr(in.Method, ""), Augment: valueOr(in.Augment, ""),
		TokenCache: in.TokenCache, Resume: valueOr(in.Resume, false)}
	t.Asked = tuning.Asked{Epochs: in.Epochs, Batch: in.Batch, LearningRate: in.LearningRate, LayerDecay: in.LayerDecay, WeightDecay: in.WeightDecay,
		DropPath: in.DropPath, WarmUp: in.WarmUp, Clip: in.Clip, Patience: in.Patience, CheckpointBlocks: in.CheckpointBlocks}
	if in.Precision != nil {
		precision := finetune.Precision(*in.Precision)
		t.Asked.Precision = &precision
	}
	if in.Seed != nil {
		seed := uint64(*in.Seed)
		t.Asked.Seed = &seed
	}
	return t
}

// contestOf reads what is asked of an arena.
func contestOf(in *ArenaInput) *starter.Contest {
	if in == nil {
		return nil
	}
	return &starter.Contest{Models: in.Models, Methods: valueOr(in.Methods, []string{arena.Probe, arena.KNN, arena.Centroid}), Folds: valueOr(in.Folds, 5), Seed: valueOr(in.Seed, 1),
		Budget: time.Duration(valueOr(in.BudgetSeconds, 0) * float64(time.Second)), SingleSplit: valueOr(in.Protocol, ArenaProtocolFolds) == ArenaProtocolSingleSplit,
		Asked: tuning.Asked{Epochs: in.Epochs, Batch: in.Batch, LearningRate: in.LearningRate}}
}

// settingsOf are what is asked of a fine-tuning or an arena, as it is asked, and
// of a dry run the request for the crawl itself.
func settingsOf(in *JobInput) (json.RawMessage, error) {
	switch {
	case in.Finetune != nil:
		return json.Marshal(in.Finetune)
	case in.Arena != nil:
		return json.Marshal(in.Arena)
	case valueOr(in.DryRun, false):
		crawl := *in
		crawl.DryRun = nil
		return json.Marshal(crawl)
	}
	return nil, nil
}

// progressOf is how a run goes, if it says so.
func progressOf(run catalog.Run) (*JobProgress, error) {
	if len(run.Progress) == 0 {
		return nil, nil
	}
	p := new(JobProgress)
	if err := json.Unmarshal(run.Progress, p); err != nil {
		return nil, fmt.Errorf("progress of run %d: %w", run.ID, err)
	}
	return p, nil
}

// GetJobPage answers with what an arena came to, as a page.
func (s *Server) GetJobPage(ctx context.Context, request GetJobPageRequestObject) (GetJobPageResponseObject, error) {
	run, err := s.services.Catalog.RunByID(ctx, request.Job)
	if err != nil {
		return nil, err
	}
	if run.Profile != "" {
		if _, err := resolve(ctx, string(run.Profile)); err != nil {
			return nil, err
		}
	}
	report, err := starter.ArenaOf(run)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	if err := report.Page().Write(&page); err != nil {
		return nil, err
	}
	return jobPage(page.Bytes()), nil
}

// jobPage is a page whose styles and plots are in it, and which runs nothing.
type jobPage []byte

// VisitGetJobPageResponse writes it.
func (p jobPage) VisitGetJobPageResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'")
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(p)
	return err
}
