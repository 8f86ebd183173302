package palate_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/palate-art/palate"
)

func TestAMessageForPeopleCarriesNoKind(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("run 1 has failed already: %w", palate.ErrConflict), "run 1 has failed already"},
		{fmt.Errorf("catalog: the year is 99999: %w", palate.ErrInvalid), "the year is 99999"},
		{fmt.Errorf("probe of me: catalog: the disk is full"), "probe of me: the disk is full"},
		{fmt.Errorf("flat index: search: example 7: %w", palate.ErrNotFound), "search: example 7: not found"},
		{fmt.Errorf("the file: %w", errors.New("picture: taste: it is empty")), "the file: it is empty"},
		{errors.New(`crawler: crawl "vedute": the frontier is away`), `crawl "vedute": the frontier is away`},
		{errors.New("a picture: of what"), "a picture: of what"},
		{fmt.Errorf("the index is away: %w: dial", palate.ErrUnavailable), "the index is away: dial"},
		{errors.Join(fmt.Errorf("one: %w", palate.ErrInvalid), fmt.Errorf("two: %w", palate.ErrConflict)), "one\ntwo"},
		{fmt.Errorf("image 7: %w", palate.ErrNotFound), "image 7: not found"},
		{errors.New("the answer: conflicting dates"), "the answer: conflicting dates"},
		{fmt.Errorf("there is no job 9; palate jobs lists them: %w", palate.ErrNotFound), "there is no job 9; palate jobs lists them"},
		{fmt.Errorf("me has no probe yet: %w (rate some)", palate.ErrNotFound), "me has no probe yet (rate some)"},
		{fmt.Errorf("image 9: %w", palate.ErrNotFound), "image 9: not found"},
		{fmt.Errorf("image 0: %w", palate.ErrNotFound), "image 0: not found"},
		{fmt.Errorf("profile \"nobody\": %w", palate.ErrNotFound), "profile \"nobody\": not found"},
		{fmt.Errorf("profile \"me\" has no rating to undo: %w", palate.ErrNotFound), "profile \"me\" has no rating to undo"},
		{fmt.Errorf("catalog: read image: image 9: %w", palate.ErrNotFound), "image 9: not found"},
		{fmt.Errorf("catalog: keep crawl's settings: job 9 has failed already: %w", palate.ErrConflict), "job 9 has failed already"},
		{fmt.Errorf("catalog: add image: the disk is full; free some space: %w", palate.ErrUnavailable), "add image: the disk is full; free some space"},
		{fmt.Errorf("palate restore: catalog: read image: image 9: %w", palate.ErrNotFound), "palate restore: image 9: not found"},
	} {
		if got := palate.Message(tt.err); got != tt.want {
			t.Errorf("%q is told as %q, want %q", tt.err, got, tt.want)
		}
	}
}
