package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/hub/hubtest"
	"github.com/palate-art/palate/test/program"
)

const gatedRepository = "facebook/dinov3-vits16-pretrain-lvd1689m"

// dinov3Hub stands in for the hub, and has palate ask it with a token.
func dinov3Hub(t *testing.T, token string) *hubtest.Hub {
	t.Helper()
	const folder = "../../internal/vit/testdata/families/hf-dinov3-hub"
	r := hubtest.Repository{Gated: true, Files: map[string][]byte{
		"model.safetensors": program.ReadFile(t, filepath.Join(folder, "model.safetensors")),
		"config.json":       program.ReadFile(t, filepath.Join(folder, "config.json")),
		"preprocessor_config.json": []byte(`{"image_processor_type": "DINOv3ViTImageProcessorFast", "do_resize": true, "resample": 2, "size": {"height": 32, "width": 32},
 "do_normalize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "do_rescale": true, "rescale_factor": 0.00392156862745098}`),
	}, Card: map[string]any{"license": "other", "license_name": "dinov3-license"}}
	h := hubtest.New(t, map[string]hubtest.Repository{gatedRepository: r})
	home := t.TempDir()
	for name, value := range map[string]string{"HF_ENDPOINT": h.URL, "HF_HUB_OFFLINE": "", "HF_HOME": home, "HF_HUB_CACHE": "", "HF_TOKEN": token,
		"PALATE_MODELS": filepath.Join(home, "models")} {
		t.Setenv(name, value)
	}
	return h
}

// A model is added by its name on the hub, embeds, is listed with its page and
// licence, and comes again as it was.
func TestAModelIsAddedByItsNameOnTheHub(t *testing.T) {
	h := dinov3Hub(t, hubtest.Token)
	before := program.JSONRun[modelEntry](t, "model", "show", "dinov3-small-hf")
	if before.State != collection.ModelNotPulled || !before.Gated || before.Page != h.URL+"/"+gatedRepository {
		t.Errorf("offered as %+v", before)
	}
	r := program.RunPalate(t, "model", "add", gatedRepository)
	if r.Code != exitDone || !strings.Contains(r.Err, "DINOv3 License (https://ai.meta.com/") || !strings.Contains(r.Out, hubtest.Commit) || strings.Contains(r.Out, "guess") {
		t.Fatalf("got %+v", r)
	}
	entry := program.JSONRun[modelEntry](t, "model", "show", "dinov3-small-hf")
	if entry.State != collection.ModelHere || entry.Source != "hub" || entry.Repository != gatedRepository || entry.Licence.Name != "DINOv3 License" || entry.Preprocess.Size != 32 || len(entry.Guessed) > 0 {
		t.Errorf("got %+v", entry)
	}
	file := filepath.Join(program.MuseumPictures(t, 1), "0.jpg")
	if got := program.JSONRun[collection.FileEmbedding](t, "embed", file, "--model", "dinov3-small-hf", "--size", "32"); len(got.Vector) != 16 {
		t.Errorf("got %d values", len(got.Vector))
	}
	if err := os.RemoveAll(filepath.Join(os.Getenv("HF_HOME"), "hub")); err != nil {
		t.Fatal(err)
	}
	if again := program.JSONRun[modelEntry](t, "model", "pull", "dinov3-small-hf"); again.State != collection.ModelHere || again.SHA256 != entry.SHA256 {
		t.Errorf("got %+v", again)
	}
	listed := program.RunPalate(t, "model", "list")
	for _, name := range []string{"dinov3-small-hf", "clip-base-32", "siglip-base", "eva02-tiny"} {
		if !strings.Contains(listed.Out, name) {
			t.Errorf("%s is not listed", name)
		}
	}
}

// Naming an offered model brings it, as it does one that is pinned.
func TestAnOfferedModelComesWhenItIsNamed(t *testing.T) {
	dinov3Hub(t, hubtest.Token)
	file := filepath.Join(program.MuseumPictures(t, 1), "0.jpg")
	if got := program.JSONRun[collection.FileEmbedding](t, "embed", file, "--model", "dinov3-small-hf", "--size", "32"); len(got.Vector) != 16 {
		t.Errorf("got %d values", len(got.Vector))
	}
}

func TestAGatedModelIsRefusedWithItsPage(t *testing.T) {
	for token, want := range map[string]string{"": "set HF_TOKEN", "hf_stranger": "owner of the token has not agreed"} {
		h := dinov3Hub(t, token)
		program.MustFail(t, exitFailed, []string{h.URL + "/" + gatedRepository, want}, "model", "add", "mine", gatedRepository)
		program.MustFail(t, exitFailed, []string{want}, "model", "pull", "dinov3-small-hf")
	}
	program.MustFail(t, exitUsage, []string{"--copy"}, "model", "add", gatedRepository, "--copy")
}
