package tuning_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/tuning"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// scoreLine and fileEmbedding are what the tests read of what scores and embed
// print.
type (
	scoreLine struct {
		Image string  `json:"image_id"`
		Score float64 `json:"score"`
		Probe int     `json:"probe_version"`
	}
	fileEmbedding struct {
		ModelID palate.ModelID   `json:"model_id"`
		Vector  palate.Embedding `json:"vector"`
	}
)

const tinyLicence = "CC-BY-NC-4.0"

// stripes is a collection of pictures with stripes at any angle in noise: the
// wide ones, one in three, are liked.
func stripes(t *testing.T, n int) (home string) {
	t.Helper()
	return painted(t, n, func(i int) (liked bool, wavelength, brightness float64) {
		if i%3 == 0 {
			return true, 13, 128
		}
		return false, 9, 128
	})
}

// painted is a collection of pictures of stripes at any angle in noise.
func painted(t *testing.T, n int, paint func(i int) (liked bool, wavelength, brightness float64)) (home string) {
	t.Helper()
	program.AddTiny(t, "--licence", tinyLicence)
	folder, home := t.TempDir(), t.TempDir()
	random := rand.New(rand.NewPCG(3, 3))
	for i := range n {
		liked, wavelength, brightness := paint(i)
		angle, phase := 2*math.Pi*random.Float64(), 2*math.Pi*random.Float64()
		m := image.NewGray(image.Rect(0, 0, 64, 64))
		for y := range 64 {
			for x := range 64 {
				v := math.Sin((float64(x)*math.Cos(angle)+float64(y)*math.Sin(angle))*2*math.Pi/wavelength + phase)
				m.SetGray(x, y, color.Gray{uint8(min(max(brightness+45*v+60*random.NormFloat64(), 0), 255))})
			}
		}
		var content bytes.Buffer
		if err := png.Encode(&content, m); err != nil {
			t.Fatal(err)
		}
		program.WriteFile(t, filepath.Join(folder, map[bool]string{true: "good", false: "bad"}[liked], fmt.Sprintf("%d.png", i)), content.Bytes())
	}
	program.MustRun(t, "import", folder, "--data", home, "--profile", "me")
	return home
}

// recipe is a short training of the tiny model.
func tuningOf(home, name string, more ...string) []string {
	return append([]string{"finetune", "--model", "tiny", "--data", home, "--profile", "me", "--name", name, "--epochs", "3", "--lr", "1e-3", "--patience", "0"}, more...)
}

func historyOf(r tuning.Result) []finetune.Epoch {
	for i := range r.History {
		r.History[i].Seconds = 0
	}
	return r.History
}

func TestFinetuneMakesAModelOfItsOwn(t *testing.T) {
	race.Long(t)
	home := stripes(t, 60)
	for _, method := range []string{"full", "last:1", "lora:2"} {
		name := "mine-" + strings.ReplaceAll(method, ":", "")
		args := tuningOf(home, name, "--method", method, "--size", "84", "--pool", "mean", "--batch", "8")
		if method == "last:1" {
			args = append(args, "--checkpoint-blocks")
		}
		r := program.JSONRun[tuning.Result](t, args...)
		if r.Recipe.Plan.CheckpointBlocks != (method == "last:1") {
			t.Errorf("%s: got the plan %+v", method, r.Recipe.Plan)
		}
		if r.Likes+r.HeldLikes != 20 || r.Dislikes+r.HeldDislikes != 40 || r.HeldLikes == 0 || r.HeldDislikes == 0 || len(r.History) != 4 || r.Begun.Number != 0 {
			t.Errorf("%s: got %+v", method, r)
		}
		if r.Best.BalancedAccuracy < r.Begun.BalancedAccuracy {
			t.Errorf("%s: the best epoch %+v is worse than the probe %+v", method, r.Best, r.Begun)
		}
		if svg := program.ReadFile(t, r.Curves); !bytes.Contains(svg, []byte("<svg")) {
			t.Errorf("%s: the curves are no SVG", method)
		}
		entries, err := os.ReadDir(filepath.Dir(r.Curves))
		if err != nil || len(entries) != 1 {
			t.Errorf("%s: left behind %v, want the curves alone (%v)", method, entries, err)
		}
		if r.Best.Number == 0 {
			if r.Model != "" {
				t.Errorf("%s: a model was made of what is not better than the probe", method)
			}
			continue
		}
		// The model is used as it was trained, without a flag.
		record, err := models.OpenStore(os.Getenv("PALATE_MODELS")).Local(r.Model)
		if err != nil || record.Tuned == nil || record.Tuned.Parent != "tiny" || record.Tuned.Method != method || record.Tuned.Profile != "me" || record.Tuned.Best != r.Best.Number {
			t.Fatalf("%s: got the record %+v, %v", method, record, err)
		}
		program.MustRun(t, "embed", "--data", home, "--model", r.Model)
		scores := program.JSONRun[[]scoreLine](t, "scores", "--data", home, "--profile", "me", "--model", r.Model, "-n", "60")
		if len(scores) != 60 || scores[0].Probe != r.Head || scores[0].Score <= scores[59].Score {
			t.Errorf("%s: got %d scores, the first %+v, want those of probe %d", method, len(scores), scores[0], r.Head)
		}
		embedded := program.JSONRun[fileEmbedding](t, "embed", filepath.Join(program.MuseumPictures(t, 1), "0.jpg"), "--model", r.Model)
		if embedded.ModelID != r.ModelID || len(embedded.Vector) != 64 {
			t.Errorf("%s: embeds as %s, want %s", method, embedded.ModelID, r.ModelID)
		}
		exportedAndAdded(t, r, embedded)
	}
	runs := program.JSONRun[[]map[string]any](t, "probe", "history", "--data", home, "--profile", "me")
	if len(runs) == 0 {
		t.Error("no epoch of any method was better than the probe: this test shows nothing")
	}
}

