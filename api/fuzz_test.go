package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/test/race"
)

var (
	fuzzFor  = flag.Duration("contract.for", 0, "how long requests are made of the contract, beyond one round")
	fuzzSeed = flag.Uint64("contract.seed", 1, "what the requests are drawn from")
)

// No request, right or wrong, is answered with a failure of the server or
// outside of the contract: status, media type and body are declared, what
// breaks the contract is refused, and what fits is not called invalid.
//
//	go test ./api -run NoRequest -contract.for=10m -contract.seed=7
func TestNoRequestIsAnsweredOutsideOfTheContract(t *testing.T) {
	z := newFuzzer(t, *fuzzSeed)
	rounds := 6
	if race.Enabled {
		rounds = 1
	}
	begun := time.Now()
	for round := 0; round < rounds || time.Since(begun) < *fuzzFor; round++ {
		for _, op := range z.operations {
			for kind := range attempts {
				z.refill()
				z.try(attempts[kind](z, op))
				if z.failures > 40 {
					t.Fatal("too many findings; the rest is not tried")
				}
			}
		}
	}
	t.Logf("%d requests of %d operations in %v", z.tried, len(z.operations), time.Since(begun).Round(time.Millisecond))
	if z.tried < 300*rounds || z.refused < z.tried/4 || z.taken < z.tried/4 {
		t.Errorf("of %d requests %d were taken and %d refused, want at least %d, and a quarter of each", z.tried, z.taken, z.refused, 300*rounds)
	}
}

// operation is one of the contract.
type operation struct {
	*openapi3.Operation
	method, path string
	parameters   openapi3.Parameters
}

// attempt is a request with what the contract says of it.
type attempt struct {
	op           *operation
	method       string
	path, query  string // as they are sent
	header       http.Header
	body         []byte
	says         expectation
	what         string
	withoutRoute bool // it need not be one of the contract
}

// fuzzer makes requests and judges the answers.
type fuzzer struct {
	*values
	t          *testing.T
	f          *fixture
	operations []*operation
	router     routers.Router // of a contract whose answers have no further fields
	probeFile  []byte
	snapshot   string // a list that is kept
	painted    int
	tried      int
	taken      int
	refused    int
	failures   int
}

func newFuzzer(t *testing.T, seed uint64) *fuzzer {
	f := newFixture(t)
	reds, blues := f.add(t, 12, red, "Roth"), f.add(t, 12, blue, "Blau")
	f.rate(t, palate.Like, reds...)
	f.rate(t, palate.Dislike, blues...)
	f.learn(t)
	spec := document(t)
	spec.Servers = nil
	for _, schema := range spec.Components.Schemas {
		if s := schema.Value; s.Type.Is("object") && len(s.Properties) > 0 && s.AdditionalProperties.Has == nil {
			closed := false
			s.AdditionalProperties.Has = &closed
		}
	}
	router, err := gorillamux.NewRouter(spec)
	must(t, err)
	z := &fuzzer{t: t, f: f, router: router, values: &values{Rand: rand.New(rand.NewPCG(seed, 16)), profiles: []string{"me", "guest", "nobody"}},
		probeFile: f.do(t, "GET", "/v1/profiles/me/probe/versions/1/file", "").body}
	z.snapshot = f.snapshot(t, `{"order":"score"}`).ID
	for _, id := range append(reds, blues...) {
		z.images = append(z.images, id.String())
	}
	for _, path := range spec.Paths.InMatchingOrder() {
		item := spec.Paths.Value(path)
		for _, method := range slices.Sorted(maps.Keys(item.Operations())) {
			op := item.Operations()[method]
			z.operations = append(z.operations, &operation{Operation: op, method: method, path: path, parameters: slices.Concat(item.Parameters, op.Parameters)})
		}
	}
	return z
}

