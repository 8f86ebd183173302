package atlas

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/palate-art/palate"
)

// Config says how a map is laid out.
type Config struct {
	// Neighbours is how many of each picture are held together.
	Neighbours int
	// Epochs is how often the strongest bond pulls; 0 is 500 for up to 10,000
	// pictures, and 200 for more.
	Epochs int
	// Apart is how many pictures push for each that pulls.
	Apart int
	Seed  uint64
	// Progress is told how far the work is; nil is not.
	Progress func(done, total int)
}

// DefaultConfig is what UMAP begins with.
func DefaultConfig() Config { return Config{Neighbours: 15, Apart: 5, Seed: 1} }

// Validate says what is wrong.
func (c Config) Validate() error {
	if c.Neighbours < 2 || c.Neighbours > 200 || c.Epochs < 0 || c.Epochs > 10_000 || c.Apart < 1 || c.Apart > 50 {
		return fmt.Errorf("atlas: %d neighbours, %d epochs, %d apart: want 2 to 200, 0 to 10,000 and 1 to 50: %w", c.Neighbours, c.Epochs, c.Apart, palate.ErrInvalid)
	}
	return nil
}

// Place is where a picture is on a map: from left to right and from top to
// bottom.
type Place struct{ X, Y float32 }

// leastPoints is from how many points on there is anything to lay out.
const leastPoints = 5

// Layout finds a place for each embedding, in their order; all are of the same
// length and of norm 1. It stops with ctx's error. Few points, up to four, stand
// on a line. x is not kept.
func Layout(ctx context.Context, x []float32, dim int, config Config) ([]Place, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if dim < 1 || len(x)%dim != 0 {
		return nil, fmt.Errorf("atlas: %d values in rows of %d: %w", len(x), dim, palate.ErrInvalid)
	}
	n := len(x) / dim
	if n < leastPoints {
		places := make([]Place, n)
		for i := range places {
			places[i].X = float32(i)
		}
		return places, nil
	}
	epochs := config.Epochs
	if epochs == 0 {
		epochs = 500
		if n > 10_000 {
			epochs = 200
		}
	}
	k := min(config.Neighbours, n-1)
	// Finding neighbours takes about as long as a third of the epochs.
	share := epochs / 3
	total := share + epochs
	told := func(done, of, from, span int) {
		if config.Progress != nil {
			config.Progress(from+done*span/of, total)
		}
	}
	near, err := newPoints(x, dim).nearest(ctx, k, config.Seed, func(done, of int) { told(done, of, 0, share) })
	if err != nil {
		return nil, err
	}
	places, err := Principal(ctx, x, dim, config.Seed)
	if err != nil {
		return nil, err
	}
	spread(places, rand.New(rand.NewPCG(config.Seed, 2)))
	bonds := bondsOf(near, n, k)
	for epoch := range epochs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		pull(places, bonds, epoch, epochs, config)
		told(epoch+1, epochs, share, epochs)
	}
	return places, nil
}

// extent is how wide the layout begins.
const extent = 10

// spread makes places as wide as extent, and none the same as another.
func spread(places []Place, random *rand.Rand) {
	var most float32
	for _, p := range places {
		most = max(most, p.X, -p.X, p.Y, -p.Y)
	}
	for i := range places {
		p := &places[i]
		if most > 0 {
			p.X, p.Y = p.X*extent/most, p.Y*extent/most
		}
		p.X += float32(random.NormFloat64()) * 1e-3
		p.Y += float32(random.NormFloat64()) * 1e-3
	}
}

// bond holds two points together; every is how many epochs lie between two
// pulls.
type bond struct {
	a, b  int32
	every float32
}

// bondsOf makes bonds of neighbours, whose weights are the union of what both
// ends think of each other. Those that would not pull once are left out.
func bondsOf(near []neighbour, n, k int) []bond {
	weights := make([]float32, len(near))
	for i := range n {
		closeness(near[i*k:(i+1)*k], weights[i*k:(i+1)*k])
	}
	back := func(i, j int32) float32 { // what j thinks of i
		for at, nb := range near[int(j)*k : int(j+1)*k] {
			if nb.point == i {
				return weights[int(j)*k+at]
			}
		}
		return 0
	}
	var bonds []bond
	for i := range int32(n) {
		for at := range k {
			j := near[int(i)*k+at].point
			if at > 0 && near[int(i)*k+at-1].point == j {
				continue
			}
			w, other := weights[int(i)*k+at], back(i, j)
			if other > 0 && j < i {
				continue // j has brought it
			}
			if both := w + other - w*other; both > 0 {
				bonds = append(bonds, bond{i, j, 1 / both})
			}
		}
	}
	return bonds
}

// closeness weighs neighbours as UMAP does: the nearest has weight 1, and the
// width is such that the weights are log2(k) in all.
func closeness(near []neighbour, weights []float32) {
	nearest := float64(near[0].distance)
	goal := math.Log2(float64(len(near)))
	low, high, width := 0.0, math.Inf(1), 1.0
	for range 64 {
		sum := 0.0
		for _, nb := range near {
			sum += math.Exp(-max(float64(nb.distance)-nearest, 0) / width)
		}
		if math.Abs(sum-goal) < 1e-5 {
			break
		}
		if sum > goal {
			high = width
			width = (low + high) / 2
		} else {
			low = width
			if math.IsInf(high, 1) {
				width *= 2
			} else {
				width = (low + high) / 2
			}
		}
	}
	width = max(width, 1e-3)
	for at, nb := range near {
		weights[at] = float32(math.Exp(-max(float64(nb.distance)-nearest, 0) / width))
	}
}

const (
	mostStep = 4    // of a point in one pull, by direction
	soft     = .001 // what keeps points in one place from flying apart
)

// pull does one epoch: every bond whose turn it is pulls its ends together, and
// each end is pushed from points drawn at random.
func pull(places []Place, bonds []bond, epoch, epochs int, config Config) {
	random := rand.New(rand.NewPCG(config.Seed, 3+uint64(epoch)))
	step := 1 - float32(epoch)/float32(epochs)
	n := uint32(len(places))
	for _, b := range bonds {
		if int(float32(epoch+1)/b.every) == int(float32(epoch)/b.every) {
			continue
		}
		p, q := &places[b.a], &places[b.b]
		dx, dy := p.X-q.X, p.Y-q.Y
		f := -2 / (1 + dx*dx + dy*dy)
		gx, gy := clip(f*dx)*step, clip(f*dy)*step
		p.X, p.Y, q.X, q.Y = p.X+gx, p.Y+gy, q.X-gx, q.Y-gy
		for _, end := range [2]int32{b.a, b.b} {
			p := &places[end]
			for range config.Apart {
				other := int32(random.Uint32N(n))
				if other == end {
					continue
				}
				q := places[other]
				dx, dy := p.X-q.X, p.Y-q.Y
				d := dx*dx + dy*dy
				f := 2 / ((soft + d) * (1 + d))
				p.X += clip(f*dx) * step
				p.Y += clip(f*dy) * step
			}
		}
	}
}

func clip(v float32) float32 { return max(min(v, mostStep), -mostStep) }

// counter tells of progress that several goroutines make.
type counter struct {
	mu          sync.Mutex
	done, total int
	progress    func(done, total int)
}

func newCounter(total int, progress func(done, total int)) *counter {
	return &counter{total: total, progress: progress}
}

func (c *counter) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += n
	c.progress(c.done, c.total)
}
