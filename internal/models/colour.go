package models

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
)

// ParseColour reads three numbers for red, green and blue, with commas between
// them; an empty text is nil. Anything else is palate.ErrInvalid.
func ParseColour(text string) (*[3]float64, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(text, ",")
	var numbers [3]float64
	for i, part := range parts {
		n, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || len(parts) != len(numbers) {
			return nil, fmt.Errorf("%q, want three numbers with commas between: %w", text, palate.ErrInvalid)
		}
		numbers[i] = n
	}
	return &numbers, nil
}
