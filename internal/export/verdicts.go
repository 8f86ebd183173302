package export

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/palate-art/palate"
)

// Said is a verdict of an image, as a row tells it.
type Said struct {
	Image   palate.ImageID
	Verdict palate.Verdict
	Stars   palate.Stars
}

// maxRowBytes bounds one line of NDJSON, embeddings and all.
const maxRowBytes = 1 << 20

// maxSaid bounds the verdicts of one file.
const maxSaid = 5_000_000

// Verdicts reads the verdicts of what To and ToTar write; fields that it does not
// know are passed by, and so are rows with neither a verdict nor stars. Stars
// without a verdict mean theirs, see palate.Stars. NPZ has likes and dislikes
// alone, and those only if it was written with Query.Rated. A row that can't be
// read is palate.ErrInvalid with its number; errors of r come as they are.
func Verdicts(r io.Reader, format Format) ([]Said, error) {
	switch format {
	case NDJSON:
		return verdictsOfLines(r)
	case CSV:
		return verdictsOfTable(r)
	case Parquet:
		return verdictsOfParquet(r, nil)
	case NPZ:
		return verdictsOfArrays(r)
	case Clip:
		return verdictsOfClip(r)
	}
	return nil, fmt.Errorf("ratings are not read from %s: %w", format, palate.ErrInvalid)
}

func verdictsOfLines(r io.Reader) ([]Said, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxRowBytes)
	var all []Said
	n := 1
	for ; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var row struct {
			Image   string   `json:"image_id"`
			Verdict string   `json:"verdict"`
			Stars   *float64 `json:"stars"` // tables that hold gaps write 4.0
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			return nil, fmt.Errorf("line %d is not one JSON object with image_id and verdict as texts and stars as a number: %w", n, palate.ErrInvalid)
		}
		var err error
		if all, err = addSaid(all, fmt.Sprintf("line %d", n), row.Image, row.Verdict, row.Stars); err != nil {
			return nil, err
		}
	}
	err := lines.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = fmt.Errorf("a line is longer than %d bytes: %w", maxRowBytes, palate.ErrInvalid)
	}
	if err == nil && n == 1 {
		err = errEmpty
	}
	return all, err
}

// errEmpty is said of a file without anything.
var errEmpty = fmt.Errorf("the file is empty: %w", palate.ErrInvalid)

func verdictsOfTable(r io.Reader) ([]Said, error) {
	table := csv.NewReader(r)
	table.ReuseRecord, table.FieldsPerRecord = true, -1
	var all []Said
	image, verdict, stars := -1, -1, -1
	for n := 1; ; n++ {
		record, err := table.Read()
		var syntax *csv.ParseError
		switch {
		case errors.Is(err, io.EOF) && n > 1:
			return all, nil
		case errors.Is(err, io.EOF):
			return nil, errEmpty
		case errors.As(err, &syntax):
			return nil, fmt.Errorf("row %d is no comma-separated values: %w", n, palate.ErrInvalid)
		case err != nil:
			return nil, err
		}
		if n == 1 {
			image, verdict, stars = slices.Index(record, "image_id"), slices.Index(record, "verdict"), slices.Index(record, "stars")
			if image < 0 || verdict < 0 && stars < 0 {
				return nil, fmt.Errorf("the first row does not name the columns image_id and verdict or stars: %w", palate.ErrInvalid)
			}
			continue
		}
		if max(image, verdict, stars) >= len(record) {
			return nil, fmt.Errorf("row %d has %d values, too few for image_id, verdict and stars: %w", n, len(record), palate.ErrInvalid)
		}
		row, said := fmt.Sprintf("row %d", n), ""
		if verdict >= 0 {
			said = record[verdict]
		}
		given, err := starsOf(record, stars)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", row, err)
		}
		if all, err = addSaid(all, row, record[image], said, given); err != nil {
			return nil, err
		}
	}
}

// starsOf reads the column of stars, if there is one with something in it.
func starsOf(record []string, column int) (*float64, error) {
	if column < 0 || record[column] == "" {
		return nil, nil
	}
	n, err := strconv.ParseFloat(record[column], 64)
	if err != nil {
		return nil, fmt.Errorf("stars %.40q are no number: %w", record[column], palate.ErrInvalid)
	}
	return &n, nil
}

func addSaid(all []Said, where, image, verdict string, stars *float64) ([]Said, error) {
	if verdict == "" && stars == nil {
		return all, nil
	}
	id, err := palate.ParseImageID(image)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	said := Said{Image: id}
	if stars != nil {
		if said.Stars = palate.Stars(*stars); *stars != float64(said.Stars) || said.Stars == 0 {
			return nil, fmt.Errorf("%s: %v stars, want 1 to %d: %w", where, *stars, palate.MostStars, palate.ErrInvalid)
		}
	}
	if said.Verdict = said.Stars.Verdict(); verdict != "" {
		said.Verdict, err = palate.ParseVerdict(verdict)
	}
	if err := errors.Join(err, said.Stars.Validate()); err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	if len(all) == maxSaid {
		return nil, fmt.Errorf("the file has more than %d ratings; send it in parts: %w", maxSaid, palate.ErrInvalid)
	}
	return append(all, said), nil
}
