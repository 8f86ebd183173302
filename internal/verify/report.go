package verify

import "github.com/palate-art/palate"

// Damage is a kind of what is found wrong.
type Damage string

// The kinds of damage.
const (
	FileMissing      Damage = "missing"           // a row whose file, or referenced original, is gone
	FileResized      Damage = "resized"           // a file of another length than its row says
	FileDamaged      Damage = "damaged"           // a file of the right length whose SHA-256 is another
	ReferenceChanged Damage = "reference_changed" // a referenced original that was changed since
	FileUnreadable   Damage = "unreadable"        // a file that can't be read
	FileOrphaned     Damage = "orphaned"          // a file that no row knows

	ThumbnailDamaged  Damage = "thumbnail_damaged"  // one that is no whole JPEG
	ThumbnailOrphaned Damage = "thumbnail_orphaned" // one of no image

	EmbeddingDamaged   Damage = "embedding_damaged"   // one of another length, or not of norm 1
	EmbeddingOrphaned  Damage = "embedding_orphaned"  // one of no image
	EmbeddingForgotten Damage = "embedding_forgotten" // an image that has none and that nobody embeds

	StandingsDiffer Damage = "standings" // a profile whose standing ratings are not those of its log

	IndexMissing  Damage = "index_missing"  // embeddings without a point
	IndexForeign  Damage = "index_foreign"  // points without an embedding
	IndexDamaged  Damage = "index_damaged"  // points of another vector
	IndexOutdated Damage = "index_outdated" // points of other attributes

	CatalogDamaged Damage = "catalog" // what is wrong with the catalog's own file
)

// Finding is one thing that is wrong.
type Finding struct {
	Damage  Damage         `json:"damage"`
	Image   palate.ImageID `json:"image_id,omitzero"`
	Title   string         `json:"title,omitempty"`
	Model   palate.ModelID `json:"model_id,omitempty"`
	Profile palate.Profile `json:"profile,omitempty"`
	Detail  string         `json:"detail,omitempty"`
	Mended  string         `json:"mended,omitempty"` // what was done; empty if nothing was
}

// Report is what was looked at and what is wrong with it.
type Report struct {
	Rows       int   `json:"rows"`       // images in the catalog, all looked at
	Files      int   `json:"files"`      // files in the store
	Read       int   `json:"read"`       // files read whole and held against their SHA-256
	Bytes      int64 `json:"bytes"`      // of them
	Decoded    int   `json:"decoded"`    // pictures, to hear whether they are damaged
	Damaged    int   `json:"damaged"`    // pictures of the collection that are shown though some of them is missing or wrong: no fault of the collection
	Undecoded  int   `json:"undecoded"`  // pictures of which nobody has heard it yet
	Young      int   `json:"young"`      // files without a row that came so lately that it may come yet
	Thumbnails int   `json:"thumbnails"` // all looked at
	Embeddings int   `json:"embeddings"` // of all models, all read
	Profiles   int   `json:"profiles"`   // whose standing ratings were held against the log
	Points     int   `json:"points"`     // in the indexes that are kept
	Compared   int   `json:"compared"`   // of them read and compared

	Found    map[Damage]int `json:"found"`    // how many of each kind
	Mended   map[Damage]int `json:"mended"`   // how many of these are right now
	Findings []Finding      `json:"findings"` // the first of each kind
	MoreOf   map[Damage]int `json:"more_of"`  // how many of a kind are not in Findings
	Skipped  []string       `json:"skipped"`  // what could not be looked at, and why

	Deep     bool `json:"deep"`     // everything was read
	Sampled  bool `json:"sampled"`  // only some of the rows were looked at
	Complete bool `json:"complete"` // it was not interrupted
}

// Result is a report with what it comes to.
type Result struct {
	Report
	Whole bool `json:"whole"` // nothing is wrong, or not any more, and all was looked at
}

// named is how many findings of a kind a report lists.
const named = 20

func newReport(c Config) Report {
	return Report{Deep: c.Deep, Found: map[Damage]int{}, Mended: map[Damage]int{}, MoreOf: map[Damage]int{}, Findings: []Finding{}, Skipped: []string{}}
}

// Well reports whether nothing is wrong, or not any more, with what was to be
// looked at.
func (r Report) Well() bool { return len(r.Left()) == 0 && len(r.Skipped) == 0 && r.Complete }

// Left is how much of each kind is still wrong.
func (r Report) Left() map[Damage]int {
	left := map[Damage]int{}
	for damage, n := range r.Found {
		if n > r.Mended[damage] {
			left[damage] = n - r.Mended[damage]
		}
	}
	return left
}

func (r *Report) add(f Finding) {
	r.Found[f.Damage]++
	if f.Mended != "" {
		r.Mended[f.Damage]++
	}
	if r.Found[f.Damage] <= named {
		r.Findings = append(r.Findings, f)
	} else {
		r.MoreOf[f.Damage]++
	}
}

// addMany counts what is wrong with n of a kind, of which only the first
// images are known.
func (r *Report) addMany(f Finding, n int, images []palate.ImageID) {
	for _, id := range images {
		f.Image = id
		r.add(f)
	}
	if more := n - len(images); more > 0 {
		r.Found[f.Damage] += more
		r.MoreOf[f.Damage] += more
		if f.Mended != "" {
			r.Mended[f.Damage] += more
		}
	}
}
