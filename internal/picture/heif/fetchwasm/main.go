// Fetchwasm brings the decoders that package heif holds from the modules that
// publish them, whose recipes built them from the C sources (see NOTICE):
//
//	go generate ./internal/picture/heif
//
// A file that is not the one that was tested is refused.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

var decoders = []struct{ module, from, to, sha256 string }{
	{"github.com/gen2brain/heic@v0.4.5", "lib/heif.wasm.gz", "wasm/heic.wasm.gz", "3634a6447ea3915633667f39e01ff540a60f4e2f837a8391d044d76dfd8a0435"},
	{"github.com/gen2brain/avif@v0.4.4", "lib/decode.wasm.gz", "wasm/avif.wasm.gz", "1ee2423413384d54b3fa4e2882424d60a2a05f5fe7ec573535fdb6b531071a9b"},
}

func main() {
	for _, d := range decoders {
		if err := fetch(d.module, filepath.FromSlash(d.from), filepath.FromSlash(d.to), d.sha256); err != nil {
			fmt.Fprintf(os.Stderr, "fetchwasm: %s of %s: %v\n", d.from, d.module, err)
			os.Exit(1)
		}
	}
}

func fetch(module, from, to, want string) error {
	out, err := exec.Command("go", "mod", "download", "-json", module).Output()
	var said struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &said); jsonErr != nil || said.Error != "" {
		return errors.Join(err, errors.New(said.Error))
	}
	content, err := os.ReadFile(filepath.Join(said.Dir, from))
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want {
		return fmt.Errorf("its SHA-256 is %x, want %s", sum, want)
	}
	if there, err := os.ReadFile(to); err == nil && bytes.Equal(there, content) {
		return nil
	}
	return os.WriteFile(to, content, 0o644)
}
