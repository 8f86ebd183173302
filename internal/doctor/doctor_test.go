package doctor_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/doctor"
	"github.com/palate-art/palate/internal/models"
)

// subject is a collection in the folder, with the built-in model.
func subject(t *testing.T, folder string) doctor.Subject {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	config := collection.DefaultConfig(folder, t.TempDir())
	config.Models.Asked = models.Settings{Model: models.Baseline}
	return doctor.Subject{Version: "1", Config: config, Loader: collection.NewLoader(config.Models, config.Decoding, collection.Silent{}, quiet),
		Open: func(ctx context.Context) (*collection.Collection, error) {
			return collection.Open(ctx, config, collection.Silent{}, quiet)
		}}
}

func TestWhereThereIsNoCollectionNoneIsMade(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "none")
	s := subject(t, folder)
	s.Open = func(context.Context) (*collection.Collection, error) {
		return nil, errors.New("opened a collection that is not there")
	}
	d := doctor.Look(t.Context(), s)
	if len(d.Problems) != 0 || d.Collection != nil || d.Model == nil || d.Model.Name != models.Baseline || d.Runtime.Library == nil {
		t.Errorf("got %+v", d)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("a folder was made")
	}
	if got := d.Looked(); strings.Contains(got, "pictures") {
		t.Errorf("says that it looked at %q", got)
	}
}

func TestAnEmptyCollectionIsLookedAt(t *testing.T) {
	s := subject(t, filepath.Join(t.TempDir(), "palate"))
	c, err := s.Open(t.Context())
	if err == nil {
		err = c.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	d := doctor.Look(t.Context(), s)
	if len(d.Problems) != 0 || d.Collection == nil || d.Collection.Images != 0 || d.Collection.Files == nil || d.Collection.Clock == nil {
		t.Errorf("got %+v", d)
	}
	for _, want := range []string{"0 of 0 pictures", "the clock", "embedded"} {
		if got := d.Looked(); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}

func TestProblemsAreSentencesAndTheDiagnosisComes(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, s *doctor.Subject){
		"collection: ": func(t *testing.T, s *doctor.Subject) {
			if err := os.MkdirAll(s.Config.Folder, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(s.Config.Folder, collection.CatalogFile), []byte("\x1b]0;pwned\x07 no catalog"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"collection: \ufffd]0;": func(t *testing.T, s *doctor.Subject) {
			if err := os.MkdirAll(filepath.Join(s.Config.Folder, collection.ImagesFolder), 0o700); err != nil {
				t.Fatal(err)
			}
			s.Open = func(context.Context) (*collection.Collection, error) { return nil, errors.New("\x1b]0;pwned\x07") }
		},
		"model: ": func(_ *testing.T, s *doctor.Subject) {
			config := s.Config.Models
			config.Asked = models.Settings{Model: "no-such-model"}
			s.Loader = collection.NewLoader(config, s.Config.Decoding, collection.Silent{}, slog.New(slog.DiscardHandler))
		},
		"index: ": func(_ *testing.T, s *doctor.Subject) { s.Config.Index = "qdrnat://key@host/c" },
	} {
		t.Run(name, func(t *testing.T) {
			s := subject(t, filepath.Join(t.TempDir(), "palate"))
			harm(t, &s)
			d := doctor.Look(t.Context(), s)
			if len(d.Problems) != 1 || !strings.HasPrefix(d.Problems[0], name) || d.Runtime.Library == nil {
				t.Fatalf("got the problems %q, want one that begins with %q", d.Problems, name)
			}
			if strings.ContainsFunc(d.Problems[0], func(r rune) bool { return !unicode.IsPrint(r) }) || strings.Contains(d.Problems[0], "key@") {
				t.Errorf("got %q", d.Problems[0])
			}
		})
	}
}
