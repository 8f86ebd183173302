package ingest_test

import (
	"testing"

	"github.com/palate-art/palate/internal/imagestore"
	"github.com/palate-art/palate/internal/picture"
)

// Who adds a rule that changes what pictures look like raises the version, or
// thumbnails made before stay.
func TestThumbnailVersionBelongsToTheRules(t *testing.T) {
	const rules, version = "2+as-published+icc+jpeg-exact+jpeg-whole+tiff-exact+xmp-orientation", 2
	if got := picture.Current(); got != rules || imagestore.ThumbnailVersion != version {
		t.Errorf("the rules are %s and thumbnails have version %d; the test knows %s and %d", got, imagestore.ThumbnailVersion, rules, version)
	}
}
