//go:build unix

package main

import (
	"fmt"
	"testing"
)

// A disk that fills up during a checkpoint stops the training with one
// sentence, and what was written before is gone on with.
func TestFinetuneOnAFullDisk(t *testing.T) {
	longRace(t)
	home := stripes(t, 45)
	args := tuningOf(home, "mine", "--json")
	r := startWith(t, []string{fmt.Sprintf("%s=%d", fileSizeLimit, 1<<20)}, args...).wait() // the features fit, a state does not
	mustBeOneLine(t, r, exitFailed, []string{"checkpoint", "epoch-0.safetensors"}, args...)
	start(t, append(args, "--resume")...).mustEnd()
}
