package qdranttest_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

// leftOut are the steps that the stand-in does not answer, because index/qdrant
// never asks for such things. Each must really be refused.
var leftOut = map[string]string{
	"recommend, best score":                 "the index's contract is the average strategy",
	"recommend, sum of scores":              "the index's contract is the average strategy",
	"recommend, negatives only, best score": "the index's contract is the average strategy",
	"discover":                              "no part of the index's contract",
	"context":                               "no part of the index's contract",
	"order by year":                         "no part of the index's contract",
	"neither query nor order: by id":        "points are listed by scrolling",
	"diverse nearest (MMR)":                 "no part of the index's contract",
	"groups by artist":                      "no part of the index's contract",
	"scroll in order of year":               "no part of the index's contract",
	"facet":                                 "no part of the index's contract",
}

// notComparable are steps whose answer depends on how NaN is ordered; NaN is
// refused before it is sent.
var notComparable = map[string]bool{"query NaN": true}

type step struct {
	Note     string
	Method   string
	Request  json.RawMessage
	Response json.RawMessage
	Error    *struct{ Code string }
}

func transcript(t *testing.T) []step {
	t.Helper()
	content, err := os.ReadFile("testdata/transcript.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct{ Steps []step }
	if err := json.Unmarshal(content, &recorded); err != nil {
		t.Fatal(err)
	}
	if len(recorded.Steps) != 128 {
		t.Fatalf("got %d steps, want the 128 that were recorded", len(recorded.Steps))
	}
	return recorded.Steps
}

// TestTranscript plays what a real server was asked, and compares the answers.
// With PALATE_TEST_QDRANT=host:port it asks that server as well, which must be
// empty.
func TestTranscript(t *testing.T) {
	t.Run("stand-in", func(t *testing.T) {
		play(t, qdranttest.Run(t).Address(), true)
	})
	t.Run("server", func(t *testing.T) {
		address := os.Getenv("PALATE_TEST_QDRANT")
		if address == "" {
			t.Skip("opt-in: PALATE_TEST_QDRANT names no server")
		}
		play(t, address, false)
	})
}

func play(t *testing.T, address string, standIn bool) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	left := 0
	for _, s := range transcript(t) {
		request, want := messages(t, s.Method)
		unmarshal(t, s.Request, request)
		got := proto.Clone(want)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err := conn.Invoke(ctx, "/"+s.Method, request, got)
		cancel()
		if leftOut[s.Note] != "" {
			left++
			if standIn && status.Code(err) != codes.Unimplemented {
				t.Errorf("%s: got %v from a step that is left out, want %s", s.Note, err, codes.Unimplemented)
			}
			continue
		}
		if s.Note == partly && !standIn {
			forgetGoodPoint(t, conn)
		}
		if s.Error != nil {
			if got, want := status.Code(err), code(s.Error.Code); got != want {
				t.Errorf("%s: got %v, want %s", s.Note, err, want)
			}
			continue
		}
		if s.Note == takenOn && !standIn && status.Code(err) == codes.InvalidArgument {
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", s.Note, err)
			continue
		}
		unmarshal(t, s.Response, want)
		if !notComparable[s.Note] {
			compare(t, s.Note, request, got, want)
		}
	}
	if left != len(leftOut) {
		t.Errorf("%d steps were left out, the list has %d", left, len(leftOut))
	}
}

// takenOn is a step that a 1.17.1 acknowledges and loses; a 1.19.0 refuses it.
const takenOn = "wrong dimension, not waiting"

// partly is a step whose batch is refused. A real server goes through a batch
// in an order of chance and writes what comes before the bad point; in the
// recording nothing came before it.
const partly = "one good and one bad point"

func forgetGoodPoint(t *testing.T, conn grpc.ClientConnInterface) {
	t.Helper()
	_, err := qdrant.NewPointsClient(conn).Delete(t.Context(), &qdrant.DeletePoints{CollectionName: "art", Wait: qdrant.PtrOf(true),
		Points: qdrant.NewPointsSelector(qdrant.NewIDUUID("00000000-0000-4000-8000-000000000010"))})
	if err != nil {
		t.Fatal(err)
	}
}

// messages gives empty messages of a method, "qdrant.Points/Query".
func messages(t *testing.T, method string) (request, response proto.Message) {
	t.Helper()
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(strings.ReplaceAll(method, "/", ".")))
	if err != nil {
		t.Fatal(err)
	}
	of := func(name protoreflect.FullName) proto.Message {
		message, err := protoregistry.GlobalTypes.FindMessageByName(name)
		if err != nil {
			t.Fatal(err)
		}
		return message.New().Interface()
	}
	m := found.(protoreflect.MethodDescriptor)
	return of(m.Input().FullName()), of(m.Output().FullName())
}