// refill brings back what earlier requests deleted.
func (z *fuzzer) refill() {
	z.t.Helper()
	n, err := z.f.catalog.StandingRatings(z.t.Context(), palate.DefaultProfile, catalog.RatingQuery{Limit: 1})
	must(z.t, err)
	images, err := z.f.catalog.CountImages(z.t.Context(), index.Filter{})
	must(z.t, err)
	if images >= 4 && len(n) > 0 {
		return
	}
	reds, blues := z.f.add(z.t, 6, red, "Roth"), z.f.add(z.t, 6, blue, "Blau")
	z.f.rate(z.t, palate.Like, reds...)
	z.f.rate(z.t, palate.Dislike, blues...)
	z.images = z.images[:0]
	for _, id := range append(reds, blues...) {
		z.images = append(z.images, id.String())
	}
}

// try sends one and judges the answer.
func (z *fuzzer) try(a attempt) {
	z.t.Helper()
	z.tried++
	r, err := http.NewRequestWithContext(z.t.Context(), a.method, z.f.url, bytes.NewReader(a.body))
	must(z.t, err)
	r.URL.Opaque = "//" + r.URL.Host + a.path
	r.URL.RawQuery = a.query
	r.Header = a.header
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		z.fault(a, 0, "no answer: %v", err)
		return
	}
	defer response.Body.Close()
	streams := strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream")
	var body []byte
	if !streams { // those last
		body, err = io.ReadAll(unpacked(z.t, response))
		must(z.t, err)
	}
	status := response.StatusCode
	switch {
	case status >= 500:
		z.fault(a, status, "a failure of the server: %.300s", body)
	case status >= 400:
		z.refused++
		z.judgeProblem(a, response, body)
	default:
		z.taken++
	}
	if a.says == breaks && status < 400 {
		z.fault(a, status, "what breaks the contract was taken: %.200s", body)
	}
	if a.says == fits && (status == 400 && !mayBeInvalid(a, body) || status == 405 || status == 411 || status == 415) {
		z.fault(a, status, "what fits the contract was refused: %.300s", body)
	}
	if !a.withoutRoute {
		z.judgeByContract(a, response, body, streams)
	}
}

// unpacked is the body of an answer as it was before it was packed.
func unpacked(t *testing.T, response *http.Response) io.Reader {
	if response.Header.Get("Content-Encoding") != "gzip" || response.Request.Method == http.MethodHead || response.ContentLength == 0 {
		return response.Body
	}
	reader, err := gzip.NewReader(response.Body)
	must(t, err)
	return reader
}

// mayBeInvalid are the requests that fit and can't be used all the same: where
// the contract says in words what the schema can't.
func mayBeInvalid(a attempt, body []byte) bool {
	for _, words := range []string{"cursor", "external_id", "year_from", "Last-Event-ID", "odd number", "min_probability", "body/licence_url: ", "body/year: ", "does not go with collapse"} {
		if bytes.Contains(body, []byte(words)) {
			return true
		}
	}
	switch a.op.OperationID {
	case "startJob", "importProbe", "importRatings", "exportImages", "uploadImage", "searchByUpload", "scoreUpload":
		return true // what a kind of job takes, and whether a file can be read
	}
	return false
}

// internals are words of the program's inside.
var internals = regexp.MustCompile(`: (conflict|invalid|unavailable|forbidden|unauthenticated)\b|(^|: |\n)(catalog|sqlite|api|taste|disk|imagestore|ingest|picture|probe|active|index|flat index|starter|embedder|onnx|palate): |code=\d|strconv|invalid character|json:|unmarshal|SQL|runtime error|\.go:\d|0x[0-9a-f]{6}|/tmp/|TMPDIR|goroutine|multipart: |mime: |&\{|%!|<nil>|EOF|regular expression|\(MISSING\)`)

