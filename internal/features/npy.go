package features

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/palate-art/palate/internal/safetensors"
)

const (
	npyMagic = "\x93NUMPY"
	// maxHeader is what numpy itself reads without being told to.
	maxHeader = 10_000
	// chunkBytes is how much is read at a time.
	chunkBytes = 1 << 20
	// maxValues bounds an array: 8 GiB in memory.
	maxValues = 1 << 31
	// maxDim bounds a row: no embedding comes near.
	maxDim = 1 << 20
)

// array is an n-dimensional array in row-major order.
type array struct {
	shape  []int
	values []float32
}

// element reads one value of a type that an array may have.
type element struct {
	size int
	read func([]byte, binary.ByteOrder) float32
}

// elements by the code in descr.
var elements = map[string]element{
	"f2": {2, func(b []byte, o binary.ByteOrder) float32 { return safetensors.Float16(o.Uint16(b)) }},
	"f4": {4, func(b []byte, o binary.ByteOrder) float32 { return math.Float32frombits(o.Uint32(b)) }},
	"f8": {8, func(b []byte, o binary.ByteOrder) float32 { return float32(math.Float64frombits(o.Uint64(b))) }},
	"b1": {1, func(b []byte, _ binary.ByteOrder) float32 { return float32(b[0]) }},
	"u1": {1, func(b []byte, _ binary.ByteOrder) float32 { return float32(b[0]) }},
	"u2": {2, func(b []byte, o binary.ByteOrder) float32 { return float32(o.Uint16(b)) }},
	"u4": {4, func(b []byte, o binary.ByteOrder) float32 { return float32(o.Uint32(b)) }},
	"u8": {8, func(b []byte, o binary.ByteOrder) float32 { return float32(o.Uint64(b)) }},
	"i1": {1, func(b []byte, _ binary.ByteOrder) float32 { return float32(int8(b[0])) }},
	"i2": {2, func(b []byte, o binary.ByteOrder) float32 { return float32(int16(o.Uint16(b))) }},
	"i4": {4, func(b []byte, o binary.ByteOrder) float32 { return float32(int32(o.Uint32(b))) }},
	"i8": {8, func(b []byte, o binary.ByteOrder) float32 { return float32(int64(o.Uint64(b))) }},
}

// header is what stands before the values.
type header struct {
	descr   string // as it is written
	code    string // without the order of bytes
	order   binary.ByteOrder
	fortran bool
	shape   []int
}

// readNPY reads one array. Errors are palate.ErrInvalid, or those of r.
func readNPY(r io.Reader) (*array, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	kind, known := elements[h.code]
	if !known {
		return nil, invalid("the array is of type %q; float16, float32, float64, integers and bool are read", h.descr)
	}
	total := 1
	for _, n := range h.shape {
		if n != 0 && total > maxValues/n {
			return nil, invalid("the header promises an array of shape %v, more than the %d values that are read at a time", h.shape, maxValues)
		}
		total *= n
	}
	a := &array{shape: h.shape}
	buffer := make([]byte, chunkBytes/kind.size*kind.size)
	for len(a.values) < total {
		want := min(len(buffer), (total-len(a.values))*kind.size)
		n, err := io.ReadFull(r, buffer[:want])
		for at := 0; at+kind.size <= n; at += kind.size {
			a.values = append(a.values, kind.read(buffer[at:], h.order))
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, invalid("the header promises %d values of shape %v, but the file ends after %d: it is not whole", total, h.shape, len(a.values))
		}
		if err != nil {
			return nil, err
		}
	}
	if h.fortran && len(h.shape) > 1 {
		if err := a.transpose(); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// transpose brings a matrix in column-major order into row-major order.
func (a *array) transpose() error {
	if len(a.shape) != 2 {
		return invalid("an array of shape %v in Fortran order: want two dimensions", a.shape)
	}
	rows, columns := a.shape[0], a.shape[1]
	out := make([]float32, len(a.values))
	for i := range rows {
		for j := range columns {
			out[i*columns+j] = a.values[j*rows+i]
		}
	}
	a.values = out
	return nil
}

func readHeader(r io.Reader) (header, error) {
	var prefix [8]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil || string(prefix[:6]) != npyMagic {
		return header{}, invalid("this is no .npy file: it does not begin with \\x93NUMPY")
	}
	var length int
	switch major := prefix[6]; major {
	case 1:
		var b [2]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return header{}, invalid("the .npy file ends in its header")
		}
		length = int(binary.LittleEndian.Uint16(b[:]))
	case 2, 3:
		var b [4]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return header{}, invalid("the .npy file ends in its header")
		}
		length = int(binary.LittleEndian.Uint32(b[:]))
	default:
		return header{}, invalid("the .npy file is of version %d; versions 1 to 3 are read", major)
	}
	if length > maxHeader {
		return header{}, invalid("the header of the .npy file is %d bytes long, more than %d", length, maxHeader)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return header{}, invalid("the .npy file ends in its header")
	}
	return parseHeader(string(text))
}

