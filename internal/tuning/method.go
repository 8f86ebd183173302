package tuning

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/finetune"
)

// The kinds of Method.
const (
	Full = "full" // all weights
	Last = "last" // the last N blocks
	LoRA = "lora" // a change of rank N beside the frozen weights
)

// Method is which weights are trained. The head always is.
type Method struct {
	Kind string
	N    int // of Last and LoRA
}

// ParseMethod reads full, last:N and lora:R. Anything else is
// palate.ErrInvalid.
func ParseMethod(text string) (Method, error) {
	kind, number, numbered := strings.Cut(text, ":")
	m := Method{Kind: kind}
	var err error
	if numbered {
		m.N, err = strconv.Atoi(number)
	}
	if err != nil || kind != Full && kind != Last && kind != LoRA || numbered == (kind == Full) || numbered && m.N < 1 {
		return Method{}, fmt.Errorf("method %q is none of full, last:N (blocks) and lora:R (rank), as last:2 and lora:8: %w", text, palate.ErrInvalid)
	}
	return m, nil
}

// String is the text that ParseMethod reads.
func (m Method) String() string {
	if m.Kind == Full {
		return Full
	}
	return m.Kind + ":" + strconv.Itoa(m.N)
}

// MarshalText writes String.
func (m Method) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what ParseMethod does.
func (m *Method) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMethod(string(text))
	return err
}

// recipe gives a plan and a configuration that suit the method.
func (m Method) recipe() (finetune.Plan, finetune.Config) {
	plan, config := finetune.DefaultPlan(), finetune.DefaultConfig()
	plan.DropPath = true
	switch m.Kind {
	case Last:
		plan.LastBlocks, plan.Tokens = m.N, true
		config.LearningRate = 5e-5
	case LoRA: // few numbers, which begin at nothing
		plan.Rank, plan.LayerDecay = m.N, 1
		config.LearningRate, config.DropPath = 5e-4, 0
	}
	return plan, config
}
