package api

import (
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/labstack/echo/v4"
)

// validated is the contract as requests are held to it: without the rule that each
// of many ratings says something, which PutRatings looks at itself. Here it took a
// fifth of the request.
var validated = sync.OnceValues(func() (*openapi3.T, error) {
	document, err := contract()
	if err != nil {
		return nil, err
	}
	document.Components.Schemas["ImageRating"].Value.Not = nil
	return document, nil
})

// newValidator holds every request to openapi.yaml before a handler sees it.
// Uploads are only looked at from outside: their bodies are streamed.
func newValidator() (echo.MiddlewareFunc, error) {
	document, err := validated()
	if err != nil {
		return nil, err
	}
	anywhere := *document
	anywhere.Servers, anywhere.Security = nil, nil // host and caller are looked at elsewhere
	router, err := gorillamux.NewRouter(&anywhere)
	if err != nil {
		return nil, fmt.Errorf("api: openapi.yaml: %w", err)
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			route, parameters, err := router.FindRoute(r)
			if err != nil {
				return next(c) // the page, or what echo answers with 404 or 405
			}
			if err := validate(r, route, parameters); err != nil {
				return err
			}
			return next(c)
		}
	}, nil
}

func validate(r *http.Request, route *routers.Route, parameters map[string]string) error {
	var found invalid
	known := knownParameters(route)
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || !utf8.ValidString(r.URL.RawQuery) {
		// Half of a query would be another request than the one that was meant.
		return &invalid{[]part{{detail: "the query can't be read: want name=value, joined by &, with % before two hexadecimal digits alone"}}}
	}
	for name, values := range query {
		parameter := known[name]
		switch {
		case parameter == nil:
			found.parts = append(found.parts, part{detail: name + ": no such query parameter here", parameter: name})
		case len(values) > 1 && !parameter.Schema.Value.Type.Is("array"):
			found.parts = append(found.parts, part{detail: name + ": given more than once", parameter: name})
		}
	}
	upload := isUpload(route.Operation)
	if err := checkBodyKind(r, route.Operation); err != nil {
		if len(found.parts) > 0 {
			return &found
		}
		return err
	}
	if _, attributes, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); upload && attributes["boundary"] == "" {
		found.parts = append(found.parts, part{detail: "body: multipart/form-data without a boundary"})
	}
	err = openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{
			MultiError: true, ExcludeRequestBody: upload || isFile(route.Operation),
			SkipSettingDefaults: true,                                  // handlers tell what was given from what was not
			AuthenticationFunc:  openapi3filter.NoopAuthenticationFunc, // rights have been asked before
			// Nobody reads them, and what is inside of a "not" would write
			// them for every value that it takes.
			SchemaValidationOptions: []openapi3.SchemaValidationOption{openapi3.DisableSchemaErrorDetails()},
		},
	})
	if err != nil {
		found.gather(err)
	}
	if len(found.parts) > 0 {
		return &found
	}
	return nil
}

// checkBodyKind refuses a body of another media type than the operation takes.
func checkBodyKind(r *http.Request, operation *openapi3.Operation) error {
	if operation.RequestBody == nil {
		return nil
	}
	body := operation.RequestBody.Value
	given := r.Header.Get("Content-Type")
	if given == "" && (r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0) && !isUpload(operation) {
		return nil // without a body; where one is needed, the validator says so
	}
	kind, _, _ := mime.ParseMediaType(given)
	if body.Content[kind] != nil {
		return nil
	}
	want := slices.Sorted(maps.Keys(body.Content))
	detail := fmt.Sprintf("the body is %q, want %s", kind, strings.Join(want, " or "))
	if isUpload(operation) {
		detail += ` with the picture in the part "file"`
	}
	return echo.NewHTTPError(http.StatusUnsupportedMediaType, detail)
}

