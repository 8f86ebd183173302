package features

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/palate-art/palate/internal/regular"
)

// The names that columns go by, in lower case.
var (
	labelColumns  = []string{"label", "labels", "liked", "like", "y", "target"}
	artistColumns = []string{"artist", "author", "creator"}
	siteColumns   = []string{"site", "source", "domain", "host"}
)

// parquetFile is one Parquet file with its columns.
type parquetFile struct {
	file *os.File
	root *parquet.File
}

func openParquet(path string) (p *parquetFile, err error) {
	defer recovered(path, &err)
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := checkFooter(f, info.Size()); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	root, err := parquet.OpenFile(f, info.Size(), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, errors.Join(invalid("%s is no Parquet file that can be read (%v)", path, err), f.Close())
	}
	return &parquetFile{f, root}, nil
}

// checkFooter reports a file that can't be whole: the decoder believes the
// length of the footer and makes room for it.
func checkFooter(f *os.File, size int64) error {
	var tail [8]byte
	if size < 12 {
		return invalid("no Parquet file: it has %d bytes", size)
	}
	if _, err := f.ReadAt(tail[:], size-8); err != nil {
		return err
	}
	if length := int64(binary.LittleEndian.Uint32(tail[:])); string(tail[4:]) != "PAR1" || length > size-12 {
		return invalid("no Parquet file, or one that is not whole: it does not end as one does")
	}
	return nil
}

func (p *parquetFile) close() error { return p.file.Close() }

// recovered turns a panic of the decoder into an error: the library checks
// most, but not all, of what a broken file may say.
func recovered(path string, err *error) {
	if what := recover(); what != nil {
		*err = invalid("%s is a broken Parquet file (%v)", path, what)
	}
}

// leaf finds a column that has values of its own, by one of the names.
func (p *parquetFile) leaf(names []string) *parquet.Column {
	for _, name := range names {
		for _, c := range p.root.Root().Columns() {
			if strings.ToLower(c.Name()) == name && c.Leaf() {
				return c
			}
		}
	}
	return nil
}

// table reads features, and labels and names where there are columns of them.
func (p *parquetFile) table(path string) (t *Table, err error) {
	defer recovered(path, &err)
	t = &Table{}
	if list := p.list(); list != nil {
		t.Rows, err = p.lists(list)
	} else {
		t.Rows, err = p.plain()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, p.describe(path, t)
}

// describe reads the columns beside the features.
func (p *parquetFile) describe(path string, t *Table) (err error) {
	defer recovered(path, &err)
	if c := p.leaf(labelColumns); c != nil {
		values, err := p.numbers(c)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		t.values = append(t.values, values...)
	}
	for _, text := range []struct {
		names []string
		into  *[]string
	}{{artistColumns, &t.Artists}, {siteColumns, &t.Sites}, {imageColumns, &t.names}} {
		if c := p.leaf(text.names); c != nil && c.Type().Kind() == parquet.ByteArray {
			err = p.each(c, func(v parquet.Value) error {
				*text.into = append(*text.into, string(v.ByteArray()))
				return nil
			})
			if err != nil {
				return fmt.Errorf("%s: column %s: %w", path, c.Name(), err)
			}
		}
	}
	return nil
}

// list finds the column with a list of numbers in each row: the one with
// "emb" or "feature" in its name, or the first.
func (p *parquetFile) list() *parquet.Column {
	var found []*parquet.Column
	for _, c := range p.root.Root().Columns() {
		leaf := c
		for !leaf.Leaf() && len(leaf.Columns()) == 1 {
			leaf = leaf.Columns()[0]
		}
		if leaf.Leaf() && leaf.MaxRepetitionLevel() == 1 && isFloat(leaf) {
			found = append(found, leaf)
		}
	}
	for _, c := range found {
		if name := strings.ToLower(c.Path()[0]); strings.Contains(name, "emb") || strings.Contains(name, "feature") {
			return c
		}
	}
	if len(found) > 0 {
		return found[0]
	}
	return nil
}

func isFloat(c *parquet.Column) bool {
	kind := c.Type().Kind()
	return kind == parquet.Float || kind == parquet.Double
}

func (p *parquetFile) lists(c *parquet.Column) ([][]float32, error) {
	var rows [][]float32
	err := p.each(c, func(v parquet.Value) error {
		if v.RepetitionLevel() == 0 {
			rows = append(rows, nil)
		}
		if v.IsNull() {
			return invalid("row %d of column %s is empty", len(rows)-1, c.Path()[0])
		}
		last := &rows[len(rows)-1]
		if len(*last) == maxDim {
			return invalid("row %d of column %s has more than %d values", len(rows)-1, c.Path()[0], maxDim)
		}
		*last = append(*last, number(v))
		return nil
	})
	return rows, err
}

// plain takes every column of floating-point numbers as one feature.
func (p *parquetFile) plain() ([][]float32, error) {
	var columns [][]float32
	for _, c := range p.root.Root().Columns() {
		if !c.Leaf() || !isFloat(c) || slices.Contains(labelColumns, strings.ToLower(c.Name())) {
			continue
		}
		values, err := p.numbers(c)
		if err != nil {
			return nil, err
		}
		columns = append(columns, values)
	}
	if len(columns) == 0 {
		return nil, invalid("there is no column of lists of floating-point numbers, nor any column of them")
	}
	rows := make([][]float32, len(columns[0]))
	for i := range rows {
		rows[i] = make([]float32, len(columns))
		for j, values := range columns {
			if i >= len(values) {
				return nil, invalid("the columns are not of one length")
			}
			rows[i][j] = values[i]
		}
	}
	return rows, nil
}

// numbers reads one number a row.
func (p *parquetFile) numbers(c *parquet.Column) ([]float32, error) {
	var values []float32
	err := p.each(c, func(v parquet.Value) error {
		if v.IsNull() {
			return invalid("row %d of column %s is empty", len(values), c.Name())
		}
		if k := c.Type().Kind(); k == parquet.ByteArray || k == parquet.FixedLenByteArray || k == parquet.Int96 {
			return invalid("column %s holds no numbers", c.Name())
		}
		values = append(values, number(v))
		return nil
	})
	return values, err
}

func number(v parquet.Value) float32 {
	switch v.Kind() {
	case parquet.Float:
		return v.Float()
	case parquet.Double:
		return float32(v.Double())
	case parquet.Int32:
		return float32(v.Int32())
	case parquet.Int64:
		return float32(v.Int64())
	case parquet.Boolean:
		if v.Boolean() {
			return 1
		}
	}
	return 0
}

// each calls visit with every value of a column.
func (p *parquetFile) each(c *parquet.Column, visit func(parquet.Value) error) error {
	buffer := make([]parquet.Value, 4096)
	for _, group := range p.root.RowGroups() {
		pages := group.ColumnChunks()[c.Index()].Pages()
		err := eachPage(pages, buffer, visit)
		if err := errors.Join(err, pages.Close()); err != nil {
			return err
		}
	}
	return nil
}

func eachPage(pages parquet.Pages, buffer []parquet.Value, visit func(parquet.Value) error) error {
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return invalid("a page can't be read (%v)", err)
		}
		values := page.Values()
		for {
			n, err := values.ReadValues(buffer)
			for _, v := range buffer[:n] {
				if err := visit(v); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return invalid("a page can't be read (%v)", err)
			}
		}
		parquet.Release(page)
	}
}
