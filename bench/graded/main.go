// Command graded compares ways to learn stars from 1 to 5 on tastes that are
// known: Spearman's ρ with the stars of pictures that were not rated, and the
// AUC of their likes (4 and 5) against their dislikes (1 and 2).
//
//	go run ./bench/graded [-features FILE.npy] [-draws 40] [-ratings 10,100]
//
// Without features the pictures are drawn: points on a sphere, of which the
// first few directions mean something. A taste is a direction among the
// pictures, or nearness to a few of them, with noise or without; its five
// grades are 10, 20, 30, 25 and 15 % of the pictures. Each line is a taste and
// a number of ratings; beside the figures of today's way stand the mean
// differences of the others on the same draws, with two standard errors.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
)

func main() {
	file := flag.String("features", "", "embeddings, one in each row")
	draws := flag.Int("draws", 40, "draws of each taste")
	ratings := flag.String("ratings", "10,100", "numbers of ratings to learn from")
	flag.Parse()
	if err := run(context.Background(), *file, *draws, *ratings); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, file string, draws int, ratings string) error {
	rows, err := pictures(file)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(out, "taste\tratings\tfigure\t", ways[0].name)
	for _, w := range ways[1:] {
		fmt.Fprint(out, "\t", w.name)
	}
	fmt.Fprintln(out)
	for _, t := range tastes {
		for text := range strings.SplitSeq(ratings, ",") {
			n, err := strconv.Atoi(text)
			if err != nil {
				return err
			}
			rho, auc := make([][]float64, len(ways)), make([][]float64, len(ways))
			for draw := range draws {
				found, err := judged(ctx, rows, t, n, uint64(draw))
				if err != nil {
					return err
				}
				for i, f := range found {
					rho[i], auc[i] = append(rho[i], f.rho), append(auc[i], f.auc)
				}
			}
			line(out, t.name, n, "ρ", rho)
			line(out, t.name, n, "AUC", auc)
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// line writes the mean of the first way and the others' differences from it.
func line(out *tabwriter.Writer, taste string, n int, figure string, of [][]float64) {
	mean, _ := meanError(of[0])
	fmt.Fprintf(out, "%s\t%d\t%s\t%.3f", taste, n, figure, mean)
	for _, other := range of[1:] {
		difference := make([]float64, len(other))
		for i := range other {
			difference[i] = other[i] - of[0][i]
		}
		mean, standardError := meanError(difference)
		fmt.Fprintf(out, "\t%+.3f ± %.3f", mean, 2*standardError)
	}
	fmt.Fprintln(out)
}

// meanError is the mean and its standard error.
func meanError(values []float64) (mean, standardError float64) {
	n := float64(len(values))
	for _, v := range values {
		mean += v / n
	}
	for _, v := range values {
		standardError += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(standardError / (n - 1) / n)
}
