package arena

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/tuning"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// parts is how many folds the ratings are put into; Config.Folds says how many
// of them a fine-tuning is judged on.
const parts = 5

// Entrant is a model that takes part.
type Entrant struct {
	Name string
	Size int64 // of its file in bytes; 0 is not known
	ID   palate.ModelID
	// Rated has the embeddings of the rated pictures, the same pictures for all
	// entrants, and how long they took.
	Embeddings map[palate.ImageID]palate.Embedding
	Seconds    float64
	// Trainable opens it for fine-tuning; nil where it has no weights to train.
	Trainable func(context.Context) (models.Trainable, error)
}

// Rated is one rated picture.
type Rated struct {
	Image  palate.ImageID
	Liked  bool
	Sketch func() []byte
}

// Methods that learn on embeddings.
const (
	Probe    = "probe"
	KNN      = "knn"
	Centroid = "centroid"
	finetune = "finetune "
)

// ParseMethod reads probe, knn, centroid, or what tuning.ParseMethod does.
func ParseMethod(text string) (string, error) {
	if slices.Contains([]string{Probe, KNN, Centroid}, text) {
		return text, nil
	}
	m, err := tuning.ParseMethod(text)
	if err != nil {
		return "", fmt.Errorf("%q is none of probe, knn, centroid, full, last:N and lora:R: %w", text, palate.ErrInvalid)
	}
	return finetune + m.String(), nil
}

// Config says how a contest goes.
type Config struct {
	Profile palate.Profile
	Methods []string // as ParseMethod gives them
	Asked   tuning.Asked
	Folds   int // of a fine-tuning, 1 to 5
	Seed    int64
	// Budget bounds the time of each fine-tuned cell; 0 does not.
	Budget time.Duration
	Folder string
	// Told, if not nil, hears how many pictures of how many a model has embedded
	// while a contest is made ready.
	Told func(model string, done, total int)
}

// Validate reports everything that is wrong with what can be told without models
// and ratings, as palate.ErrInvalid.
func (c Config) Validate() error {
	var wrong []error
	if c.Folds < 1 || c.Folds > parts {
		wrong = append(wrong, fmt.Errorf("arena: %d folds, want 1 to %d: %w", c.Folds, parts, palate.ErrInvalid))
	}
	if len(c.Methods) == 0 {
		wrong = append(wrong, fmt.Errorf("arena: no methods, want at least one: %w", palate.ErrInvalid))
	}
	return errors.Join(wrong...)
}

// Contest is one that is ready to be run.
type Contest struct {
	config   Config
	entrants []Entrant
	rated    []Rated
	runtime  *ort.Runtime
	reader   *tuning.Reader
	set      *judge.Set
	split    judge.Split
	data     string // a hash of pictures, verdicts and folds

	Estimate time.Duration // of what is not measured yet
}

// New checks what was asked for and puts the works into folds. The pictures
// that an entrant has no embedding of must have been left out. Too few ratings
// are a *probe.NotEnoughError.
func New(ctx context.Context, rt *ort.Runtime, reader *tuning.Reader, rated []Rated, entrants []Entrant, config Config) (*Contest, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if len(entrants) == 0 {
		return nil, fmt.Errorf("arena: no models, want at least one: %w", palate.ErrInvalid)
	}
	rated = slices.Clone(rated)
	slices.SortFunc(rated, func(a, b Rated) int { return bytes.Compare(a.Image[:], b.Image[:]) })
	c := &Contest{config: config, entrants: entrants, rated: rated, runtime: rt, reader: reader}
	examples := c.examples(entrants[0])
	if err := learning(config.Seed).Enough(examples); err != nil {
		return nil, fmt.Errorf("arena: %w", err)
	}
	var err error
	// The first model finds what shows one work, for all.
	if c.set, err = probe.Set(ctx, examples, true); err != nil {
		return nil, err
	}
	splits, err := c.set.Splits(judge.Plan{Folds: parts, Repeats: 1, Seed: config.Seed})
	if err != nil {
		return nil, err
	}
	c.split = splits[0]
	h := sha256.New()
	for i, e := range c.set.Examples() {
		fmt.Fprintln(h, e.Image, e.Liked, e.Group, c.split.Fold(i))
	}
	c.data = hex.EncodeToString(h.Sum(nil))
	c.Estimate, err = c.estimate(ctx)
	return c, err
}

