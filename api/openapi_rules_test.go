package api_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// The rules here are those that programs which read the document stumble over:
// generators of clients, and linters with their strict rules.

func TestOpenAPIErrorsAreDeclaredByRange(t *testing.T) {
	for where, op := range operations(t) {
		if op.Responses.Default() != nil {
			t.Errorf("%s has a default answer: generated clients then take the file of a 200 for an error", where)
		}
		for _, status := range []string{"400", "4XX", "5XX"} {
			response := op.Responses.Value(status)
			if response == nil || response.Value.Content.Get("application/problem+json") == nil {
				t.Errorf("%s: %s is not declared as a problem", where, status)
			}
		}
	}
}

func TestOpenAPIBytesAreBytesForEveryGenerator(t *testing.T) {
	for where, op := range operations(t) {
		for status, response := range op.Responses.Map() {
			for kind, media := range response.Value.Content {
				if schema := media.Schema.Value; schema.Format == "binary" && kind != "application/octet-stream" && response.Value.Content["application/octet-stream"] == nil {
					t.Errorf("%s, %s: bytes are %s alone, and not application/octet-stream, which every generator takes for bytes", where, status, kind)
				}
			}
		}
	}
}

func TestOpenAPISchemasHaveNames(t *testing.T) {
	for name := range document(t).Components.Schemas {
		// A constructor of Go for a schema Job is NewJob.
		if strings.HasPrefix(name, "New") {
			t.Errorf("schema %s begins with New", name)
		}
	}
	for where, op := range operations(t) {
		contents := map[string]openapi3.Content{}
		if op.RequestBody != nil {
			contents["body"] = op.RequestBody.Value.Content
		}
		for status, response := range op.Responses.Map() {
			contents[status] = response.Value.Content
		}
		for what, content := range contents {
			for kind, media := range content {
				if anonymous(media.Schema) {
					t.Errorf("%s: the %s as %s has a schema without a name", where, what, kind)
				}
			}
		}
		for _, p := range op.Parameters {
			if anonymous(p.Value.Schema) {
				t.Errorf("%s: %s has a schema without a name", where, p.Value.Name)
			}
		}
	}
	for name, schema := range document(t).Components.Schemas {
		for property, of := range schema.Value.Properties {
			if anonymous(of) || of.Value.Items != nil && anonymous(of.Value.Items) {
				t.Errorf("%s.%s has a schema without a name", name, property)
			}
		}
	}
}

// anonymous reports a schema that generators have to invent a name for.
func anonymous(schema *openapi3.SchemaRef) bool {
	return schema.Ref == "" && (len(schema.Value.Properties) > 0 || schema.Value.Enum != nil)
}

func TestOpenAPIBodiesAreClosedAndShown(t *testing.T) {
	for where, op := range operations(t) {
		if op.RequestBody == nil {
			continue
		}
		for kind, media := range op.RequestBody.Value.Content {
			schema := media.Schema.Value
			if schema.Type.Is("object") && (schema.AdditionalProperties.Has == nil || *schema.AdditionalProperties.Has) {
				t.Errorf("%s: the body as %s takes properties that nobody knows", where, kind)
			}
			if kind == "application/json" && schema.Example == nil && media.Example == nil {
				t.Errorf("%s: the body has no example", where)
			}
		}
	}
}

// An address like /ratings/undo beside /ratings/{image} is two things to a
// router, and a request to either may be the other.
func TestOpenAPIVerbsAndIDsShareNoLevel(t *testing.T) {
	level := map[string][]string{}
	for path := range document(t).Paths.Map() {
		parts := strings.Split(path, "/")
		for i, part := range parts {
			above := strings.Join(parts[:i], "/")
			if !slices.Contains(level[above], part) {
				level[above] = append(level[above], part)
			}
		}
	}
	for above, parts := range level {
		if i := slices.IndexFunc(parts, func(p string) bool { return strings.HasPrefix(p, "{") }); i >= 0 && len(parts) > 1 {
			t.Errorf("below %s both %s and a name stand: %v", above, parts[i], parts)
		}
	}
}

func TestOpenAPISaysWhatALinterAsks(t *testing.T) {
	spec := document(t)
	if spec.Security == nil {
		t.Error("what callers must show is not said")
	}
	if spec.Info.Contact == nil || spec.Info.License == nil {
		t.Error("contact or licence is missing")
	}
	if !slices.IsSortedFunc(spec.Tags, func(a, b *openapi3.Tag) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the tags are not in the order of the alphabet")
	}
	kebab := regexp.MustCompile(`^(/([a-z0-9]+(-[a-z0-9]+)*|\{[a-z]+\}))+(\.atom)?$`)
	for path := range spec.Paths.Map() {
		if !kebab.MatchString(path) {
			t.Errorf("%s is not in lower case with hyphens", path)
		}
	}
	for where, op := range operations(t) {
		if op.Description == "" {
			t.Errorf("%s has no description", where)
		}
		for _, p := range op.Parameters {
			if p.Value.Description == "" {
				t.Errorf("%s: %s has no description", where, p.Value.Name)
			}
			if p.Value.Required && p.Value.In == "query" && strings.HasPrefix(where, "DELETE") {
				t.Errorf("%s wants %s, which a client's delete may have no place for", where, p.Value.Name)
			}
		}
	}
}

// operations are those of the document by method and path, each with the
// parameters of its path among its own.
func operations(t *testing.T) map[string]*openapi3.Operation {
	t.Helper()
	found := map[string]*openapi3.Operation{}
	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			op.Parameters = slices.Concat(item.Parameters, op.Parameters)
			found[method+" "+path] = op
		}
	}
	return found
}

// In Go, openapi-generator makes of every value a constant of the package.
func TestOpenAPIValuesAreNamedOnce(t *testing.T) {
	named := map[string]string{}
	for name, schema := range document(t).Components.Schemas {
		values := schema.Value.Enum
		if names, ok := schema.Value.Extensions["x-enum-varnames"].([]any); ok {
			values = names
		}
		for _, value := range values {
			text, is := value.(string)
			if other, twice := named[strings.ToLower(text)]; is && twice {
				t.Errorf("%s and %s both have the value %q: give one of them x-enum-varnames", name, other, text)
			}
			named[strings.ToLower(text)] = name
		}
	}
}
