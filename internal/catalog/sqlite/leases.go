package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/access"
	"github.com/palate-art/palate/internal/catalog"
)

// leaseBook holds the leases of one open catalog. A lease is a lock on a file
// of the operating system, which gives it back when the process dies, however
// it dies. The lock belongs to the open file, so two catalogs in one process
// exclude each other as well.
type leaseBook struct {
	folder string
	mu     sync.Mutex
	held   map[*lease]struct{}
}

type lease struct {
	book   *leaseBook
	file   *flock.Flock
	holder string // path of the file that says who has it
	// transient is of a lease that nobody asks for again: its file goes with
	// it.
	transient bool

	once     sync.Once
	err      error
	released chan struct{}

	watch sync.Once
	lost  chan struct{}
}

// leaseLook is how often a held lease is looked at by who wants to know that
// it is lost.
const leaseLook = time.Second

// Lost implements catalog.Lease. The operating system never takes a lock away;
// but where its file is deleted, or the folder is replaced, the next who asks
// locks another file.
func (l *lease) Lost() <-chan struct{} {
	l.watch.Do(func() { go l.look() })
	return l.lost
}

// look ends with the lease.
func (l *lease) look() {
	tick := time.NewTicker(leaseLook)
	defer tick.Stop()
	for {
		select {
		case <-l.released:
			return
		case <-tick.C:
		}
		there, err := os.Stat(l.file.Path())
		if err == nil {
			mine, statErr := l.file.Stat()
			if statErr != nil || os.SameFile(there, mine) {
				continue
			}
		} else if !errors.Is(err, os.ErrNotExist) {
			continue // a folder that can't be looked at now is no proof
		}
		select {
		case <-l.released: // which removes the file of a transient one
		default:
			close(l.lost)
		}
		return
	}
}

// holder is what a lease file says to those who wait.
type holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

var plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,99}$`)

// leasePath gives every name a file name that every file system takes.
func (b *leaseBook) leasePath(name string) string {
	if !plainName.MatchString(name) {
		name = fmt.Sprintf("x-%x", sha256.Sum256([]byte(name)))
	}
	return filepath.Join(b.folder, name+".lock")
}

// AcquireLease implements catalog.Leases.
func (c *Catalog) AcquireLease(ctx context.Context, name string) (catalog.Lease, error) {
	what := fmt.Sprintf("take lease %q", name)
	if err := errors.Join(ctx.Err(), checkName("lease", name)); err != nil {
		return nil, c.translate(ctx, what, err)
	}
	l, err := c.takeLease("lease-" + name)
	if err != nil {
		return nil, c.translate(ctx, what, err)
	}
	return l, nil
}

// waitForLease takes a lease as soon as it is free.
func (c *Catalog) waitForLease(ctx context.Context, name string) (*lease, error) {
	deadline := time.After(c.cfg.BusyTimeout)
	for {
		l, err := c.takeLease(name)
		if err == nil || !errors.Is(err, palate.ErrConflict) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-deadline:
			return nil, fmt.Errorf("another process has been opening it for too long; try again, or stop it: %w (%v)", palate.ErrUnavailable, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (c *Catalog) takeLease(name string) (*lease, error) {
	if c.unwritten != nil {
		return nil, c.unwritten
	}
	b := &c.leases
	path := b.leasePath(name)
	file := flock.New(path, flock.SetPermissions(access.FileIn(b.folder)))
	locked, err := file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w (%w)", path, palate.ErrUnavailable, err)
	}
	// The holder's file is another than the locked one, which some systems
	// let nobody read.
	l := &lease{book: b, file: file, holder: path + ".holder", released: make(chan struct{}), lost: make(chan struct{})}
	if !locked {
		return nil, fmt.Errorf("%s holds it: %w", l.describeHolder(), palate.ErrConflict)
	}
	l.announce()
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.closed.Load() {
		return nil, errors.Join(fmt.Errorf("the catalog is closed: %w", palate.ErrUnavailable), file.Close())
	}
	if b.held == nil {
		b.held = map[*lease]struct{}{}
	}
	b.held[l] = struct{}{}
	return l, nil
}

// announce says who holds the lease. A lease works without it, on a full disk
// too; what a dead process left there must only not be taken for the truth.
func (l *lease) announce() {
	host, _ := os.Hostname()
	text, err := json.Marshal(holder{PID: os.Getpid(), Host: host, Since: time.Now().UTC().Truncate(time.Second)})
	if err == nil {
		err = os.WriteFile(l.holder, text, access.FileIn(l.book.folder))
	}
	if err != nil {
		_ = os.Remove(l.holder)
	}
}

func (l *lease) describeHolder() string {
	var h holder
	text, err := os.ReadFile(l.holder)
	if err != nil || json.Unmarshal(text, &h) != nil {
		return "another process"
	}
	return fmt.Sprintf("process %d on %s, since %s,", h.PID, h.Host, h.Since.Format(time.RFC3339))
}

// Release implements catalog.Lease; a second one does nothing.
func (l *lease) Release() error {
	l.once.Do(func() {
		l.book.mu.Lock()
		delete(l.book.held, l)
		l.book.mu.Unlock()
		close(l.released)
		// Not while another may have the lock: its holder's file is new.
		removed := os.Remove(l.holder)
		if errors.Is(removed, os.ErrNotExist) {
			removed = nil
		}
		if l.transient {
			_ = os.Remove(l.file.Path()) // what stays is an empty file
		}
		if err := errors.Join(removed, l.file.Close()); err != nil {
			l.err = fmt.Errorf("catalog: release lease: %w", err)
		}
	})
	return l.err
}

func (b *leaseBook) releaseAll() error {
	b.mu.Lock()
	held := b.held
	b.held = nil
	b.mu.Unlock()
	var errs []error
	for l := range held {
		errs = append(errs, l.Release())
	}
	return errors.Join(errs...)
}
