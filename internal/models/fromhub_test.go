package models_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/hub"
	"github.com/palate-art/palate/internal/hub/hubtest"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/safetensors"
)

const (
	dinov3Repository = "facebook/dinov3-vits16-pretrain-lvd1689m"
	families         = "../vit/testdata/families/"
)

// onTheHub is a repository with one of package vit's tiny models.
func onTheHub(t *testing.T, family string, gated bool, card map[string]any) hubtest.Repository {
	t.Helper()
	r := hubtest.Repository{Files: map[string][]byte{}, Gated: gated, Card: card}
	for _, name := range []string{"model.safetensors", "config.json"} {
		content, err := os.ReadFile(filepath.Join(families+family, name))
		if err != nil {
			t.Fatal(err)
		}
		r.Files[name] = content
	}
	return r
}

// dinov3Processor is written as the publisher writes it.
const dinov3Processor = `{"crop_size": null, "data_format": "channels_first", "default_to_square": true, "device": null, "disable_grouping": null,
 "do_center_crop": null, "do_convert_rgb": null, "do_normalize": true, "do_rescale": true, "do_resize": true,
 "image_mean": [0.485, 0.456, 0.406], "image_processor_type": "DINOv3ViTImageProcessorFast", "image_std": [0.229, 0.224, 0.225],
 "input_data_format": null, "resample": 2, "rescale_factor": 0.00392156862745098, "return_tensors": null, "size": {"height": 32, "width": 32}}`

func dinov3(t *testing.T) hubtest.Repository {
	t.Helper()
	r := onTheHub(t, "hf-dinov3-hub", true, map[string]any{"license": "other", "license_name": "dinov3-license",
		"license_link": "https://ai.meta.com/resources/models-and-libraries/dinov3-license", "extra_gated_fields": map[string]any{"Job title": "text"}})
	r.Files["preprocessor_config.json"] = []byte(dinov3Processor)
	return r
}

