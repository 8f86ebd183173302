package qdrant

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/palate-art/palate"
)

// maxKeyBytes bounds a key file: a key is a line of a few dozen characters,
// a token at most some thousand.
const maxKeyBytes = 16 << 10

// withKey reads the key from KeyFile, if that is given. Its errors show
// neither the key nor the file's name: who misunderstands the option gives the
// key in its place.
func (c Config) withKey() (Config, error) {
	if c.KeyFile == "" {
		return c, nil
	}
	wrong := func(format string, args ...any) (Config, error) {
		return Config{}, fmt.Errorf("qdrant: key_file: "+format+": %w", append(args, palate.ErrInvalid)...)
	}
	info, err := os.Stat(c.KeyFile)
	if err == nil && !info.Mode().IsRegular() {
		return wrong("want a file that holds the key, not a folder or a device")
	}
	var content []byte
	if err == nil {
		content, err = readKey(c.KeyFile)
	}
	if err != nil {
		var reason *fs.PathError
		if errors.As(err, &reason) {
			err = reason.Err
		}
		return wrong("the file that it names can't be read: %w", err)
	}
	key := strings.TrimSpace(string(content))
	switch {
	case len(content) > maxKeyBytes:
		return wrong("the file is longer than %d bytes, want the key alone", maxKeyBytes)
	case key == "":
		return wrong("the file is empty, want the key")
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return wrong("the file holds more than a key, want one line of letters, digits and signs")
	}
	c.APIKey, c.KeyFile = key, ""
	return c, nil
}

func readKey(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxKeyBytes+1))
}
