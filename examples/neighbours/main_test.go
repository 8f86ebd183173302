package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate/embedder"
)

// striped draws a picture whose stripes and colour tell it from others.
func striped(t *testing.T, base color.NRGBA, width int) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, 320, 240))
	for y := range 240 {
		for x := range 320 {
			c := base
			if x/width%2 == 0 {
				c.G = uint8(y)
			}
			m.SetNRGBA(x, y, c)
		}
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// rotated says in EXIF that a JPEG is to be shown turned by a quarter.
func rotated(file []byte) []byte {
	exif := []byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00")
	segment := append([]byte{0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	return slices.Concat(file[:2], segment, file[2:])
}

func write(t *testing.T, path string, content []byte) string {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNeighboursOfAFolder(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "red1.jpg"), striped(t, color.NRGBA{200, 0, 30, 255}, 16))
	write(t, filepath.Join(folder, "red2.jpg"), striped(t, color.NRGBA{205, 0, 35, 255}, 16))
	write(t, filepath.Join(folder, "blue.jpg"), striped(t, color.NRGBA{10, 0, 220, 255}, 5))
	write(t, filepath.Join(folder, "words.txt"), []byte("no picture"))
	var out bytes.Buffer
	if err := run(t.Context(), &out, folder); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"red1.jpg: red2.jpg", "red2.jpg: red1.jpg", "words.txt is passed by"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got\n%swithout %q", out.String(), want)
		}
	}
}

// Another program's vector of a picture that its camera turned is palate's
// own, bit for bit.
func TestAVectorIsPalatesOwn(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "rotated.jpg"), rotated(striped(t, color.NRGBA{90, 0, 120, 255}, 9)))
	palate := exec.CommandContext(t.Context(), "go", "run", "./cmd/palate", "embed", "--model", "baseline", "--data", t.TempDir(), "--json", file)
	palate.Dir = "../.."
	printed, err := palate.Output()
	if err != nil {
		t.Fatalf("palate embed: %v", err)
	}
	var want struct {
		Model  string    `json:"model"`
		Vector []float32 `json:"vector"`
	}
	if err := json.NewDecoder(bytes.NewReader(printed)).Decode(&want); err != nil {
		t.Fatal(err)
	}
	e, err := openModel(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := embedder.EmbedPicture(t.Context(), e, bytes.NewReader(content), embedder.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if string(e.Model()) == "" || !slices.Equal(got, want.Vector) {
		t.Errorf("the vectors differ: %d and %d values", len(got), len(want.Vector))
	}
	// The standard library's decoder passes EXIF by: that it would be another
	// vector is why there is a decoder here.
	plain, err := jpeg.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	input, err := e.Prepare(plain)
	if err != nil {
		t.Fatal(err)
	}
	other, err := e.Embed(t.Context(), []embedder.Input{input})
	if err != nil || slices.Equal(other[0], got) {
		t.Errorf("the picture as it lies in the file has the same vector (error %v): the test shows nothing", err)
	}
}
