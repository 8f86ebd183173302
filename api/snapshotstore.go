package api

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"
)

const (
	// snapshotFor is how long a list is kept.
	snapshotFor = time.Hour
	// mostSnapshots and mostEntries bound what all of them take, some 60 MB:
	// the one that was asked for the longest ago makes room. The one that was
	// made last is kept, whatever its length.
	mostSnapshots = 200
	mostEntries   = 2_000_000
)

// snapshots keeps lists in memory. It is safe for concurrent use.
type snapshots struct {
	now func() time.Time

	mu      sync.Mutex
	lists   map[string]*snapshot
	asked   map[string]time.Time // when it was asked for last
	entries int
}

func newSnapshots() *snapshots {
	return &snapshots{now: time.Now, lists: map[string]*snapshot{}, asked: map[string]time.Time{}}
}

// keep gives a list its id and its time, and keeps it.
func (k *snapshots) keep(list *snapshot) {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	now := k.now()
	list.id = hex.EncodeToString(id)
	list.summary.ID, list.summary.ExpiresAt = list.id, now.Add(snapshotFor).UTC()
	k.mu.Lock()
	defer k.mu.Unlock()
	for other, one := range k.lists {
		if !now.Before(one.summary.ExpiresAt) {
			k.drop(other)
		}
	}
	for len(k.lists) > 0 && (len(k.lists) >= mostSnapshots || k.entries+len(list.entries) > mostEntries) {
		oldest := ""
		for other, at := range k.asked {
			if oldest == "" || at.Before(k.asked[oldest]) {
				oldest = other
			}
		}
		k.drop(oldest)
	}
	k.lists[list.id], k.asked[list.id] = list, now
	k.entries += len(list.entries)
}

func (k *snapshots) drop(id string) {
	k.entries -= len(k.lists[id].entries)
	delete(k.lists, id)
	delete(k.asked, id)
}

// find gives a list that is kept still, else nil.
func (k *snapshots) find(id string) *snapshot {
	k.mu.Lock()
	defer k.mu.Unlock()
	list, now := k.lists[id], k.now()
	if list == nil || !now.Before(list.summary.ExpiresAt) {
		return nil
	}
	k.asked[id] = now
	return list
}
