package probe

import "github.com/palate-art/palate"

// Report says how good a probe is. Every metric is of predictions for
// examples that had no part in what predicted them: not in fitting, not in
// the choice of strength and iterations, not in calibrating.
type Report struct {
	Model    palate.ModelID `json:"model"`
	Examples int            `json:"examples"`
	Likes    int            `json:"likes"`
	Dislikes int            `json:"dislikes"`
	Groups   int            `json:"groups"` // works: examples that are held together

	// AUC is the share of pairs of a like and a dislike of one fold that are
	// in the right order, with its 95 % interval (see AUCInterval).
	AUC     float64 `json:"auc"`
	AUCLow  float64 `json:"auc_low"`
	AUCHigh float64 `json:"auc_high"`
	// AveragePrecision, LogLoss, Brier and CalibrationError (ten bins) are of
	// the calibrated probabilities of all folds together.
	AveragePrecision float64 `json:"average_precision"`
	LogLoss          float64 `json:"log_loss"`
	Brier            float64 `json:"brier"`
	CalibrationError float64 `json:"calibration_error"`
	// BalancedAccuracy, F1 and Confusion are of decisions at score 0.
	BalancedAccuracy float64   `json:"balanced_accuracy"`
	F1               float64   `json:"f1"`
	Confusion        Confusion `json:"confusion"`

	// Strength is the one chosen, among all.
	Strength  float64        `json:"strength"`
	Strengths []StrengthLoss `json:"strengths"`
	// Iterations of the final fit.
	Iterations int `json:"iterations"`
	// Stops tells of each fold at the chosen strength.
	Stops []FoldStop `json:"stops"`

	// OutOfFold has every example, in the order of images.
	OutOfFold []Prediction `json:"out_of_fold"`

	// Warnings are for people: what to keep in mind.
	Warnings []string `json:"warnings,omitempty"`
}

// StrengthLoss is the mean held-out loss of one strength over the folds.
type StrengthLoss struct {
	Strength float64 `json:"strength"`
	Loss     float64 `json:"loss"`
}

// FoldStop tells where the descent stopped in one fold. Losses are the mean
// weighted log-loss of what the fold held out.
type FoldStop struct {
	Fold      int     `json:"fold"`
	Iteration int     `json:"iteration"` // that had the lowest loss
	Ran       int     `json:"ran"`       // iterations in all
	Loss      float64 `json:"loss"`      // at Iteration

	ConvergedAt       int     `json:"converged_at"` // iterations without early stopping
	LossAtConvergence float64 `json:"loss_at_convergence"`
	Gain              float64 `json:"gain"` // LossAtConvergence - Loss
}

// Prediction is what was predicted of an example by probes that had not seen
// it; with Repeats above 1 it is the mean, and Fold is of the first.
type Prediction struct {
	Image       palate.ImageID `json:"image"`
	Liked       bool           `json:"liked"`
	Fold        int            `json:"fold"`
	Score       float64        `json:"score"`       // logit
	Probability float64        `json:"probability"` // calibrated
}
