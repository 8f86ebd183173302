package processes_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// jobTold is a job as the API and the command line tell of it.
type jobTold struct {
	ID          int64
	Kind, State string
	Done, Total int64
	Error       string
	Result      json.RawMessage
}

// startJob asks a server for a job and waits for its end.
func startJob(t *testing.T, s program.Server, request string) (job jobTold) {
	t.Helper()
	response, err := http.Post(s.URL+"/v1/jobs", "application/json", strings.NewReader(request))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&job); err != nil || response.StatusCode != http.StatusAccepted {
		t.Fatalf("%s: got status %d and %v", request, response.StatusCode, err)
	}
	program.Eventually(t, "the job ends", func() bool {
		job = program.Get[jobTold](s, fmt.Sprintf("/v1/jobs/%d", job.ID), nil)
		return job.State != "running"
	})
	return job
}

// Verifications and backups are jobs whoever starts them, and each side sees
// what the other began.
func TestJobsOfTheServerAndOfTheCommandLineAreTheSame(t *testing.T) {
	race.Long(t)
	folder, place, restored := t.TempDir(), filepath.Join(t.TempDir(), "backups"), filepath.Join(t.TempDir(), "restored")
	pictures := program.MuseumPictures(t, 3)
	program.MustRun(t, "import", "--data", folder, pictures)
	program.MustRun(t, "embed", "--data", folder)
	server := program.StartServer(t, "--data", folder, "--backup-folder", place, "--backup-keep", "2")

	var whole struct {
		Whole      bool
		Rows, Read int
	}
	verified := startJob(t, server, `{"kind":"verify","deep":true}`)
	if err := json.Unmarshal(verified.Result, &whole); err != nil || verified.State != "succeeded" || !whole.Whole || whole.Rows != 3 || whole.Read != 3 || verified.Done < 3 || verified.Done != verified.Total {
		t.Errorf("got %+v with %s and %v", verified, verified.Result, err)
	}
	var made backup.Summary
	backedUp := startJob(t, server, `{"kind":"backup"}`)
	if err := json.Unmarshal(backedUp.Result, &made); err != nil || backedUp.State != "succeeded" || made.Pictures != 3 || backedUp.Done != 3 {
		t.Errorf("got %+v with %s and %v", backedUp, backedUp.Result, err)
	}
	program.MustRun(t, "verify", "--data", folder)
	program.MustRun(t, "backup", place, "--data", folder)

	byServer := program.Get[struct{ Jobs []jobTold }](server, "/v1/jobs", nil).Jobs
	byProgram := program.JSONRun[[]jobTold](t, "jobs", "--data", folder, "--json")
	for name, told := range map[string][]jobTold{"server": byServer, "command line": byProgram} {
		var kinds []string
		for _, job := range told {
			kinds = append(kinds, job.Kind+" "+job.State)
		}
		if got, want := strings.Join(kinds, ", "), "backup succeeded, verify succeeded, backup succeeded, verify succeeded"; !strings.HasPrefix(got, want) {
			t.Errorf("the %s tells of %s; want %s first", name, got, want)
		}
	}
	if list := program.JSONRun[[]backup.Manifest](t, "backup", place, "--list", "--json"); len(list) != 2 || list[0].Files != 3 {
		t.Errorf("got the backups %+v, want two with three pictures", list)
	}
	program.MustRun(t, "restore", place, "--snapshot", made.Snapshot, "--data", restored)
	if got := program.LookInto(t, restored); len(got.Images) != 3 || len(got.Embeddings) != 3 {
		t.Errorf("got %d images and %d embeddings out of the server's backup, want 3", len(got.Images), len(got.Embeddings))
	}
	program.MustFail(t, program.ExitFailed, []string{"succeeded already"}, "jobs", "stop", fmt.Sprint(backedUp.ID), "--data", folder)
}

// Where no folder was named, nobody makes backups over the API, and none is
// named inside of what is backed up.
func TestBackupsGoWhereTheOperatorSays(t *testing.T) {
	folder := t.TempDir()
	for _, bad := range [][]string{
		{"--backup-folder", filepath.Join(folder, "backups")},
		{"--backup-folder", filepath.Join(t.TempDir(), "one.tar")},
		{"--backup-keep", "3"},
	} {
		program.MustFail(t, program.ExitUsage, []string{"backup"}, append([]string{"serve", "--addr", "127.0.0.1:0", "--data", folder, "--model", "baseline"}, bad...)...)
	}
}
