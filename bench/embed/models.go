package main

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
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/ort"
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

// spec is what is measured of a model: "B@518:int8".
type spec struct {
	letter    string
	side      int
	precision vit.Precision
	form      vit.Form
}

func parseSpec(text string) (spec, error) {
	s := spec{precision: vit.Float32, form: vit.Fused}
	model, kind, _ := strings.Cut(text, ":")
	letter, side, _ := strings.Cut(model, "@")
	n, err := strconv.Atoi(side)
	if _, known := sizes[letter]; !known || err != nil || n < patchSide || n%patchSide != 0 {
		return s, fmt.Errorf("model %q: want S, B or L, @ and a multiple of %d", text, patchSide)
	}
	s.letter, s.side = letter, n
	switch kind {
	case "":
	case "int8":
		s.precision = vit.Int8
	case "plain":
		s.form = vit.Plain
	default:
		return s, fmt.Errorf("model %q: want int8 or plain after the colon, or nothing", text)
	}
	return s, nil
}

func (s spec) String() string {
	name := fmt.Sprintf("%s@%d", s.letter, s.side)
	switch {
	case s.form == vit.Plain:
		return name + ":plain"
	case s.precision == vit.Int8:
		return name + ":int8"
	}
	return name
}

// work counts the multiplications and additions of matrix products for one
// picture. In palate's form only the class token goes through the last
// block's queries, projection and MLP; published counts them for all.
func (s spec) work() (done, published float64) {
	z := sizes[s.letter]
	d := float64(z.dim)
	patches := float64(s.side / patchSide * (s.side / patchSide))
	tokens := patches + 1
	embed := 2 * patches * 3 * patchSide * patchSide * d
	block := 24*tokens*d*d + 4*tokens*tokens*d
	published = embed + float64(z.depth)*block
	if s.form == vit.Plain {
		return published, published
	}
	last := 4*tokens*d*d + 20*d*d + 4*tokens*d
	return embed + float64(z.depth-1)*block + last, published
}

// weights gives a file of random weights under timm's names, written once.
func (b *bench) weights(letter string) (string, error) {
	path := filepath.Join(b.dir, letter+".safetensors")
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
		v.Data = normal(random, n, deviation)
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

// model is one that was built, in a file.
type model struct {
	spec
	file        string
	description embedder.Description
}

func (b *bench) build(ctx context.Context, s spec) (model, error) {
	weights, err := b.weights(s.letter)
	if err != nil {
		return model{}, err
	}
	file, err := safetensors.OpenFile(weights)
	if err != nil {
		return model{}, err
	}
	defer file.Close()
	architecture, err := vit.Inspect(file)
	if err != nil {
		return model{}, err
	}
	built, err := vit.Build(ctx, file, architecture, vit.Options{
		Name: strings.NewReplacer("@", "-", ":", "-").Replace(s.String()), Width: s.side, Height: s.side, Precision: s.precision, Form: s.form,
	})
	if err != nil {
		return model{}, err
	}
	m := model{spec: s, file: filepath.Join(b.dir, built.Description.Name+".onnx"), description: built.Description}
	return m, writeModel(m.file, built.Graph)
}

func writeModel(path string, graph *onnxgraph.Model) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = graph.WriteTo(f)
	return errors.Join(err, f.Close())
}

func openModel(ctx context.Context, runtime *ort.Runtime, m model) (*onnx.Embedder, error) {
	return onnx.OpenModel(ctx, runtime, onnx.Model{File: m.file, Description: m.description}, onnx.DefaultConfig())
}

// inference is the contestant that embeds prepared pictures of noise.
func (b *bench) inference(ctx context.Context, m model) (*contestant, *onnx.Embedder, error) {
	e, err := openModel(ctx, b.runtime, m)
	if err != nil {
		return nil, nil, err
	}
	b.closers = append(b.closers, e.Close)
	in := []embedder.Input{noise(m.side)}
	done, _ := m.work()
	return newContestant(m.String(), done, func(ctx context.Context) error {
		_, err := e.Embed(ctx, in)
		return err
	}), e, nil
}

func noise(side int) embedder.Input {
	random := rand.New(rand.NewPCG(3, 4))
	return embedder.Input{Channels: 3, Height: side, Width: side, Pixels: normal(random, 3*side*side, 1)}
}
