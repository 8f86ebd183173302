package catalog

import (
	"context"

	"github.com/palate-art/palate"
)

// Damage is what decoding told of an image: what is missing or wrong of it in
// a plain sentence, or "" if it is whole.
type Damage struct {
	ID   palate.ImageID
	What string
}

// DamageCount counts the images by what is known of their damage; the rest are
// whole.
type DamageCount struct {
	Damaged int // shown though some of them is missing or wrong
	Unknown int // not decoded since palate keeps what that tells
}

// Damages remembers which images are shown though some of them is missing or
// wrong.
type Damages interface {
	// PutDamage keeps what decoding told of images, in one commit. An image
	// whose sentence is another now has changed (ImageChanged); to hear of one
	// that it is whole changes nothing that anybody follows. Images that are
	// gone are passed over.
	PutDamage(ctx context.Context, told []Damage) error

	// Undecoded returns up to limit images whose IDs follow after, in the
	// order of IDs, of which Image.Decoded is false; fewer than limit mean that
	// these were the last.
	Undecoded(ctx context.Context, after palate.ImageID, limit int) ([]Image, error)

	// CountDamage counts.
	CountDamage(ctx context.Context) (DamageCount, error)
}
