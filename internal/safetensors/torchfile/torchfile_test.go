package torchfile_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/safetensors/torchfile"
)

// What PyTorch wrote is read as it meant it: parameters, halves, parts and
// transposes of other tensors, the teacher and not the student.
func TestCheckpointsOfPyTorch(t *testing.T) {
	want, err := safetensors.OpenFile("testdata/expected.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	for _, name := range []string{"checkpoint.pth", "plain.pth"} {
		got, err := torchfile.OpenFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		if n, m := len(got.Tensors()), len(want.Tensors()); n != m {
			t.Errorf("%s: got %d tensors, want %d", name, n, m)
		}
		for _, w := range want.Tensors() {
			g, found := got.Tensor(w.Name)
			if !found || g.DType != w.DType || !slices.Equal(g.Shape, w.Shape) || g.Bytes != w.Bytes {
				t.Errorf("%s: got %+v, %v, want %+v", name, g, found, w)
				continue
			}
			if w.DType == "I64" {
				if _, err := got.Float32s(w.Name); !errors.Is(err, palate.ErrInvalid) {
					t.Errorf("%s: %s: got %v, want palate.ErrInvalid", name, w.Name, err)
				}
				continue
			}
			values, err := got.Float32s(w.Name)
			expected, err2 := want.Float32s(w.Name)
			if err != nil || err2 != nil || !slices.Equal(values, expected) {
				t.Errorf("%s: %s: got %v, %v, want %v, %v", name, w.Name, values, err, expected, err2)
			}
		}
	}
}

// archive is a zip of stored entries.
func archive(entries map[string]string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range entries {
		e, err := w.CreateHeader(&zip.FileHeader{Name: "m/" + name, Method: zip.Store})
		if err == nil {
			_, err = e.Write([]byte(text))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// pickled is {"x": tensor, "y": tensor} with the arguments in place of those of
// _rebuild_tensor_v2: offset, shape and stride.
func pickled(offset, rows, columns, rowStride, columnStride, count int32) string {
	var b strings.Builder
	number := func(n int32) { b.WriteByte('J'); b.Write(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	text := func(s string) {
		b.WriteByte('X')
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(s))))
		b.WriteString(s)
	}
	b.WriteString("\x80\x02}(")
	for _, name := range []string{"x", "y"} {
		text(name)
		b.WriteString("ctorch._utils\n_rebuild_tensor_v2\n((")
		text("storage")
		b.WriteString("ctorch\nFloatStorage\n")
		text("0")
		text("cpu")
		number(count)
		b.WriteString("tQ")
		number(offset)
		b.WriteByte('(')
		number(rows)
		number(columns)
		b.WriteString("t(")
		number(rowStride)
		number(columnStride)
		b.WriteString("t\x89}tR")
	}
	b.WriteString("u.")
	return b.String()
}

func TestCheckpointsThatAreRefused(t *testing.T) {
	read := func(name string) []byte {
		raw, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	bytes24 := strings.Repeat("\x00\x00\x80\x3f", 6)
	with := func(pickle string) []byte { return archive(map[string]string{"data.pkl": pickle, "data/0": bytes24}) }
	if f, err := torchfile.Open(bytes.NewReader(with(pickled(0, 2, 3, 3, 1, 6))), int64(len(with(pickled(0, 2, 3, 3, 1, 6))))); err != nil || len(f.Tensors()) != 2 {
		t.Fatalf("got %v, want the file from which the others differ to be read", err)
	}
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"from before PyTorch 1.6":     {read("old.pth"), "from before PyTorch 1.6"},
		"a compiled model":            {read("script.pt"), "TorchScript"},
		"nothing":                     {nil, "no zip archive"},
		"cut":                         {read("plain.pth")[:700], "cut or damaged"},
		"no pickle":                   {archive(map[string]string{"data/0": bytes24}), "no data.pkl"},
		"big-endian":                  {archive(map[string]string{"byteorder": "big", "data.pkl": "N."}), "byte order"},
		"no tensors":                  {with("\x80\x02}."), "no dictionary of tensors"},
		"a call":                      {with("\x80\x02cos\nsystem\n(X\x04\x00\x00\x00truetR."), "no dictionary of tensors"},
		"an instruction of no need":   {with("\x80\x02Icos\n."), "instruction 0x49"},
		"an empty stack":              {with("\x80\x02."), "cut or damaged"},
		"a tensor beyond its storage": {with(pickled(1, 2, 3, 3, 1, 6)), "beyond its storage"},
		"strides beyond it":           {with(pickled(0, 2, 3, 1<<30, 1, 6)), "beyond its storage"},
		"a negative stride":           {with(pickled(0, 2, 3, -3, 1, 6)), "no part of its storage"},
		"elements many times":         {with(pickled(0, 1<<30, 1<<30, 0, 0, 6)), "beyond its storage"},
		"a storage that is shorter":   {with(pickled(0, 2, 3, 3, 1, 7)), "bytes are there"},
		"a negative storage":          {with(pickled(0, 2, 3, 3, 1, -1)), "length"},
	} {
		_, err := torchfile.Open(bytes.NewReader(test.file), int64(len(test.file)))
		if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want palate.ErrInvalid with %q", name, err, test.want)
		}
	}
}

// FuzzPickle holds every pickle to: an error, or tensors that can be read.
func FuzzPickle(f *testing.F) {
	f.Add([]byte(pickled(0, 2, 3, 3, 1, 6)))
	f.Add([]byte("\x80\x02cos\nsystem\n(X\x04\x00\x00\x00truetR."))
	f.Add([]byte("\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x8c\x01b\x93."))
	f.Fuzz(func(t *testing.T, pickle []byte) {
		raw := archive(map[string]string{"data.pkl": string(pickle), "data/0": strings.Repeat("\x00\x00\x80\x3f", 6)})
		file, err := torchfile.Open(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			if !errors.Is(err, palate.ErrInvalid) {
				t.Fatalf("got %v, want palate.ErrInvalid", err)
			}
			return
		}
		for _, tensor := range file.Tensors() {
			if tensor.Elements() > 24 {
				t.Fatalf("got %d elements of 24 bytes", tensor.Elements())
			}
			if values, err := file.Float32s(tensor.Name); err == nil && int64(len(values)) != tensor.Elements() {
				t.Fatalf("got %d values, want %d", len(values), tensor.Elements())
			}
		}
	})
}
