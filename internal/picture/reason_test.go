package picture_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"testing"

	"github.com/palate-art/palate/internal/picture"
)

func TestReasonNamesWhyAFileIsLost(t *testing.T) {
	var small bytes.Buffer
	if err := png.Encode(&small, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	whole := small.Bytes()
	limits := func(change func(*picture.Limits)) picture.Limits {
		l := picture.DefaultLimits()
		change(&l)
		return l
	}
	for name, tt := range map[string]struct {
		content []byte
		limits  picture.Limits
		want    string
	}{
		"html":      {[]byte("<!doctype html><title>404</title>"), picture.DefaultLimits(), "not_an_image"},
		"empty":     {nil, picture.DefaultLimits(), "not_an_image"},
		"noise":     {[]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, picture.DefaultLimits(), "not_an_image"},
		"avif":      {[]byte("\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1avif"), picture.DefaultLimits(), "broken"},
		"photoshop": {[]byte("8BPS\x00\x01"), picture.DefaultLimits(), "unsupported_photoshop"},
		"cut":       {whole[:len(whole)/3], picture.DefaultLimits(), "broken"},
		"bytes":     {whole, limits(func(l *picture.Limits) { l.MaxBytes = 20 }), "too_large"},
		"pixels":    {whole, limits(func(l *picture.Limits) { l.MaxPixels = 1000 }), "too_many_pixels"},
		"side":      {whole, limits(func(l *picture.Limits) { l.MinSide = 31 }), "too_small"},
		"all right": {whole, picture.DefaultLimits(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := picture.Decode(bytes.NewReader(tt.content), tt.limits)
			if err != nil {
				err = fmt.Errorf("some file: %w", err)
			}
			if got := picture.Reason(err); got != tt.want {
				t.Errorf("got %q for %v, want %q", got, err, tt.want)
			}
		})
	}
	if got := picture.Reason(errors.New("disk on fire")); got != "" {
		t.Errorf("a foreign error: got %q, want none", got)
	}
}
