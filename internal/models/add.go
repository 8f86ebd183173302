package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/regular"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/vit"
)

// Addition says what to add. Zero values are read from the model's file or
// from what stands beside it.
type Addition struct {
	Name string
	// File is a file of tensors, an .onnx file, or a folder with one of them as the hub lays it out.
	File string
	// Copy keeps a copy in the store's folder; otherwise the file is used
	// where it is.
	Copy bool
	// Replace lets the name stand for another file than before.
	Replace bool

	Heads int
	// Architecture is timm's name of the model, which says what its tensors
	// don't tell.
	Architecture string
	Size         int
	CropRatio    float64
	Mean, Std    *[3]float64
	Licence      string
	LicenceURL   string

	// Hub says where on the hub the file came from, if it did.
	Hub *Origin
}

// Add adds a model from a file. It reads the file's tensors or its
// description, and refuses, as palate.ErrInvalid, what palate could not embed
// with. No such file is palate.ErrNotFound, a name that is taken
// palate.ErrConflict.
func (s *Store) Add(ctx context.Context, a Addition) (Record, error) {
	var from Reference
	if a.Hub != nil {
		from.Repository = a.Hub.Repository
	}
	if err := CheckNameFor(a.Name, from); err != nil {
		return Record{}, err
	}
	if _, err := s.Local(a.Name); err == nil && !a.Replace {
		return Record{}, fmt.Errorf("a model %s was added before; remove it first, or replace it: %w", a.Name, palate.ErrConflict)
	} else if err != nil && !errors.Is(err, palate.ErrNotFound) && !a.Replace {
		return Record{}, err
	}
	path, err := filepath.Abs(a.File)
	if err == nil {
		path, err = FileIn(path)
	}
	if err != nil {
		return Record{}, err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, fmt.Errorf("%w: %w", palate.ErrNotFound, err)
	}
	if err != nil {
		return Record{}, err
	}
	if err := regular.Check(path, info.Mode()); err != nil {
		return Record{}, err
	}
	r := Record{Format: recordFormat, Name: a.Name, File: path, Size: info.Size(), Licence: a.Licence, LicenceURL: a.LicenceURL, Hub: a.Hub, Added: time.Now().UTC().Truncate(time.Second)}
	extension := strings.ToLower(filepath.Ext(path))
	switch {
	case isIndex(path) && a.Copy:
		err = fmt.Errorf("%s is a model in several files: add it without a copy: %w", path, palate.ErrInvalid)
	case IsTensorsFile(path):
		r.Kind, err = KindSafetensors, r.readSafetensors(a)
	case extension == ".onnx":
		r.Kind, err = KindONNX, r.readDescription(a)
	default:
		err = fmt.Errorf("%s is no model: want .safetensors, its index (%s), PyTorch's .pth, .pt or .bin, or .onnx: %w", path, safetensors.IndexEnding, palate.ErrInvalid)
	}
	if err != nil {
		return Record{}, err
	}
	if a.Copy {
		r.File, r.Copied = s.copyOf(a.Name, extension), true
		r.SHA256, err = copyHashed(ctx, path, r.File)
	} else {
		r.Size, r.SHA256, err = hashModel(ctx, path)
	}
	if err != nil {
		return Record{}, fmt.Errorf("add model %s: %w", a.Name, err)
	}
	if former, err := s.Local(a.Name); err == nil && former.SHA256 == r.SHA256 {
		if r.FormerConfigs = former.FormerConfigs; r.FormerConfigs == nil {
			r.FormerConfigs = append([]json.RawMessage{json.RawMessage("{}")}, former.Configs...) // nothing said is something, too
		}
	}
	if err := r.validate(a.Name); err != nil {
		return Record{}, fmt.Errorf("add model %s: %w", a.Name, err)
	}
	return r, s.write("local", a.Name, r)
}

// readSafetensors reads the architecture from a file's tensors and from what
// stands beside it.
func (r *Record) readSafetensors(a Addition) error {
	for _, name := range configsOf(r.File) {
		config, err := readConfig(filepath.Join(filepath.Dir(r.File), name))
		if err != nil {
			return err
		}
		if config != nil {
			r.Configs = append(r.Configs, config)
		}
	}
	if a.Heads < 0 || a.Size < 0 || a.Size > maxSize || a.CropRatio < 0 || a.CropRatio > 1 {
		return fmt.Errorf("%d heads, size %d, crop ratio %g: want no negative numbers, at most %d pixels, a ratio of at most 1: %w",
			a.Heads, a.Size, a.CropRatio, maxSize, palate.ErrInvalid)
	}
	for _, numbers := range []*[3]float64{a.Mean, a.Std} {
		if numbers != nil && !finite(numbers[:]) {
			return fmt.Errorf("mean or standard deviation %v: want finite numbers: %w", *numbers, palate.ErrInvalid)
		}
	}
	if config := (said{Heads: a.Heads, Architecture: a.Architecture, CropRatio: a.CropRatio, Mean: a.Mean, Std: a.Std, Size: a.Size}).config(); config != nil {
		r.Configs = append(r.Configs, config)
	}
	architecture, err := r.weights().inspect()
	if err != nil {
		return err
	}
	r.Architecture, r.Preprocessing, r.Origins = architecture.String(), preprocessingOf(architecture), originsOf(architecture, a)
	if r.Licence == "" {
		r.Licence, r.LicenceURL, err = licenceIn(r.File)
	}
	return err
}

