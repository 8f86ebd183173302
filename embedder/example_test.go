package embedder_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	"github.com/palate-art/palate/embedder"
)

// A camera that was held upright writes the picture lying, and says in EXIF
// how to turn it.
func ExampleDecode() {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, image.NewGray(image.Rect(0, 0, 300, 200)), nil); err != nil {
		panic(err)
	}
	turn := "\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"
	turned := append([]byte(string(file.Bytes()[:2])+turn), file.Bytes()[2:]...)
	picture, err := embedder.Decode(bytes.NewReader(turned), embedder.DefaultLimits())
	if err != nil {
		panic(err)
	}
	fmt.Println(picture.Bounds().Dx(), picture.Bounds().Dy())
	// Output: 200 300
}