// knownParameters are those of the query, with the one that lets the caller in.
func knownParameters(route *routers.Route) map[string]*openapi3.Parameter {
	known := make(map[string]*openapi3.Parameter)
	for _, needs := range valueOr(route.Operation.Security, nil) {
		for name := range needs {
			if scheme := route.Spec.Components.SecuritySchemes[name].Value; scheme.In == openapi3.ParameterInQuery {
				known[scheme.Name] = openapi3.NewQueryParameter(scheme.Name).WithSchema(openapi3.NewStringSchema())
			}
		}
	}
	for _, list := range []openapi3.Parameters{route.PathItem.Parameters, route.Operation.Parameters} {
		for _, p := range list {
			if p.Value.In == openapi3.ParameterInQuery {
				known[p.Value.Name] = p.Value
			}
		}
	}
	return known
}

func isUpload(operation *openapi3.Operation) bool {
	return operation.RequestBody != nil && operation.RequestBody.Value.Content.Get("multipart/form-data") != nil
}

// isFile reports a body that is one file; its handler bounds and reads it.
func isFile(operation *openapi3.Operation) bool {
	return operation.RequestBody != nil && operation.RequestBody.Value.Content.Get("application/octet-stream") != nil
}

// gather takes a validation error apart into what a caller can mend.
func (e *invalid) gather(err error) {
	var many openapi3.MultiError
	if errors.As(err, &many) && !isRequestError(err) {
		for _, one := range many {
			e.gather(one)
		}
		return
	}
	var request *openapi3filter.RequestError
	if !errors.As(err, &request) {
		e.parts = append(e.parts, part{detail: err.Error()})
		return
	}
	switch {
	case request.Parameter != nil:
		name := request.Parameter.Name
		e.parts = append(e.parts, part{detail: name + ": " + reason(request), parameter: name})
	case request.Err != nil && errors.As(request.Err, &many):
		for _, one := range many {
			e.parts = append(e.parts, bodyPart(one))
		}
	case request.Err != nil:
		e.parts = append(e.parts, bodyPart(request.Err))
	default:
		e.parts = append(e.parts, part{detail: "body: " + request.Reason})
	}
}

func isRequestError(err error) bool {
	_, is := err.(*openapi3filter.RequestError)
	return is
}

// reason says why a parameter or a body can't be read.
func reason(request *openapi3filter.RequestError) string {
	var schema *openapi3.SchemaError
	var parse *openapi3filter.ParseError
	switch {
	case errors.As(request.Err, &schema):
		return schemaReason(schema)
	case errors.As(request.Err, &parse) && request.Parameter != nil:
		return "want " + kindOf(request.Parameter.Schema)
	case errors.As(request.Err, &parse):
		return "it is not one JSON value and nothing else"
	case request.Err != nil:
		return firstLine(request.Err.Error())
	}
	return request.Reason
}

// schemaReason says what a schema asks for, in no terms of schemas.
func schemaReason(err *openapi3.SchemaError) string {
	switch {
	case err.SchemaField == "not" && err.Schema.Description != "":
		return "it is none of what is taken here: " + err.Schema.Description
	case err.SchemaField == "pattern" && err.Schema.Example != nil:
		return fmt.Sprintf("it has not the form of %v", err.Schema.Example)
	case err.SchemaField == "pattern":
		return "it has not the form that the contract asks for"
	case err.SchemaField == "format" && err.Schema.Format == "date-time":
		return "want a date with time and zone, such as 2026-01-02T03:04:05Z"
	}
	return err.Reason
}

// kindOf is what a parameter is, for whoever sent something else.
func kindOf(ref *openapi3.SchemaRef) string {
	switch s := ref.Value; {
	case s.Type.Is("integer"):
		return "an integer"
	case s.Type.Is("number"):
		return "a number"
	case s.Type.Is("boolean"):
		return "true or false"
	}
	return "another value"
}

func bodyPart(err error) part {
	var schema *openapi3.SchemaError
	if errors.As(err, &schema) {
		pointer := "/" + strings.Join(schema.JSONPointer(), "/")
		return part{detail: "body" + strings.TrimSuffix(pointer, "/") + ": " + schemaReason(schema), pointer: pointer}
	}
	var parse *openapi3filter.ParseError
	if errors.As(err, &parse) {
		return part{detail: "body: it is not one JSON value and nothing else"}
	}
	return part{detail: "body: " + firstLine(err.Error())}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
