package safetensors_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/safetensors"
)

// file puts a header before data as the format wants it.
func file(header string, data ...byte) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), data...)
}

func open(content []byte) (*safetensors.File, error) {
	return safetensors.Open(bytes.NewReader(content), int64(len(content)))
}

func TestWrittenFilesReadAsWritten(t *testing.T) {
	large := make([]float32, 700_000) // more than one chunk
	for i := range large {
		large[i] = float32(i) - 0.5
	}
	want := []safetensors.Values{
		{Name: "block.0/weight", Shape: []int64{2, 3}, Data: []float32{1, -2, 3.5, math.MaxFloat32, math.SmallestNonzeroFloat32, 0}},
		{Name: "empty", Shape: []int64{0, 4}, Data: nil},
		{Name: "grün \"<&>\" 绿", Shape: []int64{1}, Data: []float32{7}},
		{Name: "large", Shape: []int64{700, 1000}, Data: large},
		{Name: "scalar", Shape: nil, Data: []float32{-1}},
	}
	metadata := map[string]string{"format": "pt", "": "empty key"}
	var content bytes.Buffer
	if err := safetensors.Write(&content, []safetensors.Values{want[3], want[0], want[4], want[2], want[1]}, metadata); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := os.WriteFile(path, content.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := f.Metadata(); !maps.Equal(got, metadata) {
		t.Errorf("metadata: got %v, want %v", got, metadata)
	}
	listed := f.Tensors()
	if len(listed) != len(want) {
		t.Fatalf("got %d tensors, want %d", len(listed), len(want))
	}
	for i, w := range want {
		if got := listed[i]; got.Name != w.Name || got.DType != safetensors.F32 || !slices.Equal(got.Shape, w.Shape) || got.Elements() != int64(len(w.Data)) {
			t.Errorf("tensor %d: got %+v, want %q of shape %v", i, got, w.Name, w.Shape)
		}
		if got, err := f.Float32s(w.Name); err != nil || !slices.Equal(got, w.Data) {
			t.Errorf("tensor %q: got %d values and %v, want the %d that were written", w.Name, len(got), err, len(w.Data))
		}
	}
	if sum, err := f.SHA256(context.Background()); err != nil || sum != sha256.Sum256(content.Bytes()) {
		t.Errorf("SHA-256: got %x and %v", sum, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := f.SHA256(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("SHA-256 of a cancelled context: got %v", err)
	}
}

// Every half and every bfloat16 is held against its meaning, written out in
// float64; the data begin at an odd byte.
func TestShortFloatsAreExact(t *testing.T) {
	var raw []byte
	for bits := range 1 << 16 {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(bits))
	}
	header := `{"h":{"dtype":"F16","shape":[65536],"data_offsets":[0,131072]},"b":{"dtype":"BF16","shape":[256,256],"data_offsets":[131072,262144]}}`
	if len(header)%2 == 0 {
		header += " "
	}
	f, err := open(file(header, append(slices.Clone(raw), raw...)...))
	if err != nil {
		t.Fatal(err)
	}
	for name, layout := range map[string]struct{ exponentBits, fractionBits int }{"h": {5, 10}, "b": {8, 7}} {
		got, err := f.Float32s(name)
		if err != nil {
			t.Fatal(err)
		}
		for bits, v := range got {
			if want := meaning(bits, layout.exponentBits, layout.fractionBits); float64(v) != want && !(math.IsNaN(want) && math.IsNaN(float64(v))) {
				t.Fatalf("%s: bits %#04x: got %v, want %v", name, bits, v, want)
			}
		}
	}
}

// meaning is the value of an IEEE 754 binary float of so many bits.
func meaning(bits, exponentBits, fractionBits int) float64 {
	fraction, exponent := float64(bits&(1<<fractionBits-1)), bits>>fractionBits&(1<<exponentBits-1)
	bias := 1<<(exponentBits-1) - 1
	value := math.Ldexp(1+fraction/float64(int(1)<<fractionBits), exponent-bias)
	switch {
	case exponent == 1<<exponentBits-1 && fraction == 0:
		value = math.Inf(1)
	case exponent == 1<<exponentBits-1:
		value = math.NaN()
	case exponent == 0:
		value = math.Ldexp(fraction, 1-bias-fractionBits)
	}
	if bits>>15 == 1 {
		return -value
	}
	return value
}

func TestHostileFilesAreRefusedWithTheReason(t *testing.T) {
	one := `"data_offsets":[0,4]`
	tests := map[string]struct {
		content []byte
		want    string
	}{
		"nothing":                       {nil, "too short"},
		"seven bytes":                   {make([]byte, 7), "too short"},
		"a header longer than the file": {file(`{}`)[:9], "cut or of another kind"},
		"a header of 2^64-1":            {bytes.Repeat([]byte{255}, 64), "cut or of another kind"},
		"a header beyond the bound":     {file(strings.Repeat(" ", 16<<20+1)), "at most 16777216"},
		"an empty header":               {file(``), "no JSON object"},
		"a list":                        {file(`[]`), "no JSON object"},
		"a header that ends early":      {file(`{"a":{`), "no valid JSON"},
		"text after the header":         {file(`{} {}`), "goes on"},
		"no UTF-8":                      {file("{\"\xff\":{}}"), "not UTF-8"},
		"a tensor that is a number":     {file(`{"a":1}`), `tensor "a" has no "{"`},
		"a tensor without a dtype":      {file(`{"a":{"shape":[1],`+one+`}}`, 0, 0, 0, 0), `tensor "a" has no dtype`},
		"a tensor without a shape":      {file(`{"a":{"dtype":"F32",`+one+`}}`, 0, 0, 0, 0), `tensor "a" has no dtype, no shape`},
		"one offset":                    {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}`, 0, 0, 0, 0), "no two data_offsets"},
		"three offsets":                 {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}`, 0, 0, 0, 0), "more than 2"},
		"an unknown dtype":              {file(`{"a":{"dtype":"F33","shape":[1],`+one+`}}`, 0, 0, 0, 0), `tensor "a": dtype "F33"`},
		"an unknown key":                {file(`{"a":{"dtype":"F32","shape":[1],"order":"C",`+one+`}}`, 0, 0, 0, 0), `the key "order"`},
		"a key given twice":             {file(`{"a":{"dtype":"F32","dtype":"F32","shape":[1],`+one+`}}`, 0, 0, 0, 0), `the key "dtype" twice`},
		"a tensor given twice":          {file(`{"a":{"dtype":"F32","shape":[1],`+one+`},"a":{"dtype":"F32","shape":[1],`+one+`}}`, 0, 0, 0, 0), `the key "a" twice`},
		"twice by an escape":            {file(`{"a":{"dtype":"F32","shape":[1],`+one+`},"\u0061":{"dtype":"F32","shape":[1],`+one+`}}`, 0, 0, 0, 0), `the key "a" twice`},
		"metadata that is no text":      {file(`{"__metadata__":{"a":1}}`), "is no text"},
		"a negative dimension":          {file(`{"a":{"dtype":"F32","shape":[-1],`+one+`}}`, 0, 0, 0, 0), "no whole number"},
		"a fraction":                    {file(`{"a":{"dtype":"F32","shape":[1.5],`+one+`}}`, 0, 0, 0, 0), "no whole number"},
		"a dimension beyond int64":      {file(`{"a":{"dtype":"F32","shape":[99999999999999999999],`+one+`}}`, 0, 0, 0, 0), "no whole number"},
		"a dimension that is a text":    {file(`{"a":{"dtype":"F32","shape":["1"],`+one+`}}`, 0, 0, 0, 0), "no whole number"},
		"33 dimensions":                 {file(`{"a":{"dtype":"F32","shape":[1`+strings.Repeat(",1", 32)+`],`+one+`}}`, 0, 0, 0, 0), "more than 32"},
		"a shape that overflows":        {file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],`+one+`}}`, 0, 0, 0, 0), "beyond counting"},
		"a shape that overflows to 0":   {file(`{"a":{"dtype":"F32","shape":[9223372036854775807,2,0],"data_offsets":[0,0]}}`), "beyond counting"},
		"a shape larger than its range": {file(`{"a":{"dtype":"F32","shape":[2],`+one+`}}`, 0, 0, 0, 0), "has 8 bytes"},
		"a shape smaller than its range": {
			file(`{"a":{"dtype":"F16","shape":[1],`+one+`}}`, 0, 0, 0, 0), "has 2 bytes"},
		"half a byte":                  {file(`{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}`, 0), "no whole number of bytes"},
		"offsets in the wrong order":   {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 0, 0, 0, 0), "give -4"},
		"a tensor beyond the file":     {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 0, 0, 0), "it is cut"},
		"a tensor far beyond the file": {file(`{"a":{"dtype":"U8","shape":[9223372036854775],"data_offsets":[0,9223372036854775]}}`, 0), "it is cut"},
		"two tensors that overlap":     {file(`{"a":{"dtype":"F32","shape":[1],`+one+`},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`, 0, 0, 0, 0, 0, 0), `tensor "b" begins at byte 2 of the data, inside`},
		"two tensors of one range":     {file(`{"a":{"dtype":"F32","shape":[1],`+one+`},"b":{"dtype":"F32","shape":[1],`+one+`}}`, 0, 0, 0, 0), "inside another"},
		"a hole":                       {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}`, 0, 0, 0, 0, 0), "belong to no tensor"},
		"data after the last tensor":   {file(`{"a":{"dtype":"F32","shape":[1],`+one+`}}`, 0, 0, 0, 0, 0), "the last 1 bytes"},
		"a name of two kilobytes":      {file(`{"` + strings.Repeat("a", 2048) + `":{}}`), "a key of 2048 bytes"},
		"deep nesting":                 {file(`{"a":` + strings.Repeat(`{"a":`, 100000)), `tensor "a" has the key "a"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := open(test.content)
			if f != nil || !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want palate.ErrInvalid with %q", err, test.want)
			}
		})
	}
}

func TestTensorsThatCannotBeReadAreListedAndRefused(t *testing.T) {
	f, err := open(file(`{"steps":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`, make([]byte, 8)...))
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := f.Tensor("steps"); !ok || got.DType != "I64" || got.Bytes != 8 {
		t.Errorf("got %+v, %v", got, ok)
	}
	if _, err := f.Float32s("steps"); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), `"steps" is of type I64`) {
		t.Errorf("an I64: got %v", err)
	}
	if _, err := f.Float32s("stairs"); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("a tensor that is not there: got %v", err)
	}
	if _, err := safetensors.OpenFile(filepath.Join(t.TempDir(), "no")); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("a file that is not there: got %v", err)
	}
	if _, err := safetensors.OpenFile(t.TempDir()); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("a folder: got %v", err)
	}
}

// A file that is cut after it was opened gives an error, not old memory.
func TestFilesThatShrinkAreNoticed(t *testing.T) {
	content := file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, make([]byte, 8)...)
	f, err := safetensors.Open(bytes.NewReader(content[:len(content)-3]), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Float32s("a"); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("got %v", err)
	}
	if _, err := f.SHA256(context.Background()); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("SHA-256: got %v", err)
	}
}

func TestWhatCannotBeWrittenIsRefused(t *testing.T) {
	type values = safetensors.Values
	for name, tensors := range map[string][]values{
		"two of one name":    {{Name: "a"}, {Name: "a"}},
		"the format's name":  {{Name: "__metadata__", Shape: []int64{0}}},
		"too few values":     {{Name: "a", Shape: []int64{2}, Data: []float32{1}}},
		"a negative shape":   {{Name: "a", Shape: []int64{-1, -1}, Data: []float32{1}}},
		"a name of no UTF-8": {{Name: "\xff", Data: []float32{1}}},
	} {
		var content bytes.Buffer
		if err := safetensors.Write(&content, tensors, nil); !errors.Is(err, palate.ErrInvalid) || content.Len() > 0 {
			t.Errorf("%s: got %v after %d bytes", name, err, content.Len())
		}
	}
}

// FuzzOpen: whatever the bytes, Open gives an error or a file all of whose
// tensors can be read or are refused by type.
func FuzzOpen(f *testing.F) {
	var written bytes.Buffer
	if err := safetensors.Write(&written, []safetensors.Values{{Name: "a", Shape: []int64{2}, Data: []float32{1, 2}}, {Name: "b", Data: []float32{1}}}, map[string]string{"k": "v"}); err != nil {
		f.Fatal(err)
	}
	f.Add(written.Bytes())
	f.Add(file(`{"h":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},"i":{"dtype":"I8","shape":[],"data_offsets":[4,5]}} `, 1, 2, 3, 4, 5))
	f.Add(file(`{"__metadata__":{"\ud800":""},"":{"dtype":"BF16","shape":[0],"data_offsets":[0,0]}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		opened, err := open(content)
		if err != nil {
			if !errors.Is(err, palate.ErrInvalid) {
				t.Fatalf("got %v, want palate.ErrInvalid", err)
			}
			return
		}
		total := int64(0)
		for _, tensor := range opened.Tensors() {
			total += tensor.Bytes
			values, err := opened.Float32s(tensor.Name)
			if err == nil && int64(len(values)) != tensor.Elements() || err != nil && !strings.Contains(err.Error(), "is of type") {
				t.Fatalf("tensor %+v: got %d values and %v", tensor, len(values), err)
			}
		}
		if total > int64(len(content)) {
			t.Fatalf("tensors have %d bytes in a file of %d", total, len(content))
		}
	})
}
