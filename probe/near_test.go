package probe_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// islands is a taste that no direction tells: the pictures around some of many
// centres.
func islands(seed uint64, n int) []probe.Example {
	const dim, centres, liked = 24, 24, 8
	random := rand.New(rand.NewPCG(3, 3))
	var centre [centres][dim]float64
	for i := range centre {
		for j := range centre[i] {
			centre[i][j] = random.NormFloat64()
		}
	}
	random = rand.New(rand.NewPCG(seed, 4))
	out := make([]probe.Example, n)
	for i := range out {
		style := random.IntN(centres)
		x := make([]float64, dim)
		for j := range x {
			x[j] = centre[style][j] + .5*random.NormFloat64()
		}
		out[i] = probe.Example{Image: palate.ImageID{byte(seed), byte(i >> 8), byte(i)}, Embedding: unit(x), Liked: style < liked}
	}
	return out
}

func unit(x []float64) palate.Embedding {
	var square float64
	for _, v := range x {
		square += v * v
	}
	out := make(palate.Embedding, len(x))
	for j, v := range x {
		out[j] = float32(v / math.Sqrt(square))
	}
	return out
}

func on(t *testing.T, p *probe.Probe, examples []probe.Example) float64 {
	t.Helper()
	var scores []float64
	var liked []bool
	for _, e := range examples {
		scores, liked = append(scores, p.ScoreOf(e.Image, e.Embedding)), append(liked, e.Liked)
	}
	auc, err := judge.AUC(scores, liked)
	if err != nil {
		t.Fatal(err)
	}
	return auc
}

func TestAutoTakesWhatJudgesBetter(t *testing.T) {
	direction := world{dim: 24, styles: 24, liked: 3, spread: 3, flips: .1}
	for name, c := range map[string]struct {
		examples, unseen []probe.Example
		want             []string
		says             string
	}{
		"many islands":   {islands(1, 120), islands(2, 600), []string{"knn", "blend"}, "better than logistic regression"},
		"one direction":  {along(1, 160), along(2, 600), []string{"logistic"}, "ogistic regression"},
		"styles in part": {direction.draw(1, 160), nil, []string{"logistic", "centroid", "blend", "knn"}, "held out"},
	} {
		config := settings()
		config.Kind = probe.Auto
		p, report := train(t, c.examples, config)
		if !slices.Contains(c.want, report.Kind) || p.Settings.Kind != report.Kind || report.Choice.Kind != report.Kind {
			t.Errorf("%s: %s was taken (%+v), want one of %v", name, report.Kind, report.Choice, c.want)
		}
		if p.Linear() != (report.Kind == "logistic" || report.Kind == "centroid") {
			t.Errorf("%s: %s is linear: %v", name, report.Kind, p.Linear())
		}
		if len(report.Choice.Candidates) != 4 || !strings.Contains(report.Conclusion, c.says) || !strings.HasSuffix(report.Conclusion, "used.") {
			t.Errorf("%s: %d tried; it says %q", name, len(report.Choice.Candidates), report.Conclusion)
		}
		if c.unseen == nil {
			continue
		}
		// The report judges the whole, choice included, as unseen pictures do.
		if got := on(t, p, c.unseen); math.Abs(got-report.AUC) > .1 || report.AUCHigh < got-.05 {
			t.Errorf("%s: AUC %.3f on unseen pictures, the report says %.3f [%.3f, %.3f]", name, got, report.AUC, report.AUCLow, report.AUCHigh)
		}
		// And the rated ones are scored as if they were not.
		if got := on(t, p, c.examples); !p.Linear() && got > report.AUC+.05 {
			t.Errorf("%s: AUC %.3f on the rated pictures, %.3f held out: they speak for themselves", name, got, report.AUC)
		}
	}
}

// along is a taste that is one direction.
func along(seed uint64, n int) []probe.Example {
	random := rand.New(rand.NewPCG(seed, 9))
	out := make([]probe.Example, n)
	for i := range out {
		x := make([]float64, 24)
		for j := range x {
			x[j] = random.NormFloat64()
		}
		out[i] = probe.Example{Image: palate.ImageID{byte(seed), byte(i >> 8), byte(i)}, Embedding: unit(x), Liked: x[0]+x[1] > .8}
	}
	return out
}

// A given kind that another one surely beats says so.
func TestAGivenKindSaysWhatWouldJudgeBetter(t *testing.T) {
	config := settings()
	config.Against = []probe.Kind{probe.KNN, probe.Prior}
	_, report := train(t, islands(1, 200), config)
	if !strings.Contains(report.Conclusion, "Neighbours judge better than logistic regression") || !strings.Contains(report.Conclusion, "--kind knn, or auto") {
		t.Errorf("it says %q", report.Conclusion)
	}
	config.Kind, config.Against = probe.KNN, []probe.Kind{probe.Logistic, probe.Prior}
	if _, report := train(t, islands(1, 200), config); report.Conclusion != "" {
		t.Errorf("of the better kind it says %q", report.Conclusion)
	}
}

