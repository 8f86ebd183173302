// Command peers searches with the libraries that bench/search compares with. It
// is a module of its own, so that they are no dependencies of palate. It
// answers one JSON request a line on standard input with one JSON line on
// standard output, and works only while it is asked to, so that contenders
// can take turns.
package main

import (
	"bufio"
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	sqlitevec "github.com/asg017/sqlite-vec-go-bindings/cgo"
	_ "github.com/mattn/go-sqlite3"
	"github.com/philippgille/chromem-go"
	"github.com/viterin/vek/vek32"
)

type request struct {
	Peer   string    `json:"peer"`
	Vector []float32 `json:"vector"` // empty: get ready
	K      int       `json:"k"`
}

type answer struct {
	Nanoseconds int64  `json:"ns"`
	Rows        []int  `json:"rows"`
	Error       string `json:"error,omitempty"`
}

// peer finds the k rows with the largest inner product.
type peer interface {
	search(vector []float32, k int) ([]int, error)
}

type collection struct {
	vectors []float32
	points  int
	dim     int
}

func (c collection) row(i int) []float32 { return c.vectors[i*c.dim : (i+1)*c.dim] }

var makers = map[string]func(c collection) (peer, error){"vek32": newVek, "sqlite-vec": newSQLiteVec, "chromem": newChromem}

func main() {
	path := flag.String("vectors", "", "file of float32, little-endian, row after row")
	dim := flag.Int("dim", 0, "values in a row")
	flag.Parse()
	if err := serve(*path, *dim); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func serve(path string, dim int) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	c := collection{vectors: make([]float32, len(raw)/4), points: len(raw) / 4 / dim, dim: dim}
	for i := range c.vectors {
		c.vectors[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	peers := map[string]peer{}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var q request
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			return err
		}
		var a answer
		if err := handle(c, peers, q, &a); err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	return in.Err()
}

func handle(c collection, peers map[string]peer, q request, a *answer) (err error) {
	begin := time.Now()
	if len(q.Vector) == 0 {
		make, known := makers[q.Peer]
		if !known {
			return fmt.Errorf("no peer %q", q.Peer)
		}
		peers[q.Peer], err = make(c)
	} else {
		a.Rows, err = peers[q.Peer].search(q.Vector, q.K)
	}
	a.Nanoseconds = time.Since(begin).Nanoseconds()
	return err
}

// vek scores every row with vek32.Dot, in as many goroutines as run at once.
type vek struct{ collection }

func newVek(c collection) (peer, error) { return vek{c}, nil }

func (v vek) search(vector []float32, k int) ([]int, error) {
	type scored struct {
		row   int
		score float32
	}
	shards := runtime.GOMAXPROCS(0)
	best := make([][]scored, shards)
	var wait sync.WaitGroup
	for s := range shards {
		wait.Go(func() {
			least := float32(math.Inf(-1))
			for i := v.points * s / shards; i < v.points*(s+1)/shards; i++ {
				score := vek32.Dot(vector, v.row(i))
				if len(best[s]) == k && score <= least {
					continue
				}
				at, _ := slices.BinarySearchFunc(best[s], score, func(a scored, score float32) int { return cmp.Compare(score, a.score) })
				best[s] = slices.Insert(best[s], at, scored{i, score})
				best[s] = best[s][:min(k, len(best[s]))]
				least = best[s][len(best[s])-1].score
			}
		})
	}
	wait.Wait()
	all := slices.Concat(best...)
	slices.SortFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	rows := make([]int, 0, k)
	for _, s := range all[:min(k, len(all))] {
		rows = append(rows, s.row)
	}
	return rows, nil
}

// sqliteVec is a vec0 table in memory.
type sqliteVec struct{ query *sql.Stmt }

func newSQLiteVec(c collection) (peer, error) {
	sqlitevec.Auto()
	db, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(fmt.Sprintf("CREATE VIRTUAL TABLE v USING vec0(embedding float[%d])", c.dim)); err != nil {
		return nil, err
	}
	tx, err := db.Begin()
	if err != nil {
		return nil, err
	}
	insert, err := tx.Prepare("INSERT INTO v (rowid, embedding) VALUES (?, ?)")
	if err != nil {
		return nil, err
	}
	for i := range c.points {
		blob, err := sqlitevec.SerializeFloat32(c.row(i))
		if err != nil {
			return nil, err
		}
		if _, err := insert.Exec(i+1, blob); err != nil {
			return nil, err
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	query, err := db.Prepare("SELECT rowid FROM v WHERE embedding MATCH ? AND k = ? ORDER BY distance")
	return sqliteVec{query}, err
}

func (s sqliteVec) search(vector []float32, k int) (rows []int, err error) {
	blob, err := sqlitevec.SerializeFloat32(vector)
	if err != nil {
		return nil, err
	}
	found, err := s.query.Query(blob, k)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		var row int
		if err := found.Scan(&row); err != nil {
			return nil, err
		}
		rows = append(rows, row-1)
	}
	return rows, found.Err()
}

type chromemDB struct{ collection *chromem.Collection }

func newChromem(c collection) (peer, error) {
	db := chromem.NewDB()
	none := func(context.Context, string) ([]float32, error) { return nil, fmt.Errorf("no text is embedded here") }
	into, err := db.CreateCollection("v", nil, none)
	if err != nil {
		return nil, err
	}
	for i := range c.points {
		if err := into.AddDocument(context.Background(), chromem.Document{ID: strconv.Itoa(i), Content: "-", Embedding: slices.Clone(c.row(i))}); err != nil {
			return nil, err
		}
	}
	return chromemDB{into}, nil
}

func (d chromemDB) search(vector []float32, k int) (rows []int, err error) {
	found, err := d.collection.QueryEmbedding(context.Background(), vector, k, nil, nil)
	for _, f := range found {
		row, _ := strconv.Atoi(f.ID)
		rows = append(rows, row)
	}
	return rows, err
}
