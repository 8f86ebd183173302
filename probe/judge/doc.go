// Package judge says how well a taste was learned, whoever learned it:
// predictions in, report out. It knows no features, no weights and no way to
// learn, so a probe, a fine-tuned model, nearest neighbours and a person's own
// scores are judged by the same rules on the same splits.
//
// Whoever wants to be judged makes a Set of what was rated, takes its Splits,
// learns for each fold of each split from Split.Train, scores Split.Held, and
// hands the scores to Set.Judge as Predictions. Others given beside them are
// compared in pairs. A method that learns calibration and threshold on the
// training part gives those too; for one that gives scores alone they are
// learned from the scores of the other folds.
//
// Examples of one group show one work, such as the copies of a picture. No
// split puts some of a group into training and others aside, and a work counts
// once in every metric however many pictures show it.
//
// The metrics, the curves, calibration and thresholds are plain functions too.
//
// # Format of a report
//
// A Report is one JSON object wherever it is kept or printed. Its "format" is
// 2. Lists may be missing: a summary has none of them, and a report that came
// with an imported probe says little more than the model and the kind. Version 1
// had no "format", and was written by releases before this one: it has the
// same fields, and Report.UnmarshalJSON reads it. Fields may be added within a
// version; a change of meaning makes a new one, and a version that is not known
// is refused.
package judge
