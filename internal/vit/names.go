package vit

import (
	"fmt"
	"strings"
)

// role is what a tensor does in a model, whatever its name. A linear map or a
// LayerNorm is one role: its tensors are name.weight and name.bias.
type role int

const (
	classToken role = iota // [1, 1, dim]
	registers              // [1, registers, dim]
	positions              // [1, prefix + grid, dim]
	patches                // weight [dim, 3, patch, patch]
	finalNorm
	pooledNorm

	// Of each block:
	norm1
	packedQKV // weight [3·dim, dim]: rows of query, key, value
	query
	key
	value
	projection
	scale1 // [dim]
	norm2
	fc1 // GELU's; or SwiGLU's gate and up, packed: rows of gate, up
	gate
	up
	innerNorm
	fc2
	scale2
)

// modelNames and blockNames are, for each naming, what a role may be called;
// transformers changed its names with version 5, and names differ by model.
var modelNames = map[Naming]map[role][]string{
	NamingTimm: {
		classToken: {"cls_token"}, registers: {"reg_token"}, positions: {"pos_embed"}, patches: {"patch_embed.proj"},
		finalNorm: {"norm"}, pooledNorm: {"fc_norm"},
	},
	NamingTransformers: {
		classToken: {"embeddings.cls_token"}, registers: {"embeddings.register_tokens"}, positions: {"embeddings.position_embeddings"},
		patches: {"embeddings.patch_embeddings.projection"}, finalNorm: {"layernorm"},
	},
}

var blockNames = map[Naming]map[role][]string{
	NamingTimm: {
		norm1: {"norm1"}, packedQKV: {"attn.qkv"}, query: {"attn.q_proj"}, key: {"attn.k_proj"}, value: {"attn.v_proj"}, projection: {"attn.proj"},
		scale1: {"ls1.gamma"}, norm2: {"norm2"}, fc1: {"mlp.fc1"}, gate: {"mlp.fc1_g"}, up: {"mlp.fc1_x"}, innerNorm: {"mlp.norm"}, fc2: {"mlp.fc2"}, scale2: {"ls2.gamma"},
	},
	NamingTransformers: {
		norm1: {"norm1", "layernorm_before"}, norm2: {"norm2", "layernorm_after"},
		query: {"attention.attention.query", "attention.q_proj"}, key: {"attention.attention.key", "attention.k_proj"},
		value: {"attention.attention.value", "attention.v_proj"}, projection: {"attention.output.dense", "attention.o_proj"},
		scale1: {"layer_scale1.lambda1"}, scale2: {"layer_scale2.lambda1"},
		fc1: {"mlp.fc1", "intermediate.dense", "mlp.weights_in"}, fc2: {"mlp.fc2", "output.dense", "mlp.weights_out", "mlp.down_proj"},
		gate: {"mlp.gate_proj"}, up: {"mlp.up_proj"},
	},
}

// blockPrefixes are where blocks are, before and after their number.
var blockPrefixes = map[Naming][]string{
	NamingTimm:         {"blocks."},
	NamingTransformers: {"encoder.layer.", "layers."},
}

// isVector tells roles that are one tensor from those of a weight and a bias.
func (r role) isVector() bool {
	switch r {
	case classToken, registers, positions, scale1, scale2:
		return true
	}
	return false
}

// firstTensor is the tensor by which a role is found.
func (r role) firstTensor(name string) string {
	if r.isVector() {
		return name
	}
	return name + ".weight"
}

// ignored are tensors that have no part in a picture's tokens:
// what training masks patches with, and heads that take the finished tokens.
// Before them may stand what stands before all of the model's names.
var ignored = []string{
	"mask_token", "embeddings.mask_token",
	"head.weight", "head.bias", "pooler.dense.weight", "pooler.dense.bias", "classifier.weight", "classifier.bias",
}

// tensorNames are the names of one file's tensors by role.
type tensorNames struct {
	prefix      string          // before every name, such as "dinov2."
	blockPrefix string          // before a block's number, prefix included
	model       map[role]string // whole names, without .weight and .bias
	block       map[role]string // what follows the block's number and a dot
}

// of is the name of a block's role; of the model's for a block below 0.
func (n tensorNames) of(block int, r role) string {
	if block < 0 {
		return n.model[r]
	}
	return fmt.Sprintf("%s%d.%s", n.blockPrefix, block, n.block[r])
}

// has reports whether a role is there, in the model or in its blocks.
func (n tensorNames) has(r role) bool {
	_, inModel := n.model[r]
	_, inBlock := n.block[r]
	return inModel || inBlock
}

// findNames finds whose names a file has, by its patch embedding, and what
// each role is called, in the blocks by the first of them.
func findNames(has func(tensor string) bool, all []string) (Naming, tensorNames, bool) {
	for _, naming := range []Naming{NamingTimm, NamingTransformers} {
		landmark := patches.firstTensor(modelNames[naming][patches][0])
		for _, name := range all {
			prefix, found := strings.CutSuffix(name, landmark)
			if !found || prefix != "" && (naming == NamingTimm || !strings.HasSuffix(prefix, ".")) {
				continue
			}
			n := tensorNames{prefix: prefix, model: map[role]string{}, block: map[role]string{}}
			for r, candidates := range modelNames[naming] {
				choose(n.model, r, prefix, candidates, has)
			}
			for _, blockPrefix := range blockPrefixes[naming] {
				for r, candidates := range blockNames[naming] {
					if choose(n.block, r, prefix+blockPrefix+"0.", candidates, has) {
						n.blockPrefix = prefix + blockPrefix
						n.block[r] = strings.TrimPrefix(n.block[r], n.blockPrefix+"0.")
					}
				}
				if len(n.block) > 0 {
					break
				}
			}
			return naming, n, true
		}
	}
	return "", tensorNames{}, false
}

// choose notes the first candidate that is there.
func choose(names map[role]string, r role, prefix string, candidates []string, has func(string) bool) bool {
	for _, c := range candidates {
		if has(r.firstTensor(prefix + c)) {
			names[r] = prefix + c
			return true
		}
	}
	return false
}
