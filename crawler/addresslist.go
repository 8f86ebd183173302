package crawler

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/palate-art/palate"
)

// columns are what the columns of lists of addresses are called, as
// img2dataset and the exports of museums have them.
var columns = map[string]field{
	"caption": fieldTitle, "text": fieldTitle, "alt": fieldTitle, "alt_text": fieldTitle, "creditline": fieldCredit,
	"license_url": fieldLicence, "licence_url": fieldLicence,
}

var addressColumns = []string{"url", "image_url", "imageurl", "image", "src", "address", "link", "contenturl"}

// maxListLine bounds one line of a list.
const maxListLine = 1 << 20

// ReadAddresses reads a list of addresses: one on each line, "#" beginning a
// comment, or a table separated by commas or tabs whose first line names its
// columns, one of them "url"; the others are what is known of the pictures.
// Its error is palate.ErrInvalid and says in which line.
func ReadAddresses(r io.Reader) ([]Seed, error) {
	in := bufio.NewReaderSize(r, maxListLine)
	first, err := in.Peek(64 << 10)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("crawler: list of addresses: %w", err)
	}
	if bytes.HasPrefix(first, []byte("PAR1")) {
		return nil, fmt.Errorf("crawler: the list of addresses is Parquet, which is read from a file alone: give its name: %w", palate.ErrInvalid)
	}
	line, _, _ := bytes.Cut(first, []byte("\n"))
	head := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(string(line)), "\xef\xbb\xbf"))
	for _, separator := range []rune{',', '\t', ';'} {
		for name := range strings.SplitSeq(head, string(separator)) {
			if strings.ContainsRune(head, separator) && isAddressColumn(name) {
				return readTable(in, separator)
			}
		}
	}
	return readLines(in, isAddressColumn(head))
}

func isAddressColumn(name string) bool {
	name = strings.Trim(strings.TrimSpace(name), `"`)
	for _, c := range addressColumns {
		if name == c {
			return true
		}
	}
	return false
}

func readLines(in io.Reader, headed bool) ([]Seed, error) {
	var out []Seed
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxListLine)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\xef\xbb\xbf"))
		if text == "" || strings.HasPrefix(text, "#") || headed && n == 1 {
			continue
		}
		seed, err := ParseSeed(text)
		if err != nil {
			return nil, fmt.Errorf("crawler: line %d of the list: %w", n, err)
		}
		out = append(out, seed)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("crawler: list of addresses: %w: %w", palate.ErrInvalid, err)
	}
	return out, nil
}

func readTable(in io.Reader, separator rune) ([]Seed, error) {
	table := csv.NewReader(in)
	table.Comma, table.LazyQuotes, table.FieldsPerRecord, table.ReuseRecord = separator, true, -1, true
	var names []string
	var out []Seed
	for {
		row, err := table.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("crawler: list of addresses: %w: %w", palate.ErrInvalid, err)
		}
		if names == nil {
			for _, name := range row {
				names = append(names, strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\xef\xbb\xbf"))))
			}
			continue
		}
		line, _ := table.FieldPos(0)
		seed, err := SeedFromRow(names, row)
		if err != nil {
			return nil, fmt.Errorf("crawler: line %d of the list: %w", line, err)
		}
		out = append(out, seed)
	}
}

// SeedFromRow makes a seed of one row of a table whose columns have these
// names in lower case, one of them "url" or its like. Its error is
// palate.ErrInvalid.
func SeedFromRow(names, row []string) (Seed, error) {
	var rec record
	address := ""
	for i, value := range row[:min(len(row), len(names))] {
		value = strings.TrimSpace(value)
		name := names[i]
		f, ok := labels[strings.ReplaceAll(name, "_", " ")]
		if !ok {
			f, ok = columns[name]
		}
		switch {
		case value == "":
		case isAddressColumn(name) && address == "":
			address = value
		case f == fieldLicence && strings.HasPrefix(value, "http"):
			rec.source.LicenceURL = value
		case name == "page" || name == "page_url" || name == "source_url":
			rec.source.Page = value
		case ok:
			rec.put(f, stripHTML(value))
		}
	}
	if address == "" {
		return Seed{}, fmt.Errorf("there is no address in a column called %s; the columns are %s: %w", addressColumns[0], strings.Join(names, ", "), palate.ErrInvalid)
	}
	u, err := url.Parse(address)
	if err != nil {
		return Seed{}, fmt.Errorf("%q: %w: %w", address, palate.ErrInvalid, err)
	}
	clean, ok := canonical(u)
	if !ok {
		return Seed{}, fmt.Errorf("%q is no http or https address: %w", address, palate.ErrInvalid)
	}
	rec.source.Year = yearOf(rec.source.Date)
	return Seed{URL: clean, Source: HTML, Known: &rec.source}, nil
}
