package flat

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"github.com/palate-art/palate"
)

// The side file's format, which doc.go describes.
const (
	fileMagic   = "palate flat index\n\x00\x00\x00\x00\x00\x00"
	fileVersion = 1
	headerSize  = 4096
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errNoFile is why a side file is not used that is not there.
var errNoFile = errors.New("there is none")

// header is the first page of a side file.
type header struct {
	dim      int
	rows     uint64
	position uint64
	tailSize uint64
	tailSum  uint32
	model    palate.ModelID
}

func (h header) encode() ([]byte, error) {
	page := append(make([]byte, 0, headerSize), fileMagic...)
	page = binary.LittleEndian.AppendUint32(page, fileVersion)
	page = binary.LittleEndian.AppendUint32(page, uint32(h.dim))
	page = binary.LittleEndian.AppendUint64(page, h.rows)
	page = binary.LittleEndian.AppendUint64(page, h.position)
	page = binary.LittleEndian.AppendUint64(page, h.tailSize)
	page = binary.LittleEndian.AppendUint32(page, h.tailSum)
	page = binary.LittleEndian.AppendUint32(page, uint32(len(h.model)))
	page = append(page, h.model...)
	if len(page) > headerSize-4 {
		return nil, fmt.Errorf("the model's id has %d bytes", len(h.model))
	}
	page = page[:headerSize-4]
	return binary.LittleEndian.AppendUint32(page, crc32.Checksum(page, castagnoli)), nil
}

func decodeHeader(page []byte) (h header, err error) {
	const fixed = len(fileMagic) + 40
	switch {
	case len(page) < headerSize || string(page[:len(fileMagic)]) != fileMagic:
		return h, errors.New("it is no side file, or was not finished")
	case binary.LittleEndian.Uint32(page[headerSize-4:]) != crc32.Checksum(page[:headerSize-4], castagnoli):
		return h, errors.New("its header is damaged")
	}
	of := page[len(fileMagic):]
	if version := binary.LittleEndian.Uint32(of); version != fileVersion {
		return h, fmt.Errorf("it has version %d, want %d", version, fileVersion)
	}
	h.dim = int(binary.LittleEndian.Uint32(of[4:]))
	h.rows, h.position = binary.LittleEndian.Uint64(of[8:]), binary.LittleEndian.Uint64(of[16:])
	h.tailSize, h.tailSum = binary.LittleEndian.Uint64(of[24:]), binary.LittleEndian.Uint32(of[32:])
	if n := binary.LittleEndian.Uint32(of[36:]); int(n) <= headerSize-4-fixed {
		h.model = palate.ModelID(page[fixed : fixed+int(n)])
	}
	return h, nil
}

// fits reports why the index can't use a file of that header and size.
func (x *Index) fits(h header, size int64) error {
	switch {
	case h.model != x.model:
		return fmt.Errorf("it is of model %s", h.model.Short())
	case h.dim != x.dim:
		return fmt.Errorf("its vectors have %d values, want %d", h.dim, x.dim)
	case h.rows > math.MaxUint32 || h.tailSize > math.MaxInt64/2:
		return errors.New("it has more rows than can be")
	case int64(headerSize+h.rows*uint64(h.dim)*4+h.tailSize) != size:
		return fmt.Errorf("it has %d bytes, want %d", size, headerSize+h.rows*uint64(h.dim)*4+h.tailSize)
	}
	return nil
}

// load makes what the side file holds the present state, and reports whether
// it did. A file that can't be used is told of and otherwise as good as none.
func (x *Index) load() bool {
	if x.config.Path == "" {
		return false
	}
	s, position, err := x.readFile()
	if err != nil {
		if !errors.Is(err, errNoFile) {
			x.config.Logger.Warn("side file of the index can't be used; it will be written anew", "path", x.config.Path, "reason", err.Error())
		}
		return false
	}
	x.adopt(s, position)
	x.changed, x.loose = 0, s.view.live%maxSegment
	return true
}

func (x *Index) readFile() (s *state, position uint64, err error) {
	f, err := os.Open(x.config.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, errNoFile
	}
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	page := make([]byte, headerSize)
	if _, err := f.ReadAt(page, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	h, err := decodeHeader(page)
	if err != nil {
		return nil, 0, err
	}
	if err := x.fits(h, info.Size()); err != nil {
		return nil, 0, err
	}
	if h.rows == 0 {
		return emptyState(x.state.view.generation + 1), h.position, nil
	}
	m, err := mapFile(f, info.Size())
	if err != nil {
		return nil, 0, err
	}
	defer runtime.KeepAlive(m)
	rowsEnd := headerSize + int(h.rows)*h.dim*4
	if crc32.Checksum(m.bytes[rowsEnd:], castagnoli) != h.tailSum {
		return nil, 0, errors.New("its tail is damaged")
	}
	t, err := decodeTail(m.bytes[rowsEnd:], int(h.rows))
	if err != nil {
		return nil, 0, err
	}
	exact := floatsOf(m.bytes[headerSize:rowsEnd])
	parts := t.parts(exact, h.dim, m)
	if err := checkSums(t.sums, m.bytes[headerSize:rowsEnd], maxSegment*h.dim*4, x.config.Workers); err != nil {
		return nil, 0, err
	}
	if s = x.assemble(t.names, parts, x.state.view.generation+1); len(s.rows) != int(h.rows) {
		return nil, 0, errors.New("it holds a point twice")
	}
	return s, h.position, nil
}

// floatsOf reads bytes as float32 where they lie. Hosts that write numbers
// the other way round get a copy.
func floatsOf(bytes []byte) []float32 {
	if one := uint16(1); *(*byte)(unsafe.Pointer(&one)) == 1 {
		return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(bytes))), len(bytes)/4)
	}
	values := make([]float32, len(bytes)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(bytes[4*i:]))
	}
	return values
}

