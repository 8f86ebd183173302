package features

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// RowWriter takes rows of a table and ends it with Close.
type RowWriter[T any] interface {
	Write(rows []T) (int, error)
	Close() error
}

// NewParquet writes a Parquet file (zstd) whose columns are the fields of T, by
// their tags "parquet".
func NewParquet[T any](w io.Writer) RowWriter[T] {
	return parquet.NewGenericWriter[T](w, parquet.Compression(&parquet.Zstd))
}

// Matrix gathers rows of float32 that become one .npy file. What is gathered
// lies in a temporary file, since a .npy says before its values how many there
// are. It is not safe for concurrent use.
type Matrix struct {
	file *os.File
	out  *bufio.Writer
	rows int
	dim  int
}

// NewMatrix makes an empty one for rows of dim values. The caller closes it.
func NewMatrix(dim int) (*Matrix, error) {
	file, err := os.CreateTemp("", "palate-matrix-*")
	if err != nil {
		return nil, err
	}
	return &Matrix{file: file, out: bufio.NewWriterSize(file, chunkBytes), dim: dim}, nil
}

// Append adds a row.
func (m *Matrix) Append(row []float32) error {
	if len(row) != m.dim {
		return invalid("row %d has %d values, want %d", m.rows, len(row), m.dim)
	}
	var value [4]byte
	for _, v := range row {
		binary.LittleEndian.PutUint32(value[:], math.Float32bits(v))
		if _, err := m.out.Write(value[:]); err != nil {
			return err
		}
	}
	m.rows++
	return nil
}

// Save writes the rows as a .npy file.
func (m *Matrix) Save(w io.Writer) error {
	if err := m.out.Flush(); err != nil {
		return err
	}
	if _, err := m.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := writeHeader(w, "<f4", m.rows, m.dim); err != nil {
		return err
	}
	_, err := io.Copy(w, m.file)
	return err
}

// Close removes what was gathered.
func (m *Matrix) Close() error { return errors.Join(m.file.Close(), os.Remove(m.file.Name())) }

// SaveLabels writes a .npy file of 1 and 0.
func SaveLabels(w io.Writer, labels []bool) error {
	if err := writeHeader(w, "|u1", len(labels)); err != nil {
		return err
	}
	values := make([]byte, len(labels))
	for i, label := range labels {
		if label {
			values[i] = 1
		}
	}
	_, err := w.Write(values)
	return err
}

// SaveTexts writes a .npy file of texts, each as long as the longest.
func SaveTexts(w io.Writer, texts []string) error {
	longest := 1
	for _, text := range texts {
		longest = max(longest, utf8.RuneCountInString(text))
	}
	if err := writeHeader(w, fmt.Sprintf("<U%d", longest), len(texts)); err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	for _, text := range texts {
		n := 0
		for _, r := range text {
			_ = binary.Write(out, binary.LittleEndian, int32(r)) // Flush tells
			n++
		}
		for ; n < longest; n++ {
			_ = binary.Write(out, binary.LittleEndian, int32(0))
		}
	}
	return out.Flush()
}

// writeHeader begins a .npy file of version 1.0 in row-major order.
func writeHeader(w io.Writer, descr string, shape ...int) error {
	var sizes strings.Builder
	for _, n := range shape {
		fmt.Fprintf(&sizes, "%d, ", n)
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, strings.TrimSuffix(sizes.String(), " "))
	const before, aligned = len(npyMagic) + 4, 64
	text += strings.Repeat(" ", aligned-1-(before+len(text))%aligned) + "\n"
	head := append([]byte(npyMagic), 1, 0)
	head = binary.LittleEndian.AppendUint16(head, uint16(len(text)))
	_, err := w.Write(append(head, text...))
	return err
}
