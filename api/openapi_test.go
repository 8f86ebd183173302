package api_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func document(t *testing.T) *openapi3.T {
	t.Helper()
	loader := openapi3.NewLoader()
	spec, err := loader.LoadFromFile("../openapi.yaml")
	must(t, err)
	return spec
}

func TestOpenAPIDocumentIsValid(t *testing.T) {
	must(t, document(t).Validate(t.Context(), openapi3.EnableExamplesValidation()))
}

func TestOpenAPIOperationsAreDescribedAlike(t *testing.T) {
	spec := document(t)
	tags := make(map[string]bool)
	for _, tag := range spec.Tags {
		tags[tag.Name] = true
	}
	seen := make(map[string]string)
	for path, item := range spec.Paths.Map() {
		// What orchestrators ask has the names that they are used to.
		if probe := path == "/healthz" || path == "/readyz"; !probe && !strings.HasPrefix(path, "/v1/") {
			t.Errorf("%s is not under /v1", path)
		}
		for method, op := range item.Operations() {
			where := method + " " + path
			if op.OperationID == "" || op.Summary == "" || len(op.Tags) != 1 || !tags[op.Tags[0]] {
				t.Errorf("%s: operationId %q, summary %q, tags %v: want each, and one declared tag", where, op.OperationID, op.Summary, op.Tags)
			}
			if other, twice := seen[op.OperationID]; twice {
				t.Errorf("%s and %s are both %s", where, other, op.OperationID)
			}
			seen[op.OperationID] = where
			for _, p := range slices.Concat(item.Parameters, op.Parameters) {
				checkParameter(t, where, p.Value)
			}
		}
	}
}

// checkParameter wants every parameter bounded, so that no request is
// without limit.
func checkParameter(t *testing.T, where string, p *openapi3.Parameter) {
	t.Helper()
	schema := p.Schema.Value
	switch {
	case schema.Type.Is("integer") && schema.Enum == nil && p.In == "query" && (schema.Min == nil || schema.Max == nil):
		t.Errorf("%s: %s has no minimum or no maximum", where, p.Name)
	case schema.Type.Is("string") && schema.Enum == nil && schema.Pattern == "" && schema.MaxLength == nil:
		t.Errorf("%s: %s has no greatest length", where, p.Name)
	case schema.Type.Is("array") && schema.MaxItems == nil:
		t.Errorf("%s: %s has no greatest number of items", where, p.Name)
	}
}

func TestOpenAPISchemasAreUsedAndNamesFollowOneStyle(t *testing.T) {
	text, err := os.ReadFile("../openapi.yaml")
	must(t, err)
	spec := document(t)
	snake := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	for name, schema := range spec.Components.Schemas {
		if !strings.Contains(string(text), `"#/components/schemas/`+name+`"`) {
			t.Errorf("schema %s is not used", name)
		}
		for property := range schema.Value.Properties {
			if !snake.MatchString(property) {
				t.Errorf("%s.%s is not in snake_case", name, property)
			}
		}
		for _, required := range schema.Value.Required {
			if schema.Value.Properties[required] == nil {
				t.Errorf("%s requires %s, which it does not have", name, required)
			}
		}
	}
}
