package api

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/starter"
)

// crawlOf reads what else is asked of a crawl; nil if it is nothing.
func crawlOf(in *JobInput) *starter.Crawl {
	if in.Contact == nil && in.Want == nil && in.Include == nil && in.Exclude == nil && in.Filter == nil && in.Range == nil &&
		in.DelaySeconds == nil && in.Parallel == nil && in.LimitRate == nil && in.DryRun == nil {
		return nil
	}
	c := &starter.Crawl{
		Contact: valueOr(in.Contact, ""), Include: valueOr(in.Include, nil), Exclude: valueOr(in.Exclude, nil), Filter: valueOr(in.Filter, nil),
		Range: valueOr(in.Range, ""), Delay: time.Duration(valueOr(in.DelaySeconds, 0) * float64(time.Second)), Parallel: valueOr(in.Parallel, 0),
		BytesPerSecond: valueOr(in.LimitRate, 0), DryRun: valueOr(in.DryRun, false),
	}
	if in.Want != nil {
		width, _ := strconv.Atoi(*in.Want) // or it is "largest", which is 0
		c.Want = &width
	}
	return c
}

// withPreview is a dry run with what it found.
func withPreview(job Job, run catalog.Run) (Job, error) {
	if len(run.Result) == 0 {
		return job, nil
	}
	var result struct{ Preview *CrawlPreview }
	if err := json.Unmarshal(run.Result, &result); err != nil {
		return Job{}, fmt.Errorf("result of run %d: %w", run.ID, err)
	}
	job.Preview = result.Preview
	return job, nil
}
