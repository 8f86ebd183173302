package catalog

import (
	"context"

	"github.com/palate-art/palate"
)

// BadEmbedding is a stored embedding that can't be used.
type BadEmbedding struct {
	Image  palate.ImageID
	Reason string // for people
	// Loose is one of no image: it belongs to nothing and can't be made again.
	Loose bool
}

// BadStandings says how a profile's standing ratings differ from what its log
// gives.
type BadStandings struct {
	Profile palate.Profile
	Missing int // ratings of the log that do not stand
	Extra   int // standing ratings that the log does not give
	Other   int // of the same image, another rating than the log's last
	Images  []palate.ImageID
}

// Inspections look for what can't be: a disk that kept something else, a
// catalog that another program wrote into. Nothing of it comes from a killed
// process. What an inspection finds a mending makes right from what is there;
// all of it is derived, and no rating, image or source is touched.
type Inspections interface {
	// Check lists what is wrong with the catalog's file, nothing if it is
	// sound. It reads all of it.
	Check(ctx context.Context) ([]string, error)

	// SampleImages returns up to n images that were drawn at random.
	SampleImages(ctx context.Context, n int) ([]Image, error)

	// InspectEmbeddings reads every embedding of a model as it is stored, and
	// tells found of each that palate.Embedding.Validate refuses, or that is of
	// no image; it returns how many were read. Its error is returned.
	InspectEmbeddings(ctx context.Context, m palate.ModelID, found func(BadEmbedding) error) (read int, err error)

	// DropEmbeddings removes a model's embeddings of the named images, or of
	// what is no image, so that these are embedded again.
	DropEmbeddings(ctx context.Context, m palate.ModelID, ids []palate.ImageID) error

	// Forgotten returns up to limit images that have neither an embedding nor
	// a failure of that model, and that Unembedded does not list either.
	Forgotten(ctx context.Context, m palate.ModelID, limit int) ([]palate.ImageID, error)

	// Remember makes Unembedded list what it ought to.
	Remember(ctx context.Context, m palate.ModelID) error

	// InspectStandings works the standing ratings out from the log and tells
	// of the profiles whose stored ones differ, by name, each with up to limit
	// of its images.
	InspectStandings(ctx context.Context, limit int) (bad []BadStandings, profiles int, err error)

	// RestoreStandings lets a profile's log say again what stands.
	RestoreStandings(ctx context.Context, p palate.Profile) error
}
