package works

// LookBy is Look that keeps what it found after so many pictures.
var LookBy = lookAll
