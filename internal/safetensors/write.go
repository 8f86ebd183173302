package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/palate-art/palate"
)

// Values is a tensor to be written, as F32.
type Values struct {
	Name  string
	Shape []int64
	Data  []float32 // row by row, as many as the product of Shape
}

// Write writes tensors and metadata (nil for none) as a file that Open reads.
// Tensors lie in the order of their names and the data begin at a multiple of
// 8, so equal contents have equal bytes. Two tensors of one name, or a shape
// that doesn't fit its data, are palate.ErrInvalid, before anything is
// written.
func Write(w io.Writer, tensors []Values, metadata map[string]string) error {
	sorted := slices.Clone(tensors)
	slices.SortFunc(sorted, func(a, b Values) int { return cmp.Compare(a.Name, b.Name) })
	header, err := headerOf(sorted, metadata)
	if err != nil {
		return fmt.Errorf("write safetensors: %w", err)
	}
	if _, err := w.Write(header); err != nil {
		return fmt.Errorf("write safetensors: %w", err)
	}
	raw := make([]byte, 0, chunkBytes)
	for _, t := range sorted {
		for part := range slices.Chunk(t.Data, chunkBytes/4) {
			raw = raw[:0]
			for _, v := range part {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
			}
			if _, err := w.Write(raw); err != nil {
				return fmt.Errorf("write safetensors: tensor %q: %w", t.Name, err)
			}
		}
	}
	return nil
}

type headerEntry struct {
	DType   DType    `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// headerOf gives everything before the data.
func headerOf(sorted []Values, metadata map[string]string) ([]byte, error) {
	entries := map[string]any{} // encoding/json writes maps in the order of their keys
	if metadata != nil {
		entries[metadataKey] = metadata
	}
	end := int64(0)
	for _, t := range sorted {
		if _, twice := entries[t.Name]; twice || t.Name == metadataKey || len(t.Name) > maxKeyBytes || !utf8.ValidString(t.Name) {
			return nil, fmt.Errorf("the name %q is given twice, is the format's own, too long or no UTF-8: %w", t.Name, palate.ErrInvalid)
		}
		size, err := sizeOf(F32, t.Shape)
		if err != nil || size != 4*int64(len(t.Data)) || len(t.Shape) > maxDimensions {
			return nil, fmt.Errorf("tensor %q: shape %v does not fit %d values: %w", t.Name, t.Shape, len(t.Data), palate.ErrInvalid)
		}
		entries[t.Name] = headerEntry{F32, append([]int64{}, t.Shape...), [2]int64{end, end + size}}
		end += size
	}
	text, err := json.Marshal(entries)
	if err != nil {
		return nil, err
	}
	text = append(text, bytes.Repeat([]byte{' '}, -len(text)&7)...)
	if len(text) > maxHeaderBytes {
		return nil, fmt.Errorf("a header of %d bytes, at most %d: %w", len(text), maxHeaderBytes, palate.ErrInvalid)
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), nil
}
