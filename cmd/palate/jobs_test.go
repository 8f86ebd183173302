package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/test/program"
)

// Every kind of job says in its log what it did.
func TestJobsTellTheirLogsWhatTheyDo(t *testing.T) {
	folder, pictures := copyOfDemo(t), t.TempDir()
	program.WriteFile(t, filepath.Join(pictures, "note.jpg"), []byte("no picture"))
	program.WriteFile(t, filepath.Join(pictures, "new.png"), stripes(t))
	for _, command := range [][]string{{"import", pictures}, {"embed"}, {"verify"}, {"copies"}, {"map"}, {"reindex"}, {"train"}, {"backup", filepath.Join(t.TempDir(), "backup")}} {
		program.MustRun(t, append(command, "--data", folder)...)
	}
	want := map[string]string{
		"crawl":   `\d+ pages were read and gave \d+ candidates: \d+ came in, 0 were here\.`,
		"import":  `1 pictures came in, 0 were here, 0 verdicts came with them\.[^$]*warning: Not taken \(not_an_image\): 1, such as .*note\.jpg`,
		"embed":   `\d+ pictures were embedded, 0 copied, 0 could not be\.`,
		"verify":  `Nothing is wrong with them\.`,
		"copies":  `\d+ pictures were looked at`,
		"map":     `\d+ pictures were laid out by baseline .*: trustworthiness at k = 10 is 0?\.\d+`,
		"reindex": `The index has \d+ points`,
		"train":   `Version \d+ was learned from \d+ likes and \d+ dislikes: AUC`,
		"backup":  `\d+ pictures \(.*\), \d+ of them new, and the catalog`,
	}
	for _, j := range program.JSONRun[[]collection.Job](t, "jobs", "--limit", "200", "--data", folder) {
		log := program.MustRun(t, "jobs", "log", fmt.Sprint(j.ID), "--data", folder)
		if !regexp.MustCompile(want[j.Kind]).MatchString(log) || !regexp.MustCompile(`^20\d\d-.* is at work on it\.\n`).MatchString(log) || !strings.HasSuffix(log, "  It is done.\n") {
			t.Errorf("%s: want %s in the log\n%s", j.Kind, want[j.Kind], log)
		}
		delete(want, j.Kind)
	}
	if len(want) > 0 {
		t.Errorf("no job of these kinds: %v", want)
	}
	program.MustFail(t, program.ExitFailed, []string{"there is no job 4711"}, "jobs", "log", "4711", "--data", folder)
}

// stripes is a picture that no museum has.
func stripes(t *testing.T) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, 200, 160))
	for i := range picture.Pix {
		picture.Pix[i] = uint8(i * i % 251)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// A log is followed from another process until the job has ended.
func TestTheLogOfAJobIsFollowed(t *testing.T) {
	folder := program.EmptyHome(t)
	program.Look(t, folder, func(ctx context.Context, c catalog.Catalog) error {
		j, err := job.Begin(ctx, c, job.Crawl, "")
		if err != nil {
			return err
		}
		j.Say(ctx, "It begins.")
		follower := program.Start(t, "jobs", "log", fmt.Sprint(j.Run.ID), "--follow", "--json", "--data", folder)
		program.Eventually(t, "the first line is shown", func() bool { return strings.Contains(follower.Out.String(), "It begins.") })
		j.Warn(ctx, "It goes on.")
		program.Eventually(t, "the second line is shown", func() bool { return strings.Contains(follower.Out.String(), "It goes on.") })
		if err := j.End(ctx, catalog.Succeeded, nil, nil); err != nil {
			return err
		}
		lines := program.JSONValues[collection.JobLine](t, follower.MustEnd())
		if len(lines) != 3 || lines[1].Number != 2 || !lines[1].Warning || lines[2].Text != "It is done." {
			t.Errorf("got %+v", lines)
		}
		return nil
	})
}
