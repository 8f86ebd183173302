//go:build unix

package tuning_test

import (
	"fmt"
	"testing"

	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// A disk that fills up during a checkpoint stops the training with one
// sentence, and what was written before is gone on with.
func TestFinetuneOnAFullDisk(t *testing.T) {
	race.Long(t)
	home := stripes(t, 45)
	args := tuningOf(home, "mine", "--json")
	r := program.StartWith(t, []string{fmt.Sprintf("%s=%d", program.FileSizeLimit, 1<<20)}, args...).Wait() // the features fit, a state does not
	program.MustBeOneLine(t, r, program.ExitFailed, []string{"checkpoint", "epoch-0.safetensors"}, args...)
	program.Start(t, append(args, "--resume")...).MustEnd()
}
