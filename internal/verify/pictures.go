package verify

import "context"

// pictures counts the pictures that came damaged and, deep, decodes those of
// which that is not known. What it hears is kept: it is true whether anything
// is mended or not.
func (r *run) pictures(ctx context.Context) error {
	if r.Deep && r.Collection != nil {
		look, err := r.Collection.LookForDamage(ctx, func(done, total int) { r.progress("pictures", done, total) })
		r.report.Decoded = look.Decoded
		if err != nil {
			return err
		}
	}
	count, err := r.Catalog.CountDamage(ctx)
	r.report.Damaged, r.report.Undecoded = count.Damaged, count.Unknown
	return err
}
