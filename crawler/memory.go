package crawler

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/palate-art/palate"
)

// Memory is a Frontier and a Keeper that hold everything in memory: a crawl
// for a program that needs no collection. Nothing outlives the process, and
// the pictures take the memory of their files. It is safe for concurrent use.
type Memory struct {
	mu     sync.Mutex
	last   int64 // the newest task's ID, over all crawls
	crawls map[string]*memoryCrawl
	finds  []Find
	kept   map[[sha256.Size]byte]string // the crawl and round that kept a file first
	from   map[string]bool              // addresses that pictures came from
}

// memoryCrawl is one crawl's present round.
type memoryCrawl struct {
	round   int
	resumed bool
	tasks   map[int64]*memoryTask
	seen    map[string]int64 // by kind and key
	waiting []int64          // pending and not claimed
}

type memoryTask struct {
	task Task
	seen Seen // what it is remembered by when it is found again

	gave Gave
}

var (
	_ Frontier = (*Memory)(nil)
	_ Keeper   = (*Memory)(nil)
)

// NewMemory returns one that is empty.
func NewMemory() *Memory {
	return &Memory{crawls: make(map[string]*memoryCrawl), kept: make(map[[sha256.Size]byte]string), from: make(map[string]bool)}
}

// Finds gives the pictures that were kept, each file once, in the order in
// which they were kept. The files must not be changed.
func (m *Memory) Finds() []Find {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.finds)
}

