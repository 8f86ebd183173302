package arena

// Verdicts says what follows from the pairs of a report and its ranked cells.
func Verdicts(r *Report) []string { return verdicts(r, r.Cells) }
