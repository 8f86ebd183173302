package main

import (
	"context"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/palate-art/palate/test/program"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

// somebodyElse is another program on the same Qdrant server.
func somebodyElse(t *testing.T, s *qdranttest.Server) *qdrant.Client {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Address())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	client, err := qdrant.NewClient(&qdrant.Config{Host: host, Port: number, SkipCompatibilityCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// A server that was killed answers for a moment with fewer points than it has:
// verify looks again before it calls the index wrong. A loss that lasts is told.
func TestVerifyLooksTwiceAtAServer(t *testing.T) {
	s := qdranttest.Run(t)
	folder := copyOfDemo(t)
	program.MustRun(t, "reindex", "--data", folder, "--index", addressOf(s))
	whole, name := s.Snapshot("palate"), s.Aliases()["palate"]
	lost := s.IDs("palate")[3]
	id := qdrant.NewIDUUID(idText(lost))
	if _, err := somebodyElse(t, s).Delete(t.Context(), &qdrant.DeletePoints{CollectionName: name, Wait: proto.Bool(true), Points: qdrant.NewPointsSelector(id)}); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	counts := 0
	s.Observe(func(_ context.Context, _ string, request proto.Message) {
		if c, ok := request.(*qdrant.CountPoints); ok && len(c.GetFilter().GetMust()) == 0 {
			counts++
			once.Do(func() { s.Restore(name, whole) }) // once the first look has missed it
		}
	})
	if got := program.JSONRun[verification](t, "index", "verify", "--data", folder, "--index", addressOf(s)); !got.Clean || counts != 2 {
		t.Errorf("got %+v after %d looks, want it clean at the second", got, counts)
	}
	s.Observe(nil)
	if _, err := somebodyElse(t, s).Delete(t.Context(), &qdrant.DeletePoints{CollectionName: name, Wait: proto.Bool(true), Points: qdrant.NewPointsSelector(id)}); err != nil {
		t.Fatal(err)
	}
	r := program.RunPalate(t, "index", "verify", "--data", folder, "--index", addressOf(s))
	if r.Code != exitFailed || !strings.Contains(r.Out, "1 missing") || !strings.Contains(r.Out, idText(lost)) {
		t.Errorf("a point that stays away: got %d, %q, want it named and exit code %d", r.Code, r.Out, exitFailed)
	}
}

// doctor looks at the server as a museum's operator would have to.
func TestDoctorLooksAtTheQdrantServer(t *testing.T) {
	s := qdranttest.Run(t)
	mine, theirs := copyOfDemo(t), copyOfDemo(t)
	s.SetStrictMode(&qdrant.StrictModeConfig{Enabled: proto.Bool(true), UnindexedFilteringRetrieve: proto.Bool(false), SearchMaxHnswEf: proto.Uint32(128), MaxPayloadIndexCount: proto.Uint64(7)})
	program.MustRun(t, "reindex", "--data", mine, "--index", addressOf(s))
	says := func(data string, code int, wanted ...string) {
		t.Helper()
		r := program.RunPalate(t, "doctor", "--data", data, "--index", addressOf(s))
		for _, want := range wanted {
			if !strings.Contains(r.Out+r.Err, want) {
				t.Errorf("doctor does not say %q, but\n%s%s", want, r.Out, r.Err)
			}
		}
		if r.Code != code {
			t.Errorf("got exit code %d, want %d", r.Code, code)
		}
	}
	says(mine, exitFailed, "Qdrant "+qdranttest.Version, "in strict mode", s.Aliases()["palate"], "green", "up to change", "ef is 128 of 512 by the server's strict mode")
	says(theirs, exitFailed, "was filled from another catalog", "palate reindex", "another name")

	if _, err := somebodyElse(t, s).DeleteFieldIndex(t.Context(), &qdrant.DeleteFieldIndexCollection{CollectionName: "palate", FieldName: "years", Wait: proto.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	says(mine, exitFailed, "lacks the payload index of years", "palate index verify")
	program.MustRun(t, "index", "verify", "--data", mine, "--index", addressOf(s))
	s.SetVersion("1.20.1")
	r := program.RunPalate(t, "doctor", "--data", mine, "--index", addressOf(s))
	if strings.Contains(r.Out, "lacks") || !strings.Contains(r.Out, "version 1.20.1 is later than 1.19") {
		t.Errorf("got %q, want the index made again and a warning of the version", r.Out)
	}
}

func idText(id [16]byte) string { return palate.ImageID(id).String() }
