package collection

import (
	"context"
	"fmt"
	"time"

	"github.com/palate-art/palate/internal/hub"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/vit"
)

// EmbeddedIndex is the address of the index in memory.
const EmbeddedIndex = "embedded"

// Config says where a collection is and what it works with.
type Config struct {
	// Folder holds the catalog, the pictures and what is derived from them.
	Folder string
	// GroupReadable lets the folder's group read it.
	GroupReadable bool
	// Temporary is a collection that goes when it is closed: what it put onto
	// an index server goes too.
	Temporary bool

	// Index is EmbeddedIndex or the address of a Qdrant server. With Fallback
	// an embedded one answers while the server can't be reached.
	Index    string
	Fallback bool

	Models ModelConfig
	// Decoding bounds the memory of all pictures that are decoded at once.
	Decoding *picture.Budget
	// MaxPixels is how many pixels a picture may have that is imported or
	// uploaded; 0 is 200 and 50 million.
	MaxPixels int64
}

// ModelConfig says which model embeds the pictures, where it comes from and on
// what it is computed.
type ModelConfig struct {
	// Asked is what was asked for; what it leaves open is chosen.
	Asked models.Settings
	// Precision to compute in; empty is chosen by the device.
	Precision vit.Precision
	// Device as ort.ParseDevice reads it, and the bytes that a GPU may give
	// (0: all).
	Device           string
	GPUMemoryBytes   int64
	Folder           string // of what is known of models
	Hub              hub.Config
	Runtime          ort.Config
	ReachHubPatience time.Duration // where there is a way without
	// MaxPixels is how many pixels a file may have that is embedded and not taken
	// into the collection; 0 is 200 million.
	MaxPixels int64
}

// DefaultReachHubPatience is how long the hub is waited for before the built-in
// model is taken.
const DefaultReachHubPatience = 5 * time.Second

// DefaultConfig is a collection in the folder with an index in memory and a
// model that is chosen.
func DefaultConfig(folder, modelsFolder string) Config {
	return Config{Folder: folder, Index: EmbeddedIndex, Decoding: picture.NewDefaultBudget(), Models: ModelConfig{
		Device: ort.DeviceAuto, Folder: modelsFolder, Hub: hub.ConfigFromEnv(), Runtime: ort.ConfigFromEnv(), ReachHubPatience: DefaultReachHubPatience,
	}}
}

// AskedError is about something that was asked for and can't be, rather than
// about what was found.
type AskedError struct{ error }

// Unwrap gives the cause.
func (e AskedError) Unwrap() error { return e.error }

func asked(err error) error { return AskedError{err} }

func askedf(format string, args ...any) error { return AskedError{fmt.Errorf(format, args...)} }

// Teller hears what a person should know while something goes on.
type Teller interface {
	// Note tells a sentence beside the work. What a person must have seen, as
	// a licence, is told with insist, even to who wants to hear nothing else.
	Note(text string, insist bool)
	// Progress tells how far the named work has come; total 0 is not known.
	Progress(name, unit string, done, total int64)
	// EndProgress says that the work is done, or is no more.
	EndProgress()
}

// Silent is a Teller for whom nobody listens.
type Silent struct{}

// Note implements Teller.
func (Silent) Note(string, bool) {}

// Progress implements Teller.
func (Silent) Progress(string, string, int64, int64) {}

// EndProgress implements Teller.
func (Silent) EndProgress() {}

// progress is how far a job has come, for the job and for a Teller. Jobs that
// the API started tell nobody else: several run at a time.
func progress(ctx context.Context, j *job.Job, t Teller, name, unit string) func(done, total int64) {
	return func(done, total int64) {
		t.Progress(name, unit, done, total)
		j.Progress(ctx, done, total)
	}
}

// note tells a sentence.
func note(t Teller, format string, args ...any) { t.Note(fmt.Sprintf(format, args...), false) }
