package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The sites: one of few pages with many pictures, and one of many pages.
const (
	pages = 20
	// Each page of the large site is on a list of so many, and one page of so
	// many has a picture.
	perList, perPicture = 100, 10
)

// serve answers on a free port of loopback until ctx is done.
func serve(ctx context.Context, o options) error {
	full, err := draw(1024, 768)
	if err != nil {
		return err
	}
	small, err := draw(240, 210)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(o.latency)
		switch {
		case strings.HasPrefix(r.URL.Path, "/i/"):
			servePicture(w, r, "/i/%d.jpg", full)
		case strings.HasPrefix(r.URL.Path, "/s/"):
			servePicture(w, r, "/s/%d.jpg", small)
		default:
			w.Header().Set("Content-Type", "text/html")
			if !servePage(w, r.URL.Path, o) {
				http.NotFound(w, r)
			}
		}
	})}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func servePage(w http.ResponseWriter, path string, o options) bool {
	var n int
	scan := func(format string) bool { _, err := fmt.Sscanf(path, format, &n); return err == nil }
	switch {
	case path == "/":
		for i := range pages {
			fmt.Fprintf(w, `<p><a href="/page/%d">page</a>`, i)
		}
	case scan("/page/%d"):
		for i := n; i < o.pictures; i += pages {
			fmt.Fprintf(w, `<figure><img src="/i/%d.jpg" alt="Work %d"></figure>`, i, i)
		}
	case path == "/large":
		for i := range (o.pages + perList - 1) / perList {
			fmt.Fprintf(w, `<p><a href="/list/%d">list</a>`, i)
		}
	case scan("/list/%d"):
		for i := n * perList; i < min(o.pages, (n+1)*perList); i++ {
			fmt.Fprintf(w, `<p><a href="/text/%d">Text %d</a>`, i, i)
		}
	case scan("/text/%d"):
		fmt.Fprintf(w, `<h1>Text %d</h1><p>%s`, n, strings.Repeat("A page has some text. ", 200))
		if n%perPicture == 0 {
			fmt.Fprintf(w, `<img src="/s/%d.jpg">`, n)
		}
	default:
		return false
	}
	return true
}

func servePicture(w http.ResponseWriter, r *http.Request, format string, file []byte) {
	var n int
	if _, err := fmt.Sscanf(r.URL.Path, format, &n); err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(numbered(file, n))
}

// draw makes one JPEG of a photograph's size in bytes.
func draw(width, height int) ([]byte, error) {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	state := uint32(1)
	for i := range m.Pix {
		state = state*1664525 + 1013904223
		m.Pix[i] = uint8(i/4096+int(state>>29)*6) | 7
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 85})
	return out.Bytes(), err
}

// numbered is a file of its own: the same pixels with a comment behind the
// start marker.
func numbered(file []byte, n int) []byte {
	comment := []byte{0xff, 0xfe, 0, 6, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(comment[4:], uint32(n))
	return slices.Concat(file[:2], comment, file[2:])
}
