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
	tokenNorm              // before the first block
	finalNorm
	pooledNorm
	periods        // [head/4], of DINOv3's rotation
	outProjection  // weight [out, dim], of the finished feature
	outProjectionT // [dim, out], the same as OpenAI has it

	// Of attention pooling:
	probe      // [1, 1, dim]
	poolQuery  // of the probe
	poolKV     // weight [2·dim, dim]: rows of key, value
	poolPacked // weight [3·dim, dim]: rows of query, key, value
	poolOut
	poolNorm
	poolFC1
	poolFC2

	// Of each block:
	norm1
	packedQKV // weight [3·dim, dim]: rows of query, key, value
	queryBias // [dim], of packedQKV without a bias of its own
	valueBias
	query
	key
	value
	relative // [places + 3, heads]: what is added to attention by the places' distance
	attnNorm // before projection
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
		classToken: {"cls_token"}, registers: {"reg_token", "register_tokens", "storage_tokens", distToken}, positions: {"pos_embed"}, patches: {"patch_embed.proj"},
		tokenNorm: {"norm_pre"}, finalNorm: {"norm"}, pooledNorm: {"fc_norm"}, periods: {"rope_embed.periods"},
		probe: {"attn_pool.latent"}, poolQuery: {"attn_pool.q"}, poolKV: {"attn_pool.kv"}, poolOut: {"attn_pool.proj"}, poolNorm: {"attn_pool.norm"},
		poolFC1: {"attn_pool.mlp.fc1"}, poolFC2: {"attn_pool.mlp.fc2"}, outProjection: {"../head.proj"},
	},
	NamingTransformers: {
		classToken: {"embeddings.cls_token", "embeddings.class_embedding"}, registers: {"embeddings.register_tokens", "embeddings." + distillationToken},
		positions: {"embeddings.position_embeddings", "embeddings.position_embedding.weight"},
		patches:   {"embeddings.patch_embeddings.projection", "embeddings.patch_embeddings", "embeddings.patch_embedding"},
		tokenNorm: {"pre_layrnorm"}, finalNorm: {"layernorm", "post_layernorm", "norm"}, pooledNorm: {"pooler.layernorm"},
		probe: {"head.probe"}, poolPacked: {"head.attention.in_proj"}, poolOut: {"head.attention.out_proj"}, poolNorm: {"head.layernorm"},
		poolFC1: {"head.mlp.fc1"}, poolFC2: {"head.mlp.fc2"}, outProjection: {"../visual_projection"},
	},
	NamingOpenAI: {
		classToken: {"class_embedding"}, positions: {"positional_embedding"}, patches: {"conv1"},
		tokenNorm: {"ln_pre"}, finalNorm: {"ln_post"}, outProjectionT: {"proj"},
	},
}

var blockNames = map[Naming]map[role][]string{
	NamingTimm: {
		norm1: {"norm1"}, packedQKV: {"attn.qkv"}, queryBias: {"attn.q_bias"}, valueBias: {"attn.v_bias"}, attnNorm: {"attn.norm"},
		relative: {"attn.relative_position_bias_table"}, query: {"attn.q_proj"}, key: {"attn.k_proj"}, value: {"attn.v_proj"}, projection: {"attn.proj"},
		scale1: {"ls1.gamma", "gamma_1"}, norm2: {"norm2"}, fc1: {"mlp.fc1", "mlp.w12"}, gate: {"mlp.fc1_g", "mlp.w1"}, up: {"mlp.fc1_x", "mlp.w2"},
		innerNorm: {"mlp.norm"}, fc2: {"mlp.fc2", "mlp.w3"}, scale2: {"ls2.gamma", "gamma_2"},
	},
	NamingTransformers: {
		norm1: {"norm1", "layernorm_before", "layer_norm1"}, norm2: {"norm2", "layernorm_after", "layer_norm2"},
		query: {"attention.attention.query", "attention.q_proj", "self_attn.q_proj"}, key: {"attention.attention.key", "attention.k_proj", "self_attn.k_proj"},
		value: {"attention.attention.value", "attention.v_proj", "self_attn.v_proj"}, projection: {"attention.output.dense", "attention.o_proj", "self_attn.out_proj"},
		scale1: {"layer_scale1.lambda1", "lambda_1"}, scale2: {"layer_scale2.lambda1", "lambda_2"},
		relative: {"attention.attention.relative_position_bias.relative_position_bias_table", "relative_position_bias.relative_position_bias_table"},
		fc1:      {"mlp.fc1", "intermediate.dense", "mlp.weights_in", "mlp.up_proj"}, fc2: {"mlp.fc2", "output.dense", "mlp.weights_out", "mlp.down_proj"},
		gate: {"mlp.gate_proj"}, up: {"mlp.up_proj"},
	},
	NamingOpenAI: {
		norm1: {"ln_1"}, packedQKV: {"attn.in_proj"}, projection: {"attn.out_proj"}, norm2: {"ln_2"}, fc1: {"mlp.c_fc"}, fc2: {"mlp.c_proj"},
		scale1: {"ls_1.gamma"}, scale2: {"ls_2.gamma"},
	},
}

