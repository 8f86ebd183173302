package probe_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

func TestTheProbeIsAQueryVector(t *testing.T) {
	p, _ := train(t, museum.draw(1, 80), settings())
	query := p.Query()
	for _, e := range museum.draw(2, 50) {
		var product float32
		for j, v := range e.Embedding {
			product += v * query[j]
		}
		if got, want := float64(product)+p.Bias, p.Score(e.Embedding); math.Abs(got-want) > 1e-5*max(1, math.Abs(want)) {
			t.Fatalf("inner product and bias give %v, the score is %v", got, want)
		}
	}
	query[0] = 99
	if p.Weights[0] == 99 {
		t.Error("changing the query changes the probe")
	}
}

func TestCalibrationKeepsTheOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for name, slope := range map[string]float64{"good scores": 2, "useless scores": 0, "scores that are the wrong way round": -2} {
		var logits []float64
		var liked []bool
		for range 300 {
			z := random.NormFloat64()
			logits, liked = append(logits, z), append(liked, random.Float64() < 1/(1+math.Exp(-slope*z-.5)))
		}
		c := judge.Platt(logits, liked)
		if !(c.A > 0) {
			t.Errorf("%s: slope %v", name, c.A)
		}
		if slope == 2 && (math.Abs(c.A-2) > .5 || math.Abs(c.B-.5) > .5) {
			t.Errorf("%s: A %.2f and B %.2f, want about 2 and .5", name, c.A, c.B)
		}
		last := -1.
		for z := -8.; z <= 8; z += .25 {
			p := c.Probability(z)
			if p <= last || p > 1 {
				t.Fatalf("%s: probability %v at %v after %v", name, p, z, last)
			}
			if back := c.Logit(p); math.Abs(back-z) > 1e-6*max(1, 1/c.A) {
				t.Errorf("%s: the logit of the probability at %v is %v", name, z, back)
			}
			last = p
		}
	}
}

func TestAStoredProbeIsTheSame(t *testing.T) {
	want, _ := train(t, museum.draw(1, 80), settings())
	want.TrainedAt = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	b, err := want.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var got probe.Probe
	if err := got.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&got, want) {
		t.Errorf("got %+v, want %+v", got, *want)
	}
	for i := range b { // any byte that is another, and any cut
		damaged := slices.Clone(b)
		damaged[i] ^= 0x10
		for _, bad := range [][]byte{damaged, b[:i]} {
			kept := got
			if err := got.UnmarshalBinary(bad); !errors.Is(err, palate.ErrInvalid) {
				t.Fatalf("damage at %d: got %v, want ErrInvalid", i, err)
			}
			if !reflect.DeepEqual(got, kept) {
				t.Fatalf("damage at %d changed the probe", i)
			}
		}
	}
	want.Weights[3] = float32(math.Inf(1))
	if _, err := want.MarshalBinary(); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("an infinite weight: got %v, want ErrInvalid", err)
	}
}

func FuzzUnmarshalBinary(f *testing.F) {
	b, err := (&probe.Probe{Weights: []float32{1, 2}, Calibration: judge.Calibration{A: 1}}).MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("palprobe"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p probe.Probe
		if p.UnmarshalBinary(b) == nil {
			if _, err := p.MarshalBinary(); err != nil {
				t.Errorf("what was read can't be written: %v", err)
			}
		}
	})
}

// The rule of the design: a probe given twice the ratings replaces the old
// one, a probe that learned nonsense does not.
func TestTakesOverUnlessWorseOnUnseenRatings(t *testing.T) {
	w := world{dim: 32, styles: 8, liked: 3, spread: 1.5, flips: .05}
	c := settings()
	taken := 0
	for seed := range uint64(6) {
		all := w.draw(seed, 160)
		old, _ := train(t, all[:80], c)
		_, report := train(t, all, c)
		takes, reason := probe.TakesOver(old, all[80:], report.OutOfFold)
		if takes {
			taken++
		} else {
			t.Logf("seed %d: %s", seed, reason)
		}
		nonsense := slices.Clone(report.OutOfFold)
		for i := range nonsense {
			nonsense[i].Probability = nonsense[(i+1)%len(nonsense)].Probability / 2
		}
		if takes, reason := probe.TakesOver(old, all[80:], nonsense); takes {
			t.Errorf("seed %d: nonsense takes over: %s", seed, reason)
		}
	}
	if taken < 5 {
		t.Errorf("%d of 6 probes with twice the ratings take over, want 5 or more", taken)
	}
}

func TestTakesOverWhereNothingCanBeCompared(t *testing.T) {
	all := museum.draw(1, 120)
	old, _ := train(t, all[:80], settings())
	_, report := train(t, all, settings())
	worst := slices.Clone(report.OutOfFold)
	for i := range worst {
		worst[i].Probability = 1 - worst[i].Probability
	}
	likes := slices.DeleteFunc(slices.Clone(all[80:]), func(e probe.Example) bool { return !e.Liked })
	for len(likes) < 25 {
		likes = append(likes, likes...)
	}
	for name, tt := range map[string]struct {
		old   *probe.Probe
		since []probe.Example
		want  bool
	}{
		"no old probe":       {nil, all[80:], true},
		"19 ratings":         {old, all[80:99], true},
		"one class":          {old, likes, true},
		"another model":      {&probe.Probe{Weights: []float32{1}}, all[80:], true},
		"enough, and worse":  {old, all[80:], false},
		"not among examples": {old, museum.draw(77, 40), true},
	} {
		if got, reason := probe.TakesOver(tt.old, tt.since, worst); got != tt.want || reason == "" {
			t.Errorf("%s: got %v (%q), want %v", name, got, reason, tt.want)
		}
	}
}
