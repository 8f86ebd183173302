package models

import (
	"fmt"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/hub"
)

// Licence is what weights are given out under.
type Licence struct {
	Name string `json:"name"` // SPDX where there is one
	URL  string `json:"url,omitempty"`
	By   string `json:"by,omitempty"` // who published the weights
}

// Text is the licence in one line.
func (l Licence) Text() string {
	text := l.Name
	if l.URL != "" {
		text += " (" + l.URL + ")"
	}
	if l.By != "" {
		text += ", published by " + l.By
	}
	return text
}

// Known is a model on the hub.
type Known struct {
	Name    string
	Title   string
	File    hub.File
	Licence Licence
	// Parameters is how many numbers the model has; 4 bytes each is about
	// what its file weighs.
	Parameters int64
	// Heads are those of attention.
	Heads int
	// Preprocessing is what the weights were published with.
	Preprocessing Preprocessing
}

// Bytes is what the download weighs, exactly where it is known.
func (k Known) Bytes() int64 {
	if k.File.Size != 0 {
		return k.File.Size
	}
	return 4 * k.Parameters
}

// kind is timm's name of the model, which is that of its repository before the
// dot, or transformers' name of its kind.
func (k Known) kind() (architecture, modelType string) {
	owner, name, _ := strings.Cut(k.File.Repository, "/")
	if owner != "timm" {
		return "", "dinov2" // all others that are known
	}
	architecture, _, _ = strings.Cut(name, ".")
	return architecture, ""
}

var (
	imagenetMean = [3]float64{.485, .456, .406}
	imagenetStd  = [3]float64{.229, .224, .225}
	clipMean     = [3]float64{.48145466, .4578275, .40821073}
	clipStd      = [3]float64{.26862954, .26130258, .27577711}

	dinov2Input = Preprocessing{Size: 518, CropRatio: 1, Mean: imagenetMean, Std: imagenetStd}
	dinoInput   = Preprocessing{Size: 224, CropRatio: .9, Mean: imagenetMean, Std: imagenetStd}
	evaInput    = Preprocessing{Size: 224, CropRatio: .9, Mean: clipMean, Std: clipStd}

	dinov2Licence = Licence{"Apache-2.0", "https://github.com/facebookresearch/dinov2/blob/main/LICENSE", "Meta AI"}
	dinoLicence   = Licence{"Apache-2.0", "https://github.com/facebookresearch/dino/blob/main/LICENSE", "Meta AI"}
	evaLicence    = Licence{"MIT", "https://github.com/baaivision/EVA/blob/master/LICENSE", "BAAI"}
)

func weights(repository, revision string, size int64, sha256 string) hub.File {
	return hub.File{Repository: repository, Revision: revision, Path: "model.safetensors", Size: size, SHA256: sha256}
}

// known are the models in the order in which people are shown them. Where no
// hash is given none was found in a second public place: the hub's own is
// believed at the first download and held to afterwards.
var known = []Known{
	{"dinov2-small", "DINOv2 S/14", weights("timm/vit_small_patch14_dinov2.lvd142m", "4610ca143709d58a633b6397a74412c2c3842454",
		88240510, "04d27f3400d059fc0cfd7d17dd1909a75bf3ea8fb3eeb48b97cb99e57ee20081"), dinov2Licence, 22056192, 6, dinov2Input},
	{"dinov2-base", "DINOv2 B/14", weights("timm/vit_base_patch14_dinov2.lvd142m", "4685c99dabffe5affac90bd99dbffd25801ae58d",
		346334872, "55cbb5d887b336d430e649c277b85a1429e724871f9d02ac16203235886d8c7b"), dinov2Licence, 86579712, 12, dinov2Input},
	{"dinov2-large", "DINOv2 L/14", weights("timm/vit_large_patch14_dinov2.lvd142m", "4741e1cafbf45415e77074bb0cb42dba76c8684a",
		1217502758, "0424a5d1b515278cba3c6640ccbeaacc41de59d3a93df0dd5e494285eea2b355"), dinov2Licence, 304367616, 16, dinov2Input},
	{"dinov2-small-reg4", "DINOv2 S/14, 4 registers", weights("timm/vit_small_patch14_reg4_dinov2.lvd142m", "c04b5193082a8d5b0c4856c7937384a48136c5de",
		0, ""), dinov2Licence, 22057344, 6, dinov2Input},
	{"dinov2-base-reg4", "DINOv2 B/14, 4 registers", weights("timm/vit_base_patch14_reg4_dinov2.lvd142m", "3b06466a5548c52b8b98822e1390987695fcbf82",
		346344168, "c24ecfb4a1d8ca79193f6b9efcffc461872a09ddac43a0931357e4802931a006"), dinov2Licence, 86582016, 12, dinov2Input},
	{"dinov2-large-reg4", "DINOv2 L/14, 4 registers", weights("timm/vit_large_patch14_reg4_dinov2.lvd142m", "f3c408e77602bb412aa65fb03dfa0d5f95cb3832",
		0, ""), dinov2Licence, 304370688, 16, dinov2Input},
	{"dinov2-small-hf", "DINOv2 S/14, transformers' names", weights("facebook/dinov2-small", "ed25f3a31f01632728cabb09d1542f84ab7b0056",
		88249960, "ae1e99fcefd534ed978cdeb8326f08030c96e28b7a81ffcbc98a857c84d14be1"), dinov2Licence, 22056192, 6, dinov2Input},
	{"dinov2-base-hf", "DINOv2 B/14, transformers' names", weights("facebook/dinov2-base", "f9e44c814b77203eaa57a6bdbbd535f21ede1415",
		346345912, "d73036b56966966d07975d696bde331762f37297e2f095de8cea0040c3aa0841"), dinov2Licence, 86579712, 12, dinov2Input},
	{"dino-small", "DINO S/16", weights("timm/vit_small_patch16_224.dino", "733b42a211ebe03aa7327050699cfcee7cd96123",
		0, ""), dinoLicence, 21665664, 6, dinoInput},
	{"dino-base", "DINO B/16", weights("timm/vit_base_patch16_224.dino", "3ca4284a1d2db6ac0fc1a7e24e71ee0643260ec2",
		0, ""), dinoLicence, 85798656, 12, dinoInput},
	{"eva02-base", "EVA-02 B/14", weights("timm/eva02_base_patch14_224.mim_in22k", "6b2421418cedbe8ea27b0dc0307fa550c8784a4a",
		0, ""), evaLicence, 85758720, 12, evaInput},
}

// The models that palate chooses by itself.
const (
	DefaultOnGPU = "dinov2-base"
	DefaultOnCPU = "dinov2-small"
)

// KnownModels lists the models that can be pulled by name.
func KnownModels() []Known { return slices.Clone(known) }

// KnownModel gives a model by its name. One that is not known is
// palate.ErrNotFound, and the error names those that can be had.
func KnownModel(name string) (Known, error) {
	names := make([]string, 0, len(known)+len(offered))
	for _, k := range known {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	for _, o := range offered {
		names = append(names, o.Name)
	}
	return Known{}, fmt.Errorf("no model %q; there are %s: %w", name, strings.Join(names, ", "), palate.ErrNotFound)
}
