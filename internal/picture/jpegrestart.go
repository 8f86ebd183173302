package picture

// resync goes on at the restart marker of a number, by libjpeg's rules
// (jdmarker.c, "jpeg_resync_to_restart"): a marker that is one or two ahead
// stays for later, and what lies up to it is grey; one that is one or two
// behind, or no marker at all, is passed by; any other is taken for the right
// one.
func (s *jpegDecoder) resync(sc *anyScan, number int) {
	r := &s.reader
	if r.overrun() || r.count-r.spare >= 8 {
		sc.bad = true
	}
	marker, at := nextMarker(r.data, r.at)
	kept := false
	for want := byte(number % 8); marker != 0xd0+want; {
		sc.bad = true
		ahead := (marker - 0xd0 - want) & 7
		isRestart := marker >= 0xd0 && marker <= 0xd7
		if marker >= 0xc0 && !isRestart || isRestart && (ahead == 1 || ahead == 2) {
			kept = true
			break
		}
		if isRestart && ahead != 7 && ahead != 6 {
			break // too far away to tell
		}
		marker, at = nextMarker(r.data, at+2)
	}
	if !kept {
		at += 2
		sc.insufficient = false
	}
	*r = bitReader{data: r.data, at: at}
}

// nextMarker finds the first marker at or after a place, and where its last
// 0xff stands; past the end there is the picture's end.
func nextMarker(data []byte, at int) (marker byte, found int) {
	for ; at+1 < len(data); at++ {
		if data[at] == 0xff && data[at+1] != 0 && data[at+1] != 0xff {
			return data[at+1], at
		}
	}
	return markerEOI, len(data)
}