// parseHeader reads the Python dictionary {'descr': '<f4', 'fortran_order':
// False, 'shape': (3, 4), }.
func parseHeader(text string) (header, error) {
	s := &scanner{r: bufio.NewReader(strings.NewReader(text))}
	fields, err := s.dictionary()
	if err != nil {
		return header{}, fmt.Errorf("the header of the .npy file: %w", err)
	}
	var h header
	descr, ok := fields["descr"].(string)
	if !ok {
		return h, invalid("the array is of a structured type; save it as a plain float32 array")
	}
	fortran, haveOrder := fields["fortran_order"].(bool)
	shape, haveShape := fields["shape"].([]int)
	if !haveOrder || !haveShape {
		return h, invalid("the header of the .npy file lacks shape or fortran_order")
	}
	h.fortran, h.shape, h.order = fortran, shape, binary.LittleEndian
	h.descr, h.code = descr, descr
	switch {
	case strings.HasPrefix(descr, ">"):
		h.order, h.code = binary.BigEndian, descr[1:]
	case strings.HasPrefix(descr, "<"), strings.HasPrefix(descr, "|"), strings.HasPrefix(descr, "="):
		h.code = descr[1:]
	}
	if strings.HasPrefix(h.code, "O") {
		return h, invalid("the array holds Python objects (a pickle), which could run code and are not read; save it as a float32 array")
	}
	return h, nil
}

// scanner reads the few Python literals that a header has.
type scanner struct{ r *bufio.Reader }

func (s *scanner) next() byte {
	for {
		b, err := s.r.ReadByte()
		if err != nil {
			return 0
		}
		if b != ' ' && b != '\n' && b != '\t' {
			return b
		}
	}
}

func (s *scanner) back() {
	// The byte was just read: this can't fail.
	_ = s.r.UnreadByte()
}

func (s *scanner) dictionary() (map[string]any, error) {
	if s.next() != '{' {
		return nil, invalid("it is no dictionary")
	}
	fields := make(map[string]any)
	for {
		b := s.next()
		if b == '}' {
			return fields, nil
		}
		if b != '\'' && b != '"' {
			return nil, invalid("a key was expected")
		}
		key, err := s.text(b)
		if err != nil {
			return nil, err
		}
		if s.next() != ':' {
			return nil, invalid("%q has no value", key)
		}
		if fields[key], err = s.value(); err != nil {
			return nil, err
		}
		switch s.next() {
		case ',':
		case '}':
			return fields, nil
		default:
			return nil, invalid("it does not end after %q", key)
		}
	}
}

func (s *scanner) text(quote byte) (string, error) {
	text, err := s.r.ReadString(quote)
	if err != nil {
		return "", invalid("a text does not end")
	}
	return text[:len(text)-1], nil
}

// value is a text, True or False, a tuple of numbers, or nil for a list,
// which describes a structured type.
func (s *scanner) value() (any, error) {
	switch b := s.next(); {
	case b == '\'' || b == '"':
		return s.text(b)
	case b == 'T' || b == 'F':
		s.back()
		return s.truth()
	case b == '(':
		return s.tuple()
	case b == '[':
		for depth := 1; depth > 0; {
			switch s.next() {
			case '[':
				depth++
			case ']':
				depth--
			case 0:
				return nil, invalid("a list does not end")
			}
		}
		return nil, nil
	}
	return nil, invalid("a value is none of text, bool and tuple")
}

func (s *scanner) truth() (bool, error) {
	var word []byte
	for b := s.next(); b >= 'A' && b <= 'z'; b = s.next() {
		word = append(word, b)
	}
	s.back()
	switch string(word) {
	case "True":
		return true, nil
	case "False":
		return false, nil
	}
	return false, invalid("%q is neither True nor False", word)
}

func (s *scanner) tuple() ([]int, error) {
	numbers := []int{}
	var digits []byte
	for {
		b := s.next()
		switch {
		case b >= '0' && b <= '9':
			digits = append(digits, b)
		case b == 'L' && len(digits) > 0: // as Python 2 wrote it
		case b == ',' || b == ')':
			if len(digits) > 0 {
				n, err := strconv.Atoi(string(digits))
				if err != nil {
					return nil, invalid("the shape has a side of %s", digits)
				}
				numbers, digits = append(numbers, n), digits[:0]
			}
			if b == ')' {
				if len(numbers) > 32 {
					return nil, invalid("the shape has %d dimensions", len(numbers))
				}
				return numbers, nil
			}
		default:
			return nil, invalid("the shape is no tuple of numbers")
		}
	}
}