// BeginCrawl implements Frontier.
func (m *Memory) BeginCrawl(_ context.Context, crawl string, seeds []Task) (Progress, error) {
	if crawl == "" || !utf8.ValidString(crawl) {
		return Progress{}, fmt.Errorf("crawler: a crawl's name is %q, want some text: %w", crawl, palate.ErrInvalid)
	}
	if err := checkMemoryTasks(seeds); err != nil {
		return Progress{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.crawls[crawl]
	if c == nil {
		c = &memoryCrawl{}
		m.crawls[crawl] = c
	}
	if c.resumed = m.progress(crawl, c).Pending > 0; c.resumed {
		c.waiting = c.waiting[:0] // claims are forgotten
		for id, t := range c.tasks {
			if t.seen.State == Pending {
				c.waiting = append(c.waiting, id)
			}
		}
	} else {
		*c = memoryCrawl{round: c.round + 1, tasks: make(map[int64]*memoryTask), seen: make(map[string]int64)}
		m.add(c, seeds)
	}
	return m.progress(crawl, c), nil
}

func checkMemoryTasks(tasks []Task) error {
	for i, t := range tasks {
		if t.Kind != Page && t.Kind != API && t.Kind != Image || t.URL == "" || !utf8.ValidString(t.URL) {
			return fmt.Errorf("crawler: task %d is of kind %q at %q, want page, api or image and an address: %w", i, t.Kind, t.URL, palate.ErrInvalid)
		}
	}
	return nil
}

// add adds what the round has not seen, and says how much that was.
func (m *Memory) add(c *memoryCrawl, tasks []Task) (added int) {
	for _, t := range tasks {
		key := string(t.Kind) + "\x00" + t.Key()
		if id := c.seen[key]; id != 0 {
			added += m.again(c, c.tasks[id], t)
			continue
		}
		m.last++
		c.seen[key] = m.last
		t.ID, t.Alternatives = m.last, slices.Clone(t.Alternatives)
		c.tasks[t.ID] = &memoryTask{task: t, seen: Seen{State: Pending, Leads: t.Leads, For: t.For}}
		c.waiting = append(c.waiting, t.ID)
		added++
	}
	return added
}

// again deals with a task that the round has seen.
func (m *Memory) again(c *memoryCrawl, t *memoryTask, found Task) (added int) {
	if len(found.Leads) == 0 && found.For == nil {
		return 0
	}
	now, further := FoundAgain(t.seen, found)
	t.seen, t.task.Leads, t.task.For = now, now.Leads, now.For
	return m.add(c, further)
}

// NextTasks implements Frontier.
func (m *Memory) NextTasks(_ context.Context, crawl string, limit int) (tasks []Task, wait time.Duration, err error) {
	if limit < 1 {
		return nil, 0, fmt.Errorf("crawler: next tasks: limit is %d, want 1 or more: %w", limit, palate.ErrInvalid)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.crawls[crawl]
	if c == nil {
		return nil, 0, fmt.Errorf("crawler: crawl %q: %w", crawl, palate.ErrNotFound)
	}
	now := time.Now()
	slices.SortFunc(c.waiting, func(a, b int64) int {
		return cmp.Or(cmp.Compare(rank(c.tasks[a].task), rank(c.tasks[b].task)), cmp.Compare(a, b))
	})
	left := c.waiting[:0]
	for _, id := range c.waiting {
		t := c.tasks[id].task
		switch due := !t.NotBefore.After(now); {
		case due && len(tasks) < limit:
			tasks = append(tasks, t)
			continue
		case !due && (wait == 0 || t.NotBefore.Sub(now) < wait):
			wait = t.NotBefore.Sub(now)
		}
		left = append(left, id)
	}
	c.waiting = left
	if len(tasks) > 0 {
		wait = 0
	}
	return tasks, wait, nil
}

// rank puts pictures before pages, so that a frontier stays small.
func rank(t Task) int {
	if t.Kind == Image {
		return 0
	}
	return 1
}

// open finds a task that has not ended.
func (m *Memory) open(crawl string, id int64) (*memoryCrawl, *memoryTask, error) {
	c := m.crawls[crawl]
	if c == nil || c.tasks[id] == nil {
		return nil, nil, fmt.Errorf("crawler: task %d of crawl %q: %w", id, crawl, palate.ErrNotFound)
	}
	t := c.tasks[id]
	if t.seen.State != Pending {
		return nil, nil, fmt.Errorf("crawler: task %d of crawl %q has ended as %s: %w", id, crawl, t.seen.State, palate.ErrConflict)
	}
	return c, t, nil
}

// end records an outcome.
func (c *memoryCrawl) end(t *memoryTask, o Outcome) {
	t.seen.State, t.seen.Reason, t.seen.Shown, t.seen.Leads, t.gave = o.State, o.Reason, o.Shown, nil, o.Gave
	c.waiting = slices.DeleteFunc(c.waiting, func(id int64) bool { return id == t.task.ID })
	t.task.Source, t.task.Alternatives, t.task.Leads = palate.Source{}, nil, nil
}

// FinishTask implements Frontier. A task that has ended is
// palate.ErrConflict, a loss without a reason palate.ErrInvalid.
func (m *Memory) FinishTask(_ context.Context, crawl string, task Task, outcome Outcome, found []Task) (added int, err error) {
	ends := outcome.State == Visited || outcome.State == Kept || outcome.State == Known || outcome.State == Lost && outcome.Reason != ""
	if !ends {
		return 0, fmt.Errorf("crawler: finish task: state %q with reason %q does not end a task: %w", outcome.State, outcome.Reason, palate.ErrInvalid)
	}
	if err := checkMemoryTasks(found); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c, t, err := m.open(crawl, task.ID)
	if err != nil {
		return 0, err
	}
	late := t.task
	late.Leads = late.Leads[min(len(task.Leads), len(late.Leads)):]
	c.end(t, outcome)
	added = m.add(c, found) // first: a late lead may mean one of these
	return added + m.again(c, t, late), nil
}

// PostponeTask implements Frontier.
func (m *Memory) PostponeTask(_ context.Context, crawl string, task Task, notBefore time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, t, err := m.open(crawl, task.ID)
	if err != nil {
		return err
	}
	t.task.Attempts, t.task.NotBefore = task.Attempts, notBefore
	if !slices.Contains(c.waiting, task.ID) {
		c.waiting = append(c.waiting, task.ID)
	}
	return nil
}

// CrawlProgress implements Frontier.
func (m *Memory) CrawlProgress(_ context.Context, crawl string) (Progress, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.crawls[crawl]
	if c == nil {
		return Progress{}, fmt.Errorf("crawler: crawl %q: %w", crawl, palate.ErrNotFound)
	}
	return m.progress(crawl, c), nil
}

// Retrace implements Frontier.
func (m *Memory) Retrace(_ context.Context, crawl string, visit func(Step) error) error {
	m.mu.Lock()
	c := m.crawls[crawl]
	if c == nil {
		m.mu.Unlock()
		return fmt.Errorf("crawler: crawl %q: %w", crawl, palate.ErrNotFound)
	}
	var steps []Step
	for _, id := range slices.Sorted(maps.Keys(c.tasks)) {
		if t := c.tasks[id]; t.task.Kind != Image && t.task.Refused == "" {
			steps = append(steps, Step{URL: t.task.URL, Referer: t.task.Referer, State: t.seen.State, Gave: t.gave})
		}
	}
	m.mu.Unlock()
	for _, s := range steps {
		if err := visit(s); err != nil {
			return err
		}
	}
	return nil
}

// added counts the pictures that any round of a crawl brought in.
func (m *Memory) added(crawl string) (n int) {
	for _, first := range m.kept {
		if strings.HasPrefix(first, crawl+"\x00") {
			n++
		}
	}
	return n
}

func (m *Memory) progress(crawl string, c *memoryCrawl) Progress {
	p := Progress{Resumed: c.resumed, Round: c.round, Lost: make(map[string]int), Added: m.added(crawl)}
	for t := range maps.Values(c.tasks) {
		switch t.seen.State {
		case Pending:
			p.Pending++
		case Visited:
			p.Pages++
		case Kept:
			p.Kept++
		case Known:
			p.Known++
		case Lost:
			p.Lost[t.seen.Reason]++
		}
	}
	return p
}

// Standing implements Keeper: nothing is ever deleted.
func (m *Memory) Standing(_ context.Context, addresses []string) ([]Standing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	standings := make([]Standing, len(addresses))
	for i, address := range addresses {
		if m.from[address] {
			standings[i] = StandingKept
		}
	}
	return standings, nil
}

// Keep implements Keeper.
func (m *Memory) Keep(_ context.Context, crawl string, task Task, find Find) (Keeping, palate.ImageID, error) {
	sum := sha256.Sum256(find.Content)
	id := palate.NewImageID(sum)
	m.mu.Lock()
	defer m.mu.Unlock()
	c, t, err := m.open(crawl, task.ID)
	if err != nil {
		return "", id, err
	}
	if _, there := m.kept[sum]; !there && find.Most > 0 && m.added(crawl) >= find.Most {
		c.end(t, Outcome{State: Lost, Reason: string(KeptTooMany)})
		return KeptTooMany, id, nil
	}
	m.from[find.Source.Address] = true
	round := fmt.Sprintf("%s\x00%d", crawl, c.round)
	switch first, there := m.kept[sum]; {
	case !there:
		m.kept[sum] = round
		m.finds = append(m.finds, find)
		c.end(t, Outcome{State: Kept})
		return KeptNew, id, nil
	case first == round:
		c.end(t, Outcome{State: Lost, Reason: string(KeptDuplicate)})
		return KeptDuplicate, id, nil
	}
	c.end(t, Outcome{State: Known})
	return KeptKnown, id, nil
}
