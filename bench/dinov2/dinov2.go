// Package dinov2 builds DINOv2 of the published shapes with random weights,
// for benchmarks: what a model computes is no part of how fast it does.
package dinov2

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/vit"
)

// size is a published DINOv2 by its letter.
type size struct{ dim, depth, heads int }

var sizes = map[string]size{"S": {384, 12, 6}, "B": {768, 12, 12}, "L": {1024, 24, 16}}

const (
	patchSide = 14
	gridSide  = 37
)

// Spec is what is measured of a model: "B@518:int8".
type Spec struct {
	Letter    string // S, B or L
	Side      int    // of the input, pixels
	Precision vit.Precision
	Form      vit.Form
}

// ParseSpec reads a letter, @, the side of the input and, after a colon,
// int8, fp16 or plain.
func ParseSpec(text string) (Spec, error) {
	s := Spec{Precision: vit.Float32, Form: vit.Fused}
	model, kind, _ := strings.Cut(text, ":")
	letter, side, _ := strings.Cut(model, "@")
	n, err := strconv.Atoi(side)
	if _, known := sizes[letter]; !known || err != nil || n < patchSide || n%patchSide != 0 {
		return s, fmt.Errorf("model %q: want S, B or L, @ and a multiple of %d", text, patchSide)
	}
	s.Letter, s.Side = letter, n
	switch kind {
	case "":
	case "int8":
		s.Precision = vit.Int8
	case "fp16":
		s.Precision = vit.Float16
	case "plain":
		s.Form = vit.Plain
	default:
		return s, fmt.Errorf("model %q: want int8, fp16 or plain after the colon, or nothing", text)
	}
	return s, nil
}

// String is what ParseSpec reads.
func (s Spec) String() string {
	name := fmt.Sprintf("%s@%d", s.Letter, s.Side)
	switch {
	case s.Form == vit.Plain:
		return name + ":plain"
	case s.Precision == vit.Int8:
		return name + ":int8"
	case s.Precision == vit.Float16:
		return name + ":fp16"
	}
	return name
}

// Work counts the multiplications and additions of matrix products for one
// picture. In palate's form only the class token goes through the last
// block's queries, projection and MLP; published counts them for all.
func (s Spec) Work() (done, published float64) {
	z := sizes[s.Letter]
	d := float64(z.dim)
	patches := float64(s.Side / patchSide * (s.Side / patchSide))
	tokens := patches + 1
	embed := 2 * patches * 3 * patchSide * patchSide * d
	block := 24*tokens*d*d + 4*tokens*tokens*d
	published = embed + float64(z.depth)*block
	if s.Form == vit.Plain {
		return published, published
	}
	last := 4*tokens*d*d + 20*d*d + 4*tokens*d
	return embed + float64(z.depth-1)*block + last, published
}

// weights gives a file of random weights under timm's names, written once.
func (b *Builder) weights(letter string) (string, error) {
	path := filepath.Join(b.Dir, letter+".safetensors")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	z := sizes[letter]
	random := rand.New(rand.NewPCG(uint64(z.dim), 7))
	var tensors []safetensors.Values
	add := func(name string, mean, deviation float32, shape ...int) {
		v := safetensors.Values{Name: name}
		n := 1
		for _, side := range shape {
			v.Shape, n = append(v.Shape, int64(side)), n*side
		}
		v.Data = Normal(random, n, deviation)
		for i := range v.Data {
			v.Data[i] += mean
		}
		tensors = append(tensors, v)
	}
	linear := func(name string, out, in int) {
		add(name+".weight", 0, 0.02, out, in)
		add(name+".bias", 0, 0.02, out)
	}
	norm := func(name string) {
		add(name+".weight", 1, 0.02, z.dim)
		add(name+".bias", 0, 0.02, z.dim)
	}
	add("cls_token", 0, 0.02, 1, 1, z.dim)
	add("pos_embed", 0, 0.02, 1, 1+gridSide*gridSide, z.dim)
	add("patch_embed.proj.weight", 0, 0.02, z.dim, 3, patchSide, patchSide)
	add("patch_embed.proj.bias", 0, 0.02, z.dim)
	for n := range z.depth {
		block := fmt.Sprintf("blocks.%d.", n)
		norm(block + "norm1")
		linear(block+"attn.qkv", 3*z.dim, z.dim)
		linear(block+"attn.proj", z.dim, z.dim)
		add(block+"ls1.gamma", 0.5, 0.02, z.dim)
		norm(block + "norm2")
		linear(block+"mlp.fc1", 4*z.dim, z.dim)
		linear(block+"mlp.fc2", z.dim, 4*z.dim)
		add(block+"ls2.gamma", 0.5, 0.02, z.dim)
	}
	norm("norm")
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	return path, errors.Join(safetensors.Write(f, tensors, nil), f.Close())
}

// Model is one that was built, in a file.
type Model struct {
	Spec
	File        string
	Description embedder.Description
}

// Builder keeps weights and models in a folder.
type Builder struct{ Dir string }

// Build writes a model, and its weights if they are not there yet.
func (b *Builder) Build(ctx context.Context, s Spec) (Model, error) {
	file, architecture, err := b.open(s.Letter)
	if err != nil {
		return Model{}, err
	}
	defer file.Close()
	built, err := vit.Build(ctx, file, architecture, vit.Options{
		Name: strings.NewReplacer("@", "-", ":", "-").Replace(s.String()), Width: s.Side, Height: s.Side, Precision: s.Precision, Form: s.Form,
	})
	if err != nil {
		return Model{}, err
	}
	m := Model{Spec: s, File: filepath.Join(b.Dir, built.Description.Name+".onnx"), Description: built.Description}
	return m, os.WriteFile(m.File, built.Graph, 0o644)
}

// open opens a file of weights, which is written if it is not there yet.
func (b *Builder) open(letter string) (*safetensors.File, vit.Architecture, error) {
	weights, err := b.weights(letter)
	if err != nil {
		return nil, vit.Architecture{}, err
	}
	file, err := safetensors.OpenFile(weights)
	if err != nil {
		return nil, vit.Architecture{}, err
	}
	architecture, err := vit.Inspect(file, fmt.Appendf(nil, `{"num_heads": %d}`, sizes[letter].heads))
	if err != nil {
		return nil, architecture, errors.Join(err, file.Close())
	}
	return file, architecture, nil
}

// Trainable opens a model for fine-tuning at the input's side.
func (b *Builder) Trainable(ctx context.Context, s Spec) (*vit.Trainable, error) {
	file, architecture, err := b.open(s.Letter)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return vit.OpenTrainable(ctx, file, architecture, s.Side, s.Side)
}

// Normal gives random numbers around zero.
func Normal(random *rand.Rand, n int, deviation float32) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(random.NormFloat64()) * deviation
	}
	return values
}

// Noise is a prepared picture of a square input.
func Noise(side int) embedder.Input {
	random := rand.New(rand.NewPCG(3, 4))
	return embedder.Input{Channels: 3, Height: side, Width: side, Pixels: Normal(random, 3*side*side, 1)}
}
