package embedder

import (
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
)

// Item is one picture to be embedded.
type Item struct {
	ID palate.ImageID
	// Open reads and decodes the picture and hands it to use, which keeps
	// nothing of it: its memory is free again afterwards. It returns use's
	// error. It is called once, from any goroutine.
	Open func(ctx context.Context, use func(image.Image) error) error
}

// Result is what came of one Item: an Embedding or an Err.
type Result struct {
	ID        palate.ImageID
	Embedding palate.Embedding
	Err       error
}

// PipelineConfig says how many pictures are worked on at once.
type PipelineConfig struct {
	// PrepareWorkers decode and prepare, each one picture at a time.
	PrepareWorkers int
	// EmbedWorkers is the number of Embeds that run at once: on the CPU one
	// per core, on a GPU two, so that one batch is copied while another is
	// computed.
	EmbedWorkers int
	// BatchSize bounds the pictures of one Embed. A batch takes what is
	// ready and of one shape and waits for nothing: it fills when inference
	// is the slower part, and only then does size matter. On the CPU 1 is as
	// fast as more.
	BatchSize int
	// Window bounds the pictures that are under way, between the source and
	// the sink; prepared pictures and results wait in it.
	Window int
	// Meter, if not nil, counts along. Several Runs may share one.
	Meter *Meter
}

// DefaultPipelineConfig is for models on the CPU.
func DefaultPipelineConfig() PipelineConfig {
	cores := runtime.GOMAXPROCS(0)
	return PipelineConfig{PrepareWorkers: cores, EmbedWorkers: cores, BatchSize: 1, Window: 8 * cores}
}

// Validate reports everything that is wrong with c, as palate.ErrInvalid.
func (c PipelineConfig) Validate() error {
	var problems []error
	for _, f := range []struct {
		name  string
		value int
	}{
		{"prepare workers", c.PrepareWorkers}, {"embed workers", c.EmbedWorkers}, {"batch size", c.BatchSize}, {"window", c.Window},
	} {
		if f.value < 1 {
			problems = append(problems, fmt.Errorf("%s %d, want at least 1", f.name, f.value))
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("embedding pipeline: %w: %w", palate.ErrInvalid, errors.Join(problems...))
	}
	return nil
}

// Run embeds the pictures of source and hands one Result for each to sink, in
// source's order. Decoding, inference and the sink overlap.
//
// A picture that can't be opened, prepared or embedded is a Result with Err;
// the others go on. An error of source or sink, an error of Embed that is not
// palate.ErrInvalid, and the end of ctx stop the Run, which then returns that
// error and the Stats so far. source and sink are each called from one
// goroutine at a time; Run returns after its last goroutine has ended, so a
// source or sink that blocks must itself obey ctx.
func Run(ctx context.Context, e Embedder, c PipelineConfig, source iter.Seq2[Item, error], sink func(Result) error) (Stats, error) {
	if err := c.Validate(); err != nil {
		return Stats{}, err
	}
	p := &pipeline{
		embedder: e, config: c, meter: new(Meter), shared: c.Meter,
		order:  make(chan *job, c.Window), // its bound is the window
		toOpen: make(chan *job),
	}
	p.begin()
	group, ctx := errgroup.WithContext(ctx)
	// A next batch for every worker, or enough that batches of one shape fill.
	var release func() bool
	p.prepared, release = newQueue(ctx, max(c.EmbedWorkers*c.BatchSize, c.Window/2))
	defer release()
	group.Go(func() error { return p.feed(ctx, source) })
	var preparing sync.WaitGroup
	for range c.PrepareWorkers {
		preparing.Add(1)
		group.Go(func() error {
			defer preparing.Done()
			return p.prepare(ctx)
		})
	}
	group.Go(func() error {
		preparing.Wait()
		p.prepared.close()
		return nil
	})
	for range c.EmbedWorkers {
		group.Go(func() error { return p.embed(ctx) })
	}
	group.Go(func() error { return p.deliver(ctx, sink) })
	err := group.Wait()
	if err != nil {
		err = fmt.Errorf("embed pictures: %w", err)
	}
	return p.end(), err
}

// job is an Item on its way. Whoever finishes it writes result and closes done.
type job struct {
	item   Item
	input  Input
	result Result
	done   chan struct{}
}

func (j *job) finish(e palate.Embedding, err error) {
	j.input = Input{} // a finished job may wait long for its turn
	j.result = Result{ID: j.item.ID, Embedding: e, Err: err}
	close(j.done)
}

type pipeline struct {
	embedder      Embedder
	config        PipelineConfig
	order, toOpen chan *job
	prepared      *queue

	meter  *Meter // of this Run
	shared *Meter // of the caller, or nil
}

func (p *pipeline) feed(ctx context.Context, source iter.Seq2[Item, error]) error {
	defer close(p.order)
	defer close(p.toOpen)
	for item, err := range source {
		if err != nil {
			return fmt.Errorf("next picture: %w", err)
		}
		j := &job{item: item, done: make(chan struct{})}
		for _, to := range []chan *job{p.order, p.toOpen} {
			if err := send(ctx, to, j); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

func send(ctx context.Context, to chan<- *job, j *job) error {
	select {
	case to <- j:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pipeline) prepare(ctx context.Context) error {
	for {
		waits := time.Now()
		j, more := <-p.toOpen
		p.add(idle, waits)
		if !more {
			return nil
		}
		input, err := p.prepareOne(ctx, j.item)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			j.finish(nil, err)
			continue
		}
		j.input = input
		waits = time.Now()
		err = p.prepared.put(ctx, j)
		p.add(blocked, waits)
		if err != nil {
			return err
		}
	}
}

func (p *pipeline) prepareOne(ctx context.Context, item Item) (Input, error) {
	var input Input
	start, opened := time.Now(), false
	err := item.Open(ctx, func(img image.Image) (err error) {
		p.add(decoding, start)
		start, opened = time.Now(), true
		input, err = p.embedder.Prepare(img)
		p.add(preparing, start)
		return err
	})
	if !opened {
		p.add(decoding, start)
		if err == nil {
			err = fmt.Errorf("it has none: %w", palate.ErrInvalid)
		}
		return Input{}, fmt.Errorf("open picture: %w", err)
	}
	return input, err
}

func (p *pipeline) embed(ctx context.Context) error {
	for {
		waits := time.Now()
		batch := p.prepared.take(p.config.BatchSize)
		p.add(starved, waits)
		if batch == nil {
			return ctx.Err()
		}
		if err := p.embedBatch(ctx, batch); err != nil {
			return err
		}
	}
}

// embedBatch finishes the jobs, or returns the error that stops the Run.
func (p *pipeline) embedBatch(ctx context.Context, batch []*job) error {
	inputs := make([]Input, len(batch))
	for i, j := range batch {
		inputs[i] = j.input
	}
	start := time.Now()
	embeddings, err := p.embedder.Embed(ctx, inputs)
	p.add(inferring, start)
	switch {
	case err == nil:
		for i, j := range batch {
			j.finish(embeddings[i], nil)
		}
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.Is(err, palate.ErrInvalid):
		return err
	case len(batch) == 1:
		batch[0].finish(nil, err)
		return nil
	}
	for i := range batch { // one of them is at fault; alone it shows which
		if err := p.embedBatch(ctx, batch[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (p *pipeline) deliver(ctx context.Context, sink func(Result) error) error {
	for j := range p.order {
		select {
		case <-j.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		start := time.Now()
		err := sink(j.result)
		p.add(delivering, start)
		if err != nil {
			return fmt.Errorf("take result: %w", err)
		}
		p.count(j.result.Err == nil)
	}
	return nil
}
