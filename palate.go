// Package palate holds the words that every part of palate shares: what an
// image, an embedding, a rating and a profile are, and the kinds of error.
//
// It imports nothing but the standard library; every other package may
// import it.
package palate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"time"
)

// ImageID names one image file. It is a UUID of version 8 (RFC 9562) whose
// bits come from the SHA-256 of the file, so the same picture is the same
// point everywhere and every write is idempotent.
type ImageID [16]byte

// NewImageID derives the id from the SHA-256 of the image file.
func NewImageID(sum [sha256.Size]byte) ImageID {
	var id ImageID
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x80 // version 8
	id[8] = id[8]&0x3f | 0x80 // RFC 9562 variant
	return id
}

// ParseImageID reads the canonical form, 8-4-4-4-12 hexadecimal digits.
// Its error is ErrInvalid.
func ParseImageID(s string) (ImageID, error) {
	var id ImageID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, fmt.Errorf("image id %q is not a UUID: %w", s, ErrInvalid)
	}
	digits := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return ImageID{}, fmt.Errorf("image id %q is not a UUID: %w", s, ErrInvalid)
	}
	return id, nil
}

// String gives the canonical lower-case form.
func (id ImageID) String() string {
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// IsZero reports whether id names no image.
func (id ImageID) IsZero() bool { return id == ImageID{} }

// MarshalText gives the canonical form.
func (id ImageID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the canonical form.
func (id *ImageID) UnmarshalText(text []byte) error {
	parsed, err := ParseImageID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// ModelID fingerprints the function that makes embeddings: 64 lower-case
// hexadecimal digits of a SHA-256 over weights, architecture, input size and
// fit, preprocessing, pooling, normalisation and numeric class. Graph form,
// device, batch size and runtime version are not part of it. Two embeddings
// may be compared only when their ModelIDs are equal.
type ModelID string

// Short gives the first twelve digits, for people.
func (m ModelID) Short() string {
	if len(m) > 12 {
		return string(m[:12])
	}
	return string(m)
}

// Embedding is one image as a model sees it: float32, L2 norm 1.
type Embedding []float32

// Validate reports whether e has length dim, no NaN or infinity, and L2 norm
// 1±1e-3. Its error is ErrInvalid and says which of these fails.
func (e Embedding) Validate(dim int) error {
	if len(e) != dim {
		return fmt.Errorf("embedding has %d values, the model gives %d: %w", len(e), dim, ErrInvalid)
	}
	var sum float64
	for i, v := range e {
		f := float64(v)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("embedding value %d is %v: %w", i, v, ErrInvalid)
		}
		sum += f * f
	}
	if norm := math.Sqrt(sum); math.Abs(norm-1) > 1e-3 {
		return fmt.Errorf("embedding has norm %.6g, want 1: %w", norm, ErrInvalid)
	}
	return nil
}

// Verdict is what a person says of an image.
type Verdict string

// The three verdicts. A skip is not a dislike: it teaches the probe nothing
// and keeps the image from being asked about again at once.
const (
	Like    Verdict = "like"
	Dislike Verdict = "dislike"
	Skip    Verdict = "skip"
)

// Stars are a grade from 1 to MostStars that a rating may carry beside its
// verdict; 0 is none.
type Stars int

// MostStars is the best grade.
const MostStars Stars = 5

// Validate reports what is neither a grade nor none. Its error is ErrInvalid.
func (s Stars) Validate() error {
	if s < 0 || s > MostStars {
		return fmt.Errorf("%d stars, want 1 to %d: %w", s, MostStars, ErrInvalid)
	}
	return nil
}

// Verdict is what stars mean where nothing else is said: 4 and 5 are a like, 1
// and 2 a dislike, 3 is neither, so a skip. No stars give "".
func (s Stars) Verdict() Verdict {
	switch {
	case s == 0:
		return ""
	case s >= 4:
		return Like
	case s <= 2:
		return Dislike
	}
	return Skip
}

// ParseVerdict reads a verdict. Its error is ErrInvalid.
func ParseVerdict(s string) (Verdict, error) {
	switch v := Verdict(s); v {
	case Like, Dislike, Skip:
		return v, nil
	}
	return "", fmt.Errorf("verdict %q is none of like, dislike, skip: %w", s, ErrInvalid)
}

// Profile names one taste. Several profiles share one collection.
type Profile string

// DefaultProfile is used where nobody names one.
const DefaultProfile Profile = "me"

var profilePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// ParseProfile reads a profile's name: 1 to 63 of a-z, 0-9, _ and -, the
// first one a letter or a digit (names are used as keys in Qdrant payloads,
// where dots and brackets mean something else). Its error is ErrInvalid.
func ParseProfile(s string) (Profile, error) {
	if !profilePattern.MatchString(s) {
		return "", fmt.Errorf("profile %q: want 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit: %w", s, ErrInvalid)
	}
	return Profile(s), nil
}

// Shown says how a picture stood before the person when it was rated.
type Shown string

// The ways of showing a picture.
const (
	ShownGallery        Shown = "gallery"
	ShownQueueUncertain Shown = "queue:uncertain"
	ShownQueueExplore   Shown = "queue:explore"
	ShownQueueTop       Shown = "queue:top"
	ShownImport         Shown = "import"
	ShownAPI            Shown = "api"
)

// ParseShown reads a way of showing. Its error is ErrInvalid.
func ParseShown(s string) (Shown, error) {
	switch v := Shown(s); v {
	case ShownGallery, ShownQueueUncertain, ShownQueueExplore, ShownQueueTop, ShownImport, ShownAPI:
		return v, nil
	}
	return "", fmt.Errorf("shown %q is none of gallery, queue:uncertain, queue:explore, queue:top, import, api: %w", s, ErrInvalid)
}

// Source is one place that an image was found at and what was said of it
// there. One image has many sources; none overwrites another. Text is UTF-8
// of any script; an empty field is not known. Validate has the bounds.
type Source struct {
	Address      string    `json:"address"`                 // of the image file: a URL or an absolute path
	Page         string    `json:"page,omitempty"`          // URL of the page that describes it
	Site         string    `json:"site"`                    // host name, "folder" or "upload"
	ExternalID   string    `json:"external_id,omitempty"`   // the site's or museum's own name for the work
	OriginalName string    `json:"original_name,omitempty"` // file name as found
	Title        string    `json:"title,omitempty"`
	Artist       string    `json:"artist,omitempty"`
	Year         int       `json:"year,omitempty"` // 0 is not known
	Date         string    `json:"date,omitempty"` // as the source writes it
	Medium       string    `json:"medium,omitempty"`
	Categories   []string  `json:"categories,omitempty"`
	Licence      string    `json:"licence,omitempty"` // short name
	LicenceURL   string    `json:"licence_url,omitempty"`
	Credit       string    `json:"credit,omitempty"`
	RetrievedAt  time.Time `json:"retrieved_at"`
}
