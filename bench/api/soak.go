package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// soakRate is how many requests a second of all kinds the memory is watched
// under.
const soakRate = 40

// soak watches the memory of the server under a load of all operations.
func (c *client) soak(ctx context.Context, o options, operations []operation) (*memoryMeasured, error) {
	mixed := func(r *rand.Rand) (string, string, string) { return operations[r.IntN(len(operations))].ask(r) }
	const samples = 30
	part := o.soak / samples
	m := &memoryMeasured{Seconds: o.soak.Seconds(), Rate: soakRate}
	var minutes, heap, resident []float64
	begun := time.Now()
	for i := range samples {
		l, err := c.open(ctx, mixed, soakRate, part, o.seed+uint64(i))
		if err != nil {
			return nil, err
		}
		m.Answers += l.answers
		u, err := c.used(ctx, true)
		if err != nil {
			return nil, err
		}
		minutes = append(minutes, time.Since(begun).Minutes())
		heap, resident = append(heap, float64(u.heap)/1e6), append(resident, float64(u.resident)/1e6)
	}
	// The first third fills caches.
	from := samples / 3
	m.HeapMB, m.ResidentMB = heap[samples-1], resident[samples-1]
	m.HeapSlope, m.ResidentSlope = slope(minutes[from:], heap[from:]), slope(minutes[from:], resident[from:])
	return m, nil
}

// slope is that of the straight line that fits best.
func slope(x, y []float64) float64 {
	var sx, sy, sxx, sxy float64
	n := float64(len(x))
	for i := range x {
		sx, sy, sxx, sxy = sx+x[i], sy+y[i], sxx+x[i]*x[i], sxy+x[i]*y[i]
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}
