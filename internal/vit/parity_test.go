package vit_test

import (
	"bytes"
	"fmt"
	"image/png"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/picture/picturetest"
	"github.com/palate-art/palate/internal/vit"
	"github.com/palate-art/palate/test/race"
)

// embedFile embeds a picture file as palate does it.
func embedFile(t *testing.T, e *onnx.Embedder, file []byte) palate.Embedding {
	t.Helper()
	v, err := embedder.EmbedPicture(t.Context(), e, bytes.NewReader(file), embedder.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// One picture as JPEG and as PNG has one embedding, whatever the JPEG's layout
// and size, since it is decoded in full. By the rules without jpeg-whole, which
// is --decode fast, it has another where it is large: the picture and the model
// tell the two apart.
func TestJPEGAndPNGOfOnePictureHaveOneEmbedding(t *testing.T) {
	race.Long(t)
	const least = .99999
	g := openGolden(t, "testdata/timm-dinov2")
	whole := open(t, g, vit.Options{}, false)
	fast := open(t, g, vit.Options{Rules: picture.Current().Without(picture.JPEGWhole)}, false)
	if whole.Model() == fast.Model() {
		t.Fatal("the two ways of decoding have one ModelID")
	}
	told := 0
	for i, size := range [][2]int{{60, 90}, {331, 231}, {460, 481}, {911, 903}} {
		m := picturetest.Photograph(size[0], size[1], uint64(i))
		for _, j := range []picturetest.JPEG{
			{Across: 2, Down: 2}, {Across: 2, Down: 1}, {Across: 1, Down: 1}, {Across: 2, Down: 2, Progressive: true}, {Across: 1, Down: 1, Progressive: true},
		} {
			if j.Across != 2 && size[0] > 900 {
				continue // for the time that it takes
			}
			name := fmt.Sprintf("%d×%d, chroma %d×%d, progressive %v", size[0], size[1], j.Across, j.Down, j.Progressive)
			file := j.Encode(m)
			pixels, info, err := picture.Decode(bytes.NewReader(file), picture.DefaultLimits())
			if err != nil || info.Format != "jpeg" || info.Damage != "" {
				t.Fatalf("%s: %+v, %v", name, info, err)
			}
			var asPNG bytes.Buffer
			if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&asPNG, pixels); err != nil {
				t.Fatal(err)
			}
			want := embedFile(t, whole, asPNG.Bytes())
			_, cosine := difference(embedFile(t, whole, file), want, whole.Dim())
			if cosine < least {
				t.Errorf("%s: the cosine of JPEG and PNG is %.7f, want at least %v", name, cosine, least)
			}
			_, atFraction := difference(embedFile(t, fast, file), want, whole.Dim())
			if atFraction < least {
				told++
			}
			t.Logf("%s: %.9f; decoded at a fraction %.7f", name, cosine, atFraction)
		}
	}
	if told < 12 {
		t.Errorf("decoding at a fraction moves the embedding of %d files; want 12 at least, or this test finds nothing", told)
	}
}