func checkSums(sums []uint32, bytes []byte, chunk, workers int) error {
	var damaged sync.Map
	share(workers, len(sums), func(next func() int) {
		for i := next(); i < len(sums); i = next() {
			if crc32.Checksum(bytes[i*chunk:min(len(bytes), (i+1)*chunk)], castagnoli) != sums[i] {
				damaged.Store(i, true)
			}
		}
	})
	for range damaged.Range {
		return errors.New("its rows are damaged")
	}
	return nil
}

// save writes the side file and reports whether there is a good one now. That
// of another process which has seen more is left as it is.
func (x *Index) save(s *state, position uint64) bool {
	if h, err := readHeader(x.config.Path); err == nil && h.model == x.model && h.dim == x.dim && h.position > position {
		return true
	}
	if err := x.writeFile(s, position); err != nil {
		x.config.Logger.Warn("side file of the index can't be written; the index stays in memory", "path", x.config.Path, "reason", err.Error())
		return false
	}
	return true
}

func readHeader(path string) (header, error) {
	f, err := os.Open(path)
	if err != nil {
		return header{}, err
	}
	defer func() { _ = f.Close() }()
	page := make([]byte, headerSize)
	if _, err := io.ReadFull(f, page); err != nil {
		return header{}, err
	}
	return decodeHeader(page)
}

func (x *Index) writeFile(s *state, position uint64) (err error) {
	x.sweep()
	f, err := os.CreateTemp(filepath.Dir(x.config.Path), filepath.Base(x.config.Path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err := f.Seek(headerSize, io.SeekStart); err != nil {
		return err
	}
	out := bufio.NewWriterSize(f, 1<<20)
	live := s.liveRows()
	t := tail{names: s.terms.names, sums: make([]uint32, (len(live)+maxSegment-1)/maxSegment)}
	bytes := make([]byte, 4*x.dim)
	for i, row := range live {
		at := s.view.place(row)
		segment := s.view.segments[at.segment]
		for j, v := range segment.row(int(at.row), x.dim) {
			binary.LittleEndian.PutUint32(bytes[4*j:], math.Float32bits(v))
		}
		t.sums[i/maxSegment] = crc32.Update(t.sums[i/maxSegment], castagnoli, bytes)
		t.ids, t.terms = append(t.ids, segment.ids[at.row]), append(t.terms, segment.terms[at.row])
		if _, err := out.Write(bytes); err != nil {
			return err
		}
	}
	runtime.KeepAlive(s)
	end := t.encode()
	if _, err := out.Write(end); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	h := header{dim: x.dim, rows: uint64(len(live)), position: position, tailSize: uint64(len(end)), tailSum: crc32.Checksum(end, castagnoli), model: x.model}
	page, err := h.encode()
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(page, 0); err != nil {
		return err
	}
	// No fsync: what a power cut leaves unfinished, the checksums tell.
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), x.config.Path)
}

// staleAfter is the age at which an unfinished file belongs to nobody.
const staleAfter = time.Hour

// sweep removes what killed processes left.
func (x *Index) sweep() {
	left, _ := filepath.Glob(x.config.Path + ".*.tmp")
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > staleAfter {
			_ = os.Remove(path)
		}
	}
}

// forget removes the side file: nothing that is in it counts any more.
func (x *Index) forget() {
	if x.config.Path != "" {
		_ = os.Remove(x.config.Path)
	}
}

// saveShare is the share of the points, one in so many, that must have changed
// for the side file to be written when the index is closed: reading the rest
// from the catalog takes less.
const saveShare = 50

func (x *Index) worthWriting(s *state, position uint64) bool {
	return x.config.Path != "" && position != 0 && x.changed > s.view.live/saveShare
}
