package features

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxText bounds one text of an array, in characters.
const maxText = 1 << 16

// LoadJudged reads the arrays ids and y of an .npz: the names of rows, and which
// of them are liked. Both are as long. What can't be read, or has more rows than
// most, is palate.ErrInvalid.
func LoadJudged(path string, most int) (ids []string, liked []bool, err error) {
	z, err := openZip(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, z.Close()) }()
	for _, f := range z.File { // a few bytes may say that they are many
		if slices.Contains(labelArrays, strings.TrimSuffix(f.Name, ".npy")) && f.UncompressedSize64 > uint64(most)*8+maxHeader {
			return nil, nil, invalid("array %s is of more than %d rows", f.Name, most)
		}
	}
	labels, err := z.find(labelArrays, "labels")
	if err != nil {
		return nil, nil, err
	}
	values, err := labels.column()
	if err != nil {
		return nil, nil, err
	}
	if liked, err = labelsOf(values); err != nil {
		return nil, nil, err
	}
	for _, f := range z.File {
		if f.Name != "ids.npy" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, nil, invalid("array %s can't be read (%v)", f.Name, err)
		}
		ids, err = readTexts(bufio.NewReaderSize(r, chunkBytes), len(liked))
		if err = errors.Join(err, r.Close()); err != nil {
			return nil, nil, fmt.Errorf("array %s: %w", f.Name, err)
		}
	}
	if ids == nil {
		return nil, nil, invalid("the .npz has no array of ids")
	}
	return ids, liked, nil
}

// readTexts reads one .npy file of so many texts in one dimension.
func readTexts(r io.Reader, count int) ([]string, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	longest, err := strconv.Atoi(strings.TrimPrefix(h.code, "U"))
	if err != nil || !strings.HasPrefix(h.code, "U") || longest < 1 || longest > maxText || len(h.shape) != 1 {
		return nil, invalid("the array is of type %q and shape %v, want texts in one dimension", h.descr, h.shape)
	}
	if h.shape[0] != count {
		return nil, invalid("there are %d texts and %d labels", h.shape[0], count)
	}
	texts := []string{}
	for one := make([]byte, 4*longest); len(texts) < count; {
		if _, err := io.ReadFull(r, one); err != nil {
			return nil, invalid("the header promises %d texts, but the file ends after %d (%v)", count, len(texts), err)
		}
		var text []byte
		for at := 0; at < len(one); at += 4 {
			c := h.order.Uint32(one[at:])
			if c == 0 {
				break
			}
			text = utf8.AppendRune(text, rune(c))
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}
