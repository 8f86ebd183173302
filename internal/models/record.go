package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/atomicfile"
)

const recordFormat = 1

// The kinds of a model's file.
const (
	KindSafetensors = "safetensors" // tensors, in whatever of the formats that IsTensorsFile knows
	KindONNX        = "onnx"
)

// The origins of a value: what stood beside the file, what was said when it
// was added, and what nobody said.
const (
	OriginPublished = "published"
	OriginGiven     = "given"
	OriginGuessed   = "guessed"
)

// Record is an added model.
type Record struct {
	Format int    `json:"format"`
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	// File is where the model lies; Copied says that it is palate's copy.
	File   string `json:"file"`
	Copied bool   `json:"copied,omitempty"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`

	// Configs are, of a .safetensors file, what its tensors don't tell, in
	// the words of config.json: what stood beside it, then what was said
	// when it was added. Later ones win.
	Configs []json.RawMessage `json:"configs,omitempty"`
	// FormerConfigs are those of the record that this one took the place of,
	// where that was of the same file: collections that were embedded by them
	// go on until they are upgraded.
	FormerConfigs []json.RawMessage `json:"former_configs,omitempty"`
	// Origins say of each value that tensors don't tell where it is from:
	// OriginPublished, OriginGiven or OriginGuessed. Records of an earlier
	// palate have none.
	Origins map[string]string `json:"origins,omitempty"`
	// Description is, of an .onnx file, what stood beside it.
	Description *embedder.Description `json:"description,omitempty"`

	// Architecture and Preprocessing are what was seen, for people.
	Architecture  string         `json:"architecture,omitempty"`
	Preprocessing *Preprocessing `json:"preprocessing,omitempty"`

	Licence    string    `json:"licence,omitempty"`
	LicenceURL string    `json:"licence_url,omitempty"`
	Added      time.Time `json:"added"`

	// Hub is of a model that came from the hub.
	Hub *Origin `json:"hub,omitempty"`

	// Tuned is of a model that was fine-tuned here; Defaults are the settings
	// that it was trained with, and goes by where nothing else is said.
	Tuned    *Tuned    `json:"tuned,omitempty"`
	Defaults *Settings `json:"defaults,omitempty"`
}

// HubRecord is what palate remembers of a model from the hub.
type HubRecord struct {
	Format int    `json:"format"`
	Name   string `json:"name"`
	// LicenceShown is the licence that the user was shown, and when.
	LicenceShown string    `json:"licence_shown"`
	ShownAt      time.Time `json:"shown_at"`
	// Revision, Size and SHA256 are of the bytes that came.
	Revision string `json:"revision"`
	Size     int64  `json:"size"`
	SHA256   string `json:"sha256"`
}

// Store is the folder of records. Several processes may use it at once.
type Store struct{ folder string }

// OpenStore names the folder; it is made when something is put there.
func OpenStore(folder string) *Store { return &Store{folder} }

// Folder is where the records are.
func (s *Store) Folder() string { return s.folder }

var modelName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// reserved are names that mean something else to --model.
var reserved = []string{Auto, Baseline}

// CheckName refuses, as palate.ErrInvalid, names that can't be given to an
// added model, and as palate.ErrConflict those that have a meaning.
func CheckName(name string) error {
	if !modelName.MatchString(name) {
		return fmt.Errorf("model name %q: want 1 to 63 letters, digits and . _ -, beginning with a letter or digit: %w", name, palate.ErrInvalid)
	}
	if ext := strings.ToLower(filepath.Ext(name)); ext == ".onnx" || ext == ".safetensors" || ext == ".json" {
		return fmt.Errorf("model name %q ends like a file; choose another: %w", name, palate.ErrInvalid)
	}
	_, err := KnownModel(name)
	_, isOffer := OfferNamed(name)
	if err == nil || isOffer || slices.Contains(reserved, name) {
		return fmt.Errorf("%s is a name that palate knows already; choose another: %w", name, palate.ErrConflict)
	}
	return nil
}

// CheckNameFor is CheckName for a model from the hub, which may have the name
// under which palate offers that very repository.
func CheckNameFor(name string, ref Reference) error {
	if o, is := OfferNamed(name); is && o.Repository == ref.Repository {
		return nil
	}
	return CheckName(name)
}

