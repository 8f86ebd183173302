package tuning

import (
	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/vit"
)

// Fitted is fitted.
func (a Asked) Fitted(plan finetune.Plan, m *vit.Trainable, step int, available int64) finetune.Plan {
	return a.fitted(plan, m, step, available)
}

// MemoryShare is memoryShare.
const MemoryShare = memoryShare
