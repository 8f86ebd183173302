package qdranttest_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

var record = flag.Bool("record", false, "write what the server at PALATE_TEST_QDRANT answers into testdata/strict.json")

const strictFile = "testdata/strict.json"

// strictTranscript is what a server was asked about strict mode, metadata,
// points without a vector and deferred graphs, and what it answered.
type strictTranscript struct {
	Server string       `json:"server"`
	Steps  []strictStep `json:"steps"`
}

type strictStep struct {
	Note    string          `json:"note"`
	Method  string          `json:"method"`
	Request json.RawMessage `json:"request"`
	Code    string          `json:"code"`
	Message string          `json:"message,omitempty"`
	// Answer is what this package's callers read of the response.
	Answer json.RawMessage `json:"answer,omitempty"`
}

// TestStrictTranscript asks the stand-in what a real server was asked, and the
// server at PALATE_TEST_QDRANT as well; with -record that one's answers are
// written down.
func TestStrictTranscript(t *testing.T) {
	content, err := os.ReadFile(strictFile)
	if err != nil {
		t.Fatal(err)
	}
	var recorded strictTranscript
	if err := json.Unmarshal(content, &recorded); err != nil {
		t.Fatal(err)
	}
	if len(recorded.Steps) < 30 || recorded.Server == "" {
		t.Fatalf("got %d steps of server %q", len(recorded.Steps), recorded.Server)
	}
	t.Run("stand-in", func(t *testing.T) { ask(t, qdranttest.Run(t).Address(), &recorded) })
	t.Run("server", func(t *testing.T) {
		address := os.Getenv("PALATE_TEST_QDRANT")
		if address == "" {
			t.Skip("opt-in: PALATE_TEST_QDRANT names no server")
		}
		ask(t, address, &recorded)
	})
}

func TestRecordStrictTranscript(t *testing.T) {
	address := os.Getenv("PALATE_TEST_QDRANT")
	if !*record || address == "" {
		t.Skip("opt-in: -record is not given, or PALATE_TEST_QDRANT names no server")
	}
	content, err := os.ReadFile(strictFile)
	if err != nil {
		t.Fatal(err)
	}
	var transcript strictTranscript
	if err := json.Unmarshal(content, &transcript); err != nil {
		t.Fatal(err)
	}
	transcript.Server = ""
	ask(t, address, &transcript)
	content, err = json.MarshalIndent(transcript, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(strictFile, append(content, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ask plays the steps. A transcript that names no server gets its answers.
func ask(t *testing.T, address string, transcript *strictTranscript) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	write := transcript.Server == ""
	for i := range transcript.Steps {
		s := &transcript.Steps[i]
		request, answer := messages(t, s.Method)
		unmarshal(t, s.Request, request)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err := conn.Invoke(ctx, "/"+s.Method, request, answer)
		cancel()
		said := []byte(nil)
		if err == nil {
			said, err = protojson.Marshal(read(answer))
			if err != nil {
				t.Fatal(err)
			}
		}
		if write {
			s.Code, s.Message, s.Answer = status.Code(err).String(), "", said
			if err != nil {
				s.Message = status.Convert(err).Message()
			}
			continue
		}
		if got := status.Code(err).String(); got != s.Code {
			t.Errorf("%s: got %s (%v), want %s (%s)", s.Note, got, err, s.Code, s.Message)
			continue
		}
		if s.Code != codes.OK.String() {
			continue
		}
		_, want := messages(t, s.Method)
		unmarshal(t, s.Answer, want)
		if got := read(answer); !proto.Equal(got, want) {
			t.Errorf("%s:\n got %v\nwant %v", s.Note, got, want)
		}
	}
	if write {
		reply, err := qdrant.NewQdrantClient(conn).HealthCheck(t.Context(), new(qdrant.HealthCheckRequest))
		if err != nil {
			t.Fatal(err)
		}
		transcript.Server = reply.GetVersion()
	}
}

// read leaves of an answer what index/qdrant reads.
func read(answer proto.Message) proto.Message {
	switch a := answer.(type) {
	case *qdrant.GetCollectionInfoResponse:
		info := a.GetResult()
		schema := make(map[string]*qdrant.PayloadSchemaInfo)
		for field, s := range info.GetPayloadSchema() {
			schema[field] = &qdrant.PayloadSchemaInfo{DataType: s.GetDataType()}
		}
		threshold := info.GetConfig().GetOptimizerConfig().GetIndexingThreshold()
		strict := info.GetConfig().GetStrictModeConfig()
		if !strict.GetEnabled() {
			strict = nil
		}
		return &qdrant.GetCollectionInfoResponse{Result: &qdrant.CollectionInfo{
			Status: info.GetStatus(), PointsCount: info.PointsCount, PayloadSchema: schema,
			Config: &qdrant.CollectionConfig{Metadata: info.GetConfig().GetMetadata(), StrictModeConfig: strict,
				OptimizerConfig: &qdrant.OptimizersConfigDiff{IndexingThreshold: &threshold}},
		}}
	case *qdrant.PointsOperationResponse:
		return &qdrant.PointsOperationResponse{Result: &qdrant.UpdateResult{Status: a.GetResult().GetStatus()}}
	case *qdrant.QueryResponse:
		for _, p := range a.GetResult() {
			p.Version = 0
		}
	}
	clearTime(answer)
	return answer
}