func hubClient(t *testing.T, h *hubtest.Hub, change func(*hub.Config)) *hub.Client {
	t.Helper()
	c := hub.DefaultConfig()
	c.Endpoint, c.CacheDir = h.URL, t.TempDir()
	c.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	if change != nil {
		change(&c)
	}
	client, err := hub.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func reference(t *testing.T, text string) models.Reference {
	t.Helper()
	r, found := models.ParseReference(text)
	if !found {
		t.Fatalf("%q names no model on the hub", text)
	}
	return r
}

// addFromHub fetches a model and adds it.
func addFromHub(t *testing.T, client *hub.Client, text string) (models.Record, models.Told, error) {
	t.Helper()
	ref := reference(t, text)
	var told models.Told
	came, err := models.FetchFromHub(t.Context(), ref, client, func(now models.Told) { told = now })
	if err != nil {
		return models.Record{}, told, err
	}
	r, err := models.OpenStore(t.TempDir()).Add(t.Context(), models.Addition{Name: ref.Name(), File: came.File, Hub: &came.Origin,
		Licence: came.Licence.Name, LicenceURL: came.Licence.URL})
	return r, told, err
}

func TestNamesOfModelsOnTheHub(t *testing.T) {
	for _, tc := range []struct{ text, repository, revision, name string }{
		{"facebook/dinov3-vits16-pretrain-lvd1689m", dinov3Repository, "main", "dinov3-small-hf"},
		{"google/vit-base-patch16-224@3f49326", "google/vit-base-patch16-224", "3f49326", "vit-base-patch16-224"},
		{"hf-hub:timm/vit_base_patch16_siglip_224.webli", "timm/vit_base_patch16_siglip_224.webli", "main", "vit_base_patch16_siglip_224.webli"},
		{"https://huggingface.co/facebook/ijepa_vith14_1k/tree/main", "facebook/ijepa_vith14_1k", "main", "ijepa_vith14_1k"},
		{"vit_small_patch16_dinov3.lvd1689m", "timm/vit_small_patch16_dinov3.lvd1689m", "main", "dinov3-small"},
		{"vit_small_patch16_dinov3", "timm/vit_small_patch16_dinov3.lvd1689m", "main", "dinov3-small"},
		{"vit_base_patch16_224.augreg2_in21k_ft_in1k", "timm/vit_base_patch16_224.augreg2_in21k_ft_in1k", "main", "vit_base_patch16_224.augreg2_in21k_ft_in1k"},
		{"siglip-base", "google/siglip-base-patch16-224", "main", "siglip-base"},
		{"ViT-B/32", "openai/clip-vit-base-patch32", "main", "clip-base-32"},
		{"mine", "", "", ""},
		{"model.safetensors", "", "", ""},
		{"folder/model.safetensors", "", "", ""},
		{"/no/such", "", "", ""},
		{"./org/name", "", "", ""},
		{"a/b/c", "", "", ""},
		{"fromhub_test.go", "", "", ""}, // a file that is here
		{"testdata/tiny", "", "", ""},   // and a folder
		{"", "", "", ""},
	} {
		r, found := models.ParseReference(tc.text)
		if found != (tc.repository != "") || found && (r.Repository != tc.repository || r.Revision != tc.revision || r.Name() != tc.name) {
			t.Errorf("%q: got %+v (%v), called %q", tc.text, r, found, r.Name())
		}
	}
}

// A gated model comes for a token whose owner agreed, with its own licence, by
// what its files say, pinned to a commit and to hashes.
func TestAGatedModelComesWithItsLicence(t *testing.T) {
	h := hubtest.New(t, map[string]hubtest.Repository{dinov3Repository: dinov3(t)})
	client := hubClient(t, h, func(c *hub.Config) { c.Token = hubtest.Token })
	r, told, err := addFromHub(t, client, "dinov3-small-hf")
	if err != nil {
		t.Fatal(err)
	}
	if !told.Gated || told.Licence.Name != "DINOv3 License" || told.Page != h.URL+"/"+dinov3Repository {
		t.Errorf("told %+v before the weights", told)
	}
	if r.Licence != "DINOv3 License" || !strings.Contains(r.LicenceURL, "dinov3-license") {
		t.Errorf("recorded the licence %q %q", r.Licence, r.LicenceURL)
	}
	p := r.Preprocessing
	if p == nil || p.Size != 32 || p.Fit != "stretch" || p.Interpolation != "bilinear" || p.CropRatio != 1 || !strings.HasPrefix(r.Architecture, "dinov3") {
		t.Errorf("got %q, %+v", r.Architecture, p)
	}
	for what, origin := range r.Origins {
		if origin != models.OriginPublished {
			t.Errorf("%s is %s", what, origin)
		}
	}
	content := dinov3(t).Files["model.safetensors"]
	if r.SHA256 != hubtest.SHA256(content) || r.Hub == nil || r.Hub.Commit != hubtest.Commit || r.Hub.Files["model.safetensors"] != hubtest.SHA256(content) || len(r.Hub.Files) != 3 || len(r.Hub.Files["config.json"]) != 40 {
		t.Errorf("pinned %+v", r.Hub)
	}
}

// What the hub says against giving a model is told with what to do.
func TestARefusalOfTheHubSaysWhatToDo(t *testing.T) {
	for _, tc := range []struct {
		name, ask string
		change    func(*hub.Config)
		kind      error
		want      []string
	}{
		{"gated, no token", "dinov3-small-hf", nil, palate.ErrUnavailable, []string{"agreed to their licence", "/" + dinov3Repository, "HF_TOKEN"}},
		{"gated, a token whose owner has not agreed", "dinov3-small-hf", func(c *hub.Config) { c.Token = "hf_other" }, palate.ErrUnavailable,
			[]string{"owner of the token has not", "/" + dinov3Repository, "wait"}},
		{"no such repository", "nobody/nothing", nil, palate.ErrUnavailable, []string{"no public repository nobody/nothing"}},
		{"no such revision", dinov3Repository + "@v9", nil, palate.ErrNotFound, []string{"no revision v9"}},
		{"no weights", "org/text", nil, palate.ErrInvalid, []string{"no weights that palate reads", "/org/text"}},
		{"parts of PyTorch's", "org/parts", nil, palate.ErrInvalid, []string{"several parts"}},
		{"offline", "dinov3-small-hf", func(c *hub.Config) { c.Offline = true }, palate.ErrUnavailable, []string{"offline"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := hubtest.New(t, map[string]hubtest.Repository{dinov3Repository: dinov3(t),
				"org/text":  {Files: map[string][]byte{"tokenizer.json": []byte("{}")}},
				"org/parts": {Files: map[string][]byte{"pytorch_model.bin.index.json": []byte("{}"), "pytorch_model-00001-of-00002.bin": []byte("x"), "pytorch_model-00002-of-00002.bin": []byte("y")}}})
			_, _, err := addFromHub(t, hubClient(t, h, tc.change), tc.ask)
			if !errors.Is(err, tc.kind) {
				t.Fatalf("got %v, want %v", err, tc.kind)
			}
			for _, words := range tc.want {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("got %q, want %q in it", err, words)
				}
			}
		})
	}
}

