package flat_test

import (
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/index/indextest"
)

func TestConformance(t *testing.T) {
	open := func(t *testing.T, model palate.ModelID, dim int) index.Index {
		ix, err := flat.New(model, dim)
		if err != nil {
			t.Fatal(err)
		}
		return ix
	}
	indextest.Run(t, indextest.Subject{
		Open: open,
		Reopen: func(t *testing.T, ix index.Index, held []index.Point) index.Index {
			if err := ix.Close(); err != nil {
				t.Fatal(err)
			}
			again := open(t, ix.Model(), ix.Dim())
			if err := again.Upsert(t.Context(), held); err != nil {
				t.Fatal(err)
			}
			return again
		},
	})
}
