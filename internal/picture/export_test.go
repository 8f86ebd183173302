package picture

// DecodeByStandardLibrary decodes a JPEG as if it were of no usual kind.
func DecodeByStandardLibrary(data []byte) (*RGB, error) {
	f, err := openJPEG(data)
	if err != nil {
		return nil, err
	}
	return f.(*jpegFile).decodeOther()
}

// DecodeUsual decodes a JPEG at 1/scale if it is of the usual kind.
func DecodeUsual(data []byte, scale int) (*RGB, bool) {
	f, err := openJPEG(data)
	if err != nil {
		return nil, false
	}
	return f.(*jpegFile).decodeUsual(scale)
}
