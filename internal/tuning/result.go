package tuning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/vit"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// Result is what came of a training.
type Result struct {
	// Model is the name of the model that was made; empty where no epoch was
	// better than the probe.
	Model   string         `json:"model,omitempty"`
	ModelID palate.ModelID `json:"model_id,omitempty"`
	// Head is the version of the profile's probe that its head is.
	Head int `json:"head_version,omitempty"`

	Parent  string         `json:"parent"`
	Profile palate.Profile `json:"profile"`
	Recipe  Recipe         `json:"recipe"`

	Likes        int `json:"likes"`
	Dislikes     int `json:"dislikes"`
	HeldLikes    int `json:"held_likes"`
	HeldDislikes int `json:"held_dislikes"`
	Unreadable   int `json:"unreadable"`

	finetune.Fitted
	Skipped int     `json:"skipped"` // steps whose gradients were not finite
	Seconds float64 `json:"seconds"`
	Memory  int64   `json:"peak_memory_bytes"` // 0 is not known
	Curves  string  `json:"curves"`            // a file
}

// finish makes a model of the best state, unless that is the beginning.
func (tr *Training) finish(ctx context.Context, data finetune.Data, fitted finetune.Fitted) (Result, error) {
	r := Result{Parent: tr.request.Weights.Name, Profile: tr.request.Profile, Recipe: tr.Recipe, Unreadable: tr.kept.Unreadable, Fitted: fitted,
		Curves: filepath.Join(tr.folder, curvesFile)}
	for i, liked := range data.Liked {
		held := slices.Contains(data.Held, i)
		switch {
		case liked && held:
			r.HeldLikes++
		case held:
			r.HeldDislikes++
		case liked:
			r.Likes++
		default:
			r.Dislikes++
		}
	}
	for _, e := range fitted.History {
		r.Skipped += e.Skipped
	}
	_, r.Memory = usedMemory()
	if err := writeCurves(r.Curves, fitted); err != nil {
		return r, err
	}
	if fitted.Best.Number > 0 {
		if err := tr.add(ctx, data, &r); err != nil {
			return r, err
		}
	}
	return r, tr.clear()
}

// add adds the model and its head.
func (tr *Training) add(ctx context.Context, data finetune.Data, r *Result) error {
	recipe, err := json.Marshal(tr.Recipe)
	if err != nil {
		return err
	}
	parent := tr.request.Weights
	tuned := models.Tuned{Parent: parent.Name, ParentSHA256: parent.SHA256, ParentModel: tr.model.Description.Identity, Parents: []string{parent.Name},
		Profile: tr.request.Profile, Method: tr.Recipe.Method.String(), Recipe: recipe, Likes: r.Likes, Dislikes: r.Dislikes,
		HeldLikes: r.HeldLikes, HeldDislikes: r.HeldDislikes, Epochs: len(r.History) - 1, Best: r.Best.Number, TrainedAt: time.Now().UTC().Truncate(time.Second)}
	if parent.Tuned != nil {
		tuned.Parents = append(tuned.Parents, parent.Tuned.Parents...)
	}
	record, weights, err := tr.tuner.Models.WriteTuned(ctx, tr.request.Name, parent, tr.model.Description, tr.model.Settings, tr.trainer.Export(), tuned)
	if err != nil {
		return err
	}
	logits, features, err := tr.held(ctx, data)
	if err != nil {
		return err
	}
	built, err := weights.Build(ctx, models.Settings{}, models.Target{Precision: vit.Float32, Device: ort.DeviceCPU})
	if err != nil {
		return err
	}
	if err := tr.check(ctx, data, built, features); err != nil {
		return err
	}
	if r.Head, err = tr.addHead(ctx, data, built, logits); err != nil {
		return err
	}
	r.Model, r.ModelID = record.Name, built.Description.Identity
	return tr.tuner.Models.AddTuned(record)
}

// checkedPictures is on how many pictures a written model is compared with
// what was trained.
const checkedPictures = 8

// held scores the pictures that were held back.
func (tr *Training) held(ctx context.Context, data finetune.Data) (logits []float64, features []palate.Embedding, err error) {
	for part := range slices.Chunk(data.Held, tr.Recipe.Plan.Batch) {
		inputs := make([][]float32, len(part))
		for k, i := range part {
			if inputs[k], err = data.Pictures.Pixels(ctx, i); err != nil {
				return nil, nil, err
			}
		}
		if tr.Recipe.Plan.Tokens {
			if inputs, err = tr.trainer.Tokens(ctx, inputs); err != nil {
				return nil, nil, err
			}
		}
		l, err := tr.trainer.Logits(ctx, inputs)
		if err != nil {
			return nil, nil, err
		}
		logits = append(logits, l...)
		if len(features) < checkedPictures {
			f, err := tr.trainer.Features(ctx, inputs)
			if err != nil {
				return nil, nil, err
			}
			features = append(features, f...)
		}
	}
	return logits, features, nil
}

