package picture

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/palate-art/palate"
)

// DefaultBudget is how many bytes the pictures that are being decoded take
// together, where nobody says otherwise.
const DefaultBudget = 512 << 20

// minBudget leaves room for one file of DefaultLimits.
const minBudget = 256 << 20

const (
	// collectAbove is how much must have been given back before the memory
	// is handed to the system, once nothing is decoded any more.
	collectAbove = 32 << 20

	// collectAfter is how long nothing must be decoded for that.
	collectAfter = time.Second
)

// Budget bounds the memory of all decoding in a process: of the files that
// were read, a quarter of it, and of what is made of them, three quarters.
// Before a picture is decoded its header says how much that can take, and it
// waits, in order of arrival, until there is room: many small ones run side by
// side. What was given back counts until the garbage collector has run, which
// the Budget asks for when it needs the room; a second after the last picture
// the memory goes back to the system. It is safe for concurrent use.
type Budget struct {
	total int64

	mu            sync.Mutex
	files, pixels share
	spent         int64 // given back and not yet collected
	idle          *time.Timer

	collecting sync.Mutex
}

// share is one part of a Budget.
type share struct {
	total, used int64
	waiting     []*waiter // in order of arrival
}

type waiter struct {
	need    int64
	granted chan struct{} // closed when it has what it needs
}

// NewBudget returns a budget of so many bytes. An amount below 256 MiB is
// palate.ErrInvalid: a single file could not be decoded.
func NewBudget(bytes int64) (*Budget, error) {
	if bytes < minBudget {
		return nil, fmt.Errorf("decoding pictures needs at least %d MiB of memory, %d MiB were given: %w", minBudget>>20, bytes>>20, palate.ErrInvalid)
	}
	return newBudget(bytes), nil
}

// NewDefaultBudget returns a budget of DefaultBudget bytes.
func NewDefaultBudget() *Budget { return newBudget(DefaultBudget) }

func newBudget(bytes int64) *Budget {
	return &Budget{total: bytes, files: share{total: bytes / 4}, pixels: share{total: bytes - bytes/4}}
}

// Terms say what may become of one file.
type Terms struct {
	Limits Limits

	// Reading says which of the picture is needed; empty is all of it.
	Reading Reading

	// Alone lets a picture that takes more than the whole budget be decoded
	// while nothing else is: a person's own. Otherwise it is a LimitError.
	Alone bool

	// Patience is how long to wait for room before palate.ErrUnavailable; 0
	// waits as long as ctx.
	Patience time.Duration
}

// Decode reads and decodes a file within the budget and hands the upright
// picture to use, which may change it but must not keep it: its memory counts
// until use returns; without use no pixel is kept. Errors are those of Decode, those of use, ctx's own once
// it is done (decoding stops at the next piece of the file), and
// palate.ErrUnavailable when the budget stayed full for longer than
// t.Patience.
func (b *Budget) Decode(ctx context.Context, r io.Reader, t Terms, use func(*RGB, Info) error) (Info, error) {
	size, release, err := b.holdFile(ctx, r, t)
	if err != nil {
		return Info{}, err
	}
	defer release()
	data, err := readAll(ctxReader{ctx, r}, t.Limits.MaxBytes, size)
	if err != nil {
		return Info{}, err
	}
	return b.DecodeBytes(ctx, data, t, use)
}

// DecodeBytes is Decode for a file whose bytes are somebody else's to count.
func (b *Budget) DecodeBytes(ctx context.Context, data []byte, t Terms, use func(*RGB, Info) error) (Info, error) {
	f, info, err := openBytes(data, t.Limits, t.Reading.Rules)
	if err != nil {
		return info, err
	}
	err = b.decode(ctx, f, &info, t.Reading.scale(info), t, use)
	return info, err
}

// Check decodes a whole file and keeps nothing of it: what it gives no error
// for is a picture. It takes less memory than Decode, since no pixel is
// needed.
func (b *Budget) Check(ctx context.Context, data []byte, t Terms) (Info, error) {
	f, info, err := openBytes(data, t.Limits, t.Reading.Rules)
	if err != nil {
		return info, err
	}
	err = b.decode(ctx, f, &info, maxScale, t, nil)
	return info, err
}

// decode tries one way after the other, each with the room that it needs.
// Without use no pixel is kept.
func (b *Budget) decode(ctx context.Context, f file, info *Info, scale int, t Terms, use func(*RGB, Info) error) error {
	for _, way := range f.ways(t.Reading.Rules, scale) {
		to := target{nothing: use == nil}
		if use != nil {
			to = t.Reading.target(way, *info)
		}
		if way.onlyReduced && !to.reduced && !to.nothing {
			continue
		}
		release, err := b.hold(ctx, &b.pixels, to.bytes(way, *info)+f.extra().profileBytes(t.Reading.Rules), t)
		if err != nil {
			return err
		}
		m, err := decodeInto(ctx, way, info, to)
		if err == nil {
			if use != nil {
				err = use(m, *info)
			}
			m = nil
			release()
			return err
		}
		release()
		if err != errOtherWay {
			return err
		}
	}
	return &CorruptError{Format: info.Format, Err: errOtherWay}
}