// configsOf are the configurations that go with a file, in the order in which
// they are read. A folder may hold one model as two programs write it: then
// open_clip's description is of open_clip's file alone, and the others of the
// other.
func configsOf(file string) []string {
	folder, base := filepath.Split(file)
	exists := func(name string) bool {
		_, err := os.Stat(filepath.Join(folder, name))
		return err == nil
	}
	openCLIP, others := configNames[:1], configNames[1:]
	if !exists(openCLIP[0]) || !exists("config.json") {
		return configNames
	}
	if strings.HasPrefix(base, "open_clip_") {
		return openCLIP
	}
	return others
}

// originsOf says where what the tensors don't tell is from.
func originsOf(architecture vit.Architecture, a Addition) map[string]string {
	given := map[string]bool{"heads": a.Heads != 0, "crop": a.CropRatio != 0 || a.Size != 0, "mean": a.Mean != nil, "std": a.Std != nil, "activation": a.Architecture != ""}
	origins := map[string]string{}
	for _, what := range []string{"heads", "activation", "crop", "mean", "std", "interpolation", "fit"} {
		switch {
		case given[what]:
			origins[what] = OriginGiven
		case slices.Contains(architecture.Guessed, what):
			origins[what] = OriginGuessed
		default:
			origins[what] = OriginPublished
		}
	}
	return origins
}

// Guesses names what of an added model nobody said. Of a record of an earlier
// palate it reads the file; a model that now would be refused is the error.
func (r Record) Guesses() ([]string, error) {
	if r.Kind != KindSafetensors {
		return nil, nil
	}
	if r.Origins == nil {
		architecture, err := r.weights().inspect()
		return architecture.Guessed, err
	}
	var guessed []string
	for what, origin := range r.Origins {
		if origin == OriginGuessed {
			guessed = append(guessed, what)
		}
	}
	slices.Sort(guessed)
	return guessed, nil
}

func finite(numbers []float64) bool {
	for _, n := range numbers {
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return false
		}
	}
	return true
}

// maxConfigBytes bounds a configuration beside a model.
const maxConfigBytes = 1 << 20

// readConfig reads what stands beside a model; nothing is nil. Only the
// outline of its JSON is checked.
func readConfig(path string) (json.RawMessage, error) {
	text, err := regular.ReadFile(path, maxConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !json.Valid(text) {
		return nil, fmt.Errorf("%s is no JSON: %w", path, palate.ErrInvalid)
	}
	return text, nil
}

// readDescription is for a foreign .onnx file.
func (r *Record) readDescription(a Addition) error {
	if a.Heads != 0 || a.Architecture != "" || a.Size != 0 || a.CropRatio != 0 || a.Mean != nil || a.Std != nil {
		return fmt.Errorf("how pictures come to an .onnx model is said in the .json file beside it, not by flags: %w", palate.ErrInvalid)
	}
	path := strings.TrimSuffix(r.File, filepath.Ext(r.File)) + ".json"
	text, err := regular.ReadFile(path, maxConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("an .onnx model needs a description beside it: %w: %w", palate.ErrNotFound, err)
	}
	if err != nil {
		return err
	}
	d, err := embedder.ParseDescription(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	d.Name = r.Name
	r.Description = &d
	if r.Licence == "" {
		r.Licence = d.Licence
	}
	r.Architecture = onnxText(d)
	if !a.Copy {
		return nil
	}
	graph, err := ort.ReadModel(r.File)
	if err != nil {
		return err
	}
	files, err := ort.ExternalFiles(graph)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", r.File, palate.ErrInvalid, err)
	}
	if len(files) > 0 {
		return fmt.Errorf("%s has weights in %s: add it without a copy: %w", r.File, strings.Join(files, ", "), palate.ErrInvalid)
	}
	return nil
}

// copyHashed copies a file in one step and gives its SHA-256.
func copyHashed(ctx context.Context, from, to string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", &FolderError{filepath.Dir(to), err}
	}
	in, err := regular.Open(from)
	if err != nil {
		return "", err
	}
	defer in.Close()
	hash := sha256.New()
	err = atomicfile.Write(to, 0o644, func(w io.Writer) error { return copyUntilDone(ctx, io.MultiWriter(w, hash), in) })
	var there *fs.PathError
	if errors.As(err, &there) && filepath.Dir(there.Path) == filepath.Dir(to) {
		err = &FolderError{filepath.Dir(to), err}
	}
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// copyUntilDone copies in pieces, so that a cancelled copy ends.
func copyUntilDone(ctx context.Context, to io.Writer, from io.Reader) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := io.CopyN(to, from, 4<<20); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
