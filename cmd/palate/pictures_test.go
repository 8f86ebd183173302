package main

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/palate-art/palate/internal/museum"
)

var drawOnce = sync.OnceValues(func() (*museum.Museum, error) {
	config := museum.DefaultConfig()
	config.Pictures, config.Scale = 60, .2
	return museum.New(config)
})

// museumPictures gives a new folder of n small pictures of the museum, named
// by number: "0.jpg" and so on, whatever their format.
func museumPictures(t *testing.T, n int) string {
	t.Helper()
	folder := t.TempDir()
	for i := range n {
		writeFile(t, filepath.Join(folder, fmt.Sprintf("%d.jpg", i)), museumPicture(t, i))
	}
	return folder
}

func museumPicture(t *testing.T, i int) []byte {
	t.Helper()
	m, err := drawOnce()
	if err != nil {
		t.Fatal(err)
	}
	content, err := m.File(i)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
