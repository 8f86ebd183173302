package museum

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"net/http"
)

// Decoy is a picture on the gallery's pages that is no work: icons, a logo,
// a counting pixel. Each has a side under 50 pixels.
type Decoy struct {
	URL           string
	Width, Height int
}

var decoys = []struct {
	name          string
	width, height int
}{
	{"logo.png", 120, 40},
	{"banner.png", 600, 48},
	{"icons/search.png", 16, 16},
	{"icons/menu.png", 24, 24},
	{"icons/heart.png", 32, 32},
	{"pixel.gif", 1, 1},
}

// Decoys lists them.
func Decoys() []Decoy {
	out := make([]Decoy, len(decoys))
	for i, d := range decoys {
		out[i] = Decoy{"http://" + GalleryHost + "/static/" + d.name, d.width, d.height}
	}
	return out
}

func static(name string) reply {
	for i, d := range decoys {
		if d.name != name {
			continue
		}
		img := image.NewPaletted(image.Rect(0, 0, d.width, d.height), color.Palette{color.White, color.RGBA{uint8(40 * i), 60, 90, 255}})
		for k := range img.Pix {
			img.Pix[k] = uint8(k / 3 % 2)
		}
		var out bytes.Buffer
		kind, err := "image/png", error(nil)
		if name == "pixel.gif" {
			kind, err = "image/gif", gif.Encode(&out, img, nil)
		} else {
			err = png.Encode(&out, img)
		}
		if err != nil {
			return failure(Static, http.StatusInternalServerError)
		}
		return reply{target: Static, work: -1, status: http.StatusOK, contentType: kind, body: out.Bytes()}
	}
	return notFound(Static)
}
