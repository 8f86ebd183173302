package processes_test

import (
	"os"
	"testing"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/test/program"
)

// longKills is read before the tests' own environment takes its place.
var longKills = os.Getenv("PALATE_LONG_KILLS") != ""

// TestACrawlKilledAtFiftyMoments is TestAKilledCrawlRepeatsNothing at more
// moments, and counts what was in flight.
func TestACrawlKilledAtFiftyMoments(t *testing.T) {
	if !longKills {
		t.Skip("opt-in: takes minutes; set PALATE_LONG_KILLS=1")
	}
	const kills = 50
	museum := program.StartMuseum(t, program.KillPictures)
	killCrawls(t, museum, kills, nil)
	inFlight := crawler.DefaultConfig().Workers
	if got, most := len(museum.PictureRequests()), program.KillPictures+kills*inFlight; got > most {
		t.Errorf("%d pictures were fetched for %d, want the %d in flight at each kill again at most", got, program.KillPictures, inFlight)
	} else {
		t.Logf("%d fetches for %d pictures and %d kills", got, program.KillPictures, kills)
	}
}
