// The scenario by what openapi-generator generates for Go.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	palate "scenario/generated"
)

func check(holds bool, what string, about ...any) {
	if !holds {
		fmt.Println("does not hold:", what, about)
		os.Exit(1)
	}
}

// problem is what a failed call was answered with.
func problem(err error) palate.Problem {
	var failed *palate.GenericOpenAPIError
	check(errors.As(err, &failed), "a failed call tells what was answered", err)
	p, is := failed.Model().(palate.Problem)
	check(is, "the answer is a problem", failed.Model())
	return p
}

func main() {
	ctx, profile := context.Background(), os.Getenv("PALATE_PROFILE")
	configuration := palate.NewConfiguration()
	configuration.Servers = palate.ServerConfigurations{{URL: os.Getenv("PALATE_URL")}}
	c := palate.NewAPIClient(configuration)

	picture, err := os.Open(os.Getenv("PALATE_PICTURE"))
	check(err == nil, "the picture is there", err)
	uploaded, response, err := c.ImagesAPI.UploadImage(ctx).Title("Uploaded").File(picture).Execute()
	check(err == nil && response.StatusCode == 201 && uploaded.Title == "Uploaded", "the upload answers 201 with the image", err)
	list, _, err := c.ImagesAPI.ListImages(ctx).Limit(50).Execute()
	check(err == nil, "images are listed", err)
	var others []palate.Image
	for _, image := range list.Images {
		if image.Id != uploaded.Id {
			others = append(others, image)
		}
	}
	check(len(others) == len(list.Images)-1, "the upload is in the list")
	for i, image := range others {
		verdict := []palate.Verdict{"dislike", "like"}[i%2]
		rated, _, err := c.RatingsAPI.PutRating(ctx, profile, image.Id).RatingInput(palate.RatingInput{Verdict: &verdict}).Execute()
		check(err == nil && rated.Verdict == verdict, "a rating answers with itself", err)
	}

	job, response, err := c.ProbeAPI.TrainProbe(ctx, profile).Execute()
	for n := 0; err != nil && response != nil && response.StatusCode == 409 && n < 600; n++ { // it trains by itself too, and not twice at a time
		time.Sleep(100 * time.Millisecond)
		job, response, err = c.ProbeAPI.TrainProbe(ctx, profile).Execute()
	}
	for ; err == nil && job.State == "running"; job, _, err = c.JobsAPI.GetJob(ctx, job.Id).Execute() {
		time.Sleep(100 * time.Millisecond)
	}
	check(err == nil && job.State == "succeeded", "the training succeeds", err)
	scores, _, err := c.ScoresAPI.ListScores(ctx, profile).Limit(5).Execute()
	check(err == nil && len(scores.Scores) == 5 && scores.ProbeVersion >= 1, "five scores come from a probe", err)
	check(scores.Scores[0].Probability.Get() != nil, "a score has a probability")
	near, _, err := c.SearchAPI.ListNeighbours(ctx, others[0].Id).Execute()
	check(err == nil && len(near.Hits) > 0 && near.Hits[0].Similarity <= 1.001, "an image has neighbours", err)

	_, _, err = c.ImagesAPI.GetImage(ctx, "00000000-0000-8000-8000-000000000000").Execute()
	p := problem(err)
	check(p.Status == 404 && p.Type == "urn:palate:problem:not-found", "404 is a problem", p)
	_, _, err = c.ProbeAPI.GetProbe(ctx, "nobody").Execute()
	p = problem(err)
	check(p.Status == 409 && p.GetDetail() != "", "no probe yet is a problem of 409", p)
	_, _, err = c.ImagesAPI.ListImages(ctx).Limit(1000).Execute()
	p = problem(err)
	check(len(p.Errors) == 1 && p.Errors[0].GetParameter() == "limit", "a problem names the parameter", p)

	thumbnail, _, err := c.ImagesAPI.GetImageThumbnail(ctx, uploaded.Id).Width(160).Execute()
	check(err == nil, "a thumbnail is sent", err)
	bytesOf := func(file *os.File) []byte {
		content, err := io.ReadAll(file)
		check(err == nil, "the file can be read", err)
		os.Remove(file.Name())
		return content
	}
	check(bytes.HasPrefix(bytesOf(thumbnail), []byte("\xff\xd8")), "a thumbnail is the bytes of a JPEG")
	file, _, err := c.ImagesAPI.GetImageFile(ctx, uploaded.Id).Execute()
	check(err == nil, "the file is sent", err)
	original, err := os.ReadFile(os.Getenv("PALATE_PICTURE"))
	check(err == nil && bytes.Equal(bytesOf(file), original), "the file is what was uploaded", err)
	response, err = c.ImagesAPI.DeleteImage(ctx, uploaded.Id).Execute()
	check(err == nil && response.StatusCode == 204, "a delete needs no reason", err)
	fmt.Println("the scenario holds")
}
