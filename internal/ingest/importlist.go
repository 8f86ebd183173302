package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/atomicfile"
)

// ReasonDamaged is the reason of a picture that is kept and shown though some
// of it is missing or wrong.
const ReasonDamaged = "damaged"

// ReasonBothWays is the reason of a file that is liked in one place and disliked
// in another.
const ReasonBothWays = "judged_both_ways"

// Remark is what an import has to say of one file: why it was lost, or, by
// ReasonDamaged, what is wrong with what was kept.
type Remark struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
	What   string `json:"what"`
}

// ImportList is all that an import has to say of single files. It is kept as
// JSON in a file of its own, of which there is one, the last import's:
//
//	{"version": 1, "ended": time, "seen", "kept", "remarks": [{"path", "reason", "what"}]}
type ImportList struct {
	Version int       `json:"version"`
	Ended   time.Time `json:"ended"`
	Seen    int       `json:"seen"`
	Kept    int       `json:"kept"`
	Remarks []Remark  `json:"remarks"`
}

const importListVersion = 1

// KeepImportList writes what an import that ended then has to say.
func KeepImportList(path string, r ImportReport, ended time.Time) error {
	list := ImportList{Version: importListVersion, Ended: ended.UTC(), Seen: r.Seen, Kept: r.Kept, Remarks: r.Remarks}
	if list.Remarks == nil {
		list.Remarks = []Remark{}
	}
	content, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, 0o600, append(content, '\n'))
}

// ReadImportList reads what KeepImportList wrote. Without such a file the error
// is palate.ErrNotFound, and palate.ErrInvalid for one of another version or
// that can't be read.
func ReadImportList(path string) (ImportList, error) {
	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ImportList{}, fmt.Errorf("nothing was imported into this collection since palate keeps a list of it: %w", palate.ErrNotFound)
	case err != nil:
		return ImportList{}, fmt.Errorf("%s can't be read (%w): %w", path, err, palate.ErrInvalid)
	}
	var list ImportList
	if err := json.Unmarshal(content, &list); err != nil {
		return ImportList{}, fmt.Errorf("%s can't be read (%w); the next import writes it anew: %w", path, err, palate.ErrInvalid)
	}
	if list.Version != importListVersion {
		return ImportList{}, fmt.Errorf("%s is of version %d, this palate reads %d; install the newer one: %w", path, list.Version, importListVersion, palate.ErrInvalid)
	}
	return list, nil
}
