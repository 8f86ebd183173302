package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/palate-art/palate/index/qdrant/qdranttest"
	"github.com/palate-art/palate/test/program"
)

// Two collections on one name of one Qdrant server: serve says so as the
// command line does, and answers nothing from the other's points.
func TestServeRefusesAnotherCollectionsPoints(t *testing.T) {
	server := qdranttest.Run(t)
	mine, theirs := copyOfDemo(t), copyOfDemo(t)
	program.MustRun(t, "reindex", "--data", mine, "--index", addressOf(server))
	s := program.StartServer(t, "--data", theirs, "--index", addressOf(server))
	ids := s.Images(map[string][]string{})
	asked := map[string]int{
		"/v1/profiles/me/scores?limit=10":                              409,
		"/v1/images/" + ids[0] + "/neighbours?limit=10":                409,
		"/v1/images/" + ids[0] + "/neighbours?profile=visitor&limit=3": 409,
		"/v1/health": 503,
		"/readyz":    503,
	}
	want := func(asked map[string]int) {
		t.Helper()
		for path, want := range asked {
			response, err := http.Get(s.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || response.StatusCode != want || want != 200 && !strings.Contains(string(body), "palate reindex") {
				t.Errorf("GET %s: got %d %s, want %d and what to do", path, response.StatusCode, body, want)
			}
		}
	}
	want(asked)
	for _, command := range [][]string{{"index", "status"}, {"index", "verify"}, {"scores"}} {
		program.MustFail(t, exitFailed, []string{"palate reindex", "another name"}, append(command, "--data", theirs, "--index", addressOf(server))...)
	}
	program.MustRun(t, "index", "verify", "--data", mine, "--index", addressOf(server))

	program.MustRun(t, "reindex", "--data", theirs, "--index", addressOf(server))
	for path := range asked {
		asked[path] = 200
	}
	program.Eventually(t, "the server sees that the points are its own", func() bool { return program.GetStatus(t, s.URL+"/v1/health") == 200 })
	want(asked)
	program.MustFail(t, exitFailed, []string{"palate reindex"}, "index", "status", "--data", mine, "--index", addressOf(server))
}
