package active

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
)

// Picture is an image that can be asked about.
type Picture struct {
	ID        palate.ImageID
	Embedding palate.Embedding
	Score     float64 // the probe's logit, 0 without one
}

// Judged is a picture that was rated.
type Judged struct {
	Embedding palate.Embedding
	Liked     bool
}

// Request is what there is to choose from. All embeddings are of one model.
type Request struct {
	// Probe is nil before the first training.
	Probe *probe.Probe
	// Pool is drawn evenly from the pictures that are not judged.
	Pool []Picture
	// Top are the best pictures that are not judged, the best first, by the
	// probe or by whatever orders pictures before there is one; it may be empty.
	Top []Picture
	// Judged are the ratings, the newest first.
	Judged []Judged
	// Recent were shown last, judged or not: nothing near to them comes.
	Recent []palate.Embedding
	// Random draws the order of kinds and what is explored.
	Random *rand.Rand
}

// Choice is a picture to ask about.
type Choice struct {
	Picture
	Shown       palate.Shown
	Probability float64 // the probe's; 0 without one
}

// chooser has a request half answered.
type chooser struct {
	Request
	config   Config
	near     float64 // squared distance below which pictures are near-duplicates
	taken    map[palate.ImageID]bool
	shown    []palate.Embedding // recent ones and those chosen
	covering *covering          // nil until it is asked
}

// Choose gives up to n pictures, in the order to ask. Fewer come only when
// every other one is a near-duplicate of what was shown.
func Choose(r Request, n int, config Config) []Choice {
	c := &chooser{Request: r, config: config, taken: make(map[palate.ImageID]bool), shown: slices.Clone(r.Recent)}
	c.near = probe.NearDuplicate(embeddings(r.Pool), scaleProbes)
	var choices []Choice
	for _, kind := range c.kinds(n) {
		picture, kind, found := c.next(kind)
		if !found {
			break
		}
		choice := Choice{Picture: picture, Shown: kind}
		if r.Probe != nil {
			choice.Probability = r.Probe.Probability(picture.Score)
		}
		choices = append(choices, choice)
		c.take(picture)
	}
	return choices
}

// kinds draws what each place of the queue is for, in the stated shares: over
// any stretch their numbers are off by one at most from what the shares say.
// Where nothing is known to be the best, what tells most comes instead.
func (c *chooser) kinds(n int) []palate.Shown {
	uncertain, explore, top := c.config.Uncertain, c.config.Explore, c.config.Top
	if len(c.Top) == 0 {
		uncertain, top = uncertain+top, 0
	}
	kinds := []palate.Shown{palate.ShownQueueUncertain, palate.ShownQueueExplore, palate.ShownQueueTop}
	shares := []float64{uncertain, explore, top}
	// Whoever lags furthest behind its share comes next; a random head start
	// lets a queue of one be of any kind.
	lag := make([]float64, len(shares))
	first := c.Random.Float64()
	for i, share := range shares {
		if first < share {
			lag[i] = 1
			break
		}
		first -= share
	}
	out := make([]palate.Shown, n)
	for at := range out {
		chosen := 0
		for i := range lag {
			if at > 0 {
				lag[i] += shares[i]
			}
			if lag[i] > lag[chosen] {
				chosen = i
			}
		}
		lag[chosen]--
		out[at] = kinds[chosen]
	}
	return out
}

// next finds a picture of a kind; if there is none, an explored one.
func (c *chooser) next(kind palate.Shown) (Picture, palate.Shown, bool) {
	switch {
	case kind == palate.ShownQueueTop:
		for _, p := range c.Top {
			if c.free(p) {
				return p, kind, true
			}
		}
	case kind == palate.ShownQueueUncertain:
		if p, found := c.mostTelling(); found {
			return p, kind, true
		}
	}
	for _, i := range c.Random.Perm(len(c.Pool)) {
		if p := c.Pool[i]; c.free(p) {
			return p, palate.ShownQueueExplore, true
		}
	}
	return Picture{}, kind, false
}

// free reports whether a picture is neither chosen nor near to what was shown.
func (c *chooser) free(p Picture) bool {
	return !c.taken[p.ID] && !slices.ContainsFunc(c.shown, func(e palate.Embedding) bool { return squareDistance(e, p.Embedding) < c.near })
}

func (c *chooser) take(p Picture) {
	c.taken[p.ID] = true
	c.shown = append(c.shown, p.Embedding)
	if c.covering == nil {
		return
	}
	c.covering.cover(c.covering.measure(p.Embedding))
}

// mostTelling is the picture whose rating would tell most of those in doubt.
func (c *chooser) mostTelling() (Picture, bool) {
	if c.covering == nil {
		c.cover()
	}
	best, most := -1, float32(math.Inf(-1))
	for i, p := range c.covering.pictures {
		if gain := c.covering.gain(i); gain > most && c.free(p) {
			best, most = i, gain
		}
	}
	if best < 0 {
		return Picture{}, false
	}
	return c.covering.pictures[best], true
}

// cover begins to cover the candidates.
func (c *chooser) cover() {
	candidates := c.candidates()
	counts := make([]float32, len(candidates))
	for i, p := range candidates {
		// The logit itself, not its calibration: 0 is where a like and a
		// dislike are level, however rare likes are.
		chance := 1 / (1 + math.Exp(-p.Score))
		switch {
		case c.Probe == nil:
			counts[i] = 1
		case len(c.Judged) < c.config.Early:
			counts[i] = float32(chance)
		default:
			counts[i] = float32(chance * (1 - chance))
		}
	}
	c.covering = newCovering(candidates, c.Judged[:min(len(c.Judged), c.config.Judged)], counts)
	for _, e := range c.shown[len(c.Recent):] { // chosen before
		c.covering.cover(c.covering.measure(e))
	}
}

// candidates are the first of the pool, which has no order, that are not
// chosen yet.
func (c *chooser) candidates() []Picture {
	var out []Picture
	for _, p := range c.Pool {
		if len(out) < c.config.Candidates && !c.taken[p.ID] {
			out = append(out, p)
		}
	}
	return out
}

// scaleProbes is how many pictures of the pool tell what near is.
const scaleProbes = 24

func embeddings(pictures []Picture) []palate.Embedding {
	out := make([]palate.Embedding, len(pictures))
	for i, p := range pictures {
		out[i] = p.Embedding
	}
	return out
}

// squareDistance is of embeddings of norm 1.
func squareDistance(a, b palate.Embedding) float64 { return max(0, 2-2*product(a, b)) }

func product(a, b palate.Embedding) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	j := 0
	for ; j+4 <= len(a); j += 4 {
		s0 += a[j] * b[j]
		s1 += a[j+1] * b[j+1]
		s2 += a[j+2] * b[j+2]
		s3 += a[j+3] * b[j+3]
	}
	for ; j < len(a); j++ {
		s0 += a[j] * b[j]
	}
	return float64(s0 + s1 + (s2 + s3))
}
