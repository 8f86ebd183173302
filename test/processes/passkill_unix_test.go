//go:build unix

package processes_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// A server that is killed while a job of the API passes its collection on to
// another model loses nothing: the next one serves the old model meanwhile,
// says of the job that its process died, goes on where it was and lets the other
// model serve; no picture is embedded twice.
func TestAServerKilledWhileItPassesToAnotherModelGoesOn(t *testing.T) {
	race.Long(t)
	const pictures = 160
	program.AddTiny(t)
	folder := t.TempDir()
	program.MustRun(t, "import", "--data", folder, noisePictures(t, pictures))
	program.MustRun(t, "embed", "--data", folder, "--model", "baseline")
	type version struct {
		ModelID string `json:"model_id"`
	}
	serves := func(s program.Server) string { return program.Get[version](s, "/v1/version", nil).ModelID }

	server := program.StartServer(t, "--data", folder)
	old := serves(server)
	first := server.Images(url.Values{"limit": {"1"}})[0]
	response, err := http.Post(server.URL+"/v1/jobs", "application/json", strings.NewReader(`{"kind":"embed","model":"tiny"}`))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		t.Fatalf("got status %d for the job", response.StatusCode)
	}
	var begun jobTold
	program.Eventually(t, "the job is in the middle of it", func() bool {
		begun = program.Get[struct{ Jobs []jobTold }](server, "/v1/jobs", nil).Jobs[0]
		return begun.Done > 0
	})
	server.Kill()

	embedded := func() map[palate.ModelID]int {
		counts := make(map[palate.ModelID]int)
		program.Look(t, folder, func(ctx context.Context, c catalog.Catalog) error {
			models, err := c.Models(ctx)
			for _, m := range models {
				all, err := c.ListEmbeddings(ctx, m.ID, palate.ImageID{}, 1000)
				if err != nil {
					return err
				}
				counts[m.ID] = len(all)
			}
			return err
		})
		return counts
	}
	for model, n := range embedded() {
		if string(model) != old && (n == 0 || n >= pictures) {
			t.Errorf("the kill came when %d of %d pictures were embedded: the test shows nothing", n, pictures)
		}
	}

	next := program.StartServer(t, "--data", folder)
	if got := serves(next); got != old {
		t.Errorf("it serves %s at first, want the old model %s", got, old)
	}
	if got := next.Neighbours(first, ""); got == 0 {
		t.Error("the old model answers nothing")
	}
	program.Eventually(t, "the other model serves", func() bool { return serves(next) != old })
	dead := program.Get[jobTold](next, fmt.Sprintf("/v1/jobs/%d", begun.ID), nil)
	if dead.State != string(catalog.Failed) || dead.Error == "" {
		t.Errorf("got the killed job %+v, want that it failed, and why", dead)
	}
	t.Logf("of the killed job is said: %s", dead.Error)
	if got := next.Neighbours(first, ""); got == 0 {
		t.Error("the other model answers nothing")
	}
	if r := next.Interrupt(); r.Code != program.ExitDone {
		t.Errorf("the second server: exit code %d: %s", r.Code, r.Err)
	}
	after := embedded()
	for model, n := range after {
		if n != pictures {
			t.Errorf("%s has embedded %d pictures, want all %d", model, n, pictures)
		}
	}
	if len(after) != 2 {
		t.Errorf("got the models %v, want both", after)
	}
	seen := program.LookInto(t, folder)
	seen.MustHaveFileOfEveryRow(t)
	seen.MustHaveRowOfEveryFile(t)
	t.Logf("the server that went on said: %s", next.ErrOut.String())
}
