package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"unicode/utf8"

	"github.com/palate-art/palate"
)

func hashAll(r io.Reader) (string, int64, error) {
	hash := sha256.New()
	n, err := io.Copy(hash, r)
	return hex.EncodeToString(hash.Sum(nil)), n, err
}

// jsonPath gives a path as JSON can hold it, and its bytes where that changes
// them.
func jsonPath(path string) (text string, raw []byte) {
	if utf8.ValidString(path) {
		return path, nil
	}
	return string([]rune(path)), []byte(path)
}

// contextReader ends with the context.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// targetError says what the place of the backup refused and what to do.
func targetError(path string, err error) error {
	switch {
	case err == nil, errors.Is(err, palate.ErrUnavailable), errors.Is(err, palate.ErrConflict), errors.Is(err, palate.ErrInvalid),
		errors.Is(err, palate.ErrNotFound), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return fmt.Errorf("the disk of %s is full; free some space there and run the same again, which goes on where this one ended: %w: %w", path, palate.ErrUnavailable, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s can't be written; choose another place or change its permissions: %w: %w", path, palate.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w: %w", path, palate.ErrUnavailable, err)
}