// holdFile takes the room for the file itself, and tells its size, -1 where
// only the end shows it.
func (b *Budget) holdFile(ctx context.Context, r io.Reader, t Terms) (size int64, release func(), err error) {
	size = sizeOf(r)
	need := size
	if size < 0 || size > t.Limits.MaxBytes {
		need = t.Limits.MaxBytes
	}
	t.Alone = true // whether it is too large is for the limits to say
	release, err = b.hold(ctx, &b.files, need, t)
	return size, release, err
}

// hold waits for room in a share. The function that it returns gives the
// room back; it must be called once.
func (b *Budget) hold(ctx context.Context, s *share, need int64, t Terms) (release func(), err error) {
	if need > s.total {
		if !t.Alone {
			return nil, &LimitError{What: memoryLimit, Got: need, Limit: s.total}
		}
		need = s.total
	}
	b.mu.Lock()
	if len(s.waiting) == 0 && s.used+need <= s.total {
		s.used += need
		b.mu.Unlock()
	} else {
		w := &waiter{need: need, granted: make(chan struct{})}
		s.waiting = append(s.waiting, w)
		b.mu.Unlock()
		if err := b.await(ctx, s, w, t.Patience); err != nil {
			return nil, err
		}
	}
	b.makeRoom()
	return func() { b.give(s, need) }, nil
}

// await waits for a turn, or gives it up.
func (b *Budget) await(ctx context.Context, s *share, w *waiter, patience time.Duration) error {
	var late <-chan time.Time
	if patience > 0 {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		late = timer.C
	}
	var err error
	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-late:
		err = fmt.Errorf("other pictures have taken all memory for decoding for %v; try again in a moment: %w", patience, palate.ErrUnavailable)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-w.granted: // just now
		s.used -= w.need
	default:
		for i, other := range s.waiting {
			if other == w {
				s.waiting = append(s.waiting[:i:i], s.waiting[i+1:]...)
				break
			}
		}
	}
	s.grant() // whoever came after may fit
	return err
}

// grant lets those in who are next and fit.
func (s *share) grant() {
	for len(s.waiting) > 0 && s.used+s.waiting[0].need <= s.total {
		w := s.waiting[0]
		s.waiting = s.waiting[1:]
		s.used += w.need
		close(w.granted)
	}
}

func (b *Budget) give(s *share, need int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.used -= need
	b.spent += need
	s.grant()
	if b.files.used+b.pixels.used > 0 || b.spent < collectAbove {
		return
	}
	if b.idle == nil {
		b.idle = time.AfterFunc(collectAfter, b.giveBack)
	} else {
		b.idle.Reset(collectAfter)
	}
}

// makeRoom collects the garbage of earlier pictures where it and what is in
// use are more than the budget together: without that, Go would let the heap
// grow to twice what is in use.
func (b *Budget) makeRoom() {
	b.collectIf(func() bool { return b.spent > 0 && b.files.used+b.pixels.used+b.spent > b.total }, runtime.GC)
}

// giveBack returns memory to the system if still nothing is decoded.
func (b *Budget) giveBack() {
	b.collectIf(func() bool { return b.spent > 0 && b.files.used+b.pixels.used == 0 }, debug.FreeOSMemory)
}

// collectIf collects, one at a time, if it is still necessary then.
func (b *Budget) collectIf(necessary func() bool, collect func()) {
	b.mu.Lock()
	wanted := necessary()
	b.mu.Unlock()
	if !wanted {
		return
	}
	b.collecting.Lock()
	defer b.collecting.Unlock()
	b.mu.Lock()
	wanted = necessary()
	spent := b.spent
	b.mu.Unlock()
	if !wanted {
		return
	}
	collect()
	b.mu.Lock()
	b.spent -= spent
	b.mu.Unlock()
}

// sizeOf tells how much of a file is left to read, -1 if it can't be known.
func sizeOf(r io.Reader) int64 {
	switch f := r.(type) {
	case interface{ Len() int }:
		return int64(f.Len())
	case io.Seeker:
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return -1
		}
		end, err := f.Seek(0, io.SeekEnd)
		if err != nil {
			return -1
		}
		if _, err := f.Seek(at, io.SeekStart); err != nil {
			return -1
		}
		return max(0, end-at)
	}
	return -1
}

// ctxReader reads until ctx is done: what reads from it ends then.
type ctxReader struct {
	ctx context.Context // of one call, which made this reader
	r   io.Reader
}

func (r ctxReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