func (z *fuzzer) judgeProblem(a attempt, response *http.Response, body []byte) {
	z.t.Helper()
	status := response.StatusCode
	if kind := response.Header.Get("Content-Type"); kind != "application/problem+json" {
		z.fault(a, status, "the problem is sent as %q: %.200s", kind, body)
		return
	}
	if a.method == http.MethodHead {
		return
	}
	var problem struct {
		Type, Title, Detail string
		Status              int
		Errors              []struct{ Detail string }
	}
	if err := json.Unmarshal(body, &problem); err != nil || problem.Status != status || !strings.HasPrefix(problem.Type, "urn:palate:problem:") || problem.Detail == "" {
		z.fault(a, status, "want a problem of this status, with type and detail (%v): %.300s", err, body)
	}
	texts := []string{problem.Detail}
	for _, e := range problem.Errors {
		texts = append(texts, e.Detail)
	}
	for _, text := range texts {
		// What the caller wrote comes back in quotes or as it was sent.
		if found := internals.FindString(text); found != "" && !strings.Contains(a.query+a.path+string(a.body), found) {
			z.fault(a, status, "the detail tells of the inside, %q: %.300s", found, text)
		}
	}
	if status == 405 && response.Header.Get("Allow") == "" {
		z.fault(a, status, "no Allow")
	}
}

// judgeByContract holds an answer to what is declared.
func (z *fuzzer) judgeByContract(a attempt, response *http.Response, body []byte, streams bool) {
	z.t.Helper()
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: response.Request, Route: &routers.Route{Operation: a.op.Operation, Method: a.op.method, Path: a.op.path}},
		Status:                 response.StatusCode, Header: response.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true,
			ExcludeResponseBody: streams || a.method == http.MethodHead || asFile(response.Header.Get("Content-Type"))},
	}
	input.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
		z.fault(a, response.StatusCode, "the contract does not allow it: %.400v\n%.300s", err, body)
	}
	if response.StatusCode == 200 && len(a.op.Responses.Value("200").Value.Content) > 0 && response.Header.Get("Content-Type") == "" {
		z.fault(a, 200, "no Content-Type")
	}
}

func (z *fuzzer) fault(a attempt, status int, format string, args ...any) {
	z.t.Helper()
	z.failures++
	z.t.Errorf("%s, %s: %s %s?%s %v %.200q\n\tanswered %d: %s", a.op.OperationID, a.what, a.method, a.path, a.query, a.header, a.body, status, fmt.Sprintf(format, args...))
}

// base is a request that fits.
func (z *fuzzer) base(op *operation) attempt {
	a := attempt{op: op, method: op.method, header: http.Header{"Connection": {"keep-alive"}}, says: fits, what: "as the contract says"}
	path, query := op.path, url.Values{}
	for _, p := range op.parameters {
		switch p := p.Value; {
		case p.In == "path":
			path = strings.Replace(path, "{"+p.Name+"}", url.PathEscape(text(z.parameter(op, p))), 1)
		case p.In == "query" && (p.Required || z.IntN(4) == 0):
			z.set(query, p.Name, z.parameter(op, p))
		case p.In == "header" && z.IntN(4) == 0:
			a.header.Set(p.Name, strings.Map(func(r rune) rune { // what no header holds, or not at its ends
				if r <= ' ' {
					return 'x'
				}
				return r
			}, text(z.parameter(op, p))))
		}
	}
	a.path, a.query = path, query.Encode()
	z.fillBody(&a)
	return a
}

// parameter gives a value that fits, mostly one that leads somewhere.
func (z *fuzzer) parameter(op *operation, p *openapi3.Parameter) any {
	switch {
	case p.Name == "profile" && p.In == "path" && (op.OperationID == "renameProfile" || op.OperationID == "deleteProfile"):
		return pick(z.values, "guest", "nobody", "spare")
	case p.Name == "profile", p.Name == "with":
		return pick(z.values, "me", "me", "guest", "nobody")
	case p.Name == "version":
		return pick(z.values, 1, 1, 1, 2, 1000000000)
	case p.Name == "job":
		return pick(z.values, "1", "2", "9223372036854775807")
	case p.Name == "snapshot":
		return pick(z.values, z.snapshot, z.snapshot, strings.Repeat("0", 32))
	case p.Name == "image":
		return pick(z.values, pick(z.values, z.images...), pick(z.values, z.images...), unknownImage)
	}
	return z.fit(p.Schema)
}

func (z *fuzzer) set(query url.Values, name string, value any) {
	list, is := value.([]any)
	if !is {
		query.Set(name, text(value))
		return
	}
	query.Del(name)
	for _, one := range list {
		query.Add(name, text(one))
	}
}
