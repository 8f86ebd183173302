package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/atlas"
	"github.com/palate-art/palate/internal/works"
	"github.com/palate-art/palate/test/program"
)

// A map is made of what is embedded, kept in the collection, and says how far it
// may be believed.
func TestTheCollectionIsLaidOut(t *testing.T) {
	folder := copyOfDemo(t)
	made := program.JSONRun[atlas.Made](t, "map", "--data", folder)
	if made.Pictures != program.DemoPictures || made.Trustworthiness < made.Principal || made.Model == "" {
		t.Errorf("got %+v, want a map of %d pictures that is no worse than the principal components", made, program.DemoPictures)
	}
	kept, err := atlas.Read(filepath.Join(folder, "maps", string(made.Model)+".map"))
	if err != nil || kept.Len() != program.DemoPictures {
		t.Errorf("what was kept: got %v and %v", kept, err)
	}
	if out := program.MustRun(t, "jobs", "--data", folder); !strings.Contains(out, "map") {
		t.Errorf("the job is not listed: %s", out)
	}
	if none := program.JSONRun[atlas.Made](t, "map", "--data", program.EmptyHome(t)); none.Pictures != 0 {
		t.Errorf("of an empty collection: %+v", none)
	}
}

// Copies are looked for once: a second search has nothing to look at.
func TestCopiesAreLookedFor(t *testing.T) {
	folder := copyOfDemo(t)
	first := program.JSONRun[works.Report](t, "copies", "--data", folder)
	if first.LookedAt != program.DemoPictures || first.NotLookedAt != 0 || first.Unreadable != 0 {
		t.Errorf("got %+v, want %d pictures to be looked at", first, program.DemoPictures)
	}
	if out := program.MustRun(t, "copies", "--data", folder); !strings.HasPrefix(out, "0 pictures were looked at") {
		t.Errorf("a second time: %s", out)
	}
	if out := program.MustRun(t, "jobs", "--data", folder); !strings.Contains(out, "copies") {
		t.Errorf("the job is not listed: %s", out)
	}
}
