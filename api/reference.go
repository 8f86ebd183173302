package api

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api/web"
)

//go:embed reference.html
var referenceText string

// contract is the document that requests are held to.
func contract() (*openapi3.T, error) {
	document, err := openapi3.NewLoader().LoadFromData([]byte(palate.OpenAPI()))
	if err != nil {
		return nil, fmt.Errorf("api: openapi.yaml: %w", err)
	}
	return document, nil
}

// contractFiles are the contract as it is served: as it is written, as JSON,
// and as a page to read, which needs no script. What is not written is made when
// it is first asked for, and kept.
func contractFiles(document *openapi3.T) map[string]echo.HandlerFunc {
	file := func(kind string, make func() ([]byte, error)) echo.HandlerFunc {
		made := sync.OnceValues(make)
		return func(c echo.Context) error {
			content, err := made()
			if err != nil {
				return fmt.Errorf("api: %s: %w", c.Path(), err)
			}
			w := c.Response()
			w.Header().Set("Content-Type", kind)
			web.Secure(w.Header())
			http.ServeContent(w, c.Request(), "", time.Time{}, bytes.NewReader(content))
			return nil
		}
	}
	return map[string]echo.HandlerFunc{
		"/openapi.yaml": file("application/yaml", func() ([]byte, error) { return []byte(palate.OpenAPI()), nil }), // RFC 9512
		"/openapi.json": file("application/json", func() ([]byte, error) { return json.Marshal(document) }),
		"/docs":         file("text/html; charset=utf-8", func() ([]byte, error) { return referencePage(document) }),
	}
}

// referenceOperation is an operation with its address.
type referenceOperation struct {
	Method, Path string
	Parameters   openapi3.Parameters
	*openapi3.Operation
}

type referenceGroup struct {
	Tag        *openapi3.Tag
	Operations []referenceOperation
}

// methodsInOrder is the order in which the operations of an address stand.
var methodsInOrder = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

func referencePage(document *openapi3.T) ([]byte, error) {
	var groups []referenceGroup
	for _, tag := range document.Tags {
		group := referenceGroup{Tag: tag}
		for path, item := range document.Paths.Map() {
			for method, op := range item.Operations() {
				if slices.Contains(op.Tags, tag.Name) {
					group.Operations = append(group.Operations, referenceOperation{method, path, slices.Concat(item.Parameters, op.Parameters), op})
				}
			}
		}
		slices.SortFunc(group.Operations, func(a, b referenceOperation) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(slices.Index(methodsInOrder, a.Method), slices.Index(methodsInOrder, b.Method)))
		})
		groups = append(groups, group)
	}
	page, err := template.New("reference").Funcs(template.FuncMap{
		"prose": prose, "paragraphs": func(text string) []string { return strings.Split(strings.TrimSpace(text), "\n\n") },
		"type": typeOf, "name": nameOf, "bounds": boundsOf, "example": exampleOf,
		"sorted": func(m map[string]*openapi3.ResponseRef) []string { return slices.Sorted(maps.Keys(m)) },
		"needs":  func(schema *openapi3.Schema, property string) bool { return slices.Contains(schema.Required, property) },
	}).Parse(referenceText)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = page.Execute(&out, struct {
		*openapi3.T
		Groups []referenceGroup
	}{document, groups})
	return out.Bytes(), err
}

// prose gives a description with what stands in backticks as code.
func prose(text string) template.HTML {
	parts := strings.Split(template.HTMLEscapeString(strings.TrimSpace(text)), "`")
	var out strings.Builder
	for i, part := range parts {
		if i%2 == 1 && i < len(parts)-1 {
			part = "<code>" + part + "</code>"
		}
		out.WriteString(part)
	}
	return template.HTML(out.String()) // escaped above
}

// nameOf is the name of a schema of the document, of the items of a list too;
// empty where it has none.
func nameOf(schema *openapi3.SchemaRef) string {
	if schema == nil {
		return ""
	}
	if schema.Ref == "" && schema.Value.Items != nil {
		return nameOf(schema.Value.Items)
	}
	if schema.Ref == "" && len(schema.Value.AllOf) == 1 {
		return nameOf(schema.Value.AllOf[0])
	}
	return strings.TrimPrefix(schema.Ref, "#/components/schemas/")
}

// typeOf says what a schema without a name is, and a list of named ones.
func typeOf(schema *openapi3.SchemaRef) string {
	s := schema.Value
	if s.Type.Is("array") && schema.Ref == "" {
		if nameOf(schema) != "" {
			return "list of"
		}
		return "list of " + typeOf(s.Items) + "s"
	}
	if nameOf(schema) != "" || s.Type == nil {
		return ""
	}
	kind := strings.Join(s.Type.Slice(), " or ")
	switch s.Format {
	case "binary":
		return "bytes"
	case "date-time":
		return "time (RFC 3339)"
	}
	return kind
}

// boundsOf says within what a value has to be.
func boundsOf(schema *openapi3.SchemaRef) string {
	s := schema.Value
	var parts []string
	add := func(format string, v any) { parts = append(parts, fmt.Sprintf(format, v)) }
	if s.Min != nil {
		add("at least %v", *s.Min)
	}
	if s.Max != nil {
		add("at most %v", int64OrFloat(*s.Max))
	}
	if s.MaxLength != nil {
		add("at most %d characters", *s.MaxLength)
	}
	if s.MaxItems != nil {
		add("at most %d items", *s.MaxItems)
	}
	if s.Default != nil {
		add("by default %v", s.Default)
	}
	return strings.Join(parts, ", ")
}

func int64OrFloat(v float64) any {
	if v == float64(int64(v)) {
		return int64(v)
	}
	return v
}

func exampleOf(v any) (string, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	return string(text), err
}
