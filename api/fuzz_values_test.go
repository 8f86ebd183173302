package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// verdict is what the contract says of a request.
type expectation int

const (
	anything expectation = iota // the contract leaves it open
	fits
	breaks
)

// values makes values of schemas: such that fit, and such that don't.
type values struct {
	*rand.Rand
	images   []string // ids of pictures that are there
	profiles []string
}

// pick gives one of them.
func pick[T any](v *values, from ...T) T { return from[v.IntN(len(from))] }

// unknownImage is an id that no picture has.
const unknownImage = "00000000-0000-8000-8000-0000000000ff"

// odd are texts that readers trip over.
var odd = []string{
	"夜とねこ", "e\u0301\u200d\u202e", "👩‍🎨🖼️", "' OR 1=1 --", "%", "_", `"`, `\`, "a\nb", "\t", " ", "../../etc/passwd", "<script>", "${x}", "\ufeff", "-1", "1e9", "null", "NaN", "🏴", "ﷺ",
}

// fit gives a value that the schema allows.
func (v *values) fit(ref *openapi3.SchemaRef) any {
	s := ref.Value
	switch {
	case strings.HasSuffix(ref.Ref, "/ImageID"):
		return pick(v, pick(v, v.images...), pick(v, v.images...), strings.ToUpper(pick(v, v.images...)), unknownImage)
	case strings.HasSuffix(ref.Ref, "/ProfileName"):
		return pick(v, v.profiles...)
	case len(s.Enum) > 0:
		return pick(v, s.Enum...)
	case s.Type.Is("string") && s.Format == "date-time":
		return pick(v, "2026-01-02T03:04:05Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "2024-02-29T12:00:00.123456789-08:00")
	case s.Type.Is("string"):
		return v.fitText(s)
	case s.Type.Is("integer"):
		low, high := bounds(s)
		return int64(pick(v, low, high, low+(high-low)/2, min(low+1, high)))
	case s.Type.Is("number"):
		low, high := bounds(s)
		return pick(v, low, high, (low+high)/2)
	case s.Type.Is("boolean"):
		return v.IntN(2) == 0
	case s.Type.Is("array"):
		list := make([]any, min(int(s.MinItems)+v.IntN(3), int(most(s.MaxItems, 5))))
		for i := range list {
			list[i] = v.fit(s.Items)
		}
		return list
	}
	object := map[string]any{}
	for name, property := range s.Properties {
		if slices.Contains(s.Required, name) || v.IntN(3) == 0 {
			object[name] = v.fit(property)
		}
	}
	if s.Not != nil && s.Not.Value.VisitJSON(object) == nil {
		return v.fit(ref) // it lacks one of those of which it must have one
	}
	return object
}

func (v *values) fitText(s *openapi3.Schema) any {
	longest := int(most(s.MaxLength, 300))
	text := pick(v, append(odd, "Roth", "folder", "https://museum.example/1", strings.Repeat("長", longest))...)
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest])
	}
	if len(text) < int(s.MinLength) {
		text += strings.Repeat("x", int(s.MinLength))
	}
	return text
}

func bounds(s *openapi3.Schema) (low, high float64) {
	low, high = -1e6, 1e6
	if s.Min != nil {
		low = *s.Min
	}
	if s.Max != nil {
		high = *s.Max
	}
	return low, high
}

func most(bound *uint64, otherwise uint64) uint64 {
	if bound == nil {
		return otherwise
	}
	return *bound
}

// wrong is a value that a schema does not allow, or leaves open.
type wrong struct {
	value any
	says  expectation
}

// raw is a piece of JSON as it stands.
func raw(text string) any { return json.RawMessage(text) }

// misfits are values about the edges of the schema. Those of JSON's own kinds
// break it; a text that is odd may fit.
func (v *values) misfits(ref *openapi3.SchemaRef) []wrong {
	s := ref.Value
	list := []wrong{{map[string]any{"a": 1}, breaks}}
	if !s.Nullable {
		list = append(list, wrong{nil, breaks})
	}
	switch {
	case s.Type.Is("string"):
		list = append(list, wrong{5, breaks}, wrong{[]any{"x"}, breaks}, wrong{"\x00", anything}, wrong{raw(`"\ud800"`), anything}, wrong{raw(`"\u0000"`), anything}, wrong{pick(v, odd...), anything})
		if s.MaxLength != nil {
			list = append(list, wrong{strings.Repeat("長", int(*s.MaxLength)+1), breaks})
		}
		if s.MinLength > 0 || s.Pattern != "" || len(s.Enum) > 0 || s.Format == "date-time" {
			list = append(list, wrong{"", breaks})
		}
		if s.Pattern != "" || len(s.Enum) > 0 || s.Format == "date-time" {
			list = append(list, wrong{"夜" + pick(v, odd...), breaks}, wrong{strings.Repeat("x", 5000), breaks})
		}
	case s.Type.Is("integer"), s.Type.Is("number"):
		low, high := bounds(s)
		list = append(list, wrong{"5", breaks}, wrong{true, breaks}, wrong{raw("1e400"), breaks}, wrong{raw("-0"), anything}, wrong{raw("99999999999999999999999"), breaks}, wrong{raw("9223372036854775807"), anything})
		if s.Min != nil {
			list = append(list, wrong{low - 1, breaks})
		}
		if s.Max != nil {
			list = append(list, wrong{high + 1, breaks})
		}
		if s.Type.Is("integer") {
			list = append(list, wrong{low + .5, breaks})
		}
		if s.Type.Is("number") && s.Max == nil {
			list[len(list)-2].says = anything // a number of any size
		}
	case s.Type.Is("boolean"):
		list = append(list, wrong{"true", breaks}, wrong{1, breaks})
	case s.Type.Is("array"):
		list = append(list, wrong{"x", breaks})
		if s.MinItems > 0 {
			list = append(list, wrong{[]any{}, breaks})
		}
		if s.MaxItems != nil {
			long := make([]any, *s.MaxItems+1)
			for i := range long {
				long[i] = v.fit(s.Items)
			}
			list = append(list, wrong{long, breaks})
		}
	}
	return list
}

// spoil changes one place of a value that fits.
func (v *values) spoil(ref *openapi3.SchemaRef, value any) (any, expectation) {
	s := ref.Value
	if list, is := value.([]any); is && len(list) > 0 && v.IntN(2) == 0 {
		list, at := slices.Clone(list), v.IntN(len(list))
		var says expectation
		list[at], says = v.spoil(s.Items, list[at])
		return list, says
	}
	object, is := value.(map[string]any)
	if !is || v.IntN(6) == 0 {
		one := pick(v, v.misfits(ref)...)
		return one.value, one.says
	}
	object = maps.Clone(object)
	closed := s.AdditionalProperties.Has != nil && !*s.AdditionalProperties.Has
	switch {
	case v.IntN(4) == 0 && closed:
		object[pick(v, "surprise", "__proto__", "", "夜", "Verdict", "a.b")] = 1
		return object, breaks
	case v.IntN(4) == 0 && len(s.Required) > 0:
		delete(object, pick(v, s.Required...))
		return object, breaks
	}
	name := pick(v, slices.Sorted(maps.Keys(s.Properties))...)
	before, there := object[name]
	if !there {
		before = v.fit(s.Properties[name])
	}
	var says expectation
	object[name], says = v.spoil(s.Properties[name], before)
	return object, says
}

// text is a value as a parameter has it.
func text(value any) string {
	switch value := value.(type) {
	case json.RawMessage:
		return string(value)
	case float64:
		return strings.TrimSuffix(fmt.Sprintf("%.6f", value), ".000000")
	case nil:
		return "null"
	}
	return fmt.Sprint(value)
}
