package active_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/active"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

const dim = 32

func embedding(random *rand.Rand, centre palate.Embedding, spread float64) palate.Embedding {
	e := make(palate.Embedding, dim)
	var square float64
	for j := range e {
		v := spread * random.NormFloat64()
		if centre != nil {
			v += float64(centre[j])
		}
		e[j] = float32(v)
		square += v * v
	}
	for j := range e {
		e[j] /= float32(math.Sqrt(square))
	}
	return e
}

func pool(seed uint64, n int) []active.Picture {
	random := rand.New(rand.NewPCG(seed, 1))
	out := make([]active.Picture, n)
	for i := range out {
		out[i] = active.Picture{ID: palate.ImageID{1, byte(seed), byte(i >> 8), byte(i)}, Embedding: embedding(random, nil, 1)}
	}
	return out
}

// linear is a probe that likes one direction.
func linear(direction palate.Embedding) *probe.Probe {
	return &probe.Probe{Weights: slices.Clone(direction), Calibration: judge.Calibration{A: 1}, Threshold: .5, Settings: probe.Settings{Strength: 10}}
}

func best(p *probe.Probe, pictures []active.Picture) []active.Picture {
	out := slices.Clone(pictures)
	slices.SortFunc(out, func(a, b active.Picture) int {
		return int(math.Copysign(1, p.Score(b.Embedding)-p.Score(a.Embedding)))
	})
	return out
}

func TestKindsComeInTheStatedShares(t *testing.T) {
	pictures := pool(1, 200)
	p := linear(pictures[0].Embedding)
	c := active.DefaultConfig()
	c.Uncertain, c.Explore, c.Top = .5, .3, .2
	counts := make(map[palate.Shown]int)
	first := make(map[palate.Shown]int)
	for seed := range uint64(100) {
		r := active.Request{Probe: p, Pool: pictures, Top: best(p, pictures), Random: rand.New(rand.NewPCG(seed, 2))}
		choices := active.Choose(r, 10, c)
		if len(choices) != 10 {
			t.Fatalf("%d choices, want 10", len(choices))
		}
		here := make(map[palate.Shown]int)
		for _, choice := range choices {
			here[choice.Shown]++
			counts[choice.Shown]++
		}
		for kind, want := range map[palate.Shown]int{palate.ShownQueueUncertain: 5, palate.ShownQueueExplore: 3, palate.ShownQueueTop: 2} {
			if d := here[kind] - want; d < -1 || d > 1 {
				t.Errorf("seed %d: %d of %s in ten, want %d, off by one at most", seed, here[kind], kind, want)
			}
		}
		first[choices[0].Shown]++
		if choices[0].Shown == palate.ShownQueueTop && choices[0].ID != best(p, pictures)[0].ID {
			t.Error("the best is not the best")
		}
	}
	for kind, want := range map[palate.Shown]int{palate.ShownQueueUncertain: 50, palate.ShownQueueExplore: 30, palate.ShownQueueTop: 20} {
		if d := first[kind] - want; d < -15 || d > 15 {
			t.Errorf("%d of 100 queues begin with %s, want about %d", first[kind], kind, want)
		}
	}
	// Where nothing is known to be the best, nothing is shown as that.
	for _, choice := range active.Choose(active.Request{Pool: pictures, Random: rand.New(rand.NewPCG(1, 2))}, 20, c) {
		if choice.Shown == palate.ShownQueueTop || choice.Score != 0 {
			t.Errorf("without a probe: %+v", choice)
		}
	}
}

func TestNothingAlikeIsShownTwice(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	pictures := pool(2, 100)
	p := linear(pictures[0].Embedding)
	// Every picture has a near copy, and some have just been shown.
	for i, picture := range pictures[:100] {
		pictures = append(pictures, active.Picture{ID: palate.ImageID{2, byte(i)}, Embedding: embedding(random, picture.Embedding, .03)})
	}
	work := func(id palate.ImageID) byte {
		if id[0] == 2 {
			return id[1]
		}
		return id[3]
	}
	random.Shuffle(len(pictures), func(i, j int) { pictures[i], pictures[j] = pictures[j], pictures[i] })
	var recent []palate.Embedding
	shown := make(map[byte]bool)
	for _, picture := range pictures[:20] {
		recent = append(recent, picture.Embedding)
		shown[work(picture.ID)] = true
	}
	for _, learned := range []*probe.Probe{nil, p} {
		r := active.Request{Probe: learned, Pool: pictures, Recent: recent, Random: rand.New(rand.NewPCG(4, 4))}
		if learned != nil {
			r.Top = best(p, pictures)
		}
		seen := make(map[byte]bool)
		choices := active.Choose(r, 200, active.DefaultConfig())
		for _, choice := range choices {
			if w := work(choice.ID); shown[w] || seen[w] {
				t.Errorf("work %d was shown before", w)
			} else {
				seen[w] = true
			}
		}
		if want := 100 - len(shown); len(choices) != want {
			t.Errorf("%d choices, want one of each of the %d works that were not shown", len(choices), want)
		}
	}
}

