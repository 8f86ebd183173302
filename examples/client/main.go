// Command client uploads a picture to a running palate, likes it, and lists
// what is liked, by the client that is generated from openapi.yaml.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"os"
	"path/filepath"

	"github.com/palate-art/palate/api/client"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: client SERVER PICTURE, as in: client http://127.0.0.1:7252 picture.jpg")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Stdout, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

const profile = "me"

func run(ctx context.Context, out io.Writer, server, picture string) error {
	c, err := client.NewClientWithResponses(server)
	if err != nil {
		return err
	}
	image, err := upload(ctx, c, picture)
	if err != nil {
		return err
	}
	like := client.VerdictLike
	rated, err := c.PutRatingWithResponse(ctx, profile, image.ID, client.PutRatingJSONRequestBody{Verdict: &like})
	if err != nil {
		return err
	}
	if rated.JSON200 == nil {
		return fmt.Errorf("like %s: the server answered %s: %s", image.ID, rated.Status(), rated.Body)
	}
	liked, err := c.ListRatingsWithResponse(ctx, profile, &client.ListRatingsParams{Verdict: &like})
	if err != nil {
		return err
	}
	if liked.JSON200 == nil {
		return fmt.Errorf("list what is liked: the server answered %s: %s", liked.Status(), liked.Body)
	}
	for _, rating := range liked.JSON200.Ratings {
		fmt.Fprintf(out, "%s is liked since %s\n", rating.ImageID, rating.At)
	}
	return nil
}

// upload adds a picture, or finds it where it is there already.
func upload(ctx context.Context, c *client.ClientWithResponses, picture string) (*client.Image, error) {
	content, err := os.ReadFile(picture)
	if err != nil {
		return nil, err
	}
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	part, err := parts.CreateFormFile("file", filepath.Base(picture))
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = parts.Close()
	}
	if err != nil {
		return nil, err
	}
	answer, err := c.UploadImageWithBodyWithResponse(ctx, nil, parts.FormDataContentType(), &form)
	switch {
	case err != nil:
		return nil, err
	case answer.JSON201 != nil:
		return answer.JSON201, nil
	case answer.JSON200 != nil:
		return answer.JSON200, nil
	}
	return nil, fmt.Errorf("upload %s: the server answered %s: %s", picture, answer.Status(), answer.Body)
}