// exportedAndAdded holds that a fine-tuned model, written for other programs and
// added again from either of its files, embeds as before and is under its
// parent's licence.
func exportedAndAdded(t *testing.T, r tuning.Result, want fileEmbedding) {
	t.Helper()
	out, picture := filepath.Join(t.TempDir(), "out"), filepath.Join(program.MuseumPictures(t, 1), "0.jpg")
	e := program.JSONRun[models.Exported](t, "model", "export", r.Model, "--out", out)
	if !slices.Equal(e.Parents, []string{"tiny"}) || e.Licence != tinyLicence || e.Settings.Size != 84 || e.Settings.Pool != "mean" || len(e.Files) != 5 {
		t.Errorf("exported: got %+v", e)
	}
	for kind, args := range map[string][]string{"safetensors": {out, "--copy"}, "onnx": {filepath.Join(out, "model.onnx")}} {
		name := r.Model + "-" + kind
		program.MustRun(t, append([]string{"model", "add", name}, args...)...)
		got := program.JSONRun[fileEmbedding](t, "embed", picture, "--model", name)
		var cosine float64
		for i := range got.Vector {
			cosine += float64(got.Vector[i]) * float64(want.Vector[i])
		}
		if cosine < .999999 {
			t.Errorf("%s: added again its embedding has a cosine of %v", kind, cosine)
		}
		if shown := program.JSONRun[struct{ Licence models.Licence }](t, "model", "show", name); shown.Licence.Name != tinyLicence {
			t.Errorf("%s: added again it is under %q", kind, shown.Licence.Name)
		}
	}
}

func TestFinetuneSaysWhatIsWrong(t *testing.T) {
	race.Long(t)
	home := stripes(t, 30)
	unrated, onnx := program.EmptyHome(t), filepath.Join(t.TempDir(), "x.onnx")
	for name, tc := range map[string]struct {
		code int
		says []string
		args []string
	}{
		"a batch of no number": {program.ExitUsage, []string{"--batch"}, tuningOf(home, "a", "--batch", "many")},
		"no such method":       {program.ExitUsage, []string{"last:N", "lora:R"}, tuningOf(home, "a", "--method", "half")},
		"no such augmentation": {program.ExitUsage, []string{"mirror"}, tuningOf(home, "a", "--augment", "mirror,blur")},
		"the built-in model":   {program.ExitUsage, []string{"palate train"}, tuningOf(home, "a", "--model", "baseline")},
		"a file":               {program.ExitUsage, []string{"palate model list"}, tuningOf(home, "a", "--model", onnx)},
		"half precision":       {program.ExitUsage, []string{"float32"}, tuningOf(home, "a", "--precision", "float16")},
		"no ratings":           {program.ExitFailed, []string{"0 likes and 0 dislikes", "10 more"}, tuningOf(unrated, "a")},
		"no epochs":            {program.ExitFailed, []string{"0 epochs"}, tuningOf(home, "a", "--epochs", "0")},
		"too many blocks":      {program.ExitFailed, []string{"last 9 blocks of 3"}, tuningOf(home, "a", "--method", "last:9")},
		"nothing to go on":     {program.ExitFailed, []string{"no training in"}, tuningOf(home, "a", "--resume")},
		"a name that is taken": {program.ExitFailed, []string{"palate knows already"}, tuningOf(home, "dinov2-small")},
		"a model's name":       {program.ExitFailed, []string{"choose another --name"}, tuningOf(home, "tiny")},
	} {
		t.Run(name, func(t *testing.T) { program.MustFail(t, tc.code, tc.says, tc.args...) })
	}
	if entries, err := os.ReadDir(filepath.Join(home, "finetune")); err == nil && len(entries) > 0 {
		t.Errorf("what was refused left %v", entries)
	}
}

