package features

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// IsParquet reports whether a file begins as Parquet does.
func IsParquet(r io.ReaderAt) bool {
	var magic [4]byte
	_, err := r.ReadAt(magic[:], 0)
	return err == nil && string(magic[:]) == "PAR1"
}

// Texts calls visit with each row of a Parquet file: the names of its columns
// in lower case and their values as text, empty where there is none. Columns
// of lists are left out. A few rows are in memory at a time; the slices are
// visit's until it returns. It returns visit's error, or palate.ErrInvalid for
// a file that can't be read.
func Texts(path string, visit func(row int64, names, values []string) error) (err error) {
	defer recovered(path, &err)
	p, err := openParquet(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	place := map[int]int{} // of a column among the values
	var names []string
	for _, c := range p.root.Root().Columns() {
		if c.Leaf() && c.MaxRepetitionLevel() == 0 {
			place[c.Index()] = len(names)
			names = append(names, strings.ToLower(c.Name()))
		}
	}
	values := make([]string, len(names))
	buffer := make([]parquet.Row, 64)
	number := int64(0)
	for _, group := range p.root.RowGroups() {
		rows := group.Rows()
		err := eachRow(rows, buffer, func(row parquet.Row) error {
			number++
			clear(values)
			for _, v := range row {
				if at, ok := place[v.Column()]; ok && !v.IsNull() {
					values[at] = textOf(v)
				}
			}
			return visit(number, names, values)
		})
		if err := errors.Join(err, rows.Close()); err != nil {
			return err
		}
	}
	return nil
}

func eachRow(rows parquet.Rows, buffer []parquet.Row, visit func(parquet.Row) error) error {
	for {
		n, err := rows.ReadRows(buffer)
		for _, row := range buffer[:n] {
			if err := visit(row); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return invalid("the Parquet file can't be read to its end (%v)", err)
		case n == 0:
			return nil
		}
	}
}

func textOf(v parquet.Value) string {
	if kind := v.Kind(); kind == parquet.ByteArray || kind == parquet.FixedLenByteArray {
		return string(v.ByteArray())
	}
	return fmt.Sprint(v)
}
