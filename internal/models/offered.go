package models

import (
	_ "embed"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// Offer is a model that is had from the hub by a name of its own, as its
// publisher has it there now: which commit and which bytes those are is noted
// when they come, and held to from then on.
type Offer struct {
	Name       string
	Title      string
	Repository string
	// Licence is the one that is known of it; what the repository itself says
	// goes before.
	Licence Licence
	// Gated says that the hub gives it only to who has agreed to its licence.
	Gated bool
}

var (
	dinov3Licence = Licence{"DINOv3 License", "https://ai.meta.com/resources/models-and-libraries/dinov3-license/", "Meta AI"}
	clipLicence   = Licence{"MIT", "https://github.com/openai/CLIP/blob/main/LICENSE", "OpenAI"}
	siglipLicence = Licence{"Apache-2.0", "https://github.com/google-research/big_vision/blob/main/LICENSE", "Google"}
)

// offered are in the order in which people are shown them.
var offered = []Offer{
	{"dinov3-small", "DINOv3 S/16", "timm/vit_small_patch16_dinov3.lvd1689m", dinov3Licence, false},
	{"dinov3-base", "DINOv3 B/16", "timm/vit_base_patch16_dinov3.lvd1689m", dinov3Licence, false},
	{"dinov3-large", "DINOv3 L/16", "timm/vit_large_patch16_dinov3.lvd1689m", dinov3Licence, false},
	{"dinov3-small-hf", "DINOv3 S/16, Meta's own repository", "facebook/dinov3-vits16-pretrain-lvd1689m", dinov3Licence, true},
	{"dinov3-base-hf", "DINOv3 B/16, Meta's own repository", "facebook/dinov3-vitb16-pretrain-lvd1689m", dinov3Licence, true},
	{"dinov3-large-hf", "DINOv3 L/16, Meta's own repository", "facebook/dinov3-vitl16-pretrain-lvd1689m", dinov3Licence, true},
	{"clip-base-32", "CLIP B/32", "openai/clip-vit-base-patch32", clipLicence, false},
	{"clip-base-16", "CLIP B/16", "openai/clip-vit-base-patch16", clipLicence, false},
	{"clip-large", "CLIP L/14", "openai/clip-vit-large-patch14", clipLicence, false},
	{"siglip-base", "SigLIP B/16", "google/siglip-base-patch16-224", siglipLicence, false},
	{"siglip2-base", "SigLIP 2 B/16", "google/siglip2-base-patch16-224", siglipLicence, false},
	{"eva02-tiny", "EVA-02 Ti/14", "timm/eva02_tiny_patch14_224.mim_in22k", evaLicence, false},
	{"eva02-small", "EVA-02 S/14", "timm/eva02_small_patch14_224.mim_in22k", evaLicence, false},
	{"eva02-large", "EVA-02 L/14", "timm/eva02_large_patch14_224.mim_in22k", evaLicence, false},
}

// openAI are the names that OpenAI's own program has for its models.
var openAI = map[string]string{
	"ViT-B/32": "openai/clip-vit-base-patch32", "ViT-B/16": "openai/clip-vit-base-patch16",
	"ViT-L/14": "openai/clip-vit-large-patch14", "ViT-L/14@336px": "openai/clip-vit-large-patch14-336",
}

// Offers lists the models that are had from the hub by a name of their own,
// beside those of KnownModels.
func Offers() []Offer { return append([]Offer(nil), offered...) }

// OfferNamed gives the offer of a name.
func OfferNamed(name string) (Offer, bool) {
	for _, o := range offered {
		if o.Name == name {
			return o, true
		}
	}
	return Offer{}, false
}

// Reference names a repository of the hub at a revision.
type Reference struct{ Repository, Revision string }

func (r Reference) String() string {
	if r.Revision == mainRevision {
		return r.Repository
	}
	return r.Repository + "@" + r.Revision
}

const mainRevision = "main"

//go:embed timm_tags.txt
var timmTagsText string

// timmTags say which repository and which licence an architecture of timm's
// stands for where no tag is said.
var timmTags = sync.OnceValue(func() map[string][2]string {
	all := map[string][2]string{}
	for line := range strings.Lines(timmTagsText) {
		if f := strings.Fields(line); len(f) == 3 && f[0] != "#" {
			all[f[0]] = [2]string{f[1], f[2]}
		}
	}
	return all
})

var (
	hubReference = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95})(?:@([A-Za-z0-9][A-Za-z0-9._-]{0,127}))?$`)
	timmTagged   = regexp.MustCompile(`^([a-z0-9]+(?:_[a-z0-9]+)+)\.([a-z0-9_]+)$`)
)

// ParseReference reads the name of a model on the hub: ORG/NAME with @REVISION
// behind it or not, the page's address, timm's name of an architecture with
// its tag or without, OpenAI's name of a CLIP, or that of an Offer. found is
// false for what is none of these, and for what is a file or a folder here.
func ParseReference(text string) (r Reference, found bool) {
	for _, scheme := range []string{"hf-hub:", "hf_hub:", "hf://", "https://huggingface.co/", "https://hf.co/"} {
		if rest, explicit := strings.CutPrefix(text, scheme); explicit {
			repository, tail, _ := strings.Cut(strings.TrimSuffix(rest, "/"), "/tree/")
			if tail != "" {
				repository += "@" + tail
			}
			return parseRepository(repository)
		}
	}
	if repository, known := openAI[text]; known {
		return Reference{repository, mainRevision}, true
	}
	if _, err := os.Stat(text); err == nil || text == "" || filepath.IsAbs(text) {
		return Reference{}, false
	}
	if o, is := OfferNamed(text); is {
		return Reference{o.Repository, mainRevision}, true
	}
	if IsTensorsFile(text) || strings.EqualFold(filepath.Ext(text), ".onnx") {
		return Reference{}, false // a file that isn't there
	}
	if tag, known := timmTags()[text]; known {
		return Reference{tag[0], mainRevision}, true
	}
	if m := timmTagged.FindStringSubmatch(text); m != nil {
		return Reference{"timm/" + text, mainRevision}, true
	}
	return parseRepository(text)
}

func parseRepository(text string) (Reference, bool) {
	m := hubReference.FindStringSubmatch(text)
	if m == nil {
		return Reference{}, false
	}
	if m[2] == "" {
		m[2] = mainRevision
	}
	return Reference{m[1], m[2]}, true
}

// Name is what the model is called where nobody says it: as it is offered, or
// as its repository is.
func (r Reference) Name() string {
	for _, o := range offered {
		if o.Repository == r.Repository {
			return o.Name
		}
	}
	_, name, _ := strings.Cut(r.Repository, "/")
	return name
}

// licence is what palate knows of a repository's licence by itself.
func (r Reference) licence() Licence {
	for _, o := range offered {
		if o.Repository == r.Repository {
			return o.Licence
		}
	}
	owner, name, _ := strings.Cut(r.Repository, "/")
	architecture, _, _ := strings.Cut(name, ".")
	switch tag := timmTags()[architecture]; {
	case owner == "openai" && strings.HasPrefix(name, "clip-vit-"):
		return clipLicence
	case tag[0] == r.Repository && tag[1] != "-":
		return licenceOf(tag[1], "", "")
	}
	return Licence{}
}

// licenceOf writes a licence as its SPDX name or as its publisher calls it.
func licenceOf(id, name, url string) Licence {
	spelt := map[string]string{"apache-2.0": "Apache-2.0", "mit": "MIT", "cc-by-nc-4.0": "CC-BY-NC-4.0", "cc-by-4.0": "CC-BY-4.0",
		"cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0", "bsd-3-clause": "BSD-3-Clause"}
	if name == "dinov3-license" || id == "dinov3-license" || id == "other" && strings.Contains(url, "dinov3-license") {
		return dinov3Licence
	}
	l := Licence{Name: id, URL: url}
	if spelling, found := spelt[strings.ToLower(id)]; found {
		l.Name = spelling
	}
	if name != "" && (id == "" || id == "other") {
		l.Name = name
	}
	return l
}