// What judging predicts of a held-out picture is what the probe of the other
// pictures says, copies of one work counting once.
func TestNeighboursAreJudgedAsTheyServe(t *testing.T) {
	examples := islands(1, 150)
	for i := 0; i < 100; i += 10 { // the same work again
		copied := examples[i]
		copied.Image[5], copied.Group, examples[i].Group = 1, string(rune('a'+i)), string(rune('a'+i))
		copied.Embedding = slices.Clone(copied.Embedding)
		copied.Embedding[0], copied.Embedding[1] = copied.Embedding[1], copied.Embedding[0]
		examples = append(examples, copied)
	}
	for _, kind := range []probe.Kind{probe.KNN, probe.Blend} {
		config := settings()
		config.Kind = kind
		p, _ := train(t, examples, config)
		works := make(map[int]bool)
		pictures := 0
		for _, side := range [][]probe.Neighbour{p.Nearness.Likes, p.Nearness.Dislikes} {
			clear(works)
			for _, x := range side {
				works[x.Work] = true
			}
			pictures += len(side) - len(works)
		}
		if pictures != 10 {
			t.Errorf("%s: %d pictures more than works, want 10", kind.Name(), pictures)
		}
		for _, e := range examples[:20] {
			weights := p.WeightsAt(e.Image, e.Embedding)
			sum := p.Bias
			for j, w := range weights {
				sum += float64(w) * float64(e.Embedding[j])
			}
			if got := p.ScoreOf(e.Image, e.Embedding); math.Abs(got-sum) > 1e-4 {
				t.Errorf("%s: the score is %v, by the weights there %v", kind.Name(), got, sum)
			}
		}
	}
}

func TestAStoredProbeOfNeighboursIsTheSame(t *testing.T) {
	config := settings()
	config.Kind = probe.KNN
	want, _ := train(t, islands(1, 60), config)
	whole, err := want.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var got probe.Probe
	if err := got.UnmarshalBinary(whole); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&got, want) || got.Missing() != nil {
		t.Error("what was read is another probe")
	}
	for i := 0; i < len(whole); i += 7 {
		damaged := slices.Clone(whole)
		damaged[i] ^= 0x10
		for _, bad := range [][]byte{damaged, whole[:i]} {
			if err := new(probe.Probe).UnmarshalBinary(bad); !errors.Is(err, palate.ErrInvalid) {
				t.Fatalf("damage at %d: got %v, want ErrInvalid", i, err)
			}
		}
	}
	references, err := want.MarshalReferences()
	if err != nil || len(references) > len(whole)/3 {
		t.Fatalf("%d bytes without embeddings, %d with (%v)", len(references), len(whole), err)
	}
	var bare probe.Probe
	if err := bare.UnmarshalBinary(references); err != nil || len(bare.Missing()) != 60 {
		t.Fatalf("%d neighbours miss their embeddings (%v), want 60", len(bare.Missing()), err)
	}
	if _, err := bare.MarshalBinary(); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("written whole without embeddings: got %v, want ErrInvalid", err)
	}
	if err := bare.Fill(nil); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("filled with nothing: got %v, want ErrConflict", err)
	}
	embeddings := make(map[palate.ImageID]palate.Embedding)
	for _, e := range islands(1, 60) {
		embeddings[e.Image] = e.Embedding
	}
	if err := bare.Fill(embeddings); err != nil || !reflect.DeepEqual(&bare, want) {
		t.Errorf("filled, it is another probe (%v)", err)
	}
	delete(embeddings, islands(1, 1)[0].Image)
	var fewer probe.Probe
	if err := errors.Join(fewer.UnmarshalBinary(references), fewer.Fill(embeddings)); err != nil {
		t.Fatal(err)
	}
	if n := len(fewer.Nearness.Likes) + len(fewer.Nearness.Dislikes); n != 59 || len(fewer.Missing()) != 0 {
		t.Errorf("%d neighbours after one picture was deleted, want 59", n)
	}
}

// A probe without neighbours is written as releases before wrote it.
func TestALinearProbeKeepsItsFormat(t *testing.T) {
	p, _ := train(t, along(1, 80), settings())
	for _, write := range []func() ([]byte, error){p.MarshalBinary, p.MarshalReferences} {
		b, err := write()
		if err != nil || b[8] != 1 || b[9] != 0 {
			t.Errorf("format %d (%v), want 1", b[8], err)
		}
	}
}
