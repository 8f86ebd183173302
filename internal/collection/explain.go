package collection

import (
	"errors"
	"strings"
	"syscall"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/hub"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/probe"
)

// Explain says what was wrong and what to do, in one line; where ONNX Runtime
// was looked for in vain it is a line for each place.
func Explain(err error) string {
	var search *ort.SearchError
	if errors.As(err, &search) {
		return err.Error()
	}
	text := strings.ReplaceAll(palate.Message(err), "\n", "; ")
	var missing *probe.NotEnoughError
	var cache *hub.CacheError
	var folder *models.FolderError
	switch {
	case errors.As(err, &cache):
		return text + " (HF_HUB_CACHE names another folder)"
	case errors.As(err, &folder):
		return text + " (choose another folder with --models DIR)"
	case errors.As(err, &missing):
		return text + " (rate more: palate serve, or palate rate like IMAGE)"
	case errors.Is(err, syscall.EADDRINUSE):
		return text + " (another program has this port; choose one with --addr 127.0.0.1:PORT)"
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		return text + " (choose another folder with --data DIR)"
	}
	return text
}
