package program

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/palate-art/palate/internal/museum"
)

var DrawOnce = sync.OnceValues(func() (*museum.Museum, error) {
	config := museum.DefaultConfig()
	config.Pictures, config.Scale = 60, .2
	return museum.New(config)
})

// MuseumPictures gives a new folder of n small pictures of the museum, named
// by number: "0.jpg" and so on, whatever their format.
func MuseumPictures(t *testing.T, n int) string {
	t.Helper()
	folder := t.TempDir()
	for i := range n {
		WriteFile(t, filepath.Join(folder, fmt.Sprintf("%d.jpg", i)), MuseumPicture(t, i))
	}
	return folder
}

func MuseumPicture(t *testing.T, i int) []byte {
	t.Helper()
	m, err := DrawOnce()
	if err != nil {
		t.Fatal(err)
	}
	content, err := m.File(i)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// PlannedWorks are the museum's works; nothing is drawn.
func PlannedWorks(t *testing.T, pictures int) []museum.Work {
	t.Helper()
	config := museum.DefaultConfig()
	config.Pictures = pictures
	m, err := museum.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return m.Works()
}
