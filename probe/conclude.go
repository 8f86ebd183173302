package probe

import (
	"fmt"

	"github.com/palate-art/palate/probe/judge"
)

// surelyBetter is the P below which a difference is no chance.
const surelyBetter = .05

// called are the names of kinds in sentences.
var called = map[string]string{
	Logistic.Name(): "logistic regression", Centroid.Name(): "the centroid",
	Blend.Name(): "the blend of logistic regression and neighbours", KNN.Name(): "neighbours",
}

// conclude says which kind judges best: what was chosen and why, or, where the
// kind was given, that another one that can serve is surely better.
func conclude(r *judge.Report, asked Kind) {
	if r.Choice != nil {
		r.Conclusion = chosen(r.Choice)
		return
	}
	best := -1
	for i, b := range r.Baselines {
		kind, err := ParseKind(b.Kind)
		if err != nil || kind == asked || b.Difference.AUC >= 0 || b.Difference.P >= surelyBetter {
			continue
		}
		if best < 0 || b.Difference.AUC < r.Baselines[best].Difference.AUC {
			best = i
		}
	}
	if best < 0 {
		return
	}
	b := r.Baselines[best]
	r.Conclusion = fmt.Sprintf("%s %s better than %s: AUC %s against %s, held out (p = %.3f). Train with --kind %s, or auto, to use %s.",
		capital(called[b.Kind]), verb(b.Kind), called[r.Kind], auc(r.AUC-b.Difference.AUC), auc(r.AUC), b.Difference.P, b.Kind, pronoun(b.Kind))
}

// chosen says why a kind was taken.
func chosen(c *judge.Choice) string {
	best := c.Candidates[0]
	for _, k := range c.Candidates {
		if k.AUC > best.AUC {
			best = k
		}
	}
	simplest := c.Candidates[0]
	switch {
	case c.Kind == Blend.Name() && best.Kind != c.Kind:
		return fmt.Sprintf("Whether logistic regression or neighbours judge better is not sure: AUC %s against %s, held out; a blend of both, %s, is used.",
			auc(c.AUC(Logistic.Name())), auc(c.AUC(KNN.Name())), auc(c.AUC(c.Kind)))
	case c.Kind != best.Kind:
		return fmt.Sprintf("%s %s hardly better than %s: AUC %s against %s, held out; the simpler of the two is used.",
			capital(called[best.Kind]), verb(best.Kind), called[c.Kind], auc(best.AUC), auc(c.AUC(c.Kind)))
	case c.Kind == simplest.Kind:
		return fmt.Sprintf("%s %s at least as well as neighbours: AUC %s against %s, held out; used.",
			capital(called[c.Kind]), verb(c.Kind), auc(best.AUC), auc(c.AUC(KNN.Name())))
	}
	return fmt.Sprintf("%s %s better than %s: AUC %s against %s, held out; used.",
		capital(called[c.Kind]), verb(c.Kind), called[simplest.Kind], auc(best.AUC), auc(simplest.AUC))
}

// verb agrees with the name of a kind.
func verb(kind string) string {
	if kind == KNN.Name() {
		return "judge"
	}
	return "judges"
}

func pronoun(kind string) string {
	if kind == KNN.Name() {
		return "them"
	}
	return "it"
}

func auc(v float64) string { return fmt.Sprintf("%.3f", v) }

func capital(s string) string { return string(s[0]-'a'+'A') + s[1:] }
