package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// attempts are the ways to ask.
var attempts = []func(*fuzzer, *operation) attempt{
	(*fuzzer).base, (*fuzzer).base, (*fuzzer).oddParameter, (*fuzzer).oddParameter, (*fuzzer).oddQuery, (*fuzzer).oddBody, (*fuzzer).oddBody,
	(*fuzzer).brokenBody, (*fuzzer).otherMethod, (*fuzzer).otherHeaders,
}

// content is what the operation takes, of its one kind.
func (op *operation) content() (kind string, schema *openapi3.SchemaRef) {
	if op.RequestBody == nil {
		return "", nil
	}
	for kind, media := range op.RequestBody.Value.Content {
		return kind, media.Schema
	}
	return "", nil
}

// fillBody gives a request a body that fits.
func (z *fuzzer) fillBody(a *attempt) {
	switch kind, schema := a.op.content(); kind {
	case "application/json":
		a.header.Set("Content-Type", kind)
		value := z.fit(schema)
		if object := value.(map[string]any); a.op.OperationID == "startJob" { // what leads nowhere else
			delete(object, "seeds")
			if object["kind"] == "crawl" {
				object["kind"] = "reindex"
			}
		}
		a.body, _ = json.Marshal(value)
	case "multipart/form-data":
		z.fillForm(a, schema, nil)
	case "application/octet-stream":
		a.header.Set("Content-Type", kind)
		a.body = z.probeFile
		if a.op.OperationID == "importRatings" {
			a.body = fmt.Appendf(nil, `{"image_id":%q,"verdict":%q}`, pick(z.values, z.images...), pick(z.values, "like", "skip", "love", ""))
		}
		if z.IntN(2) == 0 {
			a.body = bytes.Repeat([]byte{byte(z.IntN(256))}, z.IntN(3000))
		}
	}
}

// fillForm gives a request a form; further has fields in pairs.
func (z *fuzzer) fillForm(a *attempt, schema *openapi3.SchemaRef, further []string) {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for name, property := range schema.Value.Properties {
		if name != "file" && z.IntN(3) == 0 {
			_ = w.WriteField(name, text(z.fit(property)))
		}
	}
	for i := 0; i < len(further); i += 2 {
		_ = w.WriteField(further[i], further[i+1])
	}
	part, _ := w.CreateFormFile("file", pick(z.values, "a.jpg", "夜.jpg", "../../x", ""))
	z.painted++
	_, _ = part.Write(paint(z.t, red, 100_000+z.painted%20))
	_ = w.Close()
	a.body = out.Bytes()
	a.header.Set("Content-Type", w.FormDataContentType())
}

// oddParameter changes one parameter to what is at its edges or beyond.
func (z *fuzzer) oddParameter(op *operation) attempt {
	a := z.base(op)
	if len(op.parameters) == 0 {
		return a
	}
	p := pick(z.values, op.parameters...).Value
	a.what, a.says = "parameter "+p.Name, anything
	one := pick(z.values, z.misfits(p.Schema)...)
	sent := text(one.value)
	switch p.Schema.Value.Type.Slice()[0] {
	case "string", "array": // as text, a number is a text too
		if s := p.Schema.Value; s.Pattern != "" && one.says == breaks && p.In == "query" {
			a.says = breaks
			sent = pick(z.values, "A B", "夜", strings.Repeat("a", 64), "../me")
		}
	case "integer":
		if _, isText := one.value.(string); !isText {
			a.says = one.says
		}
	}
	switch p.In {
	case "query":
		query, _ := url.ParseQuery(a.query)
		query.Set(p.Name, sent)
		a.query = query.Encode()
	case "path":
		if sent == "" || sent == "." || sent == ".." {
			sent = "%"
		}
		a.path = strings.Replace(op.path, "{"+p.Name+"}", url.PathEscape(sent), 1)
		for _, other := range op.parameters {
			a.path = strings.Replace(a.path, "{"+other.Value.Name+"}", url.PathEscape(text(z.parameter(op, other.Value))), 1)
		}
		a.withoutRoute = true // an odd segment may lead elsewhere
	default:
		if strings.ContainsAny(sent, "\x00\n\r") {
			sent = "x"
		}
		a.header.Set(p.Name, sent)
	}
	return a
}

// oddQuery repeats, adds or mangles parameters.
func (z *fuzzer) oddQuery(op *operation) attempt {
	a := z.base(op)
	a.what = "an odd query"
	a.says = breaks
	var single []string
	for _, p := range op.parameters {
		if p.Value.In == "query" && !p.Value.Schema.Value.Type.Is("array") {
			single = append(single, p.Value.Name)
		}
	}
	switch n := z.IntN(3); {
	case n == 0 && len(single) > 0:
		name := pick(z.values, single...)
		a.query = name + "=1&" + name + "=1"
	case n == 1:
		a.query += pick(z.values, "&%zz=1", "&a=%", "&;", "&%00=1", "&q[]=x", "&limit;=5", "&\xff=1")
	default:
		a.query += "&" + pick(z.values, "surprise", "__proto__", "LIMIT", "夜", "") + "=" + url.QueryEscape(pick(z.values, odd...))
	}
	return a
}

