package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// paint draws noise around a colour.
func paint(t *testing.T, path string, base color.NRGBA, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	m := image.NewNRGBA(image.Rect(0, 0, 96, 96))
	for y := range 96 {
		for x := range 96 {
			c := base
			c.R, c.G, c.B = c.R+uint8(r.UintN(50)), c.G+uint8(r.UintN(50)), c.B+uint8(r.UintN(50))
			m.SetNRGBA(x, y, c)
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, m); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestATasteFromTwoFolders(t *testing.T) {
	folder := t.TempDir()
	warm, cold := color.NRGBA{180, 60, 20, 255}, color.NRGBA{20, 70, 180, 255}
	for i := range uint64(12) {
		shift := uint8(i * 2)
		paint(t, filepath.Join(folder, "good", fmt.Sprint(i, ".png")), color.NRGBA{warm.R - shift, warm.G + shift, warm.B, 255}, i)
		paint(t, filepath.Join(folder, "bad", fmt.Sprint(i, ".png")), color.NRGBA{cold.R, cold.G + shift, cold.B - shift, 255}, 100+i)
	}
	paint(t, filepath.Join(folder, "sunset.png"), warm, 300)
	paint(t, filepath.Join(folder, "ice.png"), cold, 301)
	var out bytes.Buffer
	if err := run(t.Context(), &out, folder); err != nil {
		t.Fatal(err)
	}
	chance := make(map[string]float64)
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n")[1:] {
		var percent float64
		var name string
		if _, err := fmt.Sscanf(line, "%f %% %s", &percent, &name); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		chance[name] = percent
	}
	if !strings.HasPrefix(out.String(), "AUC 1.000") || len(chance) != 2 || chance["sunset.png"] < 60 || chance["ice.png"] > 40 {
		t.Errorf("got\n%s", out.String())
	}
}
