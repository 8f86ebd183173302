package picture

// readSince are the kinds that former versions refused and this one reads. None
// of them is a Kind of UnsupportedError any more.
var readSince = []string{"HEIC", "HEIF", "AVIF", "Netpbm", "TGA", "BigTIFF", "arithmetic-coded JPEG"}

// FormerReasons are what Reason gave for kinds that a former version refused
// and this one reads: whoever kept such a reason may try the file again.
func FormerReasons() []string {
	reasons := make([]string, len(readSince))
	for i, kind := range readSince {
		reasons[i] = Reason(&UnsupportedError{Kind: kind})
	}
	return reasons
}
