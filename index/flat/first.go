package flat

// selectFirst moves the first n of the order to the front, in any order
// (Hoare's quickselect).
func selectFirst[T any](s []T, n int, compare func(a, b T) int) {
	for len(s) > 1 && n > 0 && n < len(s) {
		pivot := middle(s[0], s[len(s)/2], s[len(s)-1], compare)
		i, j := 0, len(s)-1
		for i <= j {
			for compare(s[i], pivot) < 0 {
				i++
			}
			for compare(s[j], pivot) > 0 {
				j--
			}
			if i <= j {
				s[i], s[j] = s[j], s[i]
				i++
				j--
			}
		}
		// s[:j+1] ≤ pivot ≤ s[i:]; what is between equals it.
		switch {
		case n <= j+1:
			s = s[:j+1]
		case n > i:
			s, n = s[i:], n-i
		default:
			return
		}
	}
}

func middle[T any](a, b, c T, compare func(a, b T) int) T {
	if compare(a, b) > 0 {
		a, b = b, a
	}
	if compare(b, c) > 0 {
		b = c
	}
	if compare(a, b) > 0 {
		b = a
	}
	return b
}
