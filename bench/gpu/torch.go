package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"

	"github.com/palate-art/palate/internal/ort"
)

// torchProgram is the yardstick: the same models in PyTorch, eager and
// compiled. It is a program of its own, and no part of palate.
//
//go:embed torch_yardstick.py
var torchProgram string

// torch runs the yardstick; each line that it prints is a result. why says
// why there are none.
func torch(ctx context.Context, device ort.Device, o options) (results []json.RawMessage, why string) {
	cmd := exec.CommandContext(ctx, "python3", "-", device.String(), o.models, fmt.Sprint(o.maxBatch), fmt.Sprint(o.window.Seconds()))
	cmd.Stdin = strings.NewReader(torchProgram)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(problems.String()), "\n")
		return nil, fmt.Sprintf("%v: %s", err, lines[len(lines)-1])
	}
	for line := range bytes.Lines(out.Bytes()) {
		if line = bytes.TrimSpace(line); json.Valid(line) && len(line) > 0 {
			results = append(results, json.RawMessage(line))
		}
	}
	return results, ""
}
