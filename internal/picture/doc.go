// Package picture turns an image file into the picture that a person sees:
// upright, opaque, eight bits a channel, red, green and blue.
//
// It reads JPEG, PNG, GIF, WebP, BMP, TIFF, Netpbm, TGA,
// HEIC and AVIF (the last two in another process, see DecodeIfAsked). The EXIF orientation is
// applied, transparency is laid over white, and of an animation the first
// frame is taken. The size is read from the header and held against Limits
// before any pixel is decoded.
//
// Where Go's decoders and the reference libraries show different pictures,
// the reference libraries are followed:
//
//   - JPEG of any layout is decoded here, to the bytes that libjpeg-turbo
//     gives, and the usual kind at a fraction of its size where that is enough
//     (DecodeAtLeast). What libjpeg shows of a damaged file is shown, from half
//     of it on, and Info.Damage says so.
//   - JPEG chroma is interpolated with the triangle filter, as libjpeg's
//     "fancy upsampling" does, instead of being repeated.
//   - Lossy WebP is limited-range BT.601 with interpolated chroma, as in
//     libwebp (golang/go#40173).
//   - CMYK JPEG is inverted, as Adobe writes it, and shown without a profile.
//
// Resizing is Pillow's antialiased bicubic, to the byte, so that a model sees
// what it was trained on.
//
// Every error that is the file's fault wraps palate.ErrInvalid and is an
// *UnsupportedError, a *LimitError or a *CorruptError; a failure of the
// reader itself is returned as it is. All functions are safe for concurrent
// use; none starts a goroutine
// that outlives the call but those that end idle decoders.
package picture
