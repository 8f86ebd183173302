package models

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/hub"
	"github.com/palate-art/palate/internal/regular"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/safetensors/torchfile"
	"github.com/palate-art/palate/internal/vit"
)

// tensorsFile is an open file of tensors, or several.
type tensorsFile interface {
	vit.Tensors
	io.Closer
}

// torchEndings are those of PyTorch's checkpoints.
var torchEndings = []string{".pth", ".pt", ".bin"}

func isIndex(path string) bool { return strings.HasSuffix(path, safetensors.IndexEnding) }

// IsTensorsFile reports whether a file is called as one of tensors that palate
// reads: .safetensors, the index of several, or PyTorch's .pth, .pt and .bin.
func IsTensorsFile(path string) bool {
	extension := strings.ToLower(filepath.Ext(path))
	return extension == ".safetensors" || isIndex(path) || slices.Contains(torchEndings, extension)
}

// Families are those of models whose tensors can be read, see package vit.
func Families() []string { return vit.Families() }

// openTensors opens a file by what its name says that it is.
func openTensors(path string) (tensorsFile, error) {
	switch {
	case isIndex(path):
		return safetensors.OpenShards(path)
	case slices.Contains(torchEndings, strings.ToLower(filepath.Ext(path))):
		return torchfile.OpenFile(path)
	}
	return safetensors.OpenFile(path)
}

// licenceIn is what a file itself says that its weights are under, as Export
// writes it; nothing is no error.
func licenceIn(path string) (name, link string, err error) {
	file, err := openTensors(path)
	if err != nil {
		return "", "", err
	}
	defer file.Close()
	if f, has := file.(interface{ Metadata() map[string]string }); has {
		name, link = f.Metadata()[metadataLicence], f.Metadata()[metadataLicenceLink]
	}
	const most = 300 // it is shown in one line
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if len(name)+len(link) > most || strings.ContainsFunc(name+link, unprintable) {
		return "", "", nil
	}
	return name, link, nil
}

// hashModel gives size and SHA-256 of a model's file; of one in several files
// those of all, as safetensors.Shards has them.
func hashModel(ctx context.Context, path string) (size int64, sum string, err error) {
	if !isIndex(path) {
		info, err := os.Stat(path)
		if err != nil {
			return 0, "", err
		}
		sum, err = hub.HashFile(ctx, path)
		return info.Size(), sum, err
	}
	shards, err := safetensors.OpenShards(path)
	if err != nil {
		return 0, "", err
	}
	defer shards.Close()
	raw, err := shards.SHA256(ctx)
	return shards.Size(), hex.EncodeToString(raw[:]), err
}

// modelNames are how a model's file is called in a folder as the hub lays it
// out, the best first.
var modelNames = []string{"model.safetensors", "model" + safetensors.IndexEnding, "open_clip_model.safetensors", "model.onnx", "pytorch_model.bin", "open_clip_pytorch_model.bin"}

// FileIn gives the model's file in a folder, or the path itself if it is none.
// A folder without one, or with several of other names, is palate.ErrInvalid.
func FileIn(path string) (string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %w", palate.ErrNotFound, err)
	}
	if err != nil || !info.IsDir() {
		return path, err
	}
	for _, name := range modelNames {
		file := filepath.Join(path, name)
		if info, err := os.Stat(file); err == nil && regular.Check(file, info.Mode()) == nil {
			return file, nil
		}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", err
	}
	var found []string
	for _, e := range entries {
		if !e.IsDir() && (IsTensorsFile(e.Name()) || strings.EqualFold(filepath.Ext(e.Name()), ".onnx")) {
			found = append(found, e.Name())
		}
	}
	if len(found) == 1 {
		return filepath.Join(path, found[0]), nil
	}
	return "", fmt.Errorf("%s holds %d files that could be the model (%s): name the file: %w", path, len(found), strings.Join(found, ", "), palate.ErrInvalid)
}

// NameByFile gives the file that a path stands for and what to call its model:
// as the file is called, or its folder where all files are called alike. What
// is no model's file is palate.ErrInvalid.
func NameByFile(path string) (file, name string, err error) {
	if file, err = filepath.Abs(path); err == nil {
		file, err = FileIn(file)
	}
	if err != nil {
		return "", "", err
	}
	extension := filepath.Ext(file)
	if !IsTensorsFile(file) && extension != ".onnx" {
		return "", "", fmt.Errorf("%q is no model's file (.safetensors or its index, .pth, .pt, .bin, .onnx): %w", path, palate.ErrInvalid)
	}
	name = strings.TrimSuffix(filepath.Base(file), extension)
	if slices.Contains([]string{"model", "pytorch_model", "model.safetensors.index", "open_clip_model", "open_clip_pytorch_model"}, name) {
		name = filepath.Base(filepath.Dir(file))
	}
	return file, name, nil
}