// Public models of every layout come, also from a mirror that doesn't say what
// is in a repository, from a hub that is busy for a while, and, once they are in
// the cache, without any.
func TestModelsComeByName(t *testing.T) {
	clip := onTheHub(t, "hf-clip", false, map[string]any{"tags": []string{"vision"}})
	clip.Files["preprocessor_config.json"] = []byte(`{"crop_size": 32, "do_center_crop": true, "do_normalize": true, "do_resize": true, "feature_extractor_type": "CLIPFeatureExtractor",
 "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711], "resample": 3, "size": 32}`)
	siglip := onTheHub(t, "openclip-siglip", false, map[string]any{"license": "apache-2.0"})
	siglip.Files = map[string][]byte{"open_clip_model.safetensors": siglip.Files["model.safetensors"], "open_clip_config.json": siglip.Files["config.json"], "tokenizer.json": []byte("{}")}
	timm := onTheHub(t, "timm-dinov3", false, map[string]any{"license": "other", "license_name": "dinov3-license"})
	repositories := map[string]hubtest.Repository{"openai/clip-vit-base-patch32": clip, "timm/ViT-B-16-SigLIP": siglip, "timm/vit_small_patch16_dinov3.lvd1689m": timm}
	for _, tc := range []struct{ ask, architecture, licence string }{
		{"ViT-B/32", "clip", "MIT"},
		{"timm/ViT-B-16-SigLIP", "siglip", "Apache-2.0"},
		{"vit_small_patch16_dinov3", "dinov3", "DINOv3 License"},
	} {
		for _, how := range []string{"as it is", "silent", "busy"} {
			t.Run(tc.ask+" "+how, func(t *testing.T) {
				h := hubtest.New(t, repositories)
				switch how {
				case "silent":
					h.Silent()
				case "busy":
					h.Busy(3)
				}
				client := hubClient(t, h, nil)
				r, _, err := addFromHub(t, client, tc.ask)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.HasPrefix(r.Architecture, tc.architecture) {
					t.Errorf("got %q", r.Architecture)
				}
				if r.Licence != tc.licence && how != "silent" { // then only what palate knows itself
					t.Errorf("under %q, want %q", r.Licence, tc.licence)
				}
				offline := hubClient(t, h, func(c *hub.Config) { c.Offline, c.CacheDir = true, client.CacheDir() })
				before := len(h.Asked())
				again, _, err := addFromHub(t, offline, tc.ask)
				if how == "silent" || err == nil {
					if err != nil || again.SHA256 != r.SHA256 || len(h.Asked()) != before {
						t.Errorf("without a network: got %v, %d requests", err, len(h.Asked())-before)
					}
				}
			})
		}
	}
}

// A model in several files comes whole, and comes again when its cache is lost
// or damaged; other bytes under the same commit are refused.
func TestWhatCameIsHeldTo(t *testing.T) {
	whole := onTheHub(t, "timm-clip-quickgelu", false, nil)
	sharded := hubtest.Repository{Files: map[string][]byte{"config.json": whole.Files["config.json"]}}
	folder := t.TempDir()
	all, _ := goldenValues(t)
	writeShards(t, folder, all)
	for _, name := range []string{"model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"} {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		sharded.Files[name] = content
	}
	h := hubtest.New(t, map[string]hubtest.Repository{"org/sharded": sharded})
	client := hubClient(t, h, nil)
	r, _, err := addFromHub(t, client, "org/sharded")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Hub.Files) != 4 {
		t.Errorf("came: %v", r.Hub.Files)
	}
	part := filepath.Join(filepath.Dir(r.File), "model-00002-of-00002.safetensors")
	if err := os.WriteFile(part, []byte("damaged"), 0o644); err != nil { // through the link
		t.Fatal(err)
	}
	if err := r.Hub.Again(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(part); err != nil || hubtest.SHA256(got) != r.Hub.Files["model-00002-of-00002.safetensors"] {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if err := os.RemoveAll(client.CacheDir()); err != nil {
		t.Fatal(err)
	}
	other := hubtest.Repository{Files: map[string][]byte{}}
	for name, content := range sharded.Files {
		other.Files[name] = append([]byte(nil), content...)
	}
	other.Files["model-00001-of-00002.safetensors"][0] ^= 1
	h.Change("org/sharded", other)
	if err := r.Hub.Again(t.Context(), client); !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("got %v of other bytes", err)
	}
}

// What is made of weights stays under their licence: in its record, in the
// file itself, and in what is told of it.
func TestADerivativeCarriesTheLicence(t *testing.T) {
	all, config := goldenValues(t)
	parent := models.Weights{Name: "parent", Licence: models.Licence{Name: "DINOv3 License", URL: "https://ai.meta.com/resources/models-and-libraries/dinov3-license/"}, Configs: [][]byte{config}}
	d := embedder.Description{Input: embedder.InputDescription{Width: 32, Height: 32}, Mean: [3]float64{.5, .5, .5}, Std: [3]float64{.5, .5, .5}}
	store := models.OpenStore(t.TempDir())
	r, weights, err := store.WriteTuned(t.Context(), "derived", parent, d, models.Settings{}, all, models.Tuned{Parent: "parent"})
	if err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.OpenFile(r.File)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got := file.Metadata()["license"]; !strings.HasPrefix(got, "DINOv3 License (https://") || file.Metadata()["base_model"] != "parent" {
		t.Errorf("the file says %v", file.Metadata())
	}
	if r.Licence != parent.Licence.Name || r.LicenceURL != parent.Licence.URL || weights.Licence != parent.Licence {
		t.Errorf("recorded %q %q, told %+v", r.Licence, r.LicenceURL, weights.Licence)
	}
}