// A training is seen and stopped from elsewhere, and killed; each time it goes
// on where it was, with the same losses to the last bit, whatever was asked for
// or rated since.
func TestFinetuneGoesOnAfterAStopAndAKill(t *testing.T) {
	race.Long(t)
	home := stripes(t, 45)
	var want tuning.Result
	long := []string{"--epochs", "40"} // so that there is time to stop it
	decode(t, program.Start(t, tuningOf(home, "whole", append(long, "--json")...)...).MustEnd(), &want)
	server := program.StartServer(t, "--data", home, "--model", "baseline", "--no-embed")
	jobs := func() []runningJob { return program.Get[struct{ Jobs []runningJob }](server, "/v1/jobs", nil).Jobs }

	stopped := program.Start(t, tuningOf(home, "again", append(long, "--json")...)...)
	var seen runningJob
	program.Eventually(t, "the server sees the training", func() bool {
		seen = jobs()[0]
		return seen.State == "running" && seen.Kind == "finetune" && seen.Done > 0
	})
	if seen.Total != 120 {
		t.Errorf("the server sees %+v, want 120 steps", seen)
	}
	stop, err := http.NewRequest(http.MethodDelete, fmt.Sprintf("%s/v1/jobs/%d", server.URL, seen.ID), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(stop)
	if err != nil || response.StatusCode >= 300 {
		t.Fatalf("stop the training: %v, %v", response, err)
	}
	_ = response.Body.Close()
	program.MustBeOneLine(t, stopped.Wait(), program.ExitFailed, []string{"asked to stop", "--resume"}, "finetune")
	if seen = jobs()[0]; seen.State != "cancelled" {
		t.Errorf("a training that was stopped is %q, want cancelled", seen.State)
	}

	resume := tuningOf(home, "again", append(long, "--resume", "--json")...)
	program.MustBeOneLine(t, program.Start(t, tuningOf(home, "again", long...)...).Wait(), program.ExitFailed, []string{"--resume"}, "finetune")
	program.MustBeOneLine(t, program.Start(t, append(resume, "--epochs", "9")...).Wait(), program.ExitFailed, []string{"--epochs is 9 instead of 40"}, "finetune", "--epochs")
	program.MustBeOneLine(t, program.Start(t, append(resume, "--size", "84")...).Wait(), program.ExitFailed, []string{"size"}, "finetune", "--size")
	killed := program.Start(t, resume...)
	program.Eventually(t, "the training goes on", func() bool { return strings.Contains(killed.ErrOut.String(), "left at most") })
	killed.Kill()

	r := program.Start(t, resume...).Wait()
	if r.Code != program.ExitDone || strings.Contains(r.Err, "features") {
		t.Errorf("got %d and %q, want that what was found out at the beginning is known", r.Code, r.Err)
	}
	var got tuning.Result
	decode(t, r.Out, &got)
	a, b := historyOf(want), historyOf(got)
	if len(a) != 41 || len(a) != len(b) {
		t.Fatalf("got %d epochs, want the %d of a training that was not stopped, 41", len(b), len(a))
	}
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("epoch %d: got %+v, want %+v", i, b[i], a[i])
		}
	}
}

type runningJob struct {
	ID          int64
	Kind, State string
	Done, Total int64
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
}
