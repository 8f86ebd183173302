package export

import (
	"archive/zip"
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/features"
)

type ndjsonWriter struct {
	out  *bufio.Writer
	json *json.Encoder
}

func newNDJSON(w io.Writer) *ndjsonWriter {
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return &ndjsonWriter{out, encoder}
}

func (w *ndjsonWriter) write(rows []Row) error {
	for _, r := range rows {
		if err := w.json.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

func (w *ndjsonWriter) close() error { return w.out.Flush() }

type csvWriter struct {
	out   *csv.Writer
	begun bool
}

func newCSV(w io.Writer) *csvWriter { return &csvWriter{out: csv.NewWriter(w)} }

func (w *csvWriter) write(rows []Row) error {
	w.begin()
	for _, r := range rows {
		year, rated, stars := "", "", ""
		if r.Stars != nil {
			stars = strconv.Itoa(int(*r.Stars))
		}
		if r.Year != nil {
			year = strconv.Itoa(int(*r.Year))
		}
		if r.RatedAt != nil {
			rated = r.RatedAt.Format(time.RFC3339)
		}
		_ = w.out.Write([]string{r.ID, r.Verdict, rated, r.Title, r.Artist, year, r.Date, r.Medium, r.Licence, r.Terms, r.Credit,
			r.Address, r.Page, r.Site, r.External, r.Name, r.Format, strconv.Itoa(int(r.Width)), strconv.Itoa(int(r.Height)),
			strconv.FormatInt(r.Bytes, 10), r.AddedAt.Format(time.RFC3339), r.Damage, stars})
	}
	w.out.Flush()
	return w.out.Error()
}

func (w *csvWriter) begin() {
	if !w.begun {
		_ = w.out.Write([]string{"image_id", "verdict", "rated_at", "title", "artist", "year", "date", "medium", "licence", "licence_url", "credit",
			"url", "page", "site", "external_id", "original_name", "format", "width", "height", "bytes", "added_at", "damage", "stars"})
	}
	w.begun = true
}

func (w *csvWriter) close() error {
	w.begin()
	w.out.Flush()
	return w.out.Error()
}

// parquetRow has a label beside, which is what readers of tables look for.
type parquetRow struct {
	Row
	Label *bool `parquet:"label,optional"` // null: neither liked nor disliked
}

func labelled(r Row) parquetRow {
	if !r.judged() {
		return parquetRow{Row: r}
	}
	liked := r.Verdict == string(palate.Like)
	return parquetRow{r, &liked}
}

type parquetWriter struct {
	out features.RowWriter[parquetRow]
}

func newParquet(w io.Writer) *parquetWriter {
	return &parquetWriter{features.NewParquet[parquetRow](w)}
}

func (w *parquetWriter) write(rows []Row) error {
	some := make([]parquetRow, len(rows))
	for i, r := range rows {
		some[i] = labelled(r)
	}
	_, err := w.out.Write(some)
	return err
}

func (w *parquetWriter) close() error { return w.out.Close() }

// npzWriter gathers what .npy files say at their beginning.
type npzWriter struct {
	out    io.Writer
	matrix *features.Matrix
	rated  bool
	ids    []string
	labels []bool
}

func newNPZ(w io.Writer, q Query) (*npzWriter, error) {
	matrix, err := features.NewMatrix(q.Dim)
	return &npzWriter{out: w, matrix: matrix, rated: q.Rated}, err
}

func (w *npzWriter) write(rows []Row) error {
	for _, r := range rows {
		if err := w.matrix.Append(r.Vector); err != nil {
			return err
		}
		w.ids, w.labels = append(w.ids, r.ID), append(w.labels, r.Verdict == string(palate.Like))
	}
	return nil
}

func (w *npzWriter) close() (err error) {
	defer func() { err = errors.Join(err, w.matrix.Close()) }()
	archive := zip.NewWriter(w.out)
	arrays := []struct {
		name string
		save func(io.Writer) error
	}{
		{"X.npy", w.matrix.Save},
		{"ids.npy", func(to io.Writer) error { return features.SaveTexts(to, w.ids) }},
		{"y.npy", func(to io.Writer) error { return features.SaveLabels(to, w.labels) }},
	}
	if !w.rated {
		arrays = arrays[:2]
	}
	for _, array := range arrays {
		to, err := archive.CreateHeader(&zip.FileHeader{Name: array.name, Method: zip.Store})
		if err != nil {
			return err
		}
		if err := array.save(to); err != nil {
			return err
		}
	}
	return archive.Close()
}

// clipWriter writes one part of each kind: palate's collections are smaller
// than the million rows that clip-retrieval puts into one.
type clipWriter struct {
	folder   string
	matrix   *features.Matrix
	metadata *os.File
	rows     features.RowWriter[clipRow]
}

// clipRow has clip-retrieval's own names beside palate's.
type clipRow struct {
	Path    string `parquet:"image_path"`
	Caption string `parquet:"caption"`
	parquetRow
}

func newClip(folder string, q Query) (*clipWriter, error) {
	for _, name := range []string{"img_emb", "metadata"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o755); err != nil {
			return nil, err
		}
	}
	metadata, err := os.Create(filepath.Join(folder, "metadata", "metadata_0.parquet"))
	if err != nil {
		return nil, err
	}
	matrix, err := features.NewMatrix(q.Dim)
	if err != nil {
		return nil, errors.Join(err, metadata.Close())
	}
	return &clipWriter{folder: folder, matrix: matrix, metadata: metadata, rows: features.NewParquet[clipRow](metadata)}, nil
}

func (w *clipWriter) write(rows []Row) error {
	some := make([]clipRow, len(rows))
	for i, r := range rows {
		if err := w.matrix.Append(r.Vector); err != nil {
			return err
		}
		some[i] = clipRow{Path: r.Address, Caption: r.Title, parquetRow: labelled(r)}
		some[i].Vector = nil // beside, in img_emb
	}
	_, err := w.rows.Write(some)
	return err
}

func (w *clipWriter) close() (err error) {
	defer func() { err = errors.Join(err, w.matrix.Close()) }()
	if err := errors.Join(w.rows.Close(), w.metadata.Close()); err != nil {
		return err
	}
	to, err := os.Create(filepath.Join(w.folder, "img_emb", "img_emb_0.npy"))
	if err != nil {
		return err
	}
	return errors.Join(w.matrix.Save(to), to.Close())
}
