//go:build unix

package processes_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// killsWanted in the environment makes TestKilledAtAnyMoment long: that many
// kills. killsTable names a file for its table, killsSeed another seed.
const (
	killsWanted = "PALATE_KILLS"
	killsTable  = "PALATE_KILLS_TABLE"
	killsSeed   = "PALATE_KILLS_SEED"
)

// The environment as it is before the tests clear it.
var killsSettings = map[string]string{killsWanted: os.Getenv(killsWanted), killsTable: os.Getenv(killsTable), killsSeed: os.Getenv(killsSeed)}

// TestKilledAtAnyMoment kills whatever writes at random moments and looks each
// time for what was confirmed before.
func TestKilledAtAnyMoment(t *testing.T) {
	race.Long(t)
	t.Parallel()
	kills, seed, pictures := 7, uint64(7), 60
	if text := killsSettings[killsWanted]; text != "" {
		kills, pictures = program.Must(strconv.Atoi(text))(t), 160
	}
	if text := killsSettings[killsSeed]; text != "" {
		seed = program.Must(strconv.ParseUint(text, 10, 64))(t)
	}
	k := &program.Killing{T: t, Folder: t.TempDir(), Place: filepath.Join(t.TempDir(), "backup"), Museum: program.StartMuseum(t, pictures), Random: rand.New(rand.NewPCG(seed, 1)),
		Known: program.Confirmed{Images: map[palate.ImageID]bool{}, Deleted: map[palate.ImageID]bool{}, Verdicts: map[palate.ImageID]palate.Verdict{}, Embedded: map[palate.ImageID]bool{}}}
	k.Prepare()
	works := []struct {
		name string
		kill func() bool
	}{
		{"crawl", func() bool { return k.KillAfter(900, "crawl", "--museum", k.Museum.Addr) }},
		{"embed", func() bool { return k.KillAfter(800, "embed") }},
		{"import", func() bool { return k.KillAfter(800, "import", k.Pictures(20)) }},
		{"serve, rate, upload, delete", k.KillServer},
		{"train", func() bool { return k.KillAfter(700, "train") }},
		{"reindex", func() bool { return k.KillAfter(500, "reindex") }},
		{"backup", func() bool { return k.KillAfter(600, "backup", k.Place) }},
	}
	lines := make([]program.Toll, len(works))
	for i := range kills {
		line := &lines[i%len(works)]
		line.Work = works[i%len(works)].name
		line.Kills++
		if works[i%len(works)].kill() {
			line.Midway++
		}
		k.Look(line)
	}
	var last program.Toll
	k.Finish(&last)
	table := tableOf(lines, last)
	t.Logf("%d kills, seed %d\n%s", kills, seed, table)
	if path := killsSettings[killsTable]; path != "" {
		if err := os.WriteFile(path, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func tableOf(lines []program.Toll, last program.Toll) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| killed | kills | midway | lost | doubled | wrongly deleted | images | deletions | ratings | embeddings |")
	fmt.Fprintln(&b, "|---|---|---|---|---|---|---|---|---|---|")
	total := program.Toll{Work: "**all**"}
	write := func(l program.Toll) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d |\n", l.Work, l.Kills, l.Midway, l.Lost, l.Doubled, l.Wrongly, l.Images, l.Deletions, l.Ratings, l.Embeddings)
	}
	for _, l := range append(lines, last) {
		if l.Work == "" {
			continue
		}
		if l.Kills > 0 {
			write(l)
		}
		total.Kills, total.Midway = total.Kills+l.Kills, total.Midway+l.Midway
		total.Lost, total.Doubled, total.Wrongly = total.Lost+l.Lost, total.Doubled+l.Doubled, total.Wrongly+l.Wrongly
	}
	total.Images, total.Deletions, total.Ratings, total.Embeddings = last.Images, last.Deletions, last.Ratings, last.Embeddings
	write(total)
	return b.String()
}
