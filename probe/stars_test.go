package probe_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// graded draws pictures and stars by a direction of the first few values, of
// which a part is chance; a 3 is no example.
func graded(seed uint64, n int) (examples, between []probe.Example) {
	random := rand.New(rand.NewPCG(seed, 3))
	for len(examples) < n {
		e := make([]float64, 48)
		liking := 1.5 * random.NormFloat64()
		for j := range e {
			e[j] = random.NormFloat64()
			if j < 12 {
				liking += e[j] / 2
			}
		}
		stars := palate.Stars(1)
		for _, above := range []float64{-2, -.7, .7, 2} {
			if liking > above {
				stars++
			}
		}
		one := probe.Example{Row: len(examples) + len(between), Embedding: unit(e), Liked: stars > 3, Stars: stars}
		if stars == 3 {
			between = append(between, one)
		} else {
			examples = append(examples, one)
		}
	}
	return examples, between
}

// binarised is what was said without its stars.
func binarised(examples []probe.Example) []probe.Example {
	plain := slices.Clone(examples)
	for i := range plain {
		plain[i].Stars = 0
	}
	return plain
}

// lean settings judge as little as they may.
func lean() probe.Config {
	c := settings()
	c.NearDuplicates, c.Kind, c.Repeats, c.Resamples, c.CurveShares, c.Against = false, probe.Logistic, 1, 0, nil, nil
	return c
}

func trained(t *testing.T, examples []probe.Example, c probe.Config) (*probe.Probe, *judge.Report, []byte) {
	t.Helper()
	p, r, err := probe.Train(t.Context(), examples, model, c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return p, r, b
}

func TestStarsTeachTheOrder(t *testing.T) {
	var gain float64
	const draws = 6
	for seed := range uint64(draws) {
		examples, between := graded(seed, 60)
		unseen, more := graded(seed+100, 300)
		unseen = append(unseen, more...)
		rho := func(from, between []probe.Example) float64 {
			c := lean()
			c.Between = between
			p, _, _ := trained(t, from, c)
			var scores, stars []float64
			for _, e := range unseen {
				scores, stars = append(scores, p.Score(e.Embedding)), append(stars, float64(e.Stars))
			}
			r, err := judge.Spearman(scores, stars)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		gain += (rho(examples, between) - rho(binarised(examples), nil)) / draws
	}
	if gain < .01 {
		t.Errorf("stars raise ρ by %.4f on the mean of %d draws, want .01 or more", gain, draws)
	}
}

// What has no stars, or was called otherwise than they usually are, is learned
// as it always was.
func TestStarsThatSayNothingMoreChangeNothing(t *testing.T) {
	examples, _ := graded(1, 40)
	otherwise := slices.Clone(examples)
	for i := range otherwise {
		if otherwise[i].Stars = palate.Stars(i%3 + 1); !otherwise[i].Liked {
			otherwise[i].Stars += 2
		}
	}
	_, plain, want := trained(t, binarised(examples), lean())
	_, report, got := trained(t, otherwise, lean())
	if !bytes.Equal(got, want) {
		t.Error("likes of 1 to 3 and dislikes of 3 to 5 stars change the probe")
	}
	if report.Data == plain.Data {
		t.Error("the hash of the data does not tell stars")
	}
	if _, other, got := trained(t, examples, lean()); bytes.Equal(got, want) || other.Likes != plain.Likes || other.Data == plain.Data {
		t.Errorf("4 and 2 stars change nothing, or the count: %d likes, want %d", other.Likes, plain.Likes)
	}
	knn := lean()
	knn.Kind = probe.KNN
	without, _, _ := trained(t, binarised(examples), knn)
	with, _, _ := trained(t, examples, knn)
	for _, e := range examples {
		if with.Score(e.Embedding) != without.Score(e.Embedding) {
			t.Fatal("stars change the neighbourhood, which goes by verdicts")
		}
	}
	examples[3].Stars = 6
	if _, _, err := probe.Train(t.Context(), examples, model, lean()); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("six stars: got %v, want %v", err, palate.ErrInvalid)
	}
}

// Pictures between teach and are counted nowhere.
func TestWhatIsBetweenTeaches(t *testing.T) {
	examples, between := graded(1, 40)
	_, plain, alone := trained(t, examples, lean())
	c := lean()
	c.Between = between
	_, report, got := trained(t, examples, c)
	if bytes.Equal(got, alone) || report.Data == plain.Data {
		t.Error("pictures between change nothing, or the hash of the data does not tell")
	}
	if report.Likes != plain.Likes || report.Dislikes != plain.Dislikes {
		t.Errorf("got %d likes and %d dislikes, want %d and %d", report.Likes, report.Dislikes, plain.Likes, plain.Dislikes)
	}
	slices.Reverse(c.Between)
	if _, _, again := trained(t, examples, c); !bytes.Equal(again, got) {
		t.Error("the order of what is between changes the probe")
	}
	c.Between = []probe.Example{{Embedding: palate.Embedding{1}}}
	if _, _, err := probe.Train(t.Context(), examples, model, c); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("a picture of another length: got %v, want %v", err, palate.ErrInvalid)
	}
}
