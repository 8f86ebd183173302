package finetune_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/simd"
)

// A step is the same bits on any number of threads and with every kernel.
func TestStepsAreTheSameOnAnyThreads(t *testing.T) {
	const n = 3<<16 + 12345
	stepped := func(threads int, kernel simd.Kernel) []float32 {
		trainer := finetune.OptimizerOf(n, threads, kernel)
		for range 3 {
			trainer.Optimize(1e-3)
		}
		return trainer.Parameter("numbers")
	}
	want := stepped(1, simd.Go())
	if begin := finetune.OptimizerOf(n, 1, simd.Go()); slices.Equal(want, begin.Parameter("numbers")) {
		t.Fatal("nothing has moved")
	}
	for _, kernel := range simd.All() {
		for _, threads := range []int{1, 2, 5} {
			if !slices.Equal(stepped(threads, kernel), want) {
				t.Errorf("%s, %d threads: other numbers than on one", kernel.Name(), threads)
			}
		}
	}
}

// BenchmarkOptimizer makes steps of as many numbers as a small model has, with
// the norm of their gradients: 32 bytes a number are read or written. Beside it
// are copies that read and write as many, on as many threads.
func BenchmarkOptimizer(b *testing.B) {
	const n = 22 << 20
	for _, threads := range []int{1, 2} {
		for _, kernel := range simd.All() {
			b.Run(fmt.Sprintf("threads=%d/kernel=%s", threads, kernel.Name()), func(b *testing.B) {
				trainer := finetune.OptimizerOf(n, threads, kernel)
				b.SetBytes(32 * n)
				for b.Loop() {
					trainer.Optimize(1e-3)
				}
			})
		}
		b.Run(fmt.Sprintf("threads=%d/copy", threads), func(b *testing.B) {
			from, to, part := make([]float32, 2*n), make([]float32, 2*n), 2*n/threads
			for i := range from {
				from[i] = float32(i)
			}
			b.SetBytes(32 * n)
			for b.Loop() {
				var all sync.WaitGroup
				for k := range threads {
					all.Go(func() {
						for range 2 {
							copy(to[k*part:(k+1)*part], from[k*part:])
						}
					})
				}
				all.Wait()
			}
		})
	}
}
