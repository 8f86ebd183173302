package onnx

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/regular"
)

// Open is OpenModel for a model that is wholly in its ONNX file.
func Open(ctx context.Context, runtime *Runtime, model []byte, d embedder.Description, c Config) (*Embedder, error) {
	return OpenModel(ctx, runtime, embedder.Model{Graph: model, Description: d}, c)
}

// OpenModel loads a model and runs it once, on a black picture, to see that it
// gives what the description says. A model or description that can't be used
// is palate.ErrInvalid and the text names what the model declares beside what
// the description says; a file that is not there is palate.ErrNotFound; a
// device that can't be had is palate.ErrUnavailable. The caller may reuse the
// model's memory and must Close the embedder.
func OpenModel(ctx context.Context, runtime *Runtime, m embedder.Model, c Config) (*Embedder, error) {
	d := m.Description
	if err := errors.Join(d.Validate(), c.Validate()); err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	if runtime == nil {
		return nil, fmt.Errorf("open model %s: there is no ONNX Runtime: load it first, with LoadRuntime: %w", d.Name, palate.ErrInvalid)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open model %s: %w", d.Name, err)
	}
	e, err := open(ctx, runtime, m, c)
	if err != nil {
		return nil, fmt.Errorf("open model %s: %w", d.Name, err)
	}
	return e, nil
}

func open(ctx context.Context, runtime *Runtime, m embedder.Model, c Config) (*Embedder, error) {
	if err := identify(&m); err != nil {
		return nil, err
	}
	device, err := runtime.Choose(c.Device)
	if err != nil {
		return nil, err
	}
	session, err := newSession(runtime, m, ort.SessionConfig{IntraOpThreads: c.IntraOpThreads, Device: device.Device})
	if c.Device.Kind == ort.DeviceAuto && device.Kind != ort.DeviceCPU && errors.Is(err, palate.ErrUnavailable) {
		// It was chosen by what could be seen; that it fails shows only now.
		device = ort.Choice{Device: ort.Device{Kind: ort.DeviceCPU}, Why: err.Error()}
		session, err = newSession(runtime, m, ort.SessionConfig{IntraOpThreads: c.IntraOpThreads, Device: device.Device})
	}
	if err != nil {
		return nil, err
	}
	e := newEmbedder(session, m, device, c)
	err = e.fitInput()
	if err == nil {
		err = e.fitOutputs()
	}
	if err == nil {
		err = e.tryOut(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, session.Close())
	}
	return e, nil
}

func newSession(runtime *Runtime, m embedder.Model, c ort.SessionConfig) (*ort.Session, error) {
	if len(m.Graph) == 0 && m.File != "" {
		return runtime.OpenSession(m.File, c)
	}
	return runtime.NewSession(m.Graph, c)
}

// identify gives the description its identity: its own, or the fingerprint of
// all files that hold the model's weights.
func identify(m *embedder.Model) error {
	d := m.Description
	switch {
	case d.Identity != "":
		return nil
	case m.Tables != nil:
		return fmt.Errorf("a model with tables needs an identity of its own: %w", palate.ErrInvalid)
	}
	sum, err := weightsOf(m)
	if err == nil {
		m.Description = d.Identify(sum)
	}
	return err
}

// weightsOf is the SHA-256 of what holds the weights.
func weightsOf(m *embedder.Model) ([sha256.Size]byte, error) {
	if len(m.Graph) > 0 || m.File == "" {
		return sha256.Sum256(m.Graph), nil
	}
	var none [sha256.Size]byte
	graph, err := ort.ReadModel(m.File)
	if err != nil {
		return none, err
	}
	files, err := ort.ExternalFiles(graph)
	if err != nil {
		return none, fmt.Errorf("%s: %w: %w", m.File, palate.ErrInvalid, err)
	}
	if len(files) == 0 {
		return sha256.Sum256(graph), nil
	}
	hash := sha256.New()
	sum := sha256.Sum256(graph)
	hash.Write(sum[:])
	for _, name := range files {
		file, err := hashFile(filepath.Join(filepath.Dir(m.File), name))
		if err != nil {
			return none, err
		}
		hash.Write(file)
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}

func hashFile(path string) ([]byte, error) {
	f, err := regular.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("weights: %w: %w", palate.ErrNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return nil, err
	}
	return hash.Sum(nil), nil
}

// maxDescriptionBytes bounds what OpenFile reads of a description.
const maxDescriptionBytes = 1 << 20

// OpenFile opens a model file, such as art.onnx, with the description beside
// it, art.json, for pictures that are read by rules. A file that is not there
// is palate.ErrNotFound.
func OpenFile(ctx context.Context, runtime *Runtime, path string, rules embedder.Rules, c Config) (*Embedder, error) {
	text, err := readDescription(strings.TrimSuffix(path, filepath.Ext(path)) + ".json")
	if err != nil {
		return nil, fmt.Errorf("read the description of model %s: %w", path, err)
	}
	d, err := embedder.ParseDescription(text)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", path, err)
	}
	d.Rules = rules
	e, err := OpenModel(ctx, runtime, embedder.Model{File: path, Description: d}, c)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", path, err)
	}
	return e, nil
}

func readDescription(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", palate.ErrNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxDescriptionBytes {
		return nil, fmt.Errorf("%s is no file of at most %d bytes: %w", path, maxDescriptionBytes, palate.ErrInvalid)
	}
	return regular.ReadFile(path, maxDescriptionBytes)
}
