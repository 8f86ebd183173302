//go:build !linux

package finetune

func inLargePages([]float32) {}
