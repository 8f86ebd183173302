package sqlite

import (
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
)

// Config says how a catalog is opened. Its zero value is not valid; begin
// with DefaultConfig.
type Config struct {
	// BusyTimeout bounds the wait for other writers, of this process and
	// of others. A write that gets no turn by then is palate.ErrUnavailable.
	BusyTimeout time.Duration
	// ReadConnections is the number of queries that run at once.
	ReadConnections int
	// CacheBytes is the page cache of each connection.
	CacheBytes int
	// MaxBytes bounds the size of the database file; writes beyond it fail
	// as on a full disk. 0 is no bound but the disk.
	MaxBytes int64
}

// DefaultConfig suits a desktop machine or a small server.
func DefaultConfig() Config {
	return Config{
		BusyTimeout:     15 * time.Second,
		ReadConnections: 4,
		CacheBytes:      16 << 20,
	}
}

// Validate reports all problems at once. Its error is palate.ErrInvalid.
func (c Config) Validate() error {
	var problems []error
	if c.BusyTimeout < time.Millisecond || c.BusyTimeout > time.Hour {
		problems = append(problems, fmt.Errorf("busy time-out %v is not between 1ms and 1h: %w", c.BusyTimeout, palate.ErrInvalid))
	}
	if c.ReadConnections < 1 || c.ReadConnections > 1000 {
		problems = append(problems, fmt.Errorf("%d read connections are not between 1 and 1000: %w", c.ReadConnections, palate.ErrInvalid))
	}
	if c.CacheBytes < 1<<16 || c.CacheBytes > 1<<32 {
		problems = append(problems, fmt.Errorf("cache of %d bytes is not between 64 KiB and 4 GiB: %w", c.CacheBytes, palate.ErrInvalid))
	}
	if c.MaxBytes < 0 {
		problems = append(problems, fmt.Errorf("largest size of %d bytes is negative: %w", c.MaxBytes, palate.ErrInvalid))
	}
	return errors.Join(problems...)
}
