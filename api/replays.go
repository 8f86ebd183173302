package api

import (
	"container/list"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

const (
	// replayFor is how long an answer is given again under its key.
	replayFor = 24 * time.Hour
	// longestReplay, mostReplays and mostReplayBytes bound what is kept of
	// answers: a longer one is not kept, and of more the oldest go. What a
	// thousand ratings are answered with takes some 400 kB.
	longestReplay   = 1 << 20
	mostReplays     = 20_000
	mostReplayBytes = 64 << 20
)

// replayKey is a key of one caller: another's of the same name is another.
type replayKey struct{ caller, key string }

// replay is an answer that is kept.
type replay struct {
	print  [sha256.Size]byte // of the request
	status int
	header http.Header
	body   []byte

	key replayKey
	at  time.Time
}

// replays keeps answers in memory. It is safe for concurrent use.
type replays struct {
	now func() time.Time

	mu      sync.Mutex
	running map[replayKey]bool
	kept    map[replayKey]*list.Element // of *replay
	byAge   *list.List                  // the oldest first
	bytes   int
}

func newReplays() *replays {
	return &replays{now: time.Now, running: map[replayKey]bool{}, kept: map[replayKey]*list.Element{}, byAge: list.New()}
}

// begin gives the answer under a key. Known without an answer is a request that
// is being worked on; of what is not known the caller has to say the end.
func (k *replays) begin(key replayKey) (answer *replay, known bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forget(0)
	if kept := k.kept[key]; kept != nil {
		return kept.Value.(*replay), true
	}
	known = k.running[key]
	k.running[key] = true
	return nil, known
}

// end keeps the answer, if there is one to be kept, and frees the key otherwise.
func (k *replays) end(key replayKey, answer *replay) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.running, key)
	if answer == nil {
		return
	}
	k.forget(max(1, len(answer.body)))
	answer.key, answer.at = key, k.now()
	k.kept[key] = k.byAge.PushBack(answer)
	k.bytes += len(answer.body)
}

// forget drops what is too old, and the oldest until there is room for one more
// answer of that many bytes.
func (k *replays) forget(room int) {
	for oldest := k.byAge.Front(); oldest != nil; oldest = k.byAge.Front() {
		answer := oldest.Value.(*replay)
		fits := room == 0 || k.bytes+room <= mostReplayBytes && len(k.kept) < mostReplays
		if fits && k.now().Sub(answer.at) < replayFor {
			return
		}
		k.byAge.Remove(oldest)
		delete(k.kept, answer.key)
		k.bytes -= len(answer.body)
	}
}
