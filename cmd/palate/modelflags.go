package main

import (
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/grammar"
	"github.com/palate-art/palate/internal/hub"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/settings"
	"github.com/palate-art/palate/internal/vit"
)

// modelFlags choose what embeds the pictures and where it is computed.
type modelFlags struct {
	Model     string `help:"Model that embeds the pictures: a name (see palate model list), \"baseline\", an .onnx file with a .json description beside it, or \"auto\": the collection's own, else dinov2-base on a GPU, dinov2-small on a CPU." default:"auto" placeholder:"NAME|FILE"`
	Size      int    `help:"Side of the model's input in pixels (default: as published on a GPU, 224 on a CPU)." placeholder:"PIXELS"`
	Fit       string `help:"What the model sees: the picture's middle (crop), all of it in its own shape (whole), or all of it in the model's shape (stretch; default: as published, else crop)." enum:"crop,whole,stretch," default:"" placeholder:"FIT"`
	Pool      string `help:"What of its output is the embedding: the class token, the mean of the patches, both, or what a head of the model's own makes of them (CLIP, SigLIP, DeiT; default: as published)." enum:"cls,mean,both,head," default:"" placeholder:"cls|mean|both|head"`
	Resample  string `help:"How the position embedding comes to another size, timm's way or transformers' (default: as whoever published the weights does it)." enum:"timm,transformers," default:"" placeholder:"timm|transformers"`
	Decode    string `help:"JPEG decoded in full, or at a fraction of its size where less is needed (fast): other embeddings, at less than half the time for camera files (default: the collection's, else full)." enum:"full,fast," default:"" placeholder:"full|fast"`
	Precision string `help:"float32, float16 (one and the same embeddings), or int8 (others, faster on a CPU; see palate model compare). Of finetune's products of matrices: float32, bfloat16x3 (16 of the 24 digits of each number, by the processor's tiles: faster, with the same results; default where it has them) or bfloat16 (8 digits)." enum:"float32,float16,int8,bfloat16x3,bfloat16," default:"" placeholder:"PRECISION"`
	Device    string `help:"Where it is computed: auto, cpu, cuda or cuda:N." default:"auto" placeholder:"DEVICE"`
	GPUMemory int    `help:"Mebibytes of a GPU's memory that ONNX Runtime's arena may take (default: all)." name:"gpu-memory" placeholder:"MIB"`
	Models    string `help:"Folder of what is known of models; weights from the hub are in the hub's own cache." default:"${models}" placeholder:"DIR" type:"path"`
}

// settings are what the flags choose; what they leave open is zero.
func (f *modelFlags) settings() models.Settings {
	return models.SettingsByName(f.Model, f.Decode, vit.Precision(f.Precision),
		models.Settings{Size: f.Size, Fit: embedder.Fit(f.Fit), Pool: vit.Pool(f.Pool), Resample: vit.Resampling(f.Resample)})
}

// checkInt8Asked refuses int8 as a default: nobody has measured what it costs
// on the user's pictures until a command asks for it.
func checkInt8Asked(line *grammar.Line, g *globals) error {
	if vit.Precision(g.Precision) != vit.Int8 || line.Typed("precision") {
		return nil
	}
	return usagef("int8 is no default: its embeddings differ from float32's by as much as palate model compare shows; ask for it by --precision int8 on the command line")
}

// modelsFolder is the folder of what is known of models.
func (s *session) modelsFolder() string {
	if s.Models == "" {
		return settings.ModelsFolder()
	}
	return s.Models
}

func (s *session) hubConfig() hub.Config {
	config := hub.ConfigFromEnv()
	config.Offline = config.Offline || s.runtimeConfig().Offline
	config.UserAgent = "palate/" + version()
	return config
}
