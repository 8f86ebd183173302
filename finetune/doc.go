// Package finetune trains all weights of a vision transformer on likes and
// dislikes, without Python: the graphs of training are written as ordinary
// ONNX models, which any ONNX Runtime runs.
//
// # Artifacts
//
// Artifacts are the files of one training, for one batch size and input size:
//
//	training_model.onnx   images, labels, weights and all parameters in; the
//	                      loss, the logits and the gradient of every trained
//	                      parameter out
//	eval_model.onnx       images and parameters in, the logits out
//	optimizer_model.onnx  one step of AdamW: every trained parameter, its
//	                      gradient and its two moments in, the same out
//	checkpoint.safetensors, checkpoint.json
//	                      parameters and moments; the step and what the
//	                      training was begun with
//
// A trainer runs these graphs, or, with Plan.CheckpointBlocks, one of a single
// block and one of its gradients, block after block.
//
// They are written in ai.onnx, opset 20, alone. All tensors are float32.
// Parameters are inputs under the names that they were published by, so that
// an export writes them back as they came. Names and shapes are in README.md
// beside the files (Artifacts.Readme).
//
// # Checkpoint
//
// A checkpoint is checkpoint.json, an object with "version" 1 (see Checkpoint),
// and the safetensors files that it names with their SHA-256: each parameter
// under its name and, of trained ones, NAME.exp_avg and NAME.exp_avg_sq. Files
// are written beside their place and renamed, the JSON last: a process that is
// killed leaves the former checkpoint whole.
package finetune
