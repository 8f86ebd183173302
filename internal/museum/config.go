package museum

import (
	"errors"
	"fmt"
	"io"

	"github.com/palate-art/palate"
)

// The host names that a museum answers to.
const (
	GalleryHost = "museum.palate.test"
	MediaHost   = "media.museum.palate.test"
	CommonsHost = "commons.palate.test"
	UploadHost  = "upload.commons.palate.test"
)

// Config says which museum to build.
type Config struct {
	Seed     int64
	Pictures int // 1 to 100,000
	PageSize int // thumbnails on a page of the HTML gallery

	// Scale multiplies the pictures' sides, which are 320 to 900 pixels at
	// 1: tests that look at many pictures draw small ones. 0.1 to 4.
	Scale float64

	// CheckUserAgent makes the two MediaWiki hosts answer 403 to a
	// User-Agent without a contact (an address or e-mail in parentheses),
	// as Wikimedia's do.
	CheckUserAgent bool

	// AccessLogWriter, if set, gets one JSON object (an Access) and a line
	// feed for every request as it ends, in one Write, for a museum that
	// runs in a process of its own. Writes do not overlap.
	AccessLogWriter io.Writer

	Behaviour Behaviour // the first one; SetBehaviour changes it
}

// DefaultConfig is 420 pictures, 24 on a page, and good manners.
func DefaultConfig() Config {
	return Config{Seed: 1, Pictures: 420, PageSize: 24, Scale: 1, CheckUserAgent: true}
}

// Validate reports all problems at once. Each is palate.ErrInvalid.
func (c Config) Validate() error {
	var problems []error
	if c.Pictures < 1 || c.Pictures > 100_000 {
		problems = append(problems, fmt.Errorf("museum: %d pictures, want 1 to 100000: %w", c.Pictures, palate.ErrInvalid))
	}
	if c.PageSize < 1 || c.PageSize > 500 {
		problems = append(problems, fmt.Errorf("museum: %d pictures on a page, want 1 to 500: %w", c.PageSize, palate.ErrInvalid))
	}
	if !(c.Scale >= .1 && c.Scale <= 4) {
		problems = append(problems, fmt.Errorf("museum: scale %g, want 0.1 to 4: %w", c.Scale, palate.ErrInvalid))
	}
	return errors.Join(append(problems, c.Behaviour.Validate())...)
}
