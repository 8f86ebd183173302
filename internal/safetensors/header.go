package safetensors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	maxHeaderBytes = 16 << 20
	maxDimensions  = 32
	maxKeyBytes    = 1 << 10 // so that an error that names a tensor stays readable
	metadataKey    = "__metadata__"
)

// Tensor is what the header says of one tensor.
type Tensor struct {
	Name  string
	DType DType
	// Shape has no entry for a scalar.
	Shape []int64
	// Bytes is the length of the tensor's data.
	Bytes int64

	begin int64 // of the data, from the start of the data section
}

// Elements is the number of elements, the product of Shape.
func (t Tensor) Elements() int64 {
	n := int64(1)
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// parseHeader reads the header's JSON. dataBytes is the length of the data
// section, which the tensors must cover.
func parseHeader(text []byte, dataBytes int64) (tensors map[string]Tensor, metadata map[string]string, err error) {
	if len(text) == 0 || text[0] != '{' {
		return nil, nil, errors.New("the header is no JSON object")
	}
	if !utf8.Valid(text) {
		return nil, nil, errors.New("the header is not UTF-8")
	}
	p := &headerParser{json: json.NewDecoder(bytes.NewReader(text))}
	p.json.UseNumber()
	tensors = map[string]Tensor{}
	err = p.object("the header", func(key string) error {
		if key == metadataKey {
			metadata, err = p.metadata()
			return err
		}
		t, err := p.tensor(key)
		tensors[key] = t
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if _, err := p.json.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("the header goes on after its JSON object")
	}
	return tensors, metadata, covers(tensors, dataBytes)
}

// headerParser walks the header token by token, as only so a key that is
// given twice is seen.
type headerParser struct{ json *json.Decoder }

func (p *headerParser) token(where string) (json.Token, error) {
	token, err := p.json.Token()
	if err != nil {
		return nil, fmt.Errorf("%s is no valid JSON: %w", where, err)
	}
	return token, nil
}

// object calls use with every key, the parser standing before its value.
func (p *headerParser) object(where string, use func(key string) error) error {
	if err := p.delimiter(where, '{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.json.More() {
		token, err := p.token(where)
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return fmt.Errorf("%s has a key that is no text", where)
		}
		if len(key) > maxKeyBytes {
			return fmt.Errorf("%s has a key of %d bytes, at most %d", where, len(key), maxKeyBytes)
		}
		if seen[key] {
			return fmt.Errorf("%s has the key %q twice", where, key)
		}
		seen[key] = true
		if err := use(key); err != nil {
			return err
		}
	}
	return p.delimiter(where, '}')
}

func (p *headerParser) delimiter(where string, want json.Delim) error {
	token, err := p.token(where)
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("%s has no %q where one is wanted", where, want)
	}
	return nil
}

func (p *headerParser) text(where string) (string, error) {
	token, err := p.token(where)
	if err != nil {
		return "", err
	}
	text, ok := token.(string)
	if !ok {
		return "", fmt.Errorf("%s is no text", where)
	}
	return text, nil
}

func (p *headerParser) metadata() (map[string]string, error) {
	metadata := map[string]string{}
	err := p.object(metadataKey, func(key string) (err error) {
		metadata[key], err = p.text(fmt.Sprintf("%s %q", metadataKey, key))
		return err
	})
	return metadata, err
}

// numbers reads a list of at most most whole numbers that are not negative.
func (p *headerParser) numbers(where string, most int) ([]int64, error) {
	if err := p.delimiter(where, '['); err != nil {
		return nil, err
	}
	list := []int64{}
	for p.json.More() {
		token, err := p.token(where)
		if err != nil {
			return nil, err
		}
		number, _ := token.(json.Number)
		n, err := strconv.ParseInt(number.String(), 10, 64)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%s: entry %d is no whole number from 0 to %d", where, len(list), int64(math.MaxInt64))
		}
		if list = append(list, n); len(list) > most {
			return nil, fmt.Errorf("%s has more than %d numbers", where, most)
		}
	}
	return list, p.delimiter(where, ']')
}

func (p *headerParser) tensor(name string) (Tensor, error) {
	t := Tensor{Name: name}
	where := fmt.Sprintf("tensor %q", name)
	var offsets []int64
	err := p.object(where, func(key string) (err error) {
		switch key {
		case "dtype":
			var text string
			text, err = p.text(where + ": dtype")
			t.DType = DType(text)
		case "shape":
			t.Shape, err = p.numbers(where+": shape", maxDimensions)
		case "data_offsets":
			offsets, err = p.numbers(where+": data_offsets", 2)
		default:
			err = fmt.Errorf("%s has the key %q, which the format doesn't know", where, key)
		}
		return err
	})
	if err != nil {
		return Tensor{}, err
	}
	if t.Shape == nil || len(offsets) != 2 || t.DType == "" {
		return Tensor{}, fmt.Errorf("%s has no dtype, no shape or no two data_offsets", where)
	}
	want, err := sizeOf(t.DType, t.Shape)
	if err != nil {
		return Tensor{}, fmt.Errorf("%s: %w", where, err)
	}
	t.begin, t.Bytes = offsets[0], offsets[1]-offsets[0]
	if t.Bytes != want {
		return Tensor{}, fmt.Errorf("%s: %s of shape %v has %d bytes, its data_offsets %v give %d", where, t.DType, t.Shape, want, offsets, t.Bytes)
	}
	return t, nil
}

// sizeOf is the number of bytes of a dense tensor.
func sizeOf(dtype DType, shape []int64) (int64, error) {
	bits, known := elementBits[dtype]
	if !known {
		return 0, fmt.Errorf("dtype %.32q is not known", dtype)
	}
	product, empty := bits, false
	for _, d := range shape {
		if d == 0 {
			empty = true // and yet the other dimensions must be countable
			continue
		}
		if product > math.MaxInt64/d {
			return 0, fmt.Errorf("shape %v is beyond counting", shape)
		}
		product *= d
	}
	switch {
	case empty:
		return 0, nil
	case product%8 != 0:
		return 0, fmt.Errorf("%s of shape %v is no whole number of bytes", dtype, shape)
	}
	return product / 8, nil
}

// covers holds the ranges of the tensors against the data section.
func covers(tensors map[string]Tensor, dataBytes int64) error {
	sorted := make([]Tensor, 0, len(tensors))
	for _, t := range tensors {
		sorted = append(sorted, t)
	}
	slices.SortFunc(sorted, byPlace)
	end := int64(0)
	for _, t := range sorted {
		switch {
		case t.begin < end:
			return fmt.Errorf("tensor %q begins at byte %d of the data, inside another that ends at %d", t.Name, t.begin, end)
		case t.begin > end:
			return fmt.Errorf("bytes %d to %d of the data, before tensor %q, belong to no tensor", end, t.begin, t.Name)
		case t.Bytes > dataBytes-t.begin:
			return fmt.Errorf("tensor %q ends at byte %d of the data, the file ends at %d: it is cut", t.Name, t.begin+t.Bytes, dataBytes)
		}
		end = t.begin + t.Bytes
	}
	if end != dataBytes {
		return fmt.Errorf("the last %d bytes of the data belong to no tensor", dataBytes-end)
	}
	return nil
}