// oddBody changes one place of the body.
func (z *fuzzer) oddBody(op *operation) attempt {
	a := z.base(op)
	kind, schema := op.content()
	switch {
	case kind == "application/json":
		a.what = "one place of the body"
		var value any
		value, a.says = z.spoil(schema, z.fit(schema))
		if op.OperationID == "startJob" {
			if object, is := value.(map[string]any); is {
				delete(object, "seeds")
				a.says = anything
			}
		}
		a.body, _ = json.Marshal(value)
	case kind == "multipart/form-data":
		a.what, a.says = "one field of the form", breaks
		field := pick(z.values, []string{"surprise", "1"}, []string{"year", "abc"}, []string{"year", "1e3"}, []string{"profile", "A B"}, []string{"file", "no file"})
		if field[0] == "profile" || field[0] == "year" {
			if schema.Value.Properties[field[0]] == nil {
				field = []string{"surprise", "1"}
			}
		}
		if z.IntN(3) == 0 && schema.Value.Properties["title"] != nil {
			field, a.says = []string{"title", pick(z.values, "\x00", "\xff\xfe", strings.Repeat("長", 100_000), pick(z.values, odd...))}, anything
		}
		z.fillForm(&a, schema, field)
	}
	return a
}

// brokenBody sends what is no body of the kind at all, or one where none goes.
func (z *fuzzer) brokenBody(op *operation) attempt {
	a := z.base(op)
	kind, _ := op.content()
	a.what, a.says = "a broken body", breaks
	required := kind != "" && op.RequestBody.Value.Required
	switch n := z.IntN(8); {
	case kind == "":
		a.body, a.says = []byte(`{"a":1}`), anything
		a.header.Set("Content-Type", "application/json")
	case n == 0:
		a.body = nil
		if !required {
			a.says = anything
		}
	case n == 1:
		a.header.Set("Content-Type", pick(z.values, "text/plain", "application/xml", "application/x-www-form-urlencoded", "", "x", "application/json/json"))
	case n == 2 && kind == "application/json":
		a.body = bytes.Repeat([]byte("[1,"), 400_000)
	case n == 3 && kind == "application/json":
		a.body = []byte(strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000))
	case n == 4 && kind == "application/json":
		a.body, a.says = append([]byte("\ufeff"), a.body...), breaks
	case n == 5 && kind == "application/json":
		a.header.Set("Content-Type", "application/json; charset=utf-8")
		a.says = fits
	case kind == "multipart/form-data" && n < 5:
		z.brokenForm(&a)
	case kind == "application/octet-stream":
		a.says = anything
	default:
		a.body = []byte(pick(z.values, "{", "nul", `{"a":1}{"b":2}`, `"`, "\xff\xfe", `{"a":"`+"\xff"+`"`, "[]", "7", `"x"`, "true", "null", `{"verdict":"like","verdict":"skip"}`))
		if !required {
			a.says = anything
		}
	}
	return a
}

func (z *fuzzer) brokenForm(a *attempt) {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	file := paint(z.t, blue, 99_999)
	disposition := func(text string, content []byte) {
		part, _ := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {text}})
		_, _ = part.Write(content)
	}
	switch z.IntN(6) {
	case 0: // no file
	case 1:
		disposition(`form-data; name="file"; filename="a.jpg"`, nil)
	case 2:
		disposition(`form-data; name="file"; filename="a.jpg"`, []byte(pick(z.values, odd...)))
	case 3:
		disposition(`form-data; name="file"; filename="a.jpg"`, file)
		disposition(`form-data; name="file"; filename="b.jpg"`, file)
	case 4:
		disposition(`attachment; x=`, file)
	default:
		disposition(`form-data; name="file"; filename="a.jpg"`, file[:len(file)/3])
		a.body, a.says = out.Bytes(), breaks // without an end
		a.header.Set("Content-Type", w.FormDataContentType())
		return
	}
	_ = w.Close()
	a.body = out.Bytes()
	a.header.Set("Content-Type", w.FormDataContentType())
}

// otherMethod asks with a method that the address may not have.
func (z *fuzzer) otherMethod(op *operation) attempt {
	a := z.base(op)
	a.method = pick(z.values, "PUT", "PATCH", "DELETE", "POST", "HEAD", "OPTIONS", "TRACE", "BREW", "PROPFIND", "get")
	a.what, a.says = "another method", anything
	a.withoutRoute = a.method != http.MethodHead || op.method != http.MethodGet
	return a
}

// otherHeaders sends headers that ask for something particular.
func (z *fuzzer) otherHeaders(op *operation) attempt {
	a := z.base(op)
	name := pick(z.values, "Accept", "If-None-Match", "Range", "Accept-Encoding", "Content-Encoding", "Origin", "Last-Event-ID", "If-Modified-Since", "X-HTTP-Method-Override")
	value := pick(z.values, "*/*", "*", "text/plain", "gzip;q=0", "bytes=0-", "bytes=5-2", "bytes=-0", "bytes=999999999-", "gzip", "https://elsewhere.example", "-1", "夜", strings.Repeat("a,", 2000), `W/"x"`, "Mon, 01 Jan 2001 00:00:00 GMT")
	a.header.Set(name, value)
	a.what, a.says = fmt.Sprintf("with %s", name), anything
	return a
}
