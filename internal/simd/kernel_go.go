package simd

import "math"

func scanGo(rows Rows, list []int32, q *Query, least float32, found *Found) {
	look := func(row int) {
		codes := rows.Codes[row*rows.Stride : (row+1)*rows.Stride]
		estimate := float32(sumGo(codes, q.wide)-q.offset) * (rows.Scale[row] * q.unit)
		if estimate+q.Margin(rows.Residual[row]) >= least {
			found.Rows = append(found.Rows, int32(row))
			found.Estimates = append(found.Estimates, estimate)
		}
	}
	if list == nil {
		for row := range rows.Scale {
			look(row)
		}
		return
	}
	for _, row := range list {
		look(int(row))
	}
}

// sumGo sums in four lanes that the processor keeps apart; the length is a
// multiple of 64.
func sumGo(codes []byte, q []int16) int32 {
	q = q[:len(codes)]
	var s0, s1, s2, s3 int32
	for i := 0; i+4 <= len(codes); i += 4 {
		x, y := codes[i:i+4:i+4], q[i:i+4:i+4]
		s0 += int32(x[0]) * int32(y[0])
		s1 += int32(x[1]) * int32(y[1])
		s2 += int32(x[2]) * int32(y[2])
		s3 += int32(x[3]) * int32(y[3])
	}
	return s0 + s1 + s2 + s3
}

func quantiseGo(x []float32, dim int, rows Rows) {
	for i := range rows.Scale {
		codes := rows.Codes[i*rows.Stride : (i+1)*rows.Stride]
		row := x[i*dim : (i+1)*dim]
		var most float32
		for _, v := range row {
			most = max(most, float32(math.Abs(float64(v))))
		}
		step, inverse := most/127, float32(0)
		if most > 0 {
			inverse = 127 / most
		}
		var squares float64
		for j, v := range row {
			c := math.Round(float64(v * inverse))
			codes[j] = byte(int(c) + 128)
			rest := float64(v) - float64(step)*c
			squares += rest * rest
		}
		for j := dim; j < rows.Stride; j++ {
			codes[j] = 128
		}
		rows.Scale[i], rows.Residual[i] = step, float32(math.Sqrt(squares))
	}
}

// dotLanes is how many sums an exact product is made of: value j belongs to
// sum j mod 16, and the sums are added up by halves.
const dotLanes = 16

func dotsGo(x []float32, dim int, list []int32, q []float64, out []float64) {
	for i, row := range list {
		out[i] = dotGo(x[int(row)*dim:(int(row)+1)*dim], q)
	}
}

func dotGo(x []float32, q []float64) float64 {
	var lanes [dotLanes]float64
	q = q[:len(x)]
	for ; len(x) >= dotLanes; x, q = x[dotLanes:], q[dotLanes:] {
		a, b := (*[dotLanes]float32)(x), (*[dotLanes]float64)(q)
		for k := range lanes {
			lanes[k] += float64(a[k]) * b[k]
		}
	}
	for k, v := range x {
		lanes[k] += float64(v) * q[k]
	}
	return byHalves(lanes)
}

// byHalves adds lanes up.
func byHalves(lanes [dotLanes]float64) float64 {
	for half := dotLanes / 2; half > 0; half /= 2 {
		for k := range half {
			lanes[k] += lanes[k+half]
		}
	}
	return lanes[0]
}
