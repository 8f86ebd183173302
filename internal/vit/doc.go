// Package vit turns the published weights of vision transformers into ONNX
// graphs: DINOv2 and DINOv3, DINO and other plain ViTs (DeiT with its
// distillation token, MAE, MSN, I-JEPA), EVA and EVA-02, BEiT, and the vision
// towers of CLIP and SigLIP, under the tensor names of timm, of transformers
// and of OpenAI.
//
// What tensors can't tell (the number of heads, which GELU, the angles of a
// rotation, how the tokens are pooled) comes from a configuration or from the
// name of a known architecture (timm.txt); a model of which nobody says it is
// refused, as it would be embedded with, wrongly.
//
// Inspect reads the architecture from the names and shapes of a safetensors
// file's tensors (and from config.json what tensors can't tell). Build writes
// a graph for one size of input, precision and output, and says in an
// embedder.Description how pictures come to it.
//
// # The function
//
// x₀ = [class token, registers, patches] + positions, then for each block
//
//	x ← x + ls1 · Attention(LayerNorm1(x))
//	x ← x + ls2 · MLP(LayerNorm2(x))
//
// then a LayerNorm. (Dosovitskiy et al., "An Image is Worth 16x16 Words",
// 2021; Oquab et al., "DINOv2", 2023; Darcet et al., "Vision Transformers Need
// Registers", 2023; Fang et al., "EVA-02", 2023, whose queries and keys are
// rotated by place and whose LayerNorm comes after the pooling.)
//
// # Forms
//
// The fused form uses the operators that ONNX Runtime computes fastest: tokens
// flattened to [batch · tokens, dim], skip connections and LayerNorm in one
// operator, attention in one operator, LayerScale folded into the weights
// before it, and in the last block only the class token where nothing else is
// asked for. The plain form is the same function in ordinary operators, one
// for one as exporters write it; it is a check on the other and what
// benchmarks compare with.
package vit