// The first questions, before there is a probe, are spread over the styles.
func TestTheFirstQuestionsAreSpread(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	centres := make([]palate.Embedding, 8)
	for i := range centres {
		centres[i] = embedding(random, nil, 1)
	}
	covered := 0
	for range 20 {
		var pictures []active.Picture
		for i := range 240 {
			pictures = append(pictures, active.Picture{ID: palate.ImageID{3, byte(i), byte(i % 8)}, Embedding: embedding(random, centres[i%8], .06)})
		}
		random.Shuffle(len(pictures), func(i, j int) { pictures[i], pictures[j] = pictures[j], pictures[i] })
		c := active.DefaultConfig()
		c.Uncertain, c.Explore, c.Top = 1, 0, 0
		styles := make(map[byte]bool)
		for _, choice := range active.Choose(active.Request{Pool: pictures, Random: random}, 8, c) {
			styles[choice.ID[2]] = true
		}
		covered += len(styles)
	}
	// Eight drawn at random see 5.3 of eight styles on average.
	if mean := float64(covered) / 20; mean < 7 {
		t.Errorf("eight questions see %.1f of eight styles, want 7 or more", mean)
	}
}

// The picture that is asked about is the one that brings those in doubt
// nearest to a judged one, as a direct computation says.
func TestWhatIsAskedCoversWhatIsInDoubt(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 8))
	c := active.DefaultConfig()
	c.Uncertain, c.Explore, c.Top = 1, 0, 0
	for round := range 20 {
		c.Early = round % 2 * 50
		pictures := pool(uint64(40+round), 60)
		var judged []active.Judged
		for range 6 {
			judged = append(judged, active.Judged{Embedding: embedding(random, nil, 1)})
		}
		p := linear(embedding(random, nil, 1))
		for j := range p.Weights {
			p.Weights[j] *= 8
		}
		for _, learned := range []*probe.Probe{nil, p} {
			scored(learned, pictures)
			r := active.Request{Probe: learned, Pool: pictures, Judged: judged, Random: random}
			near := make([]float64, len(pictures))
			for i := range near {
				near[i] = 4
				for _, j := range judged {
					near[i] = min(near[i], apart(pictures[i].Embedding, j.Embedding))
				}
			}
			for at, choice := range active.Choose(r, 5, c) {
				gains := make(map[palate.ImageID]float64)
				most := 0.
				for _, x := range pictures {
					for i, y := range pictures {
						doubt := 1.
						if learned != nil {
							q := 1 / (1 + math.Exp(-learned.Score(y.Embedding)))
							doubt = q
							if c.Early == 0 {
								doubt = q * (1 - q)
							}
						}
						gains[x.ID] += doubt * max(0, near[i]-apart(x.Embedding, y.Embedding))
					}
					most = max(most, gains[x.ID])
				}
				// Products are rounded to 8 bits.
				if gains[choice.ID] < .99*most {
					t.Errorf("round %d, choice %d gains %v, want %v", round, at, gains[choice.ID], most)
				}
				for i, y := range pictures {
					near[i] = min(near[i], apart(choice.Embedding, y.Embedding))
				}
			}
		}
	}
}

func scored(p *probe.Probe, pictures []active.Picture) {
	for i := range pictures {
		pictures[i].Score = 0
		if p != nil {
			pictures[i].Score = p.Score(pictures[i].Embedding)
		}
	}
}

func apart(a, b palate.Embedding) (square float64) {
	for j, v := range a {
		square += float64(v-b[j]) * float64(v-b[j])
	}
	return square
}

func TestConfigNamesWhatIsWrong(t *testing.T) {
	err := active.Config{Uncertain: .5, Explore: -.1, Top: .5}.Validate()
	if !errors.Is(err, palate.ErrInvalid) {
		t.Fatalf("got %v, want ErrInvalid", err)
	}
	for _, word := range []string{"share", "add up", "Judged", "Candidates"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v does not name %s", err, word)
		}
	}
	if err := active.DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	if got := active.Choose(active.Request{Random: rand.New(rand.NewPCG(1, 1))}, 5, active.DefaultConfig()); len(got) != 0 {
		t.Errorf("from nothing: %v", got)
	}
}

func BenchmarkChoose(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	draw := func() palate.Embedding {
		e := make(palate.Embedding, 768)
		for j := range e {
			e[j] = float32(random.NormFloat64() / math.Sqrt(768))
		}
		return e
	}
	r := active.Request{Probe: linear(draw()), Random: random}
	for i := range 600 {
		r.Pool = append(r.Pool, active.Picture{ID: palate.ImageID{1, byte(i >> 8), byte(i)}, Embedding: draw()})
	}
	r.Top = r.Pool[:100]
	for range 150 {
		r.Judged = append(r.Judged, active.Judged{Embedding: draw()})
	}
	for _, judged := range []int{20, 150} {
		b.Run(fmt.Sprintf("judged=%d", judged), func(b *testing.B) {
			few := r
			few.Judged = r.Judged[:judged]
			for b.Loop() {
				active.Choose(few, 10, active.DefaultConfig())
			}
		})
	}
}
