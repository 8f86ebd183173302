package tuning

import (
	"time"

	"github.com/palate-art/palate/finetune"
)

// The stages of a training.
const (
	StageFeatures = "features" // of all pictures, for the probe to begin at
	StageTraining = "training"
)

// Status is where a training stands.
type Status struct {
	Stage           string
	Done, Pictures  int // of StageFeatures
	Epoch, Epochs   int
	Step, Steps     int
	Loss            float64
	Skipped         int // steps whose gradients were not finite
	PicturesASecond float64
	MemoryBytes     int64           // of this process; 0 is not known
	Left            time.Duration   // until all epochs are over, at most
	Ended           *finetune.Epoch // set when an epoch has just been judged
}

// meter makes a Status of what the trainer tells.
type meter struct {
	told  func(Status)
	begun time.Time // when the first was told
	first int       // steps that were made by then
}

func (m *meter) tell(p finetune.Progress) {
	if m.begun.IsZero() {
		m.begun, m.first = time.Now(), p.Step
	}
	memory, _ := usedMemory()
	s := Status{Stage: StageTraining, Epoch: p.Epoch, Epochs: p.Epochs, Step: p.Step, Steps: p.Steps, Loss: p.Loss, Skipped: p.Skipped,
		PicturesASecond: p.PicturesASecond, MemoryBytes: memory, Ended: p.Ended}
	if made := p.Step - m.first; made > 0 {
		s.Left = time.Since(m.begun) / time.Duration(made) * time.Duration(p.Steps-p.Step)
	}
	m.told(s)
}