func unmarshal(t *testing.T, text []byte, into proto.Message) {
	t.Helper()
	if err := protojson.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

func code(name string) codes.Code {
	var c codes.Code
	if err := json.Unmarshal([]byte(`"`+name+`"`), &c); err != nil {
		return codes.Unknown
	}
	return c
}

// compare holds an answer to the recorded one, apart from what is free to
// differ: numbers and versions of operations, the order of collections and of
// equal scores.
func compare(t *testing.T, note string, request, got, want proto.Message) {
	t.Helper()
	switch want := want.(type) {
	case *qdrant.QueryResponse:
		compareHits(t, note, request.(*qdrant.QueryPoints), got.(*qdrant.QueryResponse).GetResult(), want.GetResult())
		return
	case *qdrant.QueryBatchResponse:
		queries, answers := request.(*qdrant.QueryBatchPoints).GetQueryPoints(), got.(*qdrant.QueryBatchResponse).GetResult()
		if len(answers) != len(queries) || len(want.GetResult()) != len(queries) {
			t.Errorf("%s: got %d answers to %d queries", note, len(answers), len(queries))
			return
		}
		for i, query := range queries {
			compareHits(t, note, query, answers[i].GetResult(), want.GetResult()[i].GetResult())
		}
		return
	case *qdrant.PointsOperationResponse:
		if got, want := got.(*qdrant.PointsOperationResponse).GetResult().GetStatus(), want.GetResult().GetStatus(); got != want {
			t.Errorf("%s: got status %s, want %s", note, got, want)
		}
		return
	case *qdrant.ListCollectionsResponse:
		list := got.(*qdrant.ListCollectionsResponse)
		// The index suite may be at work on the same server.
		list.Collections = slices.DeleteFunc(list.Collections, func(c *qdrant.CollectionDescription) bool { return strings.HasPrefix(c.GetName(), "palate-") })
		byName := func(a, b *qdrant.CollectionDescription) int { return strings.Compare(a.GetName(), b.GetName()) }
		slices.SortFunc(list.Collections, byName)
		slices.SortFunc(want.Collections, byName)
	case *qdrant.ListAliasesResponse:
		list := got.(*qdrant.ListAliasesResponse)
		list.Aliases = slices.DeleteFunc(list.Aliases, func(a *qdrant.AliasDescription) bool { return strings.HasPrefix(a.GetAliasName(), "palate-") })
	case *qdrant.HealthCheckReply:
		if got := got.(*qdrant.HealthCheckReply); got.GetTitle() != want.GetTitle() || got.GetVersion() == "" {
			t.Errorf("%s: got %v, want %v", note, got, want)
		}
		return
	}
	clearTime(got)
	if !proto.Equal(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", note, got, want)
	}
}

// clearTime takes away what the recording left out.
func clearTime(m proto.Message) {
	r := m.ProtoReflect()
	for _, name := range []protoreflect.Name{"time", "usage"} {
		if field := r.Descriptor().Fields().ByName(name); field != nil {
			r.Clear(field)
		}
	}
}

func compareHits(t *testing.T, note string, request *qdrant.QueryPoints, got, want []*qdrant.ScoredPoint) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %d hits, want %d:\n got %v\nwant %v", note, len(got), len(want), got, want)
		return
	}
	for i := range want {
		if difference := math.Abs(float64(got[i].GetScore() - want[i].GetScore())); difference > 1e-6 {
			t.Errorf("%s: hit %d has score %v, want %v", note, i, got[i].GetScore(), want[i].GetScore())
			return
		}
	}
	// Where a page begins or ends among equal scores, either may be on it.
	tied := func(i int, at *qdrant.ScoredPoint) bool {
		return math.Abs(float64(want[i].GetScore()-at.GetScore())) <= 1e-6
	}
	full := uint64(len(want)) == request.GetLimit()
	for i, w := range want {
		if request.GetOffset() > 0 && tied(i, want[0]) || full && tied(i, want[len(want)-1]) {
			continue
		}
		at := slices.IndexFunc(got, func(g *qdrant.ScoredPoint) bool { return proto.Equal(g.GetId(), w.GetId()) })
		if at < 0 {
			t.Errorf("%s: %s is missing", note, w.GetId().GetUuid())
			continue
		}
		g := got[at]
		if math.Abs(float64(g.GetScore()-w.GetScore())) > 1e-6 {
			t.Errorf("%s: %s has score %v, want %v", note, w.GetId().GetUuid(), g.GetScore(), w.GetScore())
		}
		if !proto.Equal(&qdrant.ScoredPoint{Payload: g.GetPayload(), Vectors: g.GetVectors()}, &qdrant.ScoredPoint{Payload: w.GetPayload(), Vectors: w.GetVectors()}) {
			t.Errorf("%s:\n got %v\nwant %v", note, g, w)
		}
	}
}