func learning(seed int64) probe.Config {
	config := probe.DefaultConfig()
	config.Folds, config.Seed, config.Resamples, config.MinPerClass = parts, seed, 0, 10
	return config
}

// examples are the rated pictures as a model sees them, in the order of the
// set; after the set is made, with its groups.
func (c *Contest) examples(e Entrant) []probe.Example {
	var grouped []judge.Example
	if c.set != nil {
		grouped = c.set.Examples()
	}
	out := make([]probe.Example, len(c.rated))
	for i, r := range c.rated {
		out[i] = probe.Example{Image: r.Image, Embedding: e.Embeddings[r.Image], Liked: r.Liked, Sketch: r.Sketch}
		if grouped != nil {
			out[i].Group, out[i].Sketch = grouped[i].Group, nil
		}
	}
	return out
}

// Cell is what one model and method gave.
type Cell struct {
	Version int    `json:"version"`
	Model   string `json:"model"`
	Method  string `json:"method"`
	// Folds that were judged, and predictions of what they held out.
	Folds       []int            `json:"folds"`
	Predictions []Prediction     `json:"predictions,omitempty"`
	Metrics     map[string]Value `json:"metrics,omitempty"`
	// Seconds is learning alone; features of probes come beside it.
	Seconds         float64 `json:"seconds"`
	FeatureSeconds  float64 `json:"feature_seconds,omitempty"`
	PicturesASecond float64 `json:"pictures_a_second"`
	MemoryBytes     int64   `json:"peak_memory_bytes,omitempty"` // of the process, up to then
	ModelBytes      int64   `json:"model_bytes,omitempty"`
	// Cut says that the budget ended it: it is not ranked.
	Cut bool `json:"cut,omitempty"`
	// Failed says why it could not be measured at all.
	Failed string `json:"failed,omitempty"`
	Kept   bool   `json:"kept,omitempty"` // it was measured before
}

// Prediction is what was predicted of one picture that a fold held out.
type Prediction struct {
	Number      int     `json:"number"`
	Fold        int     `json:"fold"`
	Score       float64 `json:"score"`
	Probability float64 `json:"probability"`
	Decided     bool    `json:"decided"`
}

// Pictures is how many rated pictures take part.
func (c *Contest) Pictures() int { return len(c.rated) }

// reportVersion is that of a Report as it is written.
const reportVersion = 1

// ReadReport reads a report as it was written as JSON; anything else is
// palate.ErrInvalid.
func ReadReport(text []byte) (*Report, error) {
	r := new(Report)
	if err := json.Unmarshal(text, r); err != nil || r.Version != reportVersion || len(r.Cells) == 0 {
		return nil, fmt.Errorf("arena: no report of version %d: %w", reportVersion, palate.ErrInvalid)
	}
	return r, nil
}

// Report is what a contest gave.
type Report struct {
	Version  int            `json:"version"`
	Profile  palate.Profile `json:"profile"`
	Data     string         `json:"data"`
	Pictures int            `json:"pictures"`
	Works    int            `json:"works"`
	Likes    int            `json:"likes"`
	Dislikes int            `json:"dislikes"`
	Cells    []Cell         `json:"cells"` // the best first, those that are not ranked last
	Pairs    []Pair         `json:"pairs"`
	Verdicts []string       `json:"verdicts"`
}

// Brief is the report without the predictions, by which the rest was judged.
func (r *Report) Brief() *Report {
	brief := *r
	brief.Cells = slices.Clone(r.Cells)
	for i := range brief.Cells {
		brief.Cells[i].Predictions = nil
	}
	return &brief
}

// Words are its verdicts, for people.
func (r *Report) Words() []string { return r.Verdicts }

