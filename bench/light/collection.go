package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/palate-art/palate"
)

// collection is what the old release writes and both serve.
type collection struct {
	o     options
	data  string // the old release's
	ids   []string
	liked map[string]bool
	rated int
}

// newCollection draws pictures and lets the old release import and embed them,
// unless the scratch folder has them from a run before.
func newCollection(ctx context.Context, o options) (*collection, error) {
	c := &collection{o: o, data: filepath.Join(o.folder, "old"), liked: make(map[string]bool)}
	_, err := os.Stat(c.data)
	there := err == nil
	random := rand.New(rand.NewPCG(1, 1))
	for _, warm := range []bool{true, false} {
		folder := filepath.Join(o.folder, "pictures", map[bool]string{true: "warm", false: "cold"}[warm])
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
		for i := range o.pictures / 2 {
			b, err := draw(random, warm)
			if err == nil {
				err = os.WriteFile(filepath.Join(folder, fmt.Sprintf("%05d.jpg", i)), b, 0o644)
			}
			if err != nil {
				return nil, err
			}
			id := palate.NewImageID(sha256.Sum256(b)).String()
			c.liked[id] = warm
			c.ids = append(c.ids, id)
		}
		if !there {
			if _, err := c.palate(ctx, "import", folder); err != nil {
				return nil, err
			}
		}
	}
	random.Shuffle(len(c.ids), func(i, j int) { c.ids[i], c.ids[j] = c.ids[j], c.ids[i] })
	if !there {
		_, err := c.palate(ctx, "embed")
		return c, err
	}
	return c, c.countRated(ctx)
}

// countRated finds out how many ratings there are already.
func (c *collection) countRated(ctx context.Context) error {
	out, err := c.palate(ctx, "profile", "list", "--json")
	if err != nil {
		return err
	}
	var profiles []struct {
		Profile         string
		Likes, Dislikes int
	}
	if err := json.Unmarshal(out, &profiles); err != nil {
		return err
	}
	for _, p := range profiles {
		if p.Profile == "me" {
			c.rated = p.Likes + p.Dislikes
		}
	}
	return nil
}

// draw makes a small picture of blots, mostly warm or mostly cold.
func draw(random *rand.Rand, warm bool) ([]byte, error) {
	m := image.NewRGBA(image.Rect(0, 0, 48, 48))
	for range 6 {
		strong, weak := uint8(90+random.IntN(160)), uint8(random.IntN(150))
		c := color.RGBA{weak, uint8(random.IntN(200)), strong, 255}
		if warm != (random.IntN(6) == 0) {
			c.R, c.B = c.B, c.R
		}
		x, y, r := random.IntN(48), random.IntN(48), 6+random.IntN(22)
		for i := max(0, x-r); i < min(48, x+r); i++ {
			for j := max(0, y-r); j < min(48, y+r); j++ {
				m.SetRGBA(i, j, c)
			}
		}
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, m, nil)
	return b.Bytes(), err
}

// rateUpTo rates until there are so many ratings, and trains.
func (c *collection) rateUpTo(ctx context.Context, ratings int) error {
	random := rand.New(rand.NewPCG(2, uint64(ratings)))
	for c.rated < ratings {
		words := map[bool][]string{}
		for range min(500, ratings-c.rated) {
			id := c.ids[c.rated]
			said := c.liked[id] != (random.IntN(12) == 0) // now and then something else
			words[said] = append(words[said], id)
			c.rated++
		}
		for said, word := range map[bool]string{true: "like", false: "dislike"} {
			if len(words[said]) == 0 {
				continue
			}
			if _, err := c.palate(ctx, append([]string{"rate", word}, words[said]...)...); err != nil {
				return err
			}
		}
	}
	_, err := c.palate(ctx, "train")
	return err
}

// palate runs a command of the old release.
func (c *collection) palate(ctx context.Context, args ...string) ([]byte, error) {
	return c.o.output(ctx, c.o.old, c.data, args...)
}

func (o options) command(ctx context.Context, binary, data string, args ...string) *exec.Cmd {
	args = append(args, "--data", data, "--model", "baseline", "--quiet", "--offline")
	if o.ortLibrary != "" {
		args = append(args, "--ort-library", o.ortLibrary)
	}
	return exec.CommandContext(ctx, binary, args...)
}

func (o options) output(ctx context.Context, binary, data string, args ...string) ([]byte, error) {
	cmd := o.command(ctx, binary, data, args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("palate %s: %w: %s", args[0], err, complaint.Bytes())
	}
	return out, nil
}