// Local gives an added model. One that was not added is palate.ErrNotFound.
func (s *Store) Local(name string) (Record, error) {
	var r Record
	if !modelName.MatchString(name) {
		return r, fmt.Errorf("no model %q was added: %w", name, palate.ErrNotFound)
	}
	if err := s.read("local", name, &r); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return Record{}, fmt.Errorf("no model %q was added: %w", name, palate.ErrNotFound)
		}
		return Record{}, err
	}
	if err := r.validate(name); err != nil {
		return Record{}, fmt.Errorf("record %s: %w", s.path("local", name), err)
	}
	return r, nil
}

func (r Record) validate(name string) error {
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if r.Format != recordFormat {
		return fmt.Errorf("it has format %d, this palate reads %d: %w", r.Format, recordFormat, palate.ErrInvalid)
	}
	if r.Name != name {
		wrong("it is of %q", r.Name)
	}
	if !filepath.IsAbs(r.File) {
		wrong("file %q is not an absolute path", r.File)
	}
	switch {
	case r.Kind == KindSafetensors:
	case r.Kind == KindONNX && r.Description != nil:
		if err := r.Description.Validate(); err != nil {
			problems = append(problems, err)
		}
	default:
		wrong("kind %q lacks what it needs", r.Kind)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%w: %w", palate.ErrInvalid, errors.Join(problems...))
	}
	return nil
}

// Locals lists the added models in the order of names. Records that can't be
// read are reported in the error beside those that can.
func (s *Store) Locals() ([]Record, error) {
	entries, err := os.ReadDir(filepath.Join(s.folder, "local"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("added models: %w", err)
	}
	var records []Record
	var problems []error
	for _, entry := range entries {
		name, isRecord := strings.CutSuffix(entry.Name(), ".json")
		if !isRecord || !modelName.MatchString(name) {
			continue
		}
		r, err := s.Local(name)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		records = append(records, r)
	}
	return records, errors.Join(problems...)
}

// HubRecord gives what is remembered of a model from the hub; nothing is
// no error.
func (s *Store) HubRecord(name string) (HubRecord, bool, error) {
	var a HubRecord
	if err := s.read("hub", name, &a); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return HubRecord{}, false, nil
		}
		return HubRecord{}, false, err
	}
	if a.Format != recordFormat || a.Name != name {
		return HubRecord{}, false, fmt.Errorf("record %s has format %d and is of %q: %w", s.path("hub", name), a.Format, a.Name, palate.ErrInvalid)
	}
	return a, true, nil
}

// Forget removes what is remembered of a model from the hub.
func (s *Store) Forget(name string) error {
	if err := os.Remove(s.path("hub", name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget model %s: %w", name, err)
	}
	return nil
}

// Remove removes an added model's record, and its file if that is palate's
// copy. One that was not added is palate.ErrNotFound.
func (s *Store) Remove(name string) error {
	if !modelName.MatchString(name) {
		return fmt.Errorf("no model %q was added: %w", name, palate.ErrNotFound)
	}
	err := os.Remove(s.path("local", name)) // the record first: a copy without it is only lost room
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no model %q was added: %w", name, palate.ErrNotFound)
	}
	for _, extension := range append([]string{".safetensors", ".onnx"}, torchEndings...) {
		if e := os.Remove(s.copyOf(name, extension)); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return fmt.Errorf("remove model %s: %w", name, err)
	}
	return nil
}

func (s *Store) path(kind, name string) string { return filepath.Join(s.folder, kind, name+".json") }

func (s *Store) copyOf(name, extension string) string {
	return filepath.Join(s.folder, "files", name+extension)
}

func (s *Store) read(kind, name string, into any) error {
	text, err := os.ReadFile(s.path(kind, name))
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil {
		return &FolderError{s.folder, err}
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("record %s: %w: %w", s.path(kind, name), palate.ErrInvalid, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("record %s: more text after the object: %w", s.path(kind, name), palate.ErrInvalid)
	}
	return nil
}

// FolderError says that a store's folder can't be read or written. It is
// palate.ErrUnavailable and the operating system's error.
type FolderError struct {
	Folder string
	err    error
}

func (e *FolderError) Error() string { return fmt.Sprintf("folder of models %s: %v", e.Folder, e.err) }

// Unwrap gives the kind and the cause.
func (e *FolderError) Unwrap() []error { return []error{palate.ErrUnavailable, e.err} }

// write replaces a record in one step.
func (s *Store) write(kind, name string, record any) error {
	text, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return err
	}
	folder := filepath.Join(s.folder, kind)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return &FolderError{s.folder, err}
	}
	if err := atomicfile.WriteBytes(s.path(kind, name), 0o644, append(text, '\n')); err != nil {
		return &FolderError{s.folder, err}
	}
	return nil
}
