package embedder

import (
	"sync"
	"time"
)

// Stats sums up Runs. The times of a stage are summed over its workers, so
// each may be longer than Wall.
type Stats struct {
	Embedded, Failed int
	Wall             time.Duration // of whole Runs, those under way included

	Decode  time.Duration // in Item.Open
	Prepare time.Duration // in Embedder.Prepare
	Infer   time.Duration // in Embedder.Embed
	Deliver time.Duration // in the sink

	Idle    time.Duration // prepare workers without a picture to open
	Blocked time.Duration // prepare workers with a prepared picture for which there was no room
	Starved time.Duration // embed workers without a prepared picture

	// PrepareTime and EmbedTime are what the workers had: their number times
	// Wall.
	PrepareTime, EmbedTime time.Duration
}

// Rate is the number of pictures embedded per second of Wall.
func (s Stats) Rate() float64 {
	if s.Wall <= 0 {
		return 0
	}
	return float64(s.Embedded) / s.Wall.Seconds()
}

// Stage is a part of the pipeline.
type Stage string

// The stages, in the order of a picture's way.
const (
	StageSource  Stage = "source"  // finding the next picture
	StageDecode  Stage = "decode"  // reading and decoding the file
	StagePrepare Stage = "prepare" // resizing and normalising
	StageInfer   Stage = "infer"   // the model
	StageDeliver Stage = "deliver" // the sink: writing
)

// busyEnough is the share of their time that the workers of a stage must be
// at work for the stage to be what bounds the pipeline.
const busyEnough = .5

// fewPictures are too few to tell.
const fewPictures = 16

// Bound is the stage that bounds the pipeline: the one whose workers are at
// work for the largest share of their time. Where no workers are, the source
// is what they wait for. It is empty after so few pictures that the stages have
// hardly overlapped.
func (s Stats) Bound() Stage {
	if s.Wall <= 0 || s.Embedded+s.Failed < fewPictures {
		return ""
	}
	share := func(busy, of time.Duration) float64 { return float64(busy) / float64(max(of, 1)) }
	preparation := StageDecode
	if s.Prepare > s.Decode {
		preparation = StagePrepare
	}
	bound, most := StageSource, busyEnough
	for _, c := range []struct {
		stage Stage
		busy  float64
	}{
		{StageInfer, share(s.Infer, s.EmbedTime)},
		{preparation, share(s.Decode+s.Prepare, s.PrepareTime)},
		{StageDeliver, share(s.Deliver, s.Wall)},
	} {
		if c.busy >= most {
			bound, most = c.stage, c.busy
		}
	}
	return bound
}

// Since is what came after an earlier reading of the same Meter.
func (s Stats) Since(before Stats) Stats {
	return Stats{
		Embedded: s.Embedded - before.Embedded, Failed: s.Failed - before.Failed, Wall: s.Wall - before.Wall,
		Decode: s.Decode - before.Decode, Prepare: s.Prepare - before.Prepare, Infer: s.Infer - before.Infer, Deliver: s.Deliver - before.Deliver,
		Idle: s.Idle - before.Idle, Blocked: s.Blocked - before.Blocked, Starved: s.Starved - before.Starved,
		PrepareTime: s.PrepareTime - before.PrepareTime, EmbedTime: s.EmbedTime - before.EmbedTime,
	}
}

// Meter counts what Runs do while they do it. The zero Meter is ready; it is
// safe for concurrent use.
type Meter struct {
	mu      sync.Mutex
	stats   Stats
	running map[*pipeline]time.Time // since when
}

// Stats are the counts up to now.
func (m *Meter) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	for p, since := range m.running {
		s.pass(p, time.Since(since))
	}
	return s
}

// pass adds the time that a pipeline had.
func (s *Stats) pass(p *pipeline, wall time.Duration) {
	s.Wall += wall
	s.PrepareTime += wall * time.Duration(p.config.PrepareWorkers)
	s.EmbedTime += wall * time.Duration(p.config.EmbedWorkers)
}

func (m *Meter) update(change func(*Stats)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.stats)
}

// meters are those that count a pipeline.
func (p *pipeline) meters() []*Meter {
	if p.shared == nil {
		return []*Meter{p.meter}
	}
	return []*Meter{p.meter, p.shared}
}

func (p *pipeline) begin() {
	for _, m := range p.meters() {
		m.mu.Lock()
		if m.running == nil {
			m.running = map[*pipeline]time.Time{}
		}
		m.running[p] = time.Now()
		m.mu.Unlock()
	}
}

// end stops the clocks and gives the Stats of the Run.
func (p *pipeline) end() Stats {
	for _, m := range p.meters() {
		m.mu.Lock()
		m.stats.pass(p, time.Since(m.running[p]))
		delete(m.running, p)
		m.mu.Unlock()
	}
	return p.meter.Stats()
}

// The times that a pipeline adds up.
func decoding(s *Stats) *time.Duration   { return &s.Decode }
func preparing(s *Stats) *time.Duration  { return &s.Prepare }
func inferring(s *Stats) *time.Duration  { return &s.Infer }
func delivering(s *Stats) *time.Duration { return &s.Deliver }
func idle(s *Stats) *time.Duration       { return &s.Idle }
func blocked(s *Stats) *time.Duration    { return &s.Blocked }
func starved(s *Stats) *time.Duration    { return &s.Starved }

// add adds the time since start.
func (p *pipeline) add(what func(*Stats) *time.Duration, start time.Time) {
	took := time.Since(start)
	for _, m := range p.meters() {
		m.update(func(s *Stats) { *what(s) += took })
	}
}

func (p *pipeline) count(embedded bool) {
	for _, m := range p.meters() {
		m.update(func(s *Stats) {
			if embedded {
				s.Embedded++
			} else {
				s.Failed++
			}
		})
	}
}
