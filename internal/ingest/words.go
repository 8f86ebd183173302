package ingest

import (
	"fmt"

	"github.com/palate-art/palate/embedder"
)

// stageNames say what a stage of embedding does.
var stageNames = map[embedder.Stage]string{
	embedder.StageSource: "finding the next picture", embedder.StageDecode: "decoding", embedder.StagePrepare: "resizing",
	embedder.StageInfer: "inference", embedder.StageDeliver: "writing",
}

// Words tell where the time went and which stage the others waited for.
func (r EmbedReport) Words() string {
	line := fmt.Sprintf("%.1f s: decoding %.1f, resizing %.1f, inference %.1f, writing %.1f; waiting for pictures %.1f, for inference %.1f (seconds of all workers)",
		r.Seconds, r.DecodeSeconds, r.PrepareSeconds, r.InferSeconds, r.WriteSeconds, r.StarvedSeconds, r.BlockedSeconds)
	if name, ok := stageNames[r.Bound]; ok {
		line += "; bound by " + name
	}
	return line
}

// Words tell how an index differs from the catalog, a line each.
func (v Verification) Words() []string {
	words := []string{
		fmt.Sprintf("%d embeddings in the catalog, %d points in the index", v.Embeddings, v.Points),
		fmt.Sprintf("%d missing, %d foreign; of %d compared in full, %d have another vector and %d other attributes", v.Missing, v.Foreign, v.Checked, v.Damaged, v.Outdated),
	}
	for _, id := range v.MissingImages {
		words = append(words, fmt.Sprintf("  missing   %s", id))
	}
	for _, id := range v.ForeignImages {
		words = append(words, fmt.Sprintf("  foreign   %s", id))
	}
	for _, point := range v.ForeignPoints {
		words = append(words, fmt.Sprintf("  foreign   point %s", point))
	}
	for _, id := range v.DamagedImages {
		words = append(words, fmt.Sprintf("  damaged   %s", id))
	}
	for _, id := range v.OutdatedImages {
		words = append(words, fmt.Sprintf("  outdated  %s", id))
	}
	return words
}