// blockPrefixes are where blocks are, before and after their number.
var blockPrefixes = map[Naming][]string{
	NamingTimm:         {"blocks."},
	NamingTransformers: {"encoder.layer.", "layers.", "encoder.layers.", "layer.", "model.layer."},
	NamingOpenAI:       {"transformer.resblocks."},
}

// isVector tells roles that are one tensor from those of a weight and a bias.
func (r role) isVector() bool {
	switch r {
	case classToken, registers, positions, scale1, scale2, periods, outProjectionT, probe, queryBias, valueBias, relative:
		return true
	}
	return false
}

// firstTensor is the tensor by which a role is found.
func (r role) firstTensor(name string) string {
	if r.isVector() {
		return name
	}
	return weightOf(name)
}

// weightOf and biasOf are the tensors of a linear map or a LayerNorm.
func weightOf(name string) string { return name + separator(name) + "weight" }
func biasOf(name string) string   { return name + separator(name) + "bias" }

// separator is what PyTorch's own attention writes differently.
func separator(name string) string {
	if strings.HasSuffix(name, "in_proj") {
		return "_"
	}
	return "."
}

// The distillation token of DeiT stands where registers do, and is pooled.
const (
	distToken         = "dist_token"
	distillationToken = "distillation_token"
)

// ignored are tensors that have no part in a picture's tokens:
// what training masks patches with, and heads that take the finished tokens.
// Before them may stand what stands before all of the model's names.
var ignored = []string{
	"mask_token", "embeddings.mask_token",
	"head.weight", "head.bias", "pooler.dense.weight", "pooler.dense.bias", "classifier.weight", "classifier.bias",
	"head_dist.weight", "head_dist.bias", "cls_classifier.weight", "cls_classifier.bias", "distillation_classifier.weight", "distillation_classifier.bias",
	"lm_head.weight", "lm_head.bias", "embeddings.position_ids",
	"local_cls_norm.weight", "local_cls_norm.bias",
}

// ignoredOutside are beginnings of names of what is beside the vision tower:
// a text tower, what scales the two, a decoder that training used.
var ignoredOutside = map[Naming][]string{
	NamingTimm:         {"text.", "logit_scale", "logit_bias", "decoder_"},
	NamingTransformers: {"text_model.", "text_projection.", "logit_scale", "logit_bias", "decoder."},
	NamingOpenAI: {"transformer.", "text.", "token_embedding.", "positional_embedding", "ln_final.", "text_projection", "logit_scale", "logit_bias",
		"input_resolution", "context_length", "vocab_size", "attn_mask"},
}

// ignoredEndings are buffers that follow from the architecture.
var ignoredEndings = []string{".relative_position_index", ".qkv.bias_mask", "rope.freqs"}

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
	for _, naming := range []Naming{NamingTimm, NamingTransformers, NamingOpenAI} {
		for _, candidate := range modelNames[naming][patches] {
			landmark := patches.firstTensor(candidate)
			for _, name := range all {
				prefix, found := strings.CutSuffix(name, landmark)
				if !found || prefix != "" && !strings.HasSuffix(prefix, ".") || naming == NamingOpenAI && !has(prefix+modelNames[naming][classToken][0]) {
					continue
				}
				return naming, namesUnder(naming, prefix, has), true
			}
		}
	}
	return "", tensorNames{}, false
}

// namesUnder are the names of roles behind a prefix.
func namesUnder(naming Naming, prefix string, has func(tensor string) bool) tensorNames {
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
	return n
}

// choose notes the first candidate that is there. One that begins with ../
// stands beside the tower and not in it.
func choose(names map[role]string, r role, prefix string, candidates []string, has func(string) bool) bool {
	for _, c := range candidates {
		whole := prefix + c
		if beside, found := strings.CutPrefix(c, "../"); found {
			parent := strings.TrimSuffix(prefix, ".")
			whole = parent[:strings.LastIndex(parent, ".")+1] + beside
		}
		if has(r.firstTensor(whole)) {
			names[r] = whole
			return true
		}
	}
	return false
}
