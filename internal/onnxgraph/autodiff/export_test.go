package autodiff

import "maps"

// RuleNames are the operators that have a gradient.
func RuleNames() []string {
	var names []string
	for name := range maps.Keys(rules) {
		names = append(names, name)
	}
	return names
}

// BreakRule makes the gradients that pass through an operator a hundredth too
// large until the returned function is called.
func BreakRule(op string) (mend func()) {
	rule := rules[op]
	rules[op] = func(b *backward, o *operation) {
		before := maps.Clone(b.gradients)
		for _, out := range o.out {
			if g := b.gradients[out]; g != nil {
				b.gradients[out] = b.Scale(g, 1.01)
			}
		}
		rule(b, o)
		for _, out := range o.out {
			if g := before[out]; g != nil {
				b.gradients[out] = g
			}
		}
	}
	return func() { rules[op] = rule }
}