// check holds what embeds with the written model against what was trained.
func (tr *Training) check(ctx context.Context, data finetune.Data, built models.Built, want []palate.Embedding) error {
	session, err := tr.tuner.Runtime.NewSession(built.Graph, ort.SessionConfig{Device: ort.Device{Kind: ort.DeviceCPU}})
	if err != nil {
		return err
	}
	defer session.Close()
	in := built.Description.Input
	for k, w := range want {
		pixels, err := data.Pictures.Pixels(ctx, data.Held[k])
		if err != nil {
			return err
		}
		out, err := session.Run(ctx, map[string]ort.Tensor{vit.PixelsName: {Shape: []int64{1, 3, int64(in.Height), int64(in.Width)}, Data: pixels}}, []string{vit.EmbeddingName})
		if err != nil {
			return err
		}
		got := out[vit.EmbeddingName].Data
		var dot, a, b float64
		for i := range w {
			dot, a, b = dot+float64(w[i])*float64(got[i]), a+float64(w[i])*float64(w[i]), b+float64(got[i])*float64(got[i])
		}
		if cosine := dot / math.Sqrt(a*b); !(cosine > .9999) {
			return fmt.Errorf("fine-tuning: the model that was written does not embed as it was trained (cosine %.6f of picture %d); the training is kept: report this: %w", cosine, k, palate.ErrInvalid)
		}
	}
	return nil
}

// leaseRetry is how often a profile's lease is asked for, and leaseWait for how
// long.
const leaseRetry, leaseWait = 250 * time.Millisecond, time.Minute

// addHead stores the head as the profile's probe on the new model. What serves
// on other models stays.
func (tr *Training) addHead(ctx context.Context, data finetune.Data, built models.Built, logits []float64) (int, error) {
	head, p := tr.trainer.Head(), tr.request.Profile
	liked := make([]bool, len(data.Held))
	for k, i := range data.Held {
		liked[k] = data.Liked[i]
	}
	calibration := judge.Platt(logits, liked)
	classes := data.Balanced()
	learned := &probe.Probe{Model: built.Description.Identity, Weights: head.Weights, Bias: head.Bias, Calibration: calibration, Threshold: calibration.Probability(0),
		Settings: probe.Settings{Kind: "head of a fine-tuned model", LikeWeight: classes.Like, DislikeWeight: classes.Dislike, Patience: tr.Recipe.Config.Patience,
			Seed: int64(tr.Recipe.Config.Seed)}}
	var last int64
	for _, e := range tr.kept.Examples {
		last = max(last, e.Entry)
		if e.Liked {
			learned.Likes++
		} else {
			learned.Dislikes++
		}
	}
	weights, err := learned.MarshalBinary()
	if err != nil {
		return 0, err
	}
	summary, err := json.Marshal(&judge.Report{Format: judge.Format, Model: learned.Model, Kind: learned.Settings.Kind, Likes: learned.Likes, Dislikes: learned.Dislikes})
	if err != nil {
		return 0, err
	}
	lease, err := tr.profileLease(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = lease.Release() }()
	if err := putModel(ctx, tr.tuner.Catalog, built, tr.trainer.FeatureLength()); err != nil {
		return 0, err
	}
	stored, err := tr.tuner.Catalog.AddProbe(ctx, catalog.ProbeVersion{Profile: p, Model: learned.Model, Weights: weights, Summary: summary,
		LastEntry: last, Current: true, Reason: "head of the fine-tuned model " + tr.request.Name})
	return stored.Version, err
}

// profileLease waits for a training of the profile's probe to end.
func (tr *Training) profileLease(ctx context.Context) (catalog.Lease, error) {
	for begun := time.Now(); ; {
		lease, err := tr.tuner.Catalog.AcquireLease(ctx, "train-"+string(tr.request.Profile))
		if err == nil || !errors.Is(err, palate.ErrConflict) || time.Since(begun) > leaseWait {
			return lease, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(leaseRetry):
		}
	}
}

// putModel makes a model known to the catalog.
func putModel(ctx context.Context, c catalog.Catalog, built models.Built, dim int) error {
	description, err := models.Kept{Description: built.Description, Settings: built.Settings, FineTuned: true}.JSON()
	if err != nil {
		return err
	}
	return c.PutModel(ctx, catalog.Model{ID: built.Description.Identity, Name: built.Description.Name, Dim: dim, Description: description})
}

// clear removes what a training that ended needs no more; its curves stay.
func (tr *Training) clear() error {
	entries, err := os.ReadDir(tr.folder)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		name := e.Name()
		_, half := atomicfile.Half(name)
		if name != keptFile && name != "checkpoint.json" && !strings.HasSuffix(name, ".safetensors") && !half {
			continue
		}
		if err := os.Remove(filepath.Join(tr.folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