// Run measures what is not measured yet. told is called before each cell.
func (c *Contest) Run(ctx context.Context, told func(done, total int, what string)) (*Report, error) {
	r := &Report{Version: reportVersion, Profile: c.config.Profile, Data: c.data, Pictures: len(c.rated), Works: c.set.Groups()}
	for _, e := range c.rated {
		if e.Liked {
			r.Likes++
		} else {
			r.Dislikes++
		}
	}
	total, done := len(c.entrants)*len(c.config.Methods), 0
	for _, e := range c.entrants {
		for _, method := range c.config.Methods {
			told(done, total, e.Name+", "+method)
			done++
			cell, err := c.cell(ctx, e, method, func(fold int) { told(done-1, total, fmt.Sprintf("%s, %s, fold %d", e.Name, method, fold+1)) })
			if err != nil {
				return nil, err
			}
			r.Cells = append(r.Cells, cell)
		}
	}
	told(done, total, "")
	return r, c.judge(r)
}

func (c *Contest) cell(ctx context.Context, e Entrant, method string, told func(fold int)) (Cell, error) {
	cell := Cell{Version: 1, Model: e.Name, Method: method, ModelBytes: e.Size}
	var err error
	if recipe, tuned := c.recipe(method); tuned {
		err = c.tuned(ctx, e, recipe, &cell, told)
	} else {
		err = c.probed(ctx, e, &cell)
	}
	if ctx.Err() != nil {
		return cell, ctx.Err()
	}
	if errors.Is(err, palate.ErrInvalid) || errors.Is(err, palate.ErrConflict) {
		cell.Failed = palate.Message(err)
		return cell, nil
	}
	return cell, err
}

// recipe is that of a fine-tuning, and whether the method is one.
func (c *Contest) recipe(method string) (tuning.Recipe, bool) {
	if len(method) <= len(finetune) || method[:len(finetune)] != finetune {
		return tuning.Recipe{}, false
	}
	m, err := tuning.ParseMethod(method[len(finetune):])
	if err != nil {
		return tuning.Recipe{}, false
	}
	asked := c.config.Asked
	asked.Method = &m
	if asked.Seed == nil {
		seed := uint64(c.config.Seed)
		asked.Seed = &seed
	}
	return asked.Recipe(), true
}

// probed lets a way to learn on embeddings predict every fold.
func (c *Contest) probed(ctx context.Context, e Entrant, cell *Cell) error {
	key := c.key(e, cell.Method, "")
	if c.read(key, cell) {
		return nil
	}
	begun := time.Now()
	config := learning(c.config.Seed)
	config.NearDuplicates = false // the groups are given
	switch cell.Method {
	case Centroid:
		config.Kind = probe.Centroid
	case KNN:
		config.Against = []probe.Kind{probe.Neighbours}
	}
	_, report, err := probe.Train(ctx, c.examples(e), e.ID, config)
	if err != nil {
		return err
	}
	predictions := report.OutOfFold
	if cell.Method == KNN {
		predictions = report.Baselines[0].OutOfFold
	}
	for i, p := range predictions {
		if p.Fold != c.split.Fold(i) {
			return errors.New("arena: the probe was judged on other folds")
		}
		cell.Predictions = append(cell.Predictions, Prediction{i, p.Fold, p.Score, p.Probability, p.Decided})
	}
	for fold := range c.split.Folds {
		cell.Folds = append(cell.Folds, fold)
	}
	cell.Seconds, cell.FeatureSeconds = time.Since(begun).Seconds(), e.Seconds
	if e.Seconds > 0 {
		cell.PicturesASecond = float64(len(c.rated)) / e.Seconds
	}
	_, cell.MemoryBytes = tuning.UsedMemory()
	return c.write(key, cell)
}

// key names what a cell depends on.
func (c *Contest) key(e Entrant, method, more string) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(1, e.ID, c.data, method, strconv.FormatInt(c.config.Seed, 10), more)))
	return hex.EncodeToString(sum[:16])
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("arena: a recipe that can't be written: " + err.Error()) // numbers are checked before
	}
	return string(text)
}
