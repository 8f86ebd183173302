package vit

import "strings"

// publishedHeads are the attention heads of architectures that timm names, by
// a part of the name and the width that goes with it: a name alone has meant
// different models.
var publishedHeads = []struct {
	part  string
	dim   int
	heads int
}{
	{"tiny", 192, 3}, {"small", 384, 6}, {"base", 768, 12}, {"large", 1024, 16},
	{"huge", 1280, 16}, {"gigantic", 1664, 16}, {"giant", 1408, 16}, {"giant", 1536, 24},
	{"wee", 256, 4}, {"little", 320, 5}, {"medium", 512, 8}, {"mediumd", 512, 8}, {"betwixt", 640, 10}, {"so150m", 896, 14}, {"so400m", 1152, 16},
}

// knownHeads gives the heads of a known architecture; 0 if it is not known.
func knownHeads(architecture string, dim int) int {
	for part := range strings.SplitSeq(architecture, "_") {
		for _, p := range publishedHeads {
			if part == p.part && dim == p.dim {
				return p.heads
			}
		}
	}
	return 0
}
