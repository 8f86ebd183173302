package qdrant_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

func TestRedactShowsTheSchemeAlone(t *testing.T) {
	for address, want := range map[string]string{
		"qdrnt://k3y@host/art":       "qdrnt://…",
		"http://k3y@host":            "http://…",
		"http://host/?api_key=k3y":   "http://…",
		"qdrant://host@k3y":          "qdrant://…",
		"k3y@host":                   "…",
		"k3y://host":                 "…",
		"qdrant:k3y@host":            "…",
		"averylongkeyofletters://ho": "…",
		"embeded":                    "…",
		"":                           "…",
	} {
		if got := qdrant.Redact(address); got != want {
			t.Errorf("%q: got %q, want %q", address, got, want)
		}
	}
	for text, want := range map[string]string{
		"unknown flag --indx, did you mean --index?":  "unknown flag --indx, did you mean --index?",
		"unexpected argument qdrant://k3y@host:1/art": "unexpected argument qdrant://…",
		`--json: got "qdrant://k3y@host" here`:        "--json: got qdrant://… here",
		"unknown flag --indx=k3y==@host":              "unknown flag --indx=…",
		"got [qdrant://k3y y@host] of []interface {}": "got … … of []interface {}",
		"qdrant:/k3y/host":                            "…",
	} {
		if got := qdrant.RedactAll(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Wherever the key stands in an address that is refused, it isn't shown.
func TestNoMisspeltAddressShowsItsKey(t *testing.T) {
	for _, address := range []string{
		"qdrnt://k3y@host/art", "http://k3y@host/art", "https://host:6333/?api_key=k3y", "QDRANT://k3y@host/art", " qdrant://k3y@host/art",
		"k3y@host:6334/art", "qdrant:k3y@host/art", "qdrant:/k3y@host/art", "qdrant:///k3y@host/art", "qdrant//k3y@host/art",
		"qdrant://k3y@host:6334:extra/art", "qdrant://k3y@host:port/art", "qdrant://k3y@host", "qdrant://k3y@host/", "qdrant://k3y@host/a/b",
		"qdrant://k3y@/art", "qdrant://k3y@:6334/art", "qdrant://user:k3y@host/art", "qdrant://k3y:@host/art", "qdrant://:k3y@host/art",
		"qdrant://ab/k3y@host:6334/art", "qdrant://ab?k3y@host/art", "qdrant://ab#k3y@host/art", "qdrant://ab%k3y@host/art", "qdrant://host/k3y@art",
		"qdrant://host/art@k3y", "qdrant://host:k3y/art", "qdrant://k3y,host/art", "qdrant://k3y;host/art", "qdrant://k3y=host/art", "qdrant://k3y%40host/art",
		"qdrant://host/art%40k3y", "qdrant://host/art?k3y", "qdrant://host/art?k3y=1", "qdrant://host/art?api_key=k3y", "qdrant://host/art?tls=k3y",
		"qdrant://host/art?shards=k3y", "qdrant://host/art?timeout=k3y", "qdrant://host/art?oversampling=k3y", "qdrant://host/art?quantization=k3y",
		"qdrant://host/art?nodes=k3y", "qdrant://host/art?nodes=k3y@b:6334", "qdrant://host/art?nodes=b:k3y", "qdrant://host/art?exact=1;k3y", "qdrant://host/art?ca=k3y",
		"qdrant://k3y@host/art?shard=2", "qdrant://k3y@host/art?tls", "qdrant://k3y@host/art?key_file=k3y", "qdrant://host/art#k3y", "qdrant://k3y host/art", "qdrant://k3y\n@host/art",
	} {
		_, err := qdrant.ParseAddress(address)
		if !errors.Is(err, palate.ErrInvalid) || strings.Contains(err.Error(), "k3y") {
			t.Errorf("%q: got %v, want an invalid address without the key", address, err)
		}
	}
}

func TestTheKeyIsReadFromAFile(t *testing.T) {
	s := qdranttest.Run(t)
	s.RequireKey("from-a-file")
	folder := t.TempDir()
	write := func(name, content string) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	parse := func(file string) qdrant.Config {
		config, err := qdrant.ParseAddress("qdrant://" + s.Address() + "/art?key_file=" + file)
		if err != nil {
			t.Fatal(err)
		}
		return config
	}
	x, err := qdrant.New(parse(write("key", "from-a-file\n")), model, dim, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if err := x.Clear(t.Context()); err != nil {
		t.Errorf("with the key of the file: %v", err)
	}
	for name, content := range map[string]string{"empty": " \n", "lines": "k3y\nk3y\n", "binary": "k3y\x00", "long": strings.Repeat("k3y", 10_000)} {
		_, err := qdrant.New(parse(write(name, content)), model, dim, slog.New(slog.DiscardHandler))
		if !errors.Is(err, palate.ErrInvalid) || strings.Contains(err.Error(), "k3y") {
			t.Errorf("%s: got %v, want an invalid key file", name, err)
		}
	}
	for _, file := range []string{folder, "k3y", filepath.Join(folder, "k3y")} { // a key in the place of the file's name
		_, err := qdrant.New(parse(file), model, dim, slog.New(slog.DiscardHandler))
		if !errors.Is(err, palate.ErrInvalid) || strings.Contains(err.Error(), "k3y") {
			t.Errorf("%s: got %v, want a refusal without the name", file, err)
		}
	}
}
